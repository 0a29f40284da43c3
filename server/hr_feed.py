"""HR's live list: what is scheduled (SQL) with where everybody is now (rooms)."""

from collections.abc import Mapping, Sequence
from typing import Literal

from hr.interviews.errors import InterviewUnknownError
from hr.interviews.interview import Interview, Participant
from hr.interviews.service import InterviewService
from hr.links.link import Link
from hr.links.service import LinkService
from rooms.interview import LiveInterview
from rooms.service import LiveParticipant, RoomService
from server.security.hr_sessions import COOKIE, HrSessions
from signaling.protocol.hr import HrInterview, HrParticipant, HrRound
from signaling.session.ports import HrSession

SHOWN = 100
"""Interviews in the list: the latest ones."""


class LiveList:
    """Implements `signaling.session.ports.HrFeed`."""

    def __init__(
        self,
        sessions: HrSessions,
        interviews: InterviewService,
        links: LinkService,
        rooms: RoomService,
    ) -> None:
        self._sessions = sessions
        self._interviews = interviews
        self._links = links
        self._rooms = rooms

    async def authorise(self, cookies: Mapping[str, str]) -> HrSession | None:
        caller = await self._sessions.from_cookie(cookies.get(COOKIE))
        return None if caller is None else HrSession(caller.organisation_id)

    async def interviews(self, session: HrSession) -> list[HrInterview]:
        found = await self._interviews.newest(SHOWN)
        return await self._views(
            [one for one in found if one.organisation_id == session.organisation]
        )

    async def interview(self, session: HrSession, interview_id: str) -> HrInterview | None:
        try:
            found = await self._interviews.get(interview_id)
        except InterviewUnknownError:
            return None
        if found.organisation_id != session.organisation:
            return None
        return (await self._views([found]))[0]

    async def _views(self, interviews: Sequence[Interview]) -> list[HrInterview]:
        links = await self._links.in_force(interviews)
        return [self._view(one, links) for one in interviews]

    def _view(self, interview: Interview, links: Mapping[str, Link]) -> HrInterview:
        seats = {one.participant: one for one in self._rooms.participants(interview.id)}
        live = self._rooms.live(interview.id)
        return HrInterview(
            id=interview.id,
            title=interview.title,
            starts_at=interview.starts_at.isoformat(),
            ends_at=interview.ends_at.isoformat(),
            quality=None,
            rounds=[
                HrRound(
                    id=one.id,
                    title=one.title,
                    index=one.index,
                    state=_phase(live, one.id),
                )
                for one in interview.rounds
            ],
            participants=[
                _participant(one, links.get(one.id), seats.get(one.id))
                for one in interview.participants
            ],
        )


def _phase(live: LiveInterview | None, round_id: str) -> Literal["waiting", "live", "ended"]:
    room = None if live is None else live.rooms.get(round_id)
    return "waiting" if room is None else room.state.phase


def _participant(
    participant: Participant, link: Link | None, seat: LiveParticipant | None
) -> HrParticipant:
    return HrParticipant(
        id=participant.id,
        name=participant.name,
        role=participant.role,
        round=participant.round_id if seat is None else seat.round,
        connected=seat is not None and seat.connected,
        placement=None if seat is None else seat.placement,
        bound=link is not None and link.device_hash is not None,
        asks_device=link is not None and link.asked_at is not None,
        quality=None if seat is None else seat.quality,
    )
