"""Whether this node should get new visits."""

import asyncio
from collections.abc import Mapping

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hr.database import Database
from rooms.service import RoomService

REDIS_TIMEOUT_S = 1.0


class NodeReadiness:
    """Implements `server.services.Readiness`."""

    def __init__(self, redis: Redis, database: Database, rooms: RoomService) -> None:
        self._redis = redis
        self._database = database
        self._rooms = rooms
        self.stopping = False

    async def failures(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if self.stopping:
            found["node"] = "stopping"
        if not await self._redis_answers():
            found["redis"] = "does not answer"
        if not await self._database.ready():
            found["database"] = "does not answer"
        if self._rooms.is_full:
            found["capacity"] = "full"
        return found

    async def _redis_answers(self) -> bool:
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True
