"""`/metrics` for Prometheus. The figures tell when interviews are held, so not everyone gets them.

With a token in the settings, whoever sends it as bearer; without one, programs on this machine,
unless a proxy stands in front, behind which everyone seems to be on this machine.
"""

import hmac

from aiohttp import web

from config import HttpSettings
from server.addresses import is_loopback_host
from server.errors import MetricsRefusedError
from server.http.route import Route, bearer_of, services_of
from server.observability.metrics import CONTENT_TYPE, METRICS, LiveFigures

FIGURES = web.AppKey("figures", LiveFigures)

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


async def show(request: web.Request) -> web.Response:
    _check_reader(request, services_of(request).settings.http)
    body = await request.app[METRICS].render(request.app[FIGURES])
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


def _check_reader(request: web.Request, settings: HttpSettings) -> None:
    """Raises MetricsRefusedError."""
    if settings.metrics_token is not None:
        wanted = settings.metrics_token.get_secret_value().encode()
        given = (bearer_of(request) or "").encode("utf-8", "surrogateescape")
        allowed = hmac.compare_digest(given, wanted)
    else:
        proxied = settings.public_url is not None or settings.trust_forwarded_for
        forwarded = any(name in request.headers for name in FORWARDED)
        allowed = not proxied and not forwarded and is_loopback_host(request.remote or "")
    if not allowed:
        raise MetricsRefusedError


ROUTES = (Route("GET", "/metrics", show, "Figures for Prometheus", "operator"),)
