"""When the last round of an interview is over, the interview is: no link of it opens any more."""

import asyncio

import structlog

from hr.errors import HrError
from hr.interviews.service import InterviewService
from rooms.service import RoomService

log = structlog.get_logger("server.endings")


class Endings:
    """Give `on_change` to `RoomService.on_change`."""

    def __init__(self, rooms: RoomService, interviews: InterviewService) -> None:
        self._rooms = rooms
        self._interviews = interviews
        self._ended: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def on_change(self, interview_id: str) -> None:
        live = self._rooms.live(interview_id)
        if live is None or interview_id in self._ended:
            return
        if all(room.state.ended for room in live.rooms.values()):
            self._ended.add(interview_id)
            task = asyncio.create_task(self._end(interview_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end(self, interview_id: str) -> None:
        try:
            await self._interviews.end(interview_id)
            await self._rooms.refresh(interview_id)
        except HrError as error:
            # Its rooms stay closed by their own state; the next change tries again.
            log.warning("ending_not_noted", code=error.code)
        finally:
            self._ended.discard(interview_id)

    async def close(self) -> None:
        """Let what was begun be written."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
