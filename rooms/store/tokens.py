"""Tokens that must be known to the whole cluster: used join tokens, resume generations.

Resume tokens rotate. The one before the current stays good for a short while, because the
connection may die before its successor reaches the client; anything older is refused.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from rooms.errors import StoreUnavailable

OVERLAP_MS = 120_000
"""How long the previous generation of a resume token stays good, unless the node is set otherwise.

At least the seat's grace: who lost the connection before the new token came has only the old one.
"""
KEEP_S = 30 * 24 * 3600
MAX_REMEMBERED = 10_000

# KEYS[1] the participant's hash; ARGV: now (ms), time to live (s), and the generation and epoch
# that the node remembers, which are ahead of a Redis that was away or has lost its data.
_ROTATE = """
local stored = redis.call('HMGET', KEYS[1], 'generation', 'epoch')
local generation = math.max(tonumber(stored[1] or '0'), tonumber(ARGV[3])) + 1
local epoch = math.max(tonumber(stored[2] or '0'), tonumber(ARGV[4]))
redis.call('HSET', KEYS[1], 'generation', generation, 'epoch', epoch, 'rotated_at_ms', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {generation, epoch}
"""
_REVOKE = """
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return epoch
"""


@dataclass(frozen=True, slots=True)
class ResumeStamp:
    """What a resume token must carry to be accepted later."""

    generation: int
    epoch: int


@dataclass(frozen=True, slots=True)
class _Known:
    stamp: ResumeStamp
    rotated_at_ms: int


class TokenStore:
    """Single use and revocation of tokens. `now_ms` is Unix time."""

    def __init__(
        self,
        redis: Redis,
        *,
        now_ms: Callable[[], int] | None = None,
        overlap_ms: int = OVERLAP_MS,
    ) -> None:
        self._redis = redis
        self._overlap_ms = overlap_ms
        self._now_ms = now_ms or (lambda: int(time.time() * 1000))
        self._remembered: OrderedDict[str, _Known] = OrderedDict()

    async def burn(self, jti: str, ttl_s: int) -> bool:
        """Use up a join token; False if it was used before. Raises StoreUnavailable.

        `ttl_s` is how long the token would still be valid: its use is remembered as long.
        """
        try:
            return bool(await self._redis.set(f"mianshi:jti:{jti}", 1, nx=True, ex=max(1, ttl_s)))
        except (RedisError, OSError) as error:
            raise StoreUnavailable from error

    async def rotate(self, participant: str) -> ResumeStamp:
        """Begin the participant's next generation of resume tokens.

        Without Redis this node goes on from what it remembers: a running interview must survive
        the loss. Raises StoreUnavailable if it remembers nothing.
        """
        now_ms = self._now_ms()
        known = self._remembered.get(participant)
        floor = known.stamp if known else ResumeStamp(0, 0)
        arguments = (now_ms, KEEP_S, floor.generation, floor.epoch)
        try:
            generation, epoch = await self._redis.eval(
                _ROTATE, 1, _key(participant), *map(str, arguments)
            )
            stamp = ResumeStamp(int(generation), int(epoch))
        except (RedisError, OSError) as error:
            if known is None:
                raise StoreUnavailable from error
            stamp = ResumeStamp(floor.generation + 1, floor.epoch)
        self._remember(participant, _Known(stamp, now_ms))
        return stamp

    async def accepts(self, participant: str, stamp: ResumeStamp) -> bool:
        """Whether a resume token with `stamp` is good now. Raises StoreUnavailable."""
        known = await self._known(participant)
        if known is None or stamp.epoch != known.stamp.epoch:
            return False
        behind = known.stamp.generation - stamp.generation
        fresh = self._now_ms() - known.rotated_at_ms <= self._overlap_ms
        return behind == 0 or (behind == 1 and fresh)

    async def revoke(self, participant: str) -> None:
        """Make every resume token of the participant worthless.

        Raises StoreUnavailable; this node then refuses them none the less, and tells Redis with
        the next rotation.
        """
        try:
            epoch = int(await self._redis.eval(_REVOKE, 1, _key(participant), str(KEEP_S)))
        except (RedisError, OSError) as error:
            self._raise_epoch(participant, 0)
            raise StoreUnavailable from error
        self._raise_epoch(participant, epoch)

    def _raise_epoch(self, participant: str, epoch: int) -> None:
        """`epoch`: what Redis counts; a Redis that lost its data counts from the start again."""
        known = self._remembered.get(participant)
        if known is not None:
            stamp = ResumeStamp(known.stamp.generation, max(epoch, known.stamp.epoch + 1))
            self._remember(participant, _Known(stamp, known.rotated_at_ms))

    async def _known(self, participant: str) -> _Known | None:
        try:
            stored = await self._redis.hgetall(_key(participant))
        except (RedisError, OSError) as error:
            if participant in self._remembered:
                return self._remembered[participant]
            raise StoreUnavailable from error
        stamp = ResumeStamp(int(stored.get(b"generation", 0)), int(stored.get(b"epoch", 0)))
        return self._newer(participant, _Known(stamp, int(stored.get(b"rotated_at_ms", 0))))

    def _newer(self, participant: str, stored: _Known) -> _Known | None:
        """What this node did while Redis was lost is newer than what Redis knows."""
        mine = self._remembered.get(participant)
        if mine is None:
            return stored if stored.stamp.generation else None
        newer = mine if mine.stamp.generation > stored.stamp.generation else stored
        epoch = max(mine.stamp.epoch, stored.stamp.epoch)
        return _Known(ResumeStamp(newer.stamp.generation, epoch), newer.rotated_at_ms)

    def _remember(self, participant: str, known: _Known) -> None:
        self._remembered[participant] = known
        self._remembered.move_to_end(participant)
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)


def _key(participant: str) -> str:
    return f"mianshi:resume:{participant}"
