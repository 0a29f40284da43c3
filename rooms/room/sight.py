"""What one participant may see of a room.

Whoever waits in the lobby sees only their own entry. Who waits and what happens in other rounds
is for interviewers and HR. Candidates read the chat from the moment they came in, so that what
the panel wrote before is not shown to them. Observers are seen by all unless hidden by HR.
"""

from dataclasses import dataclass

from rooms.room import events as e
from rooms.room.model import STAFF, ChatLine, Role, RoomState, Seat


@dataclass(frozen=True, slots=True)
class Sight:
    """The eyes of one participant: who they are and where they are."""

    participant: str
    role: Role
    inside: bool
    since_seq: int
    observers_hidden: bool = False

    def seats(self, state: RoomState) -> list[Seat]:
        return [seat for seat in state.seats.values() if self._sees_seat(seat)]

    def chat(self, state: RoomState) -> list[ChatLine]:
        return [line for line in state.chat if self._reads(line)] if self.inside else []

    def screen(self, state: RoomState) -> str | None:
        return state.screen if self.inside else None

    @property
    def sees_rounds(self) -> bool:
        """Whether other rounds of the interview, and moves to them, are shown."""
        return self.role != "candidate"

    def sees(self, event: e.Event) -> bool:
        """Whether the participant is told of `event`."""
        match event:
            case e.Entered() | e.Changed():
                seen = self._sees_seat(event.seat)
            case e.Left():
                seen = self._sees_leaving(event)
            case e.Muted():
                seen = self.inside or event.participant == self.participant
            case e.OtherRound():
                seen = self.inside and self.sees_rounds
            case e.Said():
                seen = self.inside and self._reads(event.line)
            case e.Ended():
                seen = True
            case _:
                seen = self.inside
        return seen

    def _sees_seat(self, seat: Seat) -> bool:
        if seat.person.id == self.participant:
            return True
        if not self.inside:
            return False
        if seat.placement == "lobby":
            return self.role in STAFF
        return not self._hidden(seat.person.role)

    def _sees_leaving(self, event: e.Left) -> bool:
        if event.participant == self.participant:
            return True
        return self.inside and (event.placement == "room" or self.role in STAFF)

    def _reads(self, line: ChatLine) -> bool:
        return self.role != "candidate" or line.seq >= self.since_seq

    def _hidden(self, role: Role) -> bool:
        return self.observers_hidden and role == "observer" and self.role == "candidate"


def sight_of(state: RoomState, participant: str, *, observers_hidden: bool = False) -> Sight | None:
    """Return the participant's sight, or None without a seat."""
    seat = state.seats.get(participant)
    if seat is None:
        return None
    person = seat.person
    inside = seat.placement == "room"
    return Sight(person.id, person.role, inside, seat.since_seq, observers_hidden)


def missed_own_move(missed: list[e.Recorded], participant: str) -> bool:
    """Whether the participant moved within `missed`: then the rest cannot be told as a replay."""
    for recorded in missed:
        event = recorded.event
        if isinstance(event, e.Entered) and event.seat.person.id == participant:
            return True
        if isinstance(event, e.Left) and event.participant == participant:
            return True
    return False
