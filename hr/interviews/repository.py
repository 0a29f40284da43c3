"""The only SQL about interviews. Every query is confined to an organisation."""

from datetime import datetime
from typing import cast

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from hr.interviews.interview import Admission, Interview, Participant, Role, Round
from hr.interviews.models import InterviewRow, ParticipantRow, RoundRow


def _from_row(row: InterviewRow) -> Interview:
    return Interview(
        id=row.id,
        organisation_id=row.organisation_id,
        title=row.title,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        rounds=tuple(
            Round(one.id, one.title, one.position, cast(Admission, one.admission))
            for one in row.rounds
        ),
        participants=tuple(
            Participant(one.id, one.name, cast(Role, one.role), one.round_id)
            for one in row.participants
        ),
    )


_WHOLE = (selectinload(InterviewRow.rounds), selectinload(InterviewRow.participants))


class InterviewRepository:
    def __init__(self, session: AsyncSession, organisation_id: str) -> None:
        self._session = session
        self._organisation_id = organisation_id

    async def add(self, interview: Interview, created_at: datetime) -> None:
        row = InterviewRow(
            id=interview.id,
            organisation_id=self._organisation_id,
            title=interview.title,
            starts_at=interview.starts_at,
            ends_at=interview.ends_at,
            created_at=created_at,
            rounds=[
                RoundRow(id=one.id, position=one.index, title=one.title, admission=one.admission)
                for one in interview.rounds
            ],
        )
        self._session.add(row)
        await self._session.flush()  # participants refer to the rounds
        self._session.add_all(
            ParticipantRow(
                id=one.id,
                interview_id=interview.id,
                round_id=one.round_id,
                position=position,
                name=one.name,
                role=one.role,
            )
            for position, one in enumerate(interview.participants)
        )
        await self._session.flush()

    async def get(self, interview_id: str) -> Interview | None:
        query = (
            select(InterviewRow)
            .where(
                InterviewRow.id == interview_id,
                InterviewRow.organisation_id == self._organisation_id,
            )
            .options(*_WHOLE)
        )
        row = (await self._session.execute(query)).scalar_one_or_none()
        return None if row is None else _from_row(row)

    async def newest(self, limit: int, before: tuple[datetime, str] | None) -> list[Interview]:
        """By start, latest first; `before` is the (start, id) of the last one already seen."""
        query = select(InterviewRow).where(InterviewRow.organisation_id == self._organisation_id)
        if before is not None:
            start, seen = before
            query = query.where(
                (InterviewRow.starts_at < start)
                | ((InterviewRow.starts_at == start) & (InterviewRow.id < seen))
            )
        query = query.order_by(InterviewRow.starts_at.desc(), InterviewRow.id.desc())
        rows = await self._session.execute(query.limit(limit).options(*_WHOLE))
        return [_from_row(row) for row in rows.scalars()]

    async def mark_ended(self, interview_id: str, ended_at: datetime) -> None:
        await self._session.execute(
            update(InterviewRow)
            .where(
                InterviewRow.id == interview_id,
                InterviewRow.organisation_id == self._organisation_id,
                InterviewRow.ended_at.is_(None),
            )
            .values(ended_at=ended_at)
        )
