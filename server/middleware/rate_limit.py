"""Token buckets by address, bounded in number: guessing links and flooding are slowed."""

import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from config import HttpSettings
from server.errors import RateLimitedError

MAX_ADDRESSES = 10_000
LIMITED = ("/api/links/", "/whip", "/whep")


class Buckets:
    """`per_minute` requests a minute for each key, that many at once.

    When more keys than `MAX_ADDRESSES` are known, the one unseen for longest is forgotten: an
    attacker with that many addresses is not stopped by a limit per address anyway.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._burst = float(per_minute)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now_s: float) -> bool:
        tokens, then_s = self._buckets.pop(key, (self._burst, now_s))
        tokens = min(self._burst, tokens + (now_s - then_s) * self._per_second)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now_s)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return allowed

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
    buckets = Buckets(settings.lookups_per_minute)

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        limited = request.path.startswith(LIMITED)
        if limited and not buckets.take(address_of(request, settings), monotonic_s()):
            raise RateLimitedError
        return await handler(request)

    return limit
