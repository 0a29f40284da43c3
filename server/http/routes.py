"""Every route, in the order in which they are tried."""

from aiohttp import web

from server.http import health, interviews, links, metrics, openapi, pages, session, whip
from server.http.route import Route

API_ROUTES: tuple[Route, ...] = (
    *links.ROUTES,
    *session.ROUTES,
    *interviews.ROUTES,
    *whip.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
)


def add_routes(app: web.Application) -> None:
    """Register everything. Call last: the pages' asset route takes all paths that are left."""
    app[openapi.DOCUMENT] = openapi.document(API_ROUTES)
    for route in (*API_ROUTES, *openapi.ROUTES, *pages.ROUTES):
        if route.method == "GET":
            app.router.add_get(route.path, route.handler)  # HEAD comes with it
        else:
            app.router.add_route(route.method, route.path, route.handler)
