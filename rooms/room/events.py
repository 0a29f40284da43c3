"""What can happen in a room. Events are numbered without gaps and enough to rebuild its state."""

from dataclasses import dataclass, field
from typing import Literal

from rooms.room.model import ChatLine, Placement, ReactionName, Seat

LeaveReason = Literal["left", "removed", "handed_over", "lost"]


@dataclass(frozen=True, slots=True)
class Entered:
    """Took a seat, in the lobby or inside; also when admitted from one to the other."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Changed:
    """The seat's media, quality or connection changed; its placement did not."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Left:
    participant: str
    placement: Placement
    """Where the seat was: who could not see it is not told that it is gone."""
    reason: LeaveReason
    to_round: str | None = None


@dataclass(frozen=True, slots=True)
class ScreenPassed:
    """`participant` shares a screen now, or nobody does."""

    participant: str | None


@dataclass(frozen=True, slots=True)
class Said:
    line: ChatLine


@dataclass(frozen=True, slots=True)
class Reacted:
    participant: str
    name: ReactionName


@dataclass(frozen=True, slots=True)
class Muted:
    participant: str
    by: str


@dataclass(frozen=True, slots=True)
class OtherRound:
    round: str
    occupied: bool


@dataclass(frozen=True, slots=True)
class Ended:
    by: str | None


Event = Entered | Changed | Left | ScreenPassed | Said | Reacted | Muted | OtherRound | Ended


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its number in the room and the time (Unix milliseconds) it happened."""

    seq: int
    at_ms: int
    event: Event = field(hash=False)
