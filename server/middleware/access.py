"""A request id, one log line and one measurement for each request."""

import secrets
import time
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from server.middleware.errors import route_of
from server.observability.metrics import METRICS

log = structlog.get_logger("server.access")

QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged only when they fail."""


@web.middleware
async def access(request: web.Request, handler: Handler) -> web.StreamResponse:
    request_id = secrets.token_hex(8)
    began = time.perf_counter()
    with structlog.contextvars.bound_contextvars(request=request_id):
        response = await handler(request)
        _note(request, response, time.perf_counter() - began)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
    return response


def _note(request: web.Request, response: web.StreamResponse, seconds: float) -> None:
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return  # a socket lasts for a whole visit; signalling counts those
    route = route_of(request)
    request.app[METRICS].requests.labels(route, request.method, str(response.status)).observe(
        seconds
    )
    if route in QUIET_ROUTES and response.status < 500:
        return
    log.info(
        "request",
        route=route,
        method=request.method,
        status=response.status,
        ms=round(seconds * 1000, 1),
    )
