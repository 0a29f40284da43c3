"""The visits of this node: who is connected how, from the first token to the given-up seat."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rooms.errors import RoomsError
from rooms.interview import LiveInterview, MoveReason
from rooms.room.commands import Leave, ReportQuality, SetMedia
from rooms.room.events import Ended, Left, Recorded
from rooms.room.model import Person
from rooms.room.room import Room
from rooms.service import RoomListener, RoomService
from sfu.api import MediaPlane, tracks_of
from signaling.errors import AdmissionRefused, NotPermitted, SignalingError, VisitOver
from signaling.protocol.auth import Auth
from signaling.protocol.base import Message, Role
from signaling.protocol.commands import Command
from signaling.protocol.events import Notice, Welcome, You
from signaling.protocol.replies import Done
from signaling.protocol.views import IceServer
from signaling.quality.ports import QualityArchive, QualityFigures
from signaling.session.handlers import HANDLERS
from signaling.session.media import PeerDesk
from signaling.session.ports import Admission, Guest, Surroundings
from signaling.session.quality import QualityDesk
from signaling.session.visit import Connection, GoodbyeReason, Visit

REVOKE_TIMEOUT_S = 2.0

BEARER_LOST_MS = 15_000
"""Media silence after which a visit without a socket (WHIP, WHEP) counts as disconnected."""

_SENDERS: frozenset[Role] = frozenset({"candidate", "interviewer", "hr"})

_FOR_GOOD: frozenset[GoodbyeReason] = frozenset({"left", "removed", "revoked"})
"""Farewells after which resume tokens are worthless: coming back needs the link again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BearerSession:
    """A WHIP or WHEP session: `id` names it in its URL, `sdp` is the answer."""

    id: str
    sdp: str
    ice_servers: tuple[IceServer, ...] = ()


class _NoSocket:
    """The connection of somebody who speaks WHIP or WHEP: nothing can be told to them."""

    def send(self, notice: Notice) -> None:
        """There is nobody to tell."""

    def close(self) -> None:
        """There is nothing to close: the peer connection goes with the visit."""


class Visits(RoomListener):
    """A newer connection of a participant replaces the older; the peer connection outlives it."""

    def __init__(
        self,
        rooms: RoomService,
        media: MediaPlane,
        admission: Admission,
        surroundings: Surroundings,
        *,
        clock_ms: Callable[[], int],
        archive: QualityArchive | None = None,
        figures: QualityFigures | None = None,
    ) -> None:
        self.rooms = rooms
        self.desk = PeerDesk(media, rooms, visit_of=self.of, on_lost=self._media_lost)
        self.quality = QualityDesk(
            rooms,
            media,
            visit_of=self.of,
            slots_of=self.desk.slots_of,
            clock_ms=clock_ms,
            archive=archive,
            figures=figures,
        )
        self._admission = admission
        self._surroundings = surroundings
        self._clock_ms = clock_ms
        self._visits: dict[str, Visit] = {}
        self._bearers: dict[str, Visit] = {}
        self._revoking: dict[str, asyncio.Task[None]] = {}
        self._arrivals: dict[int, set[str]] = {}
        """For each admission under way: whom HR revoked since it began."""
        self._closing = False
        rooms.bind(self.desk, self)

    def of(self, participant: str) -> Visit | None:
        return self._visits.get(participant)

    def guests(self) -> list[Guest]:
        """Who is here."""
        return [one.guest for one in self._visits.values()]

    def __len__(self) -> int:
        return len(self._visits)

    # Coming.

    async def connect(self, auth: Auth, connection: Connection) -> tuple[Visit, list[Notice]]:
        """Admit a socket; return its visit and what to send first, beginning with `welcome`.

        Raises AdmissionRefused, or a RoomsError with a code of `CONNECT_CODES`.
        """
        with self._arriving() as revoked:
            guest = await self._admit(auth)
            if await self._revoked(guest.participant) and auth.resume is not None:
                guest = await self._admit(auth)
            resume = await self._admission.issue_resume(guest)
            keep_peer = auth.resume is not None
            visit = await self._attach(guest, connection, revoked, keep_peer=keep_peer)
        return visit, self._greeting(visit, auth, resume)

    @contextmanager
    def _arriving(self) -> Iterator[Set[str]]:
        revoked: set[str] = set()
        self._arrivals[id(revoked)] = revoked
        try:
            yield revoked
        finally:
            del self._arrivals[id(revoked)]

    async def _admit(self, auth: Auth) -> Guest:
        if self._closing:
            raise AdmissionRefused("The node is stopping.", code="busy")
        if auth.resume is not None:
            guest = await self._admission.resume(auth.resume)
            await self._check(guest)
            return guest
        assert auth.token is not None, "checked by Auth"
        return await self._admission.redeem(auth.token, self._check)

    async def _check(self, guest: Guest) -> None:
        """A node that is full says so before it uses up a token. Raises NodeFull."""
        await self.rooms.check_capacity(_person(guest), guest.interview, guest.round)

    async def _attach(
        self, guest: Guest, connection: Connection, revoked: Set[str], *, keep_peer: bool
    ) -> Visit:
        await self.rooms.open(guest.interview)
        if guest.participant in revoked:
            raise AdmissionRefused("The link was withdrawn meanwhile.", code="token_revoked")
        # Does not wait for an open interview: whom HR revokes now has a visit that ends.
        await self.rooms.enter(_person(guest), guest.interview, guest.round)
        # No await from here on: the seat and the visit appear in one step.
        visit = self._visits.setdefault(guest.participant, Visit(guest))
        visit.dismiss("replaced")
        if not keep_peer or visit.bearer is not None:
            self.desk.drop(visit)
        self._bearers.pop(visit.bearer or "", None)
        visit.bearer = visit.watching = None
        visit.silent = False
        visit.guest, visit.connection = guest, connection
        self.quality.begin(visit)
        return visit

    def _greeting(self, visit: Visit, auth: Auth, resume: str) -> list[Notice]:
        live, room = self.rooms.where(visit.participant)
        missed = visit.catch_up(live, room, auth)
        guest = visit.guest
        welcome = Welcome(
            you=You(participant=guest.participant, name=guest.name, role=guest.role),
            resume=resume,
            resumed=auth.resume is not None,
            media_kept=visit.peer is not None,
            room=visit.show(live, room) if missed is None else None,
            ice_servers=self._surroundings.ice_servers(guest),
            hr_contact=self._surroundings.hr_contact(guest),
            server_time_ms=self._clock_ms(),
        )
        return [welcome, *visit.untold(live, room, missed or ())]

    def greeted(self, visit: Visit) -> None:
        """Call after the greeting was sent: the client may have missed what its slots show."""
        self.desk.resend_slots(visit)
        self.desk.resend_layers(visit)
        self.quality.greet(visit)

    # Acting.

    async def handle(self, visit: Visit, connection: Connection, command: Command) -> Message:
        """Carry out a command; return the reply. Raises SignalingError, RoomsError."""
        if visit.over or visit.connection is not connection:
            raise SignalingError("This connection was replaced or has left.", code="visit_over")
        handler = HANDLERS[type(command)]
        return await handler(self, visit, command) or Done()

    # Going.

    def disconnected(self, visit: Visit, connection: Connection) -> None:
        """The socket is gone: the seat and the peer connection wait for the grace period."""
        if visit.connection is connection:
            visit.connection = None
            self.rooms.disconnect(visit.participant)

    def end(self, participant: str, reason: GoodbyeReason | None) -> None:
        """The seat was given up. `reason` is said to the client; None if nobody is there."""
        visit = self._visits.pop(participant, None)
        if visit is None:
            return
        visit.over = True
        self._bearers.pop(visit.bearer or "", None)
        self.quality.end(participant)
        self.desk.drop(visit)
        if reason is not None:
            visit.dismiss(reason)
        if reason in _FOR_GOOD:
            self._revoke_soon(participant)

    def revoke(self, participant: str) -> None:
        """HR withdrew the link or let another device in: the present connection must go."""
        for revoked in self._arrivals.values():
            revoked.add(participant)
        visit = self._visits.get(participant)
        if visit is None:
            return
        visit.over = True
        visit.dismiss("revoked")  # before the room says that they left
        try:
            self.rooms.submit(Leave(participant))
        except RoomsError:
            _log.info("a revoked visit had no seat any more")
        self.end(participant, "revoked")

    async def close(self) -> None:
        """The node stops: say goodbye to everybody; seats stay in the store for their return."""
        self._closing = True
        for visit in list(self._visits.values()):
            visit.dismiss("shutdown")
            self.desk.drop(visit)
        if self._revoking:
            await asyncio.wait(self._revoking.values(), timeout=REVOKE_TIMEOUT_S)

    def _revoke_soon(self, participant: str) -> None:
        """Nobody waits for Redis here, except that person, should they come back at once."""
        task = asyncio.create_task(_logged(self._admission.revoke(participant)))
        self._revoking[participant] = task
        task.add_done_callback(lambda done: self._forget_revoking(participant, done))

    def _forget_revoking(self, participant: str, done: asyncio.Task[None]) -> None:
        if self._revoking.get(participant) is done:
            del self._revoking[participant]

    async def _revoked(self, participant: str) -> bool:
        """Wait until old tokens are revoked, lest a new one be revoked with them.

        Return whether there was something to wait for: then a resume token is to be checked
        again.
        """
        task = self._revoking.get(participant)
        if task is None:
            return False
        await asyncio.wait([task], timeout=REVOKE_TIMEOUT_S)
        return True

    # What rooms say.

    def on_events(self, live: LiveInterview, room: Room, recorded: Sequence[Recorded]) -> None:
        for participant in list(room.state.seats):
            visit = self._visits.get(participant)
            if visit is not None:
                visit.tell(live, room, recorded)
        for one in recorded:
            self._see_off(live, room, one)

    def _see_off(self, live: LiveInterview, room: Room, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, Left) and event.reason != "handed_over":
            self.end(event.participant, None if event.reason == "lost" else event.reason)
        elif isinstance(event, Ended):
            for visit in [one for one in self._visits.values() if one.room == room.id]:
                visit.tell(live, room, [recorded])
                self.end(visit.participant, "ended")

    def on_moved(self, live: LiveInterview, participant: str, reason: MoveReason) -> None:
        visit = self._visits.get(participant)
        room = live.room_of(participant)
        if visit is not None and room is not None:
            visit.move(live, room, reason)
            self.quality.greet(visit)

    def _media_lost(self, visit: Visit, silent_ms: int) -> None:
        participant = visit.participant
        try:
            self.rooms.submit(ReportQuality(participant, "lost"))
        except RoomsError:
            return  # the seat went first: nobody is left to be told
        if isinstance(visit.connection, _NoSocket):
            visit.silent, visit.heard_packets = True, None
            if silent_ms >= BEARER_LOST_MS:
                self.disconnected(visit, visit.connection)

    async def notice_returns(self) -> None:
        """Call every few seconds: media that is heard again is all that a WHIP client can say."""
        silent = [one for one in self._bearers.values() if one.silent and one.peer is not None]
        if not silent:
            return
        packets = await self.desk.packets_by_peer()
        for visit in silent:
            if visit.over or visit.peer is None or visit.peer not in packets:
                continue
            before, visit.heard_packets = visit.heard_packets, packets[visit.peer]
            if before is not None and visit.heard_packets > before:
                await self._return(visit)

    async def _return(self, visit: Visit) -> None:
        """A WHIP or WHEP client is there again, within the grace."""
        guest = visit.guest
        try:
            if visit.connection is None:
                await self.rooms.enter(_person(guest), guest.interview, guest.round)
                visit.connection = _NoSocket()
            else:
                self.rooms.submit(ReportQuality(guest.participant, "good"))
        except RoomsError as error:
            _log.info("a silent visit came back too late: %s", error.code)
        visit.silent = False

    # WHIP and WHEP.

    async def publish(self, token: str, offer: str) -> BearerSession:
        """Seat the token's owner and receive their media (RFC 9725). Raises as `connect` does."""
        with self._arriving() as revoked:
            guest = await self._admission.redeem(token, self._check)
            if guest.role not in _SENDERS:
                raise NotPermitted("Observers send no media.")
            session, visit = await self._bearer(guest, revoked)
        try:
            answer = await self.desk.offer(visit, offer, None)
            kinds = set(tracks_of(offer).values())
            self.rooms.submit(SetMedia(guest.participant, "microphone" in kinds, "camera" in kinds))
        except BaseException:
            self.hang_up(session)
            raise
        return BearerSession(session, answer, tuple(self._surroundings.ice_servers(guest)))

    async def watch(self, token: str, subject: str, offer: str) -> BearerSession:
        """Seat the token's owner and show them one participant of their room (WHEP)."""
        with self._arriving() as revoked:
            guest = await self._admission.redeem(token, self._check)
            session, visit = await self._bearer(guest, revoked)
        try:
            self.desk.check_watch(guest.participant, subject)
            visit.watching = subject
            answer = await self.desk.offer(visit, offer, {})
        except BaseException:
            self.hang_up(session)
            raise
        return BearerSession(session, answer, tuple(self._surroundings.ice_servers(guest)))

    async def offer_again(self, session: str, offer: str) -> str:
        """Answer a later offer of a WHIP or WHEP session (PATCH: an ICE restart)."""
        visit = self._bearers.get(session)
        if visit is None:
            raise VisitOver("The session is over.")
        answer = await self.desk.offer(visit, offer, {} if visit.watching else None)
        if visit.silent and not visit.over:
            await self._return(visit)
        return answer

    def hang_up(self, session: str) -> bool:
        """End a WHIP or WHEP session (DELETE); False if there is none of that id."""
        visit = self._bearers.get(session)
        if visit is None:
            return False
        try:
            self.rooms.submit(Leave(visit.participant))
        except RoomsError:
            self.end(visit.participant, "left")
        return True

    async def _bearer(self, guest: Guest, revoked: Set[str]) -> tuple[str, Visit]:
        session = secrets.token_urlsafe(18)
        visit = await self._attach(guest, _NoSocket(), revoked, keep_peer=False)
        live, room = self.rooms.where(guest.participant)
        visit.show(live, room)
        self._bearers[session] = visit
        visit.bearer = session
        return session, visit


def _person(guest: Guest) -> Person:
    return Person(guest.participant, guest.name, guest.role)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # a task of its own: nobody else would hear of it
        _log.warning("could not revoke resume tokens: %s", type(error).__name__)
