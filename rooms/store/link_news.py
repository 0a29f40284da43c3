"""Word between processes that links were withdrawn: the command line tells, nodes listen.

Only that something changed is told; what, each node reads in SQL. So nothing can be achieved
with a forged message, and a lost one only costs time.
"""

import asyncio

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from rooms.errors import StoreUnavailable

CHANNEL = "mianshi:links"
PAUSE_S = 1.0
"""After a failure: Redis may be starting again."""


class LinkNews:
    """One per process; `wait` from one task only."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listening: PubSub | None = None

    async def tell(self) -> None:
        """Let every node look. Raises StoreUnavailable."""
        try:
            await self._redis.publish(CHANNEL, b"changed")
        except (RedisError, OSError) as error:
            raise StoreUnavailable from error

    async def wait(self, timeout_s: float) -> None:
        """Return when there was news, at the latest after `timeout_s`; never raises for Redis."""
        try:
            if self._listening is None:
                listening = self._redis.pubsub(ignore_subscribe_messages=True)
                await listening.subscribe(CHANNEL)
                await listening.get_message(timeout=PAUSE_S)  # that we listen
                self._listening = listening
                return  # what was told before is found by looking
            await self._listening.get_message(timeout=timeout_s)
        except (RedisError, OSError):
            await self.close()
            await asyncio.sleep(min(PAUSE_S, timeout_s))

    async def close(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            try:
                await listening.aclose()  # type: ignore[no-untyped-call] # the library's
            except (RedisError, OSError):
                return  # it was gone already
