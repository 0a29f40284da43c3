"""The only SQL about links.

A link is found by its secret, which names its organisation; everything else is confined to the
caller's organisation.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hr.interviews.models import InterviewRow, ParticipantRow
from hr.links.link import Audience, Link, secret_hash
from hr.links.models import LinkRow


def _from_row(row: LinkRow, wanted_version: int | None) -> Link:
    return Link(
        id=row.id,
        organisation_id=row.organisation_id,
        audience=cast(Audience, row.audience),
        interview_id=row.interview_id,
        participant_id=row.participant_id,
        holder_name=row.holder_name,
        version=row.version,
        current=wanted_version is None or row.version == wanted_version,
        not_before=row.not_before,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        device_hash=row.device_hash,
        bound_at=row.bound_at,
        asked_at=row.asked_at,
    )


def _links(*conditions: ColumnElement[bool]) -> Select[LinkRow, int | None]:
    return (
        select(LinkRow, ParticipantRow.link_version)
        .outerjoin(ParticipantRow, ParticipantRow.id == LinkRow.participant_id)
        .where(*conditions)
    )


class LinkRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, link: Link, secret: str, created_at: datetime) -> None:
        self._session.add(
            LinkRow(
                id=link.id,
                organisation_id=link.organisation_id,
                secret_hash=secret_hash(secret),
                audience=link.audience,
                interview_id=link.interview_id,
                participant_id=link.participant_id,
                holder_name=link.holder_name,
                version=link.version,
                created_at=created_at,
                not_before=link.not_before,
                expires_at=link.expires_at,
            )
        )
        await self._session.flush()

    async def by_secret(self, secret: str) -> Link | None:
        query = _links(LinkRow.secret_hash == secret_hash(secret))
        found = (await self._session.execute(query)).one_or_none()
        return None if found is None else _from_row(*found)

    async def of_interviews(
        self, organisation_id: str, interview_ids: Sequence[str]
    ) -> Sequence[Link]:
        """The links in force of these interviews' participants."""
        query = _links(
            LinkRow.organisation_id == organisation_id,
            LinkRow.interview_id.in_(interview_ids),
            LinkRow.revoked_at.is_(None),
            LinkRow.version == ParticipantRow.link_version,
        )
        return [_from_row(*row) for row in await self._session.execute(query)]

    async def by_id(self, organisation_id: str, link_id: str) -> Link | None:
        query = _links(LinkRow.organisation_id == organisation_id, LinkRow.id == link_id)
        found = (await self._session.execute(query)).one_or_none()
        return None if found is None else _from_row(*found)

    async def newest(self, organisation_id: str, limit: int) -> Sequence[Link]:
        query = _links(LinkRow.organisation_id == organisation_id)
        query = query.order_by(LinkRow.created_at.desc(), LinkRow.id).limit(limit)
        return [_from_row(*row) for row in await self._session.execute(query)]

    async def devices(
        self, organisation_id: str, link_ids: Collection[str]
    ) -> dict[str, str | None]:
        """The hash of the device of each of these participants' links that is in force."""
        query = (
            select(LinkRow.id, LinkRow.device_hash)
            .join(ParticipantRow, ParticipantRow.id == LinkRow.participant_id)
            .where(
                LinkRow.organisation_id == organisation_id,
                LinkRow.id.in_(link_ids),
                LinkRow.revoked_at.is_(None),
                LinkRow.version == ParticipantRow.link_version,
            )
        )
        return {row.id: row.device_hash for row in await self._session.execute(query)}

    async def next_version(self, organisation_id: str, participant_id: str) -> int | None:
        """Raise a participant's link version, which revokes the links before; None: unknown."""
        owned = select(InterviewRow.id).where(InterviewRow.organisation_id == organisation_id)
        raised = await self._session.execute(
            update(ParticipantRow)
            .where(ParticipantRow.id == participant_id, ParticipantRow.interview_id.in_(owned))
            .values(link_version=ParticipantRow.link_version + 1)
            .returning(ParticipantRow.link_version)
        )
        return raised.scalar_one_or_none()

    async def bind(self, link_id: str, device: str, now: datetime) -> bool:
        """Bind to a device if to none yet; of two that race, one wins."""
        return await self._changed(
            update(LinkRow)
            .where(LinkRow.id == link_id, LinkRow.device_hash.is_(None))
            .values(device_hash=secret_hash(device), bound_at=now, asked_at=None)
        )

    async def mark_asked(self, link_id: str, now: datetime) -> None:
        await self._session.execute(
            update(LinkRow).where(LinkRow.id == link_id).values(asked_at=now)
        )

    async def release(self, organisation_id: str, participant_id: str) -> bool:
        return await self._changed(
            update(LinkRow)
            .where(
                LinkRow.organisation_id == organisation_id,
                LinkRow.participant_id == participant_id,
            )
            .values(device_hash=None, bound_at=None, asked_at=None)
        )

    async def revoke(self, organisation_id: str, link_id: str, now: datetime) -> bool:
        return await self._changed(
            update(LinkRow)
            .where(
                LinkRow.organisation_id == organisation_id,
                LinkRow.id == link_id,
                LinkRow.revoked_at.is_(None),
            )
            .values(revoked_at=now)
        )

    async def _changed(self, statement: Any) -> bool:  # noqa: ANN401 (any Update)
        done = cast("CursorResult[Any]", await self._session.execute(statement))
        return done.rowcount > 0
