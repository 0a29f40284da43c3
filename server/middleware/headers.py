"""Security headers on every response, Socket.IO's included."""

import re

from aiohttp import web

from config import HttpSettings

_SAFE_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?")

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The path of a link is a secret: it is told to nobody.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), "
        "fullscreen=(self), screen-wake-lock=(self), geolocation=(), payment=(), usb=()"
    ),
}

CROSS_ORIGIN = ("/whip", "/whep")
"""RFC 9725 section 4.7: pages of other sites may use these, with a bearer token."""

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Patch, Accept-Post",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

_HSTS = "max-age=31536000"


def content_security_policy(host: str) -> str:
    """`host` is the request's own; some browsers do not count ws: as 'self'."""
    own = f" ws://{host} wss://{host}" if _SAFE_HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        # Vue writes style attributes into static markup; they cannot run anything.
        "style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; "
        f"connect-src 'self'{own}; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def add_security_headers(app: web.Application, settings: HttpSettings) -> None:
    """Also covers responses that no middleware sees whole, such as web sockets."""
    # A self-made certificate must stay one that a person can choose to accept.
    hsts = (settings.public_url or "").startswith("https:") or settings.tls_certificate is not None

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        for name, value in _FIXED.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", content_security_policy(request.host))
        headers.setdefault("Cache-Control", "no-store")
        if request.path.startswith(CROSS_ORIGIN):
            headers.update(_CORS)
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if hsts:
            headers.setdefault("Strict-Transport-Security", _HSTS)
        headers.pop("Server", None)

    app.on_response_prepare.append(on_prepare)
