"""HR sessions that were ended before their time: their cookie is worthless from then on."""

from datetime import UTC, datetime

from hr.database import Database
from hr.interviews.service import Clock
from server.security.repository import SignOutRepository
from server.security.tokens import Claims


class SignOuts:
    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    async def note(self, claims: Claims) -> None:
        """The session of these claims is over; ending it twice changes nothing."""
        expires_at = datetime.fromtimestamp(claims.expires_at_s, UTC)
        async with self._database.write() as session:
            repository = SignOutRepository(session)
            await repository.forget_before(self._now())
            await repository.add(claims.token_id, expires_at)

    async def noted(self, claims: Claims) -> bool:
        async with self._database.read() as session:
            return await SignOutRepository(session).has(claims.token_id)
