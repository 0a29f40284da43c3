"""The aiohttp application: middleware, headers, routes."""

from aiohttp import web

from server.http.metrics import FIGURES
from server.http.pages import ASSETS
from server.http.routes import add_routes
from server.http.static import Assets
from server.middleware.access import access
from server.middleware.errors import errors
from server.middleware.headers import add_security_headers
from server.middleware.origin import origin_check
from server.middleware.rate_limit import rate_limit
from server.observability.metrics import METRICS, LiveFigures, Metrics
from server.services import SERVICES, Services


def make_web_app(services: Services, metrics: Metrics, figures: LiveFigures) -> web.Application:
    """Outermost first: what is refused inside is still logged and is JSON."""
    http = services.settings.http
    app = web.Application(
        middlewares=[access, errors, origin_check(http), rate_limit(http)],
        client_max_size=http.max_body_bytes,
    )
    app[SERVICES] = services
    app[METRICS] = metrics
    app[FIGURES] = figures
    app[ASSETS] = Assets(http.static_dir)
    add_security_headers(app, http)
    return app


def finish_web_app(app: web.Application) -> None:
    """Add the routes; after the Socket.IO edge has added its own."""
    add_routes(app)
