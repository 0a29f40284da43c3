"""The rooms of this node: interviews opened on demand, their effects on media and listeners."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rooms.beat import next_beat
from rooms.errors import InterviewClosed, InterviewUnknown, NodeFull, NotSeated
from rooms.interview import UNDO_MS, Happened, LiveInterview, Moved, MoveReason, Outcome
from rooms.ports import InterviewSource, Stage
from rooms.room.commands import PersonalCommand
from rooms.room.events import Changed, Ended, Entered, Event, Left, Recorded, ScreenPassed
from rooms.room.model import GRACE_MS, Person, Placement, QualityLevel
from rooms.room.room import Room
from rooms.store.journal import Journal

TICK_S = 1.0
IDLE_MS = 10 * 60_000
"""An interview in which nobody has a seat leaves memory after so long; Redis keeps it."""


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """`max_rooms` counts those with a seat taken, `max_participants` the seats."""

    max_rooms: int = 500
    max_participants: int = 2000
    grace_ms: int = GRACE_MS


class RoomListener(Protocol):
    """Called on the event loop right after something happened; must return quickly."""

    def on_events(self, live: LiveInterview, room: Room, recorded: Sequence[Recorded]) -> None:
        """Events of one room, in order."""

    def on_moved(self, live: LiveInterview, participant: str, reason: MoveReason) -> None:
        """The participant has a new place; comes after the events of the move."""


@dataclass(frozen=True, slots=True)
class LiveParticipant:
    """Where somebody is now, for HR's list."""

    participant: str
    round: str
    placement: Placement
    connected: bool
    quality: QualityLevel


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The result of a hand-over: where the candidate is, and how long it can be undone."""

    round: str
    placement: Placement
    undo_ms: int


@dataclass(frozen=True, slots=True)
class _Staging:
    scene: str | None
    microphone: bool
    camera: bool
    screen: bool


_NOWHERE = _Staging(scene=None, microphone=True, camera=True, screen=False)
"""What the media plane assumes of a new peer."""


class RoomService:
    """Every command passes here: decide, write behind, move media, tell listeners, in that order.

    All methods but `open` and `run` are synchronous, so that on one loop they are atomic.
    """

    def __init__(
        self,
        source: InterviewSource,
        journal: Journal,
        *,
        clock_ms: Callable[[], int],
        limits: NodeLimits | None = None,
    ) -> None:
        self._limits = limits or NodeLimits()
        self._source = source
        self._journal = journal
        self._clock_ms = clock_ms
        self._live: dict[str, LiveInterview] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._interview_of: dict[str, str] = {}
        self._idle_since: dict[str, int] = {}
        self._staged: dict[str, _Staging] = {}
        self._seen_in: dict[str, set[str]] = {}
        """Participants by the scene in which the media plane was told to place them."""
        self._stage: Stage | None = None
        self._listeners: list[RoomListener] = []
        self._watchers: list[Callable[[str], None]] = []

    def bind(self, stage: Stage, listener: RoomListener) -> None:
        """Connect the media plane and the signalling; once, before anybody enters."""
        self._stage = stage
        self._listeners.append(listener)

    def on_change(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(interview_id)` whenever HR's list of an interview may look different."""
        self._watchers.append(watcher)

    # Opening.

    async def open(self, interview_id: str) -> LiveInterview:
        """Return the interview, read from SQL and Redis if it is not in memory.

        Raises InterviewUnknown, StoreUnavailable.
        """
        live = self._live.get(interview_id)
        if live is not None:
            return live
        async with self._opening.setdefault(interview_id, asyncio.Lock()):
            return self._live.get(interview_id) or await self._load(interview_id)

    async def _load(self, interview_id: str) -> LiveInterview:
        spec = await self._source.interview(interview_id)
        if spec is None:
            raise InterviewUnknown
        live = await self._journal.load(spec)
        self._live[interview_id] = live
        self._lose_all(live)
        return live

    def _lose_all(self, live: LiveInterview) -> None:
        """Seats read from the store belong to connections of before: their grace begins now."""
        for room in live.rooms.values():
            for participant in list(room.state.seats):
                self._interview_of[participant] = live.spec.id
                self._settle(live, live.disconnect(participant, self._clock_ms()))

    async def refresh(self, interview_id: str) -> None:
        """HR changed the interview: take over its title, window, rounds and admission rules."""
        live = self._live.get(interview_id)
        if live is None:
            return
        spec = await self._source.interview(interview_id)
        if spec is not None:
            live.revise(spec)
            self._changed(interview_id)

    # What people do.

    async def enter(self, person: Person, interview_id: str, round_id: str | None) -> Room:
        """Seat the person, or give the kept seat back. `round_id`: where they belong.

        Raises InterviewUnknown, InterviewClosed, RoomOver, RoomFull, RoundUnknown, RoundEnded,
        NodeFull, StoreUnavailable.
        """
        live = await self.open(interview_id)
        now_ms = self._clock_ms()
        self._check_capacity(live, person, round_id)
        if live.room_of(person.id) is None and not _is_open(live, now_ms):
            raise InterviewClosed
        outcomes = live.enter(person, round_id, now_ms)
        self._interview_of[person.id] = interview_id
        self._idle_since.pop(interview_id, None)
        self._settle(live, outcomes)
        room = live.room_of(person.id)
        assert room is not None, "whoever entered has a seat"
        return room

    async def check_capacity(self, person: Person, interview_id: str, round_id: str | None) -> None:
        """Ask whether `enter` would take the person, before anything is used up for it.

        Raises NodeFull, InterviewUnknown, RoundUnknown, RoundEnded, StoreUnavailable.
        """
        if self.is_full:
            self._check_capacity(await self.open(interview_id), person, round_id)

    def _check_capacity(self, live: LiveInterview, person: Person, round_id: str | None) -> None:
        """Whoever has a seat keeps it, and a room that is open takes people up to its own limit."""
        if live.room_of(person.id) is not None or not self.is_full:
            return
        opens_room = not live.destination(person, round_id).state.seats
        if opens_room or self.seat_count() >= self._limits.max_participants:
            raise NodeFull

    @property
    def is_full(self) -> bool:
        """No further room, or no further person, is taken."""
        return (
            self.room_count() >= self._limits.max_rooms
            or self.seat_count() >= self._limits.max_participants
        )

    def submit(self, command: PersonalCommand) -> Room:
        """Carry out a command of a seated participant; return the room it happened in."""
        live, room = self.where(command.actor)
        self._settle(live, live.submit(command, self._clock_ms()))
        return room

    def hand_over(self, actor: str, participant: str, round_id: str | None) -> HandedOver:
        """Move a candidate to another round, by default the next one."""
        live, _ = self.where(actor)
        self._settle(live, live.hand_over(actor, participant, round_id, self._clock_ms()))
        room, seat = live.room_of(participant), live.seat_of(participant)
        assert room is not None and seat is not None, "a hand-over ends in a seat"
        return HandedOver(room.id, seat.placement, UNDO_MS)

    def take_back(self, actor: str, participant: str) -> None:
        """Undo the actor's own hand-over."""
        live, _ = self.where(actor)
        self._settle(live, live.take_back(actor, participant, self._clock_ms()))

    def disconnect(self, participant: str) -> None:
        """The participant's connection is gone; does nothing for someone without a seat."""
        live = self._live_of(participant)
        if live is not None:
            self._settle(live, live.disconnect(participant, self._clock_ms()))

    # What others ask.

    def where(self, participant: str) -> tuple[LiveInterview, Room]:
        """Return the interview and room in which the participant sits. Raises NotSeated."""
        live = self._live_of(participant)
        room = live.room_of(participant) if live else None
        if live is None or room is None:
            raise NotSeated
        return live, room

    def live(self, interview_id: str) -> LiveInterview | None:
        """The interview if it is in memory here."""
        return self._live.get(interview_id)

    def participants(self, interview_id: str) -> list[LiveParticipant]:
        """Who has a seat in the interview now; empty if it is not in memory."""
        live = self._live.get(interview_id)
        if live is None:
            return []
        return [
            LiveParticipant(seat.id, room.id, seat.placement, seat.connected, seat.quality)
            for room in live.rooms.values()
            for seat in room.state.seats.values()
        ]

    def room_count(self) -> int:
        """Rooms with at least one seat: a figure for operators."""
        return sum(
            bool(room.state.seats) for live in self._live.values() for room in live.rooms.values()
        )

    def seat_count(self) -> int:
        """Seats taken in all rooms."""
        return sum(
            len(room.state.seats) for live in self._live.values() for room in live.rooms.values()
        )

    def scene_of(self, participant: str) -> str | None:
        """The scene where the participant is seen; None in the lobby and without a seat."""
        return self._staging(participant).scene

    def seen_in(self, scene: str) -> frozenset[str]:
        """The participants placed in a scene."""
        return frozenset(self._seen_in.get(scene, ()))

    def restage(self, participant: str) -> None:
        """A new peer connection stands in for the participant: tell the media plane again."""
        before = self._staged.pop(participant, _NOWHERE)
        if before.scene is not None:
            self._note_scene(participant, before.scene, None)
        self._put_on_stage(participant)

    # Time.

    async def run(self) -> None:
        """Pass the time and write behind, until cancelled; then write what is left."""
        writing = asyncio.create_task(self._journal.run())
        try:
            while True:
                await next_beat(TICK_S)
                self.pass_time()
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._journal.flush()

    def pass_time(self) -> None:
        """Give up expired seats; let idle interviews leave memory."""
        now_ms = self._clock_ms()
        for live in list(self._live.values()):
            self._settle(live, live.pass_time(now_ms, self._limits.grace_ms))
            self._evict_idle(live, now_ms)

    def _evict_idle(self, live: LiveInterview, now_ms: int) -> None:
        interview_id = live.spec.id
        if any(room.state.seats for room in live.rooms.values()):
            self._idle_since.pop(interview_id, None)
            return
        since = self._idle_since.setdefault(interview_id, now_ms)
        if now_ms - since < IDLE_MS or not self._journal.is_written(interview_id):
            return
        del self._live[interview_id], self._idle_since[interview_id], self._opening[interview_id]
        gone = [one for one, where in self._interview_of.items() if where == interview_id]
        for participant in gone:
            del self._interview_of[participant]
            self._staged.pop(participant, None)

    # Effects.

    def _settle(self, live: LiveInterview, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        happened = [one for one in outcomes if isinstance(one, Happened)]
        self._journal.note(live, happened)
        for one in happened:
            if any(_moves_media(recorded.event) for recorded in one.recorded):
                self._stage_room(live.rooms[one.round])
        for outcome in outcomes:
            self._tell(live, outcome)
        if any(_shows_in_list(r.event) for one in happened for r in one.recorded):
            self._changed(live.spec.id)

    def _tell(self, live: LiveInterview, outcome: Outcome) -> None:
        for listener in self._listeners:
            if isinstance(outcome, Moved):
                listener.on_moved(live, outcome.participant, outcome.reason)
            else:
                listener.on_events(live, live.rooms[outcome.round], outcome.recorded)

    def _changed(self, interview_id: str) -> None:
        for watcher in self._watchers:
            watcher(interview_id)

    def _stage_room(self, room: Room) -> None:
        """Let media follow for everyone who was seen in the room or has a seat in it now."""
        for participant in {*self._seen_in.get(room.id, ()), *room.state.seats}:
            self._put_on_stage(participant)

    def _put_on_stage(self, participant: str) -> None:
        if self._stage is None:
            return
        before = self._staged.get(participant, _NOWHERE)
        now = self._staging(participant)
        for source in ("microphone", "camera", "screen"):
            if getattr(before, source) != getattr(now, source):
                self._stage.set_enabled(participant, source, getattr(now, source))
        if before.scene != now.scene:
            self._stage.place(participant, now.scene)
            self._note_scene(participant, before.scene, now.scene)
        self._staged[participant] = now

    def _note_scene(self, participant: str, before: str | None, now: str | None) -> None:
        if before is not None:
            self._seen_in[before].discard(participant)
            if not self._seen_in[before]:
                del self._seen_in[before]
        if now is not None:
            self._seen_in.setdefault(now, set()).add(participant)

    def _staging(self, participant: str) -> _Staging:
        live = self._live_of(participant)
        room = live.room_of(participant) if live else None
        if room is None:
            return _NOWHERE
        seat = room.state.seats[participant]
        speaks = seat.person.role != "observer"
        return _Staging(
            scene=room.id if seat.placement == "room" else None,
            microphone=speaks and (seat.microphone or not seat.media_known),
            camera=speaks,
            screen=speaks and room.state.screen == participant,
        )

    def _live_of(self, participant: str) -> LiveInterview | None:
        interview_id = self._interview_of.get(participant)
        return self._live.get(interview_id) if interview_id else None


def _is_open(live: LiveInterview, now_ms: int) -> bool:
    return live.spec.opens_at_ms <= now_ms <= live.spec.closes_at_ms


def _moves_media(event: Event) -> bool:
    return isinstance(event, (Entered, Changed, Left, ScreenPassed, Ended))


def _shows_in_list(event: Event) -> bool:
    return isinstance(event, (Entered, Changed, Left, Ended))
