"""`/metrics` for Prometheus."""

from aiohttp import web

from server.http.route import Route
from server.observability.metrics import CONTENT_TYPE, METRICS, LiveFigures

FIGURES = web.AppKey("figures", LiveFigures)


async def show(request: web.Request) -> web.Response:
    body = await request.app[METRICS].render(request.app[FIGURES])
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


ROUTES = (Route("GET", "/metrics", show, "Figures for Prometheus", "operator"),)
