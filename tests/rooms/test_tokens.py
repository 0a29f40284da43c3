"""Single use, rotation and revocation against a real Redis."""

import asyncio

import pytest

from rooms.errors import StoreUnavailable
from rooms.store.client import redis_client
from rooms.store.tokens import MAX_REMEMBERED, OVERLAP_MS, ResumeStamp, TokenStore


class Clock:
    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_join_token_burns_once(redis):
    store = TokenStore(redis)
    burnt = await asyncio.gather(*(store.burn("jti-1", 300) for _ in range(20)))
    assert sorted(burnt) == [False] * 19 + [True]
    assert await store.burn("jti-2", 300)
    assert 0 < await redis.ttl("mianshi:jti:jti-1") <= 300


async def test_nothing_is_burnt_without_redis(own_redis):
    async with redis_client(own_redis.url) as redis:
        own_redis.stop()
        with pytest.raises(StoreUnavailable):
            await TokenStore(redis).burn("jti", 300)


async def test_generations(redis, clock):
    store = TokenStore(redis, now_ms=clock)
    first = await store.rotate("cai")
    assert await store.accepts("cai", first)
    second = await store.rotate("cai")
    assert await store.accepts("cai", second)
    assert await store.accepts("cai", first), "its successor may have been lost on the way"
    clock.now_ms += OVERLAP_MS + 1
    assert not await store.accepts("cai", first)
    assert await store.accepts("cai", second)
    await store.rotate("cai")
    third = await store.rotate("cai")
    assert not await store.accepts("cai", second)
    assert await store.accepts("cai", third)


@pytest.mark.parametrize(
    "stamp", [ResumeStamp(2, 0), ResumeStamp(0, 0), ResumeStamp(-5, 0), ResumeStamp(1, 1)]
)
async def test_invented_stamps(redis, clock, stamp):
    store = TokenStore(redis, now_ms=clock)
    await store.rotate("cai")
    clock.now_ms += OVERLAP_MS + 1
    assert not await store.accepts("cai", stamp)


async def test_a_stranger_has_no_generation(redis):
    assert not await TokenStore(redis).accepts("nobody", ResumeStamp(1, 0))


async def test_revoking(redis, clock):
    store = TokenStore(redis, now_ms=clock)
    stamp = await store.rotate("cai")
    await store.revoke("cai")
    assert not await store.accepts("cai", stamp)
    assert await store.accepts("cai", await store.rotate("cai"))


async def test_revoking_before_anything_was_issued(redis):
    store = TokenStore(redis)
    await store.revoke("cai")
    assert not await store.accepts("cai", ResumeStamp(0, 1))
    assert (await store.rotate("cai")).epoch == 1


async def test_another_node_knows(redis, clock):
    stamp = await TokenStore(redis, now_ms=clock).rotate("cai")
    assert await TokenStore(redis, now_ms=clock).accepts("cai", stamp)


async def test_a_running_interview_survives_the_loss_of_redis(own_redis, clock):
    async with redis_client(own_redis.url) as redis:
        store = TokenStore(redis, now_ms=clock)
        before = await store.rotate("cai")
        own_redis.stop()
        assert await store.accepts("cai", before)
        during = await store.rotate("cai")
        assert await store.accepts("cai", during)
        for stranger in (store.rotate("zoe"), store.accepts("zoe", before), store.revoke("zoe")):
            with pytest.raises(StoreUnavailable):
                await stranger
        own_redis.start()
        assert await store.accepts("cai", during), "given out while Redis was away"


async def test_a_revocation_survives_the_loss_of_redis(own_redis, clock):
    async with redis_client(own_redis.url) as redis:
        store = TokenStore(redis, now_ms=clock)
        stamp = await store.rotate("cai")
        own_redis.stop()
        with pytest.raises(StoreUnavailable):
            await store.revoke("cai")
        assert not await store.accepts("cai", stamp)
        own_redis.start()
        assert not await store.accepts("cai", stamp)
        after = await store.rotate("cai")
        assert await store.accepts("cai", after)
        assert await TokenStore(redis, now_ms=clock).accepts("cai", after)


async def test_revoking_after_redis_lost_its_data(redis, clock):
    store = TokenStore(redis, now_ms=clock)
    for _ in range(3):
        await store.rotate("cai")
        await store.revoke("cai")
    stamp = await store.rotate("cai")
    await redis.delete("mianshi:resume:cai")
    await store.revoke("cai")
    assert not await store.accepts("cai", stamp)
    first = ResumeStamp(stamp.generation, 1)
    assert not await store.accepts("cai", first), "no older epoch comes to life again"
    assert await store.accepts("cai", await store.rotate("cai"))


async def test_memory_is_bounded(redis):
    store = TokenStore(redis)
    for n in range(MAX_REMEMBERED + 10):
        store._remember(f"p{n}", None)  # type: ignore[arg-type] # only counted
    assert len(store._remembered) == MAX_REMEMBERED
