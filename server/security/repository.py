"""The only SQL about API keys and ended sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from server.security.models import ApiKeyRow, SignOutRow


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


class SignOutRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, token_id: str, expires_at: datetime) -> None:
        is_sqlite = self._session.get_bind().dialect.name == "sqlite"
        insert = (sqlite.insert if is_sqlite else postgresql.insert)(SignOutRow)
        row = {"token_id": token_id, "expires_at": expires_at}
        await self._session.execute(insert.on_conflict_do_nothing(), row)

    async def has(self, token_id: str) -> bool:
        return await self._session.get(SignOutRow, token_id) is not None

    async def forget_before(self, moment: datetime) -> None:
        await self._session.execute(delete(SignOutRow).where(SignOutRow.expires_at < moment))
