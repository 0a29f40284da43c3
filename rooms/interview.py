"""One interview as it happens: its rounds' rooms and who is in which. Pure; time is an argument.

Nobody is ever in two rooms of an interview. A hand-over is one step: there is no moment at which
the candidate is in both rounds or in neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from rooms.errors import (
    CandidateOnly,
    NotPermitted,
    NotSeated,
    ParticipantUnknown,
    RoomFull,
    RoundCurrent,
    RoundEnded,
    RoundUnknown,
    UndoExpired,
)
from rooms.ports import InterviewSpec, RoundSpec
from rooms.room import commands as c
from rooms.room.events import Entered, Recorded
from rooms.room.model import GRACE_MS, MAX_SEATS, STAFF, Person, Placement, Seat
from rooms.room.room import Room

UNDO_MS = 60_000
"""How long a hand-over can be taken back."""

MoveReason = Literal["admitted", "handed_over", "taken_back"]


@dataclass(frozen=True, slots=True)
class HandOver:
    """A candidate's last move, as long as it can be undone."""

    participant: str
    by: str
    from_round: str
    to_round: str
    placement: Placement
    """The candidate's placement before."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class Moves:
    """Where the candidates are, and who put them there."""

    whereabouts: Mapping[str, str] = field(default_factory=dict)
    hand_overs: Mapping[str, HandOver] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happened:
    """Events of one room, in order."""

    round: str
    recorded: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A participant has a new place and must be shown the room afresh."""

    participant: str
    reason: MoveReason


Outcome = Happened | Moved


class LiveInterview:
    """The rooms of one interview. Every method returns what happened, or raises and did nothing."""

    def __init__(
        self,
        spec: InterviewSpec,
        rooms: Mapping[str, Room] | None = None,
        moves: Moves | None = None,
    ) -> None:
        self.spec = spec
        known = rooms or {}
        self.rooms = {one.id: known.get(one.id) or Room(one.id) for one in spec.rounds}
        moves = moves or Moves()
        self._whereabouts = dict(moves.whereabouts)
        self._hand_overs = dict(moves.hand_overs)
        self._occupied: dict[str, bool] = {}
        """The rooms, as they were told of each other."""

    @property
    def moves(self) -> Moves:
        return Moves(dict(self._whereabouts), dict(self._hand_overs))

    def revise(self, spec: InterviewSpec) -> None:
        """Take over HR's changes; a round that was struck out stays while people sit in it."""
        kept = [
            one
            for one in self.spec.rounds
            if self.rooms[one.id].state.seats and all(one.id != new.id for new in spec.rounds)
        ]
        self.spec = replace(spec, rounds=(*spec.rounds, *kept))
        self.rooms = {one.id: self.rooms.get(one.id) or Room(one.id) for one in self.spec.rounds}

    def room_of(self, participant: str) -> Room | None:
        """Return the room in which the participant has a seat."""
        for room in self.rooms.values():
            if participant in room.state.seats:
                return room
        return None

    def seat_of(self, participant: str) -> Seat | None:
        room = self.room_of(participant)
        return room.state.seats[participant] if room else None

    def enter(self, person: Person, round_id: str | None, now_ms: int) -> list[Outcome]:
        """Take a seat, or take it again. `round_id` as in `Guest.round`."""
        target = self.destination(person, round_id)
        spec = self._round(target.id)
        entry = c.Enter(person, automatic=spec.admission == "automatic")
        arrived = tuple(target.handle(entry, now_ms))
        self._whereabouts[person.id] = target.id
        outcomes: list[Outcome] = []
        for other in self.rooms.values():
            if other is not target and person.id in other.state.seats:
                left = other.handle(c.TransferOut(person.id, target.id), now_ms)
                outcomes.append(Happened(other.id, tuple(left)))
        return self._with_occupancy([*outcomes, Happened(target.id, arrived)], now_ms)

    def submit(self, command: c.PersonalCommand, now_ms: int) -> list[Outcome]:
        """Carry out a participant's command in the room where they sit."""
        room = self.room_of(command.actor)
        if room is None:
            raise NotSeated
        happened = Happened(room.id, tuple(room.handle(command, now_ms)))
        outcomes: list[Outcome] = [happened]
        if isinstance(command, c.Admit) and any(
            isinstance(one.event, Entered) for one in happened.recorded
        ):
            outcomes.append(Moved(command.participant, "admitted"))
        return self._with_occupancy(outcomes, now_ms)

    def hand_over(
        self, actor: str, participant: str, round_id: str | None, now_ms: int
    ) -> list[Outcome]:
        """Move a candidate from the actor's round to another, by default the next."""
        room = self._room_run_by(actor)
        seat = room.state.seats.get(participant)
        if seat is None:
            raise ParticipantUnknown
        if seat.person.role != "candidate":
            raise CandidateOnly
        target = self._target(room, round_id)
        placement: Placement = "room" if target.state.occupied else "lobby"
        outcomes = self._move(seat, room, target, placement, now_ms)
        self._hand_overs[participant] = HandOver(
            participant, actor, room.id, target.id, seat.placement, now_ms
        )
        return self._with_occupancy([*outcomes, Moved(participant, "handed_over")], now_ms)

    def take_back(self, actor: str, participant: str, now_ms: int) -> list[Outcome]:
        """Undo the actor's hand-over, if it is fresh and the candidate is still there."""
        home = self._room_run_by(actor)
        last = self._hand_overs.get(participant)
        if last is None or last.by != actor or last.from_round != home.id:
            raise UndoExpired
        away = self.rooms.get(last.to_round)
        seat = away.state.seats.get(participant) if away else None
        if away is None or seat is None or now_ms - last.at_ms > UNDO_MS:
            raise UndoExpired
        outcomes = self._move(seat, away, home, last.placement, now_ms)
        del self._hand_overs[participant]
        return self._with_occupancy([*outcomes, Moved(participant, "taken_back")], now_ms)

    def disconnect(self, participant: str, now_ms: int) -> list[Outcome]:
        """The participant's connection is gone; the seat waits for the grace period."""
        room = self.room_of(participant)
        if room is None:
            return []
        lost = tuple(room.handle(c.Disconnect(participant), now_ms))
        return self._with_occupancy([Happened(room.id, lost)], now_ms)

    def pass_time(self, now_ms: int, grace_ms: int = GRACE_MS) -> list[Outcome]:
        """Give up seats that waited for too long; forget hand-overs too old to undo."""
        for participant, last in list(self._hand_overs.items()):
            if now_ms - last.at_ms > UNDO_MS:
                del self._hand_overs[participant]
        outcomes: list[Outcome] = []
        for room in self.rooms.values():
            outcomes.append(Happened(room.id, tuple(room.handle(c.Expire(grace_ms), now_ms))))
        return self._with_occupancy(outcomes, now_ms)

    def destination(self, person: Person, round_id: str | None) -> Room:
        """Return the room that the person would enter. Raises RoundUnknown, RoundEnded."""
        wanted = round_id
        if person.role == "candidate" or round_id is None:
            wanted = self._whereabouts.get(person.id, round_id)
        if wanted is None or wanted not in self.rooms:
            wanted = self._first_open() if round_id is None else round_id
        if wanted not in self.rooms:
            raise RoundUnknown
        return self.rooms[wanted]

    def _first_open(self) -> str:
        for room in self.rooms.values():
            if not room.state.ended:
                return room.id
        raise RoundEnded

    def _room_run_by(self, actor: str) -> Room:
        room = self.room_of(actor)
        if room is None:
            raise NotSeated
        seat = room.state.seats[actor]
        if seat.person.role not in STAFF:
            raise NotPermitted
        if seat.placement != "room":
            raise NotSeated
        return room

    def _target(self, room: Room, round_id: str | None) -> Room:
        ids = list(self.rooms)
        if round_id is None:
            following = ids[ids.index(room.id) + 1 :]
            if not following:
                raise RoundUnknown
            round_id = following[0]
        if round_id not in self.rooms:
            raise RoundUnknown
        if round_id == room.id:
            raise RoundCurrent
        target = self.rooms[round_id]
        if target.state.ended:
            raise RoundEnded
        return target

    def _move(
        self, seat: Seat, source: Room, target: Room, placement: Placement, now_ms: int
    ) -> list[Outcome]:
        if target.state.ended:
            raise RoundEnded
        if len(target.state.seats) >= MAX_SEATS:
            raise RoomFull
        left = source.handle(c.TransferOut(seat.id, target.id), now_ms)
        came = target.handle(c.TransferIn(seat, placement), now_ms)
        self._whereabouts[seat.id] = target.id
        return [Happened(source.id, tuple(left)), Happened(target.id, tuple(came))]

    def _with_occupancy(self, outcomes: list[Outcome], now_ms: int) -> list[Outcome]:
        """Tell every room which of the others are occupied; drop outcomes without events."""
        occupied = {id_: room.state.occupied for id_, room in self.rooms.items()}
        if occupied != self._occupied:
            self._occupied = occupied
            for room in self.rooms.values():
                told = [
                    one
                    for id_, is_occupied in occupied.items()
                    if id_ != room.id
                    for one in room.handle(c.NoteRound(id_, is_occupied), now_ms)
                ]
                outcomes.append(Happened(room.id, tuple(told)))
        return [one for one in outcomes if isinstance(one, Moved) or one.recorded]

    def _round(self, round_id: str) -> RoundSpec:
        return next(one for one in self.spec.rounds if one.id == round_id)
