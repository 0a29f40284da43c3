"""What `/metrics` asks of the running node: implements `LiveFigures`."""

from collections.abc import Sized

from rooms.service import RoomService
from rooms.store.journal import Journal
from sfu.api import MediaStats, Sfu


class NodeFigures:
    def __init__(self, rooms: RoomService, visits: Sized, journal: Journal, sfu: Sfu) -> None:
        self._rooms = rooms
        self._visits = visits
        self._journal = journal
        self._sfu = sfu

    def room_count(self) -> int:
        return self._rooms.room_count()

    def visit_count(self) -> int:
        return len(self._visits)

    def live_store_lost(self) -> bool:
        return self._journal.lost

    async def media_stats(self) -> MediaStats:
        return await self._sfu.stats()
