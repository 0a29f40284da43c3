"""The only SQL about API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.security.models import ApiKeyRow


class ApiKeyRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, row: ApiKeyRow) -> None:
        self._session.add(row)

    async def organisation_of(self, secret_hash: str) -> str | None:
        query = select(ApiKeyRow.organisation_id).where(
            ApiKeyRow.secret_hash == secret_hash, ApiKeyRow.revoked_at.is_(None)
        )
        return (await self._session.execute(query)).scalar_one_or_none()

    async def all(self, organisation_id: str) -> Sequence[ApiKeyRow]:
        query = select(ApiKeyRow).where(ApiKeyRow.organisation_id == organisation_id)
        return (await self._session.execute(query.order_by(ApiKeyRow.created_at))).scalars().all()

    async def revoke(self, organisation_id: str, key_id: str, now: datetime) -> bool:
        statement = (
            update(ApiKeyRow)
            .where(
                ApiKeyRow.organisation_id == organisation_id,
                ApiKeyRow.id == key_id,
                ApiKeyRow.revoked_at.is_(None),
            )
            .values(revoked_at=now)
        )
        done = cast("CursorResult[Any]", await self._session.execute(statement))
        return done.rowcount > 0
