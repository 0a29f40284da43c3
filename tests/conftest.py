"""Fixtures that tests of several packages share."""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings
from redis.asyncio import Redis

from tests.postgres_server import PostgresServer, find_binaries
from tests.redis_server import RedisServer

# The same examples on every run, and no verdict on how busy the machine is.
settings.register_profile("mianshi", deadline=None, derandomize=True)
settings.load_profile("mianshi")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--company",
        action="append",
        choices=("chromium", "firefox", "mixed"),
        help="the browsers of the people in tests/e2e, for every test that can have them: "
        "mixed is a candidate in Chromium and everybody else in Firefox",
    )


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """A Redis that tests must not stop; use `redis`, which begins empty."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def redis(shared_redis: RedisServer) -> AsyncIterator[Redis]:
    """A client of an empty Redis."""
    async with Redis(unix_socket_path=str(shared_redis.socket_path)) as client:
        await client.flushall()
        yield client


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may stop and start."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL; `new_database()` gives an empty database."""
    binaries = find_binaries()
    if binaries is None:
        pytest.fail("no PostgreSQL: run tests/install-system-packages.sh")
    server = PostgresServer(binaries)
    server.start()
    yield server
    server.remove()
