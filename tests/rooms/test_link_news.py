"""Word that links changed, over a real Redis."""

import asyncio

import pytest
from redis.asyncio import Redis

from rooms.errors import StoreUnavailable
from rooms.store.client import redis_client
from rooms.store.link_news import LinkNews
from tests.conditions import PATIENCE_S

LONG_S = 60.0


async def in_time(news: LinkNews) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await news.wait(LONG_S)


async def test_whoever_waits_hears_it(redis: Redis) -> None:
    listener = LinkNews(redis)
    await in_time(listener)  # the first time it looks, whatever was told before
    waiting = asyncio.create_task(listener.wait(LONG_S))
    await LinkNews(redis).tell()
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    await listener.close()


async def test_what_is_told_while_nobody_waits_is_not_missed(redis: Redis) -> None:
    listener = LinkNews(redis)
    await in_time(listener)
    await LinkNews(redis).tell()
    await in_time(listener)
    await listener.close()


async def test_without_news_the_time_is_up(redis: Redis) -> None:
    listener = LinkNews(redis)
    await in_time(listener)
    began = asyncio.get_running_loop().time()
    await listener.wait(0.05)
    assert asyncio.get_running_loop().time() - began >= 0.04
    await listener.close()


async def test_a_redis_that_is_away(tmp_path) -> None:
    nowhere = redis_client(f"unix://{tmp_path}/none")
    news = LinkNews(nowhere)
    with pytest.raises(StoreUnavailable):
        await news.tell()
    await news.wait(0.01)
    await news.close()
    await nowhere.aclose()
