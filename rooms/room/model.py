"""What a room is: people, seats, chat. All values are frozen; `fold.py` makes the next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["candidate", "interviewer", "observer", "hr"]
Placement = Literal["lobby", "room"]
ReactionName = Literal["like", "puzzled", "clap", "hand"]
QualityLevel = Literal["good", "fair", "poor", "lost"]

GRACE_MS = 60_000
"""How long a seat waits for someone whose connection is gone, unless the node is set otherwise."""

MAX_SEATS = 50
MAX_CHAT_LINES = 5_000
"""In the life of one room; a snapshot carries the last `CHAT_WINDOW`."""
CHAT_WINDOW = 200
MAX_CHAT_CHARS = 2_000

REACTION_BURST = 5
REACTION_REFILL_MS = 1_000
"""A participant may send five reactions at once and then one a second."""

STAFF: frozenset[Role] = frozenset({"interviewer", "hr"})
"""Those who run the interview: they see the lobby and the other rounds."""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str = field(repr=False)
    role: Role


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's place. `since_seq` is the event with which the present placement began."""

    person: Person
    placement: Placement
    since_ms: int
    since_seq: int = 0
    connected: bool = True
    lost_at_ms: int | None = None
    microphone: bool = False
    camera: bool = False
    media_known: bool = False
    """Whether the two above were ever said; until then the media plane forwards what comes."""
    quality: QualityLevel = "good"

    @property
    def id(self) -> str:
        return self.person.id


@dataclass(frozen=True, slots=True)
class ChatLine:
    id: str
    participant: str
    name: str = field(repr=False)
    text: str = field(repr=False)
    at_ms: int
    key: str
    """The sender's idempotency key."""
    seq: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """A token bucket as it stood at `at_ms`."""

    tokens: float
    at_ms: int

    def at(self, now_ms: int) -> float:
        gained = max(0, now_ms - self.at_ms) / REACTION_REFILL_MS
        return min(float(REACTION_BURST), self.tokens + gained)


@dataclass(frozen=True, slots=True)
class RoomState:
    """Everything that is true of a room after event `seq`; a fold of its events."""

    seq: int = 0
    seats: Mapping[str, Seat] = field(default_factory=dict)
    screen: str | None = None
    chat: tuple[ChatLine, ...] = ()
    chat_lines: int = 0
    allowances: Mapping[str, Allowance] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    occupied_rounds: frozenset[str] = frozenset()
    """Other rounds of the interview with an interviewer in them."""
    ended: bool = False

    @property
    def occupied(self) -> bool:
        """An interviewer is seated inside: a candidate who is handed over is received at once."""
        return any(
            seat.placement == "room" and seat.connected and seat.person.role in STAFF
            for seat in self.seats.values()
        )

    @property
    def phase(self) -> Literal["waiting", "live", "ended"]:
        if self.ended:
            return "ended"
        inside = {s.person.role for s in self.seats.values() if s.placement == "room"}
        return "live" if "candidate" in inside and inside & STAFF else "waiting"
