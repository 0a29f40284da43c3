"""What the HTTP handlers reach: put together in `app.py`, passed through the application."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from config import Settings
from hr.interviews.service import InterviewService
from hr.links.service import LinkService, OpenedLink
from hr.quality.service import QualityService
from server.bearer_sessions import BearerSessions
from server.security.api_keys import ApiKeyService
from server.security.hr_sessions import HrSessions
from signaling.session.visits import Visits


class JoinTokens(Protocol):
    """Gives out join tokens, and withdraws what came of them."""

    def join_token(self, opened: OpenedLink) -> str: ...

    async def revoke(self, participant: str) -> None:
        """Resume tokens of this participant are worthless from now on."""


class LiveView(Protocol):
    """Told of changes that HR's live list shows, or must no longer show."""

    def hr_changed(self, interview_id: str) -> None: ...

    def hr_signed_out(self) -> None: ...


class Readiness(Protocol):
    async def failures(self) -> Mapping[str, str]:
        """What keeps this node from taking new visits, by part; empty if nothing does."""


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    public_url: str
    """Without a trailing slash."""
    interviews: InterviewService
    links: LinkService
    quality: QualityService
    api_keys: ApiKeyService
    hr_sessions: HrSessions
    join_tokens: JoinTokens
    visits: Visits
    bearer_sessions: BearerSessions
    live: LiveView
    readiness: Readiness

    async def withdraw(self, participant: str) -> None:
        """End what this participant's old link led to. Raises StoreUnavailable.

        The live visit ends even then; its tokens name a link or a device that SQL refuses.
        """
        try:
            await self.join_tokens.revoke(participant)
        finally:
            self.visits.revoke(participant)

    def participant_url(self, secret: str) -> str:
        return f"{self.public_url}/i/{secret}"

    def hr_url(self, secret: str) -> str:
        return f"{self.public_url}/hr/{secret}"


SERVICES = web.AppKey("services", Services)
