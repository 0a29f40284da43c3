"""The Redis client of a node, and how long it waits."""

from redis.asyncio import Redis

TIMEOUT_S = 2.0
"""To connect, and for an answer."""


def redis_client(url: str) -> Redis:
    """Make a client of `url`. It connects when it is used first, and tries nothing twice.

    A command whose answer was lost may have been carried out: a token that is burnt again would
    be refused to the one who holds it. Who calls knows what can be repeated.
    """
    return Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
