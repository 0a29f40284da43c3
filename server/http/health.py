"""`/healthz` and `/readyz`. Liveness never depends on another program."""

from aiohttp import web

from hr.interviews.schemas import Schema
from server.http.route import Route, answer, services_of


class HealthOut(Schema):
    status: str = "ok"


class ReadyOut(Schema):
    """`failures`: what keeps this node from taking new visits, by part."""

    status: str
    failures: dict[str, str]


async def healthz(request: web.Request) -> web.Response:
    return answer(HealthOut())


async def readyz(request: web.Request) -> web.Response:
    failures = dict(await services_of(request).readiness.failures())
    out = ReadyOut(status="unready" if failures else "ready", failures=failures)
    return answer(out, status=503 if failures else 200)


ROUTES = (
    Route("GET", "/healthz", healthz, "The process lives", "operator", gives=HealthOut),
    Route("GET", "/readyz", readyz, "New visits are welcome", "operator", gives=ReadyOut),
)
