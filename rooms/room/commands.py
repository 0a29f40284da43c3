"""What can be asked of a room. Those with an `actor` are subject to `permissions.py`."""

from dataclasses import dataclass, field

from rooms.room.model import GRACE_MS, Person, Placement, QualityLevel, ReactionName, Seat

# From people.


@dataclass(frozen=True, slots=True)
class SetMedia:
    actor: str
    microphone: bool
    camera: bool


@dataclass(frozen=True, slots=True)
class Admit:
    actor: str
    participant: str


@dataclass(frozen=True, slots=True)
class Remove:
    actor: str
    participant: str


@dataclass(frozen=True, slots=True)
class Mute:
    actor: str
    participant: str


@dataclass(frozen=True, slots=True)
class StartScreen:
    actor: str


@dataclass(frozen=True, slots=True)
class StopScreen:
    actor: str


@dataclass(frozen=True, slots=True)
class Say:
    actor: str
    text: str = field(repr=False)
    key: str


@dataclass(frozen=True, slots=True)
class React:
    actor: str
    name: ReactionName


@dataclass(frozen=True, slots=True)
class ReportQuality:
    actor: str
    level: QualityLevel


@dataclass(frozen=True, slots=True)
class End:
    actor: str


@dataclass(frozen=True, slots=True)
class Leave:
    actor: str


PersonalCommand = (
    SetMedia
    | Admit
    | Remove
    | Mute
    | StartScreen
    | StopScreen
    | Say
    | React
    | ReportQuality
    | End
    | Leave
)

# From the node.


@dataclass(frozen=True, slots=True)
class Enter:
    """Someone with a right to this room connects. `automatic`: candidates need no admission."""

    person: Person
    automatic: bool


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The participant's connection is gone; the seat waits."""

    participant: str


@dataclass(frozen=True, slots=True)
class Expire:
    """Give up the seats that have waited for longer than the grace period."""

    grace_ms: int = GRACE_MS


@dataclass(frozen=True, slots=True)
class TransferOut:
    """The participant moves to another round."""

    participant: str
    to_round: str


@dataclass(frozen=True, slots=True)
class TransferIn:
    """The participant arrives from another round, with devices and connection as they were."""

    seat: Seat
    """As it was in the other round."""
    placement: Placement


@dataclass(frozen=True, slots=True)
class NoteRound:
    """Another round of the interview became occupied or free."""

    round: str
    occupied: bool


Command = PersonalCommand | Enter | Disconnect | Expire | TransferOut | TransferIn | NoteRound
