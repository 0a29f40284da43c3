"""The only SQL about quality records. Every query is confined to an organisation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from hr.interviews.models import InterviewRow, ParticipantRow
from hr.quality.models import QualitySittingRow
from hr.quality.record import MAX_SITTINGS, QualityPoint, QualitySitting

_PLAIN = tuple(one.name for one in fields(QualitySitting) if one.name != "points")


def _to_columns(sitting: QualitySitting) -> dict[str, Any]:
    columns = {name: getattr(sitting, name) for name in _PLAIN}
    return {**columns, "points": json.dumps(sitting.points, separators=(",", ":"))}


def _from_row(row: QualitySittingRow, *, with_points: bool) -> QualitySitting:
    points = json.loads(row.points) if with_points else []
    return QualitySitting(
        **{name: getattr(row, name) for name in _PLAIN},
        points=tuple(QualityPoint(*one) for one in points),
    )


class QualityRepository:
    def __init__(self, session: AsyncSession, organisation_id: str) -> None:
        self._session = session
        self._organisation_id = organisation_id

    async def keep(self, sittings: Sequence[QualitySitting]) -> None:
        """Store each in place of the one with its id; those of people unknown are left out."""
        known = await self._people({one.participant_id for one in sittings})
        new = await self._new({one.id for one in sittings})
        room = await self._room(known)
        kept = []
        for one in sittings:
            if known.get(one.participant_id) != one.interview_id:
                continue
            if one.id in new:
                if room[one.participant_id] <= 0:
                    continue
                room[one.participant_id] -= 1
            kept.append(_to_columns(one))
        if kept:
            await self._upsert(kept)

    async def _people(self, participants: Iterable[str]) -> Mapping[str, str]:
        """The interview of each participant of this organisation."""
        query = (
            select(ParticipantRow.id, ParticipantRow.interview_id)
            .join(InterviewRow, InterviewRow.id == ParticipantRow.interview_id)
            .where(
                InterviewRow.organisation_id == self._organisation_id,
                ParticipantRow.id.in_(participants),
            )
        )
        return {row.id: row.interview_id for row in await self._session.execute(query)}

    async def _new(self, ids: set[str]) -> set[str]:
        query = select(QualitySittingRow.id).where(QualitySittingRow.id.in_(ids))
        return ids - set((await self._session.execute(query)).scalars())

    async def _room(self, participants: Iterable[str]) -> dict[str, int]:
        """How many more presences of each participant are recorded."""
        room = dict.fromkeys(participants, MAX_SITTINGS)
        query = (
            select(QualitySittingRow.participant_id, func.count())
            .where(QualitySittingRow.participant_id.in_(room))
            .group_by(QualitySittingRow.participant_id)
        )
        for participant, count in await self._session.execute(query):
            room[participant] -= count
        return room

    async def _upsert(self, rows: list[dict[str, Any]]) -> None:
        is_sqlite = self._session.get_bind().dialect.name == "sqlite"
        insert = (sqlite.insert if is_sqlite else postgresql.insert)(QualitySittingRow)
        replaced = {name: insert.excluded[name] for name in rows[0] if name != "id"}
        statement = insert.on_conflict_do_update(index_elements=["id"], set_=replaced)
        await self._session.execute(statement, rows)

    async def of_interviews(
        self, interview_ids: Sequence[str], *, with_points: bool = False
    ) -> list[QualitySitting]:
        """By their beginning; the points of the series only when asked for: they are long."""
        query = (
            select(QualitySittingRow)
            .join(InterviewRow, InterviewRow.id == QualitySittingRow.interview_id)
            .where(
                InterviewRow.organisation_id == self._organisation_id,
                QualitySittingRow.interview_id.in_(interview_ids),
            )
            .order_by(QualitySittingRow.begun_at, QualitySittingRow.id)
        )
        if with_points:
            query = query.options(undefer(QualitySittingRow.points))
        rows = await self._session.execute(query)
        return [_from_row(row, with_points=with_points) for row in rows.scalars()]

    async def forget_before(self, moment: datetime) -> int:
        """Delete what was last seen before; return how many."""
        owned = select(InterviewRow.id).where(InterviewRow.organisation_id == self._organisation_id)
        statement = delete(QualitySittingRow).where(
            QualitySittingRow.seen_at < moment, QualitySittingRow.interview_id.in_(owned)
        )
        done = cast("CursorResult[Any]", await self._session.execute(statement))
        return done.rowcount
