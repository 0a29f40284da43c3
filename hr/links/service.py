"""Giving out links, opening them, binding them to a device, withdrawing them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from hr.database import Database
from hr.interviews.errors import InterviewEndedError, ParticipantUnknownError
from hr.interviews.interview import DEFAULT_ORGANISATION, Interview, Participant
from hr.interviews.repository import InterviewRepository
from hr.interviews.service import Clock, new_id
from hr.links.errors import (
    LinkEarlyError,
    LinkEndedError,
    LinkExpiredError,
    LinkNotAskableError,
    LinkOtherDeviceError,
    LinkRevokedError,
    LinkUnknownError,
)
from hr.links.link import (
    EARLY_ENTRY,
    LATE_ENTRY,
    SECRET_CHARS,
    IssuedLink,
    Link,
    LinkState,
    secret_hash,
)
from hr.links.link import new_secret as make_secret
from hr.links.repository import LinkRepository

_REFUSALS: dict[LinkState, type[Exception]] = {
    "early": LinkEarlyError,
    "expired": LinkExpiredError,
    "revoked": LinkRevokedError,
    "ended": LinkEndedError,
    "other_device": LinkOtherDeviceError,
}

HR_LINK_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A link with what it leads to; `interview` and `participant` are None for an HR link."""

    link: Link
    state: LinkState
    interview: Interview | None
    participant: Participant | None


class LinkService:
    def __init__(
        self, database: Database, now: Clock, organisation_id: str = DEFAULT_ORGANISATION
    ) -> None:
        self._database = database
        self._now = now
        self._organisation_id = organisation_id

    async def issue(self, interview: Interview, participant_id: str) -> IssuedLink:
        """A new link for a participant; the ones before are revoked.

        Raises ParticipantUnknownError, InterviewEndedError.
        """
        if interview.participant(participant_id) is None:
            raise ParticipantUnknownError
        if interview.ended_at is not None:
            raise InterviewEndedError
        async with self._database.write() as session:
            return await self._issue(session, interview, participant_id)

    async def issue_all(self, interview: Interview) -> dict[str, IssuedLink]:
        """A link for every participant, by participant id."""
        async with self._database.write() as session:
            return {
                one.id: await self._issue(session, interview, one.id)
                for one in interview.participants
            }

    async def _issue(
        self, session: AsyncSession, interview: Interview, participant_id: str
    ) -> IssuedLink:
        repository = LinkRepository(session)
        version = await repository.next_version(self._organisation_id, participant_id)
        if version is None:
            raise ParticipantUnknownError
        link = self._new_link(
            interview.starts_at - EARLY_ENTRY,
            interview.ends_at + LATE_ENTRY,
            interview_id=interview.id,
            participant_id=participant_id,
            version=version,
        )
        secret = make_secret()
        await repository.add(link, secret, self._now())
        return IssuedLink(link, secret)

    async def issue_hr(self, name: str, lifetime: timedelta = HR_LINK_LIFETIME) -> IssuedLink:
        """A link into the HR page."""
        now = self._now()
        link = self._new_link(now, now + lifetime, holder_name=name)
        secret = make_secret()
        async with self._database.write() as session:
            await LinkRepository(session).add(link, secret, now)
        return IssuedLink(link, secret)

    def _new_link(
        self,
        not_before: datetime,
        expires_at: datetime,
        *,
        interview_id: str | None = None,
        participant_id: str | None = None,
        holder_name: str = "",
        version: int = 1,
    ) -> Link:
        return Link(
            id=new_id("link"),
            organisation_id=self._organisation_id,
            audience="hr" if participant_id is None else "participant",
            interview_id=interview_id,
            participant_id=participant_id,
            holder_name=holder_name,
            version=version,
            current=True,
            not_before=not_before,
            expires_at=expires_at,
            revoked_at=None,
            device_hash=None,
            bound_at=None,
            asked_at=None,
        )

    async def look(self, secret: str, device: str | None) -> OpenedLink:
        """What the link leads to; changes nothing. Raises LinkUnknownError."""
        async with self._database.read() as session:
            return await self._look(session, secret, device)

    async def redeem(self, secret: str, device: str) -> OpenedLink:
        """Open the link on this device, binding it to the first one.

        Raises LinkUnknownError and, by state, LinkEarlyError, LinkExpiredError,
        LinkRevokedError, LinkEndedError, LinkOtherDeviceError.
        """
        async with self._database.write() as session:
            opened = await self._look(session, secret, device)
            if refusal := _REFUSALS.get(opened.state):
                raise refusal
            bound = opened.link.device_hash is not None
            if not bound and not await LinkRepository(session).bind(
                opened.link.id, device, self._now()
            ):
                raise LinkOtherDeviceError  # another node's transaction was first
            return replace(opened, link=replace(opened.link, device_hash=secret_hash(device)))

    async def ask(self, secret: str, device: str | None) -> OpenedLink:
        """A refused second device asks HR to be let in.

        Raises LinkUnknownError, LinkNotAskableError.
        """
        async with self._database.write() as session:
            opened = await self._look(session, secret, device)
            if opened.state != "other_device":
                raise LinkNotAskableError
            await LinkRepository(session).mark_asked(opened.link.id, self._now())
            return opened

    async def release(self, interview: Interview, participant_id: str) -> None:
        """Unbind a participant's device: the next one that opens the link is bound.

        Raises ParticipantUnknownError.
        """
        if interview.participant(participant_id) is None:
            raise ParticipantUnknownError
        async with self._database.write() as session:
            await LinkRepository(session).release(self._organisation_id, participant_id)

    async def revoke(self, link_id: str) -> Link:
        """Withdraw a link. Raises LinkUnknownError."""
        async with self._database.write() as session:
            repository = LinkRepository(session)
            link = await repository.by_id(self._organisation_id, link_id)
            if link is None:
                raise LinkUnknownError
            await repository.revoke(self._organisation_id, link_id, self._now())
            return link

    async def in_force(self, interviews: Sequence[Interview]) -> dict[str, Link]:
        """The current link of each participant who has one, by participant id."""
        async with self._database.read() as session:
            links = await LinkRepository(session).of_interviews(
                self._organisation_id, [one.id for one in interviews]
            )
        return {one.participant_id: one for one in links if one.participant_id is not None}

    async def newest(self, limit: int) -> Sequence[Link]:
        async with self._database.read() as session:
            return await LinkRepository(session).newest(self._organisation_id, limit)

    async def still_open(self, link_id: str) -> bool:
        """Whether a session that began with this link may go on: not revoked, not expired."""
        link = await self._in_force(link_id)
        return link is not None

    async def still_held(self, link_id: str, device_hash: str) -> bool:
        """Whether the link is open and still bound to this device: not released since."""
        link = await self._in_force(link_id)
        return link is not None and link.device_hash == device_hash

    async def devices(self, link_ids: Collection[str]) -> dict[str, str | None]:
        """The device of each of these links that is neither revoked nor replaced."""
        async with self._database.read() as session:
            return await LinkRepository(session).devices(self._organisation_id, link_ids)

    async def _in_force(self, link_id: str) -> Link | None:
        async with self._database.read() as session:
            link = await LinkRepository(session).by_id(self._organisation_id, link_id)
        if link is None or link.revoked_at is not None or not link.current:
            return None
        return link if self._now() < link.expires_at else None

    async def _look(self, session: AsyncSession, secret: str, device: str | None) -> OpenedLink:
        link = None
        if len(secret) == SECRET_CHARS and secret.isascii():
            link = await LinkRepository(session).by_secret(secret)
        if link is None:
            raise LinkUnknownError
        interview = participant = None
        if link.interview_id is not None and link.participant_id is not None:
            repository = InterviewRepository(session, link.organisation_id)
            interview = await repository.get(link.interview_id)
            assert interview is not None, "the foreign key deletes links with their interview"
            participant = interview.participant(link.participant_id)
        ended = interview is not None and interview.ended_at is not None
        return OpenedLink(
            link, link.state(self._now(), device, ended=ended), interview, participant
        )
