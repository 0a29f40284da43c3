"""WHIP (RFC 9725) to publish into a room and WHEP to watch one participant.

For OBS, GStreamer and bots. The bearer is a join token; it is used up by the POST and then only
proves whose session a PATCH or DELETE is for.
"""

from collections.abc import Iterable, Iterator

from aiohttp import ETag, web

from server.bearer_sessions import (
    HttpSession,
    IceCredentials,
    ice_credentials,
    with_ice_credentials,
)
from server.errors import (
    MediaTypeError,
    PreconditionError,
    PreconditionMissingError,
    RequestInvalidError,
    SessionUnknownError,
    UnauthenticatedError,
)
from server.http.route import Route, bearer_of, services_of
from signaling.protocol.base import MAX_SDP_BYTES
from signaling.protocol.views import IceServer
from signaling.session.visits import BearerSession

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
    "Accept-Post": SDP,
}


def _token(request: web.Request) -> str:
    token = bearer_of(request)
    if token is None:
        raise UnauthenticatedError("A join token is needed as bearer.")
    return token


async def _text(request: web.Request, content_type: str) -> str:
    if request.content_type != content_type:
        raise MediaTypeError(f"The body should be {content_type}.")
    raw = await request.read()
    if len(raw) > MAX_SDP_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_SDP_BYTES, len(raw))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise RequestInvalidError("The body is not UTF-8.") from None


async def publish(request: web.Request) -> web.Response:
    token, offer = _token(request), await _text(request, SDP)
    session = await services_of(request).visits.publish(token, offer)
    return _created(request, "/whip", token, offer, session)


async def watch(request: web.Request) -> web.Response:
    token, offer = _token(request), await _text(request, SDP)
    subject = request.match_info["participant"]
    session = await services_of(request).visits.watch(token, subject, offer)
    return _created(request, "/whep", token, offer, session)


def _created(
    request: web.Request, under: str, token: str, offer: str, session: BearerSession
) -> web.Response:
    """RFC 9725 section 4.2."""
    kept = services_of(request).bearer_sessions.begin(session.id, token, offer, session.sdp)
    response = web.Response(
        text=session.sdp,
        content_type=SDP,
        status=201,
        headers={"Location": f"{under}/{session.id}", "Accept-Patch": FRAGMENT},
    )
    response.etag = ETag(kept.etag)
    for link in _ice_links(session.ice_servers):
        response.headers.add("Link", link)
    return response


def _ice_links(servers: Iterable[IceServer]) -> Iterator[str]:
    """RFC 9725 section 4.6: one header for each URL."""
    for server in servers:
        for url in server.urls:
            link = f'<{url}>; rel="ice-server"'
            if server.username is not None:
                link += (
                    f'; username="{server.username}"; credential="{server.credential}"'
                    '; credential-type="password"'
                )
            yield link


async def change(request: web.Request) -> web.Response:
    """RFC 9725 section 4.3: trickled candidates need no answer, an ICE restart gets ours."""
    services = services_of(request)
    session = services.bearer_sessions.find(request.match_info["session"], _token(request))
    fragment = await _text(request, FRAGMENT)
    restarts = _check_precondition(request, session)
    given = ice_credentials(fragment)
    if not restarts or given is None or given == ice_credentials(session.offer):
        # We are ICE-lite: the client's candidates come to us by themselves.
        return web.Response(status=204)
    return await _restart(request, session, given)


def _check_precondition(request: web.Request, session: HttpSession) -> bool:
    """Whether an ICE restart is asked for (`If-Match: *`)."""
    wanted = request.if_match
    if wanted is None:
        raise PreconditionMissingError
    if any(one.value == "*" for one in wanted):
        return True
    if all(one.value != session.etag for one in wanted):
        raise PreconditionError
    return False


async def _restart(
    request: web.Request, session: HttpSession, given: IceCredentials
) -> web.Response:
    services = services_of(request)
    offer = with_ice_credentials(session.offer, given)
    answer = await services.visits.offer_again(session.id, offer)
    changed = services.bearer_sessions.restarted(session, offer, answer)
    response = web.Response(text=_fragment_of(answer), content_type=FRAGMENT)
    response.etag = ETag(changed.etag)
    return response


def _fragment_of(answer: str) -> str:
    """Our credentials and candidates (RFC 8840 section 9), in the section that has them."""
    sections = answer.split("\r\nm=")[1:]
    lines = next(f"m={one}" for one in sections if "a=end-of-candidates" in one).splitlines()
    credentials = [line for line in lines if line.startswith(("a=ice-ufrag:", "a=ice-pwd:"))]
    wanted = ("m=", "a=mid:", "a=candidate:", "a=end-of-candidates")
    media = [line for line in lines if line.startswith(wanted)]
    return "".join(f"{line}\r\n" for line in ("a=ice-lite", *credentials, *media))


async def end(request: web.Request) -> web.Response:
    services = services_of(request)
    session = services.bearer_sessions.find(request.match_info["session"], _token(request))
    services.bearer_sessions.end(session.id)
    if not services.visits.hang_up(session.id):
        raise SessionUnknownError
    return web.Response(status=200)


async def preflight(request: web.Request) -> web.Response:
    return web.Response(status=204, headers=_PREFLIGHT)


def _session_routes(under: str) -> tuple[Route, ...]:
    path = under + "/{session}"
    return (
        Route("PATCH", path, change, "Trickle or restart ICE", "join_token"),
        Route("DELETE", path, end, "End the session", "join_token"),
    )


ROUTES = (
    Route("POST", "/whip", publish, "Publish into a room (WHIP)", "join_token", status=201),
    Route("OPTIONS", "/whip", preflight, "CORS and Accept-Post", status=204),
    *_session_routes("/whip"),
    Route("OPTIONS", "/whip/{session}", preflight, "CORS", status=204),
    Route("POST", "/whep/{participant}", watch, "Watch a participant", "join_token", status=201),
    *_session_routes("/whep"),
    Route("OPTIONS", "/whep/{session}", preflight, "CORS and Accept-Post", status=204),
)
