"""One room: its state, and its recent events for those who missed some."""

from collections import deque
from collections.abc import Iterable

from rooms.room.commands import Command
from rooms.room.decide import decide
from rooms.room.events import Recorded
from rooms.room.fold import apply
from rooms.room.model import RoomState

LOG_LENGTH = 500
"""Events kept for replay; whoever missed more gets the whole room."""


class Room:
    """A state machine: `handle` is the only way in; it reads no clock and does no I/O."""

    def __init__(
        self, room_id: str, state: RoomState | None = None, log: Iterable[Recorded] = ()
    ) -> None:
        self.id = room_id
        self.state = state or RoomState()
        self._log: deque[Recorded] = deque(log, maxlen=LOG_LENGTH)

    def handle(self, command: Command, now_ms: int) -> list[Recorded]:
        """Carry out `command`; return what happened. Raises a RoomsError, then nothing did."""
        recorded = []
        for event in decide(self.state, command, now_ms):
            one = Recorded(self.state.seq + 1, now_ms, event)
            self.state = apply(self.state, one)
            self._log.append(one)
            recorded.append(one)
        return recorded

    def since(self, seq: int) -> list[Recorded] | None:
        """Return the events after `seq`, or None if not all of them are remembered."""
        if seq > self.state.seq:
            return None
        missed = [one for one in self._log if one.seq > seq]
        return missed if len(missed) == self.state.seq - seq else None

    @property
    def log(self) -> tuple[Recorded, ...]:
        return tuple(self._log)
