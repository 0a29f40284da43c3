"""Interviews as rooms need them: implements `rooms.ports.InterviewSource` over HR's SQL."""

from hr.interviews.errors import InterviewUnknownError
from hr.interviews.service import InterviewService
from hr.links.link import EARLY_ENTRY, LATE_ENTRY
from rooms.ports import InterviewSpec, RoundSpec


class ScheduledInterviews:
    def __init__(self, interviews: InterviewService) -> None:
        self._interviews = interviews

    async def interview(self, interview_id: str) -> InterviewSpec | None:
        try:
            found = await self._interviews.get(interview_id)
        except InterviewUnknownError:
            return None
        opens_at = found.starts_at - EARLY_ENTRY
        closes_at = found.ended_at or found.ends_at + LATE_ENTRY
        return InterviewSpec(
            id=found.id,
            title=found.title,
            rounds=tuple(RoundSpec(one.id, one.title, one.admission) for one in found.rounds),
            opens_at_ms=int(opens_at.timestamp() * 1000),
            closes_at_ms=int(closes_at.timestamp() * 1000),
        )
