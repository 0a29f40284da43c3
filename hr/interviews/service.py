"""Creating and reading interviews."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from hr.database import Database
from hr.interviews.errors import InterviewUnknownError
from hr.interviews.interview import DEFAULT_ORGANISATION, Interview, Participant, Round
from hr.interviews.repository import InterviewRepository
from hr.interviews.schemas import NewInterview

Clock = Callable[[], datetime]


def new_id(prefix: str) -> str:
    """An id that fits the protocol's `Id` and cannot be guessed."""
    return f"{prefix}_{secrets.token_hex(8)}"


class InterviewService:
    def __init__(
        self, database: Database, now: Clock, organisation_id: str = DEFAULT_ORGANISATION
    ) -> None:
        self._database = database
        self._now = now
        self._organisation_id = organisation_id

    async def create(self, new: NewInterview) -> Interview:
        interview = _planned(new, self._organisation_id)
        async with self._database.write() as session:
            repository = InterviewRepository(session, self._organisation_id)
            await repository.add(interview, self._now())
        return interview

    async def get(self, interview_id: str) -> Interview:
        """Raises InterviewUnknownError."""
        async with self._database.read() as session:
            found = await InterviewRepository(session, self._organisation_id).get(interview_id)
        if found is None:
            raise InterviewUnknownError
        return found

    async def newest(
        self, limit: int, before: tuple[datetime, str] | None = None
    ) -> Sequence[Interview]:
        async with self._database.read() as session:
            return await InterviewRepository(session, self._organisation_id).newest(limit, before)

    async def end(self, interview_id: str) -> None:
        """No link of it opens any more. Ending twice changes nothing."""
        async with self._database.write() as session:
            repository = InterviewRepository(session, self._organisation_id)
            await repository.mark_ended(interview_id, self._now())


def _planned(new: NewInterview, organisation_id: str) -> Interview:
    rounds = tuple(
        Round(new_id("round"), one.title, index, one.admission)
        for index, one in enumerate(new.rounds)
    )
    participants = tuple(
        Participant(
            new_id("person"),
            one.name,
            one.role,
            None if one.round is None else rounds[one.round].id,
        )
        for one in new.participants
    )
    return Interview(
        id=new_id("interview"),
        organisation_id=organisation_id,
        title=new.title,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        ended_at=None,
        rounds=rounds,
        participants=participants,
    )
