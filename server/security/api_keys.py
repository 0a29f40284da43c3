"""Keys for programs that call the HR API. Only a hash is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hr.database import Database
from hr.interviews.interview import DEFAULT_ORGANISATION
from hr.interviews.service import new_id
from hr.links.link import new_secret, secret_hash
from server.security.models import ApiKeyRow
from server.security.repository import ApiKeyRepository

PREFIX = "mk_"
"""So that a leaked key is recognised as one, by people and by secret scanners."""

MAX_KEY_CHARS = 128


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    key: ApiKey
    secret: str = field(repr=False)


class ApiKeyService:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def create(self, name: str, organisation_id: str = DEFAULT_ORGANISATION) -> NewApiKey:
        secret = PREFIX + new_secret()
        key = ApiKey(new_id("key"), name, self._now(), None)
        async with self._database.write() as session:
            ApiKeyRepository(session).add(
                ApiKeyRow(
                    id=key.id,
                    organisation_id=organisation_id,
                    name=name,
                    secret_hash=secret_hash(secret),
                    created_at=key.created_at,
                )
            )
        return NewApiKey(key, secret)

    async def organisation_of(self, secret: str) -> str | None:
        """The organisation that a key speaks for, or None for one that is not valid."""
        if not secret.startswith(PREFIX) or len(secret) > MAX_KEY_CHARS:
            return None
        async with self._database.read() as session:
            return await ApiKeyRepository(session).organisation_of(secret_hash(secret))

    async def all(self, organisation_id: str = DEFAULT_ORGANISATION) -> Sequence[ApiKey]:
        async with self._database.read() as session:
            rows = await ApiKeyRepository(session).all(organisation_id)
            return [ApiKey(row.id, row.name, row.created_at, row.revoked_at) for row in rows]

    async def revoke(self, key_id: str, organisation_id: str = DEFAULT_ORGANISATION) -> bool:
        """False if there is no such key in force."""
        async with self._database.write() as session:
            return await ApiKeyRepository(session).revoke(organisation_id, key_id, self._now())
