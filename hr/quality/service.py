"""Keeping quality records and reading them."""

from collections.abc import Sequence
from datetime import timedelta

from hr.database import Database
from hr.interviews.interview import DEFAULT_ORGANISATION, Interview
from hr.interviews.service import Clock
from hr.quality.line import QualityLine, quality_line
from hr.quality.record import KEPT_FOR, QualitySitting, totals_of
from hr.quality.repository import QualityRepository


class QualityService:
    def __init__(
        self,
        database: Database,
        now: Clock,
        organisation_id: str = DEFAULT_ORGANISATION,
        *,
        kept_for: timedelta = KEPT_FOR,
    ) -> None:
        self._database = database
        self._now = now
        self._organisation_id = organisation_id
        self._kept_for = kept_for

    async def keep(self, sittings: Sequence[QualitySitting]) -> None:
        """Store each in place of the one with its id."""
        async with self._database.write() as session:
            await QualityRepository(session, self._organisation_id).keep(sittings)

    async def of_interview(self, interview: Interview) -> list[QualitySitting]:
        """Every presence, by its beginning, with its series."""
        async with self._database.read() as session:
            repository = QualityRepository(session, self._organisation_id)
            return await repository.of_interviews([interview.id], with_points=True)

    async def lines(self, interviews: Sequence[Interview]) -> dict[str, QualityLine]:
        """The sentence about each interview that has records, by the interview's id."""
        async with self._database.read() as session:
            repository = QualityRepository(session, self._organisation_id)
            sittings = await repository.of_interviews([one.id for one in interviews])
        lines: dict[str, QualityLine] = {}
        for interview in interviews:
            own = totals_of(one for one in sittings if one.interview_id == interview.id)
            line = quality_line(interview, list(own.values()))
            if line is not None:
                lines[interview.id] = line
        return lines

    async def forget_old(self) -> int:
        """Delete records that were kept for long enough; return how many."""
        async with self._database.write() as session:
            repository = QualityRepository(session, self._organisation_id)
            return await repository.forget_before(self._now() - self._kept_for)
