"""`/api/links/<link>`: what a link shows, opening it, and asking to be let in."""

import secrets
from datetime import timedelta
from typing import Literal

from aiohttp import web

from hr.interviews.interview import Interview
from hr.links.schemas import HrContactOut, LinkOut, RedeemedOut
from hr.links.service import OpenedLink
from server.http.route import Route, answer, services_of
from server.security.hr_sessions import COOKIE as HR_COOKIE
from server.services import Services

DEVICE_COOKIE = "mianshi_device"
DEVICE_LIFETIME = timedelta(days=400)
"""The longest that browsers keep a cookie."""

MAX_DEVICE_CHARS = 64


def device_of(request: web.Request) -> str | None:
    """The device cookie, unless it is nothing that we would have set."""
    value = request.cookies.get(DEVICE_COOKIE, "")
    plausible = 32 <= len(value) <= MAX_DEVICE_CHARS and value.isascii()
    return value if plausible else None


def _link_out(services: Services, opened: OpenedLink) -> LinkOut:
    interview, participant = opened.interview, opened.participant
    contact = services.settings.hr
    return LinkOut(
        role="hr" if participant is None else participant.role,
        title="" if interview is None else interview.title,
        round=_round_title(interview, opened),
        starts_at=None if interview is None else interview.starts_at,
        ends_at=None if interview is None else interview.ends_at,
        state=opened.state,
        hr_contact=HrContactOut(name=contact.name, phone=contact.phone),
    )


def _round_title(interview: Interview | None, opened: OpenedLink) -> str | None:
    if interview is None or opened.participant is None:
        return None
    return interview.round_of(opened.participant).title


async def look(request: web.Request) -> web.Response:
    services = services_of(request)
    opened = await services.links.look(request.match_info["link"], device_of(request))
    return answer(_link_out(services, opened))


async def redeem(request: web.Request) -> web.Response:
    services = services_of(request)
    device = device_of(request) or secrets.token_urlsafe(32)
    opened = await services.links.redeem(request.match_info["link"], device)
    response = _redeemed(services, opened)
    _set_cookie(request, response, DEVICE_COOKIE, device, lifetime=DEVICE_LIFETIME, samesite="Lax")
    if opened.participant is None:
        sessions = services.hr_sessions
        value = sessions.begin(opened.link)
        _set_cookie(
            request, response, HR_COOKIE, value, lifetime=sessions.lifetime, samesite="Strict"
        )
    if opened.interview is not None:
        services.live.hr_changed(opened.interview.id)
    return response


def _redeemed(services: Services, opened: OpenedLink) -> web.Response:
    if opened.participant is None or opened.interview is None:
        lifetime_s = int(services.hr_sessions.lifetime.total_seconds())
        return answer(
            RedeemedOut(token=None, expires_in=lifetime_s, participant=None, interview=None)
        )
    return answer(
        RedeemedOut(
            token=services.join_tokens.join_token(opened),
            expires_in=services.settings.security.join_token_s,
            participant=opened.participant.id,
            interview=opened.interview.id,
        )
    )


def _set_cookie(
    request: web.Request,
    response: web.Response,
    name: str,
    value: str,
    *,
    lifetime: timedelta,
    samesite: Literal["Lax", "Strict"],
) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()),
        path="/",
        httponly=True,
        secure=is_secure(request),
        samesite=samesite,
    )


def is_secure(request: web.Request) -> bool:
    """Whether the browser speaks HTTPS, to us or to the proxy in front."""
    public_url = services_of(request).settings.http.public_url or ""
    return request.secure or public_url.startswith("https:")


async def ask(request: web.Request) -> web.Response:
    services = services_of(request)
    opened = await services.links.ask(request.match_info["link"], device_of(request))
    if opened.interview is not None:
        services.live.hr_changed(opened.interview.id)
    return web.Response(status=204)


ROUTES = (
    Route("GET", "/api/links/{link}", look, "What a link leads to; changes nothing", gives=LinkOut),
    Route(
        "POST",
        "/api/links/{link}/redeem",
        redeem,
        "Open a link on this device",
        gives=RedeemedOut,
    ),
    Route(
        "POST", "/api/links/{link}/ask", ask, "A refused device asks HR to be let in", status=204
    ),
)
