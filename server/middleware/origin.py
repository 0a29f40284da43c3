"""Refuse state-changing requests that another site's page makes with our cookies."""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from config import HttpSettings
from server.errors import OriginRefusedError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

BEARER_ONLY = ("/whip", "/whep")
"""These take a bearer token and never a cookie, so a foreign page gains nothing (RFC 9725
section 4.7 wants CORS there); the Socket.IO edge has its own check."""


def is_own_origin(origin: str, host: str, settings: HttpSettings) -> bool:
    """Whether a page of this origin may call us; `host` is the request's Host header."""
    trusted = (*settings.allowed_origins, *([settings.public_url] if settings.public_url else []))
    if origin in trusted:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == host


def origin_check(settings: HttpSettings) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        exempt = request.path.startswith(BEARER_ONLY)
        if request.method not in SAFE_METHODS and not exempt and _is_foreign(request, settings):
            raise OriginRefusedError
        return await handler(request)

    return check


def _is_foreign(request: web.Request, settings: HttpSettings) -> bool:
    origin = request.headers.get("Origin")
    if origin is not None:
        return not is_own_origin(origin, request.host, settings)
    # Browsers send one of the two with every such request; programs send neither and have no
    # cookies that a page could abuse.
    return request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
