"""HR's live list: what is scheduled (SQL) with where everybody is now (rooms)."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from hr.errors import DatabaseUnavailableError
from hr.interviews.errors import InterviewUnknownError
from hr.interviews.interview import Interview, Participant
from hr.interviews.service import InterviewService
from hr.links.link import Link
from hr.links.service import LinkService
from hr.quality.line import QualityLine as RecordedLine
from hr.quality.service import QualityService
from rooms.interview import LiveInterview
from rooms.service import LiveParticipant, RoomService
from server.security.hr_sessions import COOKIE, HrSessions
from signaling.errors import FeedUnavailable
from signaling.protocol.hr import HrInterview, HrParticipant, HrRound, QualityLine
from signaling.session.ports import HrSession

SHOWN = 100
"""Interviews in the list: the latest ones."""


LINE_AGE_S = 20.0
"""Sentences about quality are read from SQL anew after so long: records are put away as often."""


class QualityLines:
    """The sentences about interviews, remembered for a while: the list is read every 2 s."""

    def __init__(self, quality: QualityService) -> None:
        self._quality = quality
        self._known: dict[str, QualityLine | None] = {}
        self._read_s = 0.0

    async def of(self, interviews: Sequence[Interview]) -> Mapping[str, QualityLine | None]:
        now_s = time.monotonic()
        if now_s - self._read_s > LINE_AGE_S:
            self._read_s, self._known = now_s, {}
        missing = [one for one in interviews if one.id not in self._known]
        if missing:
            found = await self._quality.lines(missing)
            for one in missing:
                line = found.get(one.id)
                self._known[one.id] = None if line is None else _told(line)
        return self._known


def _told(line: RecordedLine) -> QualityLine:
    return QualityLine(zh=line.zh, en=line.en)


class LiveList:
    """Implements `signaling.session.ports.HrFeed`."""

    def __init__(
        self,
        sessions: HrSessions,
        interviews: InterviewService,
        links: LinkService,
        quality: QualityService,
        rooms: RoomService,
    ) -> None:
        self._sessions = sessions
        self._interviews = interviews
        self._links = links
        self._lines = QualityLines(quality)
        self._rooms = rooms

    async def authorise(self, cookies: Mapping[str, str]) -> HrSession | None:
        with _reading():
            caller = await self._sessions.from_cookie(cookies.get(COOKIE))
        return None if caller is None else HrSession(caller.organisation_id)

    async def interviews(self, session: HrSession) -> list[HrInterview]:
        with _reading():
            found = await self._interviews.newest(SHOWN)
            return await self._views(
                [one for one in found if one.organisation_id == session.organisation]
            )

    async def interview(self, session: HrSession, interview_id: str) -> HrInterview | None:
        with _reading():
            try:
                found = await self._interviews.get(interview_id)
            except InterviewUnknownError:
                return None
            if found.organisation_id != session.organisation:
                return None
            return (await self._views([found]))[0]

    async def _views(self, interviews: Sequence[Interview]) -> list[HrInterview]:
        links = await self._links.in_force(interviews)
        lines = await self._lines.of(interviews)
        return [self._view(one, links, lines.get(one.id)) for one in interviews]

    def _view(
        self, interview: Interview, links: Mapping[str, Link], line: QualityLine | None
    ) -> HrInterview:
        seats = {one.participant: one for one in self._rooms.participants(interview.id)}
        live = self._rooms.live(interview.id)
        return HrInterview(
            id=interview.id,
            title=interview.title,
            starts_at=interview.starts_at.isoformat(),
            ends_at=interview.ends_at.isoformat(),
            quality=line,
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


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailableError as error:
        raise FeedUnavailable("HR's list cannot be read now.") from error


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
