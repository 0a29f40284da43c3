"""`/api/session`: who the HR console is signed in as."""

from datetime import UTC, datetime

from aiohttp import web

from hr.interviews.schemas import Schema
from server.http.route import Route, answer, hr_caller, services_of
from server.security.hr_sessions import COOKIE


class SessionOut(Schema):
    organisation: str
    name: str
    expires_at: datetime | None


async def show(request: web.Request) -> web.Response:
    caller = await hr_caller(request)
    expires = caller.expires_at_s
    return answer(
        SessionOut(
            organisation=caller.organisation_id,
            name=caller.name,
            expires_at=None if expires is None else datetime.fromtimestamp(expires, UTC),
        )
    )


async def end(request: web.Request) -> web.Response:
    services = services_of(request)
    await services.hr_sessions.end(request.cookies.get(COOKIE))
    services.live.hr_signed_out()
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/")
    return response


ROUTES = (
    Route("GET", "/api/session", show, "Who am I", "hr", gives=SessionOut),
    Route("DELETE", "/api/session", end, "End this session", status=204),
)
