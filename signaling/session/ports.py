"""What signalling needs from the server: admission by token, addresses, HR's list."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from signaling.protocol.base import Role
from signaling.protocol.hr import HrInterview
from signaling.protocol.views import HrContact, IceServer


@dataclass(frozen=True, slots=True)
class Guest:
    """Who a token speaks for. `participant` is unique across interviews.

    `round` is where the person belongs (None: the first round that has not ended); a candidate
    who was handed over is where the hand-over put them, whatever the token says.
    """

    participant: str
    name: str = field(repr=False)
    role: Role
    interview: str
    round: str | None


Check = Callable[[Guest], Awaitable[None]]
"""May refuse a guest by raising."""


class Admission(Protocol):
    """Tokens. Each method raises an error with a `code` of `signaling.protocol.codes`.

    Raise `signaling.errors.AdmissionRefused(message, code=…)` for `token_invalid`, `token_expired`,
    `token_used`, `token_revoked` and `busy`.
    """

    async def redeem(self, token: str, check: Check) -> Guest:
        """Burn a join token; a second call with the same one raises `token_used`.

        The token is burnt only once `check` let its guest pass; what that raises is raised.
        """

    async def resume(self, token: str) -> Guest:
        """Check a resume token: signature, revocation epoch, generation."""

    async def issue_resume(self, guest: Guest) -> str:
        """A fresh resume token; it replaces the one before."""

    async def revoke(self, participant: str) -> None:
        """Make every resume token of the participant worthless: they left or were removed."""


class Surroundings(Protocol):
    """What a client is told about its way to us."""

    def ice_servers(self, guest: Guest) -> list[IceServer]: ...

    def hr_contact(self, guest: Guest) -> HrContact: ...


@dataclass(frozen=True, slots=True)
class HrSession:
    """A signed-in HR person: sees the interviews of one organisation."""

    organisation: str


class HrFeed(Protocol):
    """HR's live list, composed by the server from SQL and `RoomService.live`.

    Whoever changes something calls `SignalingServer.hr_changed(interview_id)`. Each method raises
    `signaling.errors.FeedUnavailable` while SQL cannot be read.
    """

    async def authorise(self, cookies: Mapping[str, str]) -> HrSession | None:
        """Return who the HR session cookie speaks for, if anybody."""

    async def interviews(self, session: HrSession) -> list[HrInterview]:
        """Everything that the session may see."""

    async def interview(self, session: HrSession, interview_id: str) -> HrInterview | None:
        """One interview, or None if it is another organisation's or gone."""
