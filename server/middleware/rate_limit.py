"""Guesses by address: who tries links or tokens that do not open anything is slowed.

Only failures count. A campus behind one address may let a thousand people in within a minute,
each with a link of their own.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from config import HttpSettings
from hr.errors import NotFoundError
from hr.links.errors import LinkNotAskableError, LinkOtherDeviceError
from server.errors import (
    RateLimitedError,
    SessionUnknownError,
    TokenRefusedError,
    UnauthenticatedError,
)
from signaling.errors import AdmissionRefused

MAX_ADDRESSES = 10_000
LIMITED = ("/api/links/", "/whip", "/whep")

GUESSES = (
    NotFoundError,
    LinkOtherDeviceError,
    LinkNotAskableError,
    UnauthenticatedError,
    SessionUnknownError,
    TokenRefusedError,
    AdmissionRefused,
)
"""What is refused to someone who may have no right to it. A link that is too early or over was
given to whoever holds it, and that counts for nothing here."""


class Buckets:
    """`per_minute` failures a minute for each key, that many at once.

    When more keys than `MAX_ADDRESSES` are known, the one unseen for longest is forgotten: an
    attacker with that many addresses is not stopped by a limit per address anyway.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._burst = float(per_minute)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, key: str, now_s: float) -> bool:
        return self._tokens(key, now_s) >= 1

    def spend(self, key: str, now_s: float) -> None:
        """Note a failure. Those that were under way together may lead into debt, up to a burst."""
        tokens = max(-self._burst, self._tokens(key, now_s) - 1)
        self._buckets.pop(key, None)
        self._buckets[key] = (tokens, now_s)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)

    def _tokens(self, key: str, now_s: float) -> float:
        tokens, then_s = self._buckets.get(key, (self._burst, now_s))
        return min(self._burst, tokens + (now_s - then_s) * self._per_second)

    def __len__(self) -> int:
        return len(self._buckets)


def address_of(request: web.Request, settings: HttpSettings) -> str:
    """The client's address; the last one that the proxy in front added, if we trust it."""
    if settings.trust_forwarded_for:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded[:64]
    return request.remote or "unknown"


def rate_limit(
    settings: HttpSettings, monotonic_s: Callable[[], float] = time.monotonic
) -> Middleware:
    buckets = Buckets(settings.failures_per_minute)

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(LIMITED):
            return await handler(request)
        address = address_of(request, settings)
        if not buckets.allows(address, monotonic_s()):
            raise RateLimitedError
        try:
            return await handler(request)
        except GUESSES as error:
            if error.code != "busy":  # that is our trouble
                buckets.spend(address, monotonic_s())
            raise

    return limit
