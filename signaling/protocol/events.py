"""What the server tells a client of namespace `/room`.

`event` carries room events: each has the room's sequence number, so that a client which
reconnects says the last one it saw and receives the rest. The others are not numbered: they
state what is true now.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from signaling.protocol.base import (
    PROTOCOL_VERSION,
    Id,
    Message,
    Placement,
    QualityCause,
    QualityLevel,
    QualityReason,
    ReactionName,
    Role,
)
from signaling.protocol.views import (
    ChatView,
    HrContact,
    IceServer,
    ParticipantView,
    QualityFacts,
    RoomView,
    SlotView,
    WantedLayer,
)

# Numbered room events: the bodies of `event`.


class ParticipantEntered(Message):
    """Someone knocked (placement lobby), was admitted, arrived or came back."""

    type: Literal["participant.entered"] = "participant.entered"
    participant: ParticipantView


class ParticipantChanged(Message):
    """Microphone, camera, screen, quality or connection of a participant changed."""

    type: Literal["participant.changed"] = "participant.changed"
    participant: ParticipantView


class ParticipantLeft(Message):
    type: Literal["participant.left"] = "participant.left"
    participant: Id
    reason: Literal["left", "removed", "handed_over", "lost"]
    to_round: Id | None = None


class ScreenChanged(Message):
    type: Literal["screen.changed"] = "screen.changed"
    participant: Id | None


class ChatMessage(Message):
    type: Literal["chat.message"] = "chat.message"
    message: ChatView


class Reaction(Message):
    type: Literal["reaction"] = "reaction"
    participant: Id
    name: ReactionName


class MutedByOther(Message):
    """`participant` was muted by `by`; their client switches the microphone off."""

    type: Literal["participant.muted"] = "participant.muted"
    participant: Id
    by: Id


class RoundsChanged(Message):
    """Another round of this interview became occupied or free (not sent to candidates)."""

    type: Literal["rounds.changed"] = "rounds.changed"
    round: Id
    occupied: bool


class RoomEnded(Message):
    type: Literal["room.ended"] = "room.ended"
    by: Id | None


EventBody = Annotated[
    ParticipantEntered
    | ParticipantChanged
    | ParticipantLeft
    | ScreenChanged
    | ChatMessage
    | Reaction
    | MutedByOther
    | RoundsChanged
    | RoomEnded,
    Field(discriminator="type"),
]


class Notice(Message):
    """A message from the server; the Socket.IO event name is `TYPE`."""

    TYPE: ClassVar[str]


class RoomEvent(Notice):
    TYPE = "event"
    room: Id
    seq: int
    at_ms: int
    body: EventBody


class You(Message):
    participant: Id
    name: str
    role: Role


class Welcome(Notice):
    """The first message on a connection. `resume` replaces the join token for a reconnect.

    After a resume with `seq`, `room` is null if the missed events follow as `event`.
    """

    TYPE = "welcome"
    protocol: int = PROTOCOL_VERSION
    you: You
    resume: str
    resumed: bool
    media_kept: bool
    """True if the peer connection of before is still known: restart ICE, do not build anew."""
    room: RoomView | None
    ice_servers: list[IceServer]
    hr_contact: HrContact
    server_time_ms: int


class Place(Notice):
    """You are now here: admitted, handed over, or back in the lobby."""

    TYPE = "place"
    reason: Literal["admitted", "handed_over", "taken_back"]
    placement: Placement
    room: RoomView


class Slots(Notice):
    """What each of your slots shows now: the whole list, every time."""

    TYPE = "slots"
    slots: list[SlotView]


class MoreSlots(Notice):
    """The room has outgrown your slots: offer again with at least this many of each."""

    TYPE = "media.more_slots"
    audio: int
    video: int


class LayersWanted(Notice):
    """The layers of my camera and screen that somebody watches now, and how much of each is of use.

    The client pauses the others (`encodings[i].active = false`) and resumes one as soon as it is
    named again. Null: the server knows of no such source yet, so nothing is paused or limited.
    `[]`: nobody watches this source. While a limit follows a viewer's network this comes up to
    about four times a second; the newest alone counts.
    """

    TYPE = "layers.wanted"
    camera: list[WantedLayer] | None
    screen: list[WantedLayer] | None


class Speaking(Notice):
    TYPE = "speaking"
    participant: Id
    speaking: bool


class QualityChanged(Notice):
    """How good the connection of `participant`, maybe you, is now, and who is the cause.

    Told to everyone who sees the participant: at a change, every 10 s while the grade is not
    `good` (for the figures), and after `welcome` or `place` for all that are not good. `cause`
    is from your point of view: `self`: you are the participant, and it is your network or
    device; `peer`: it is theirs; `server`: neither's, this server is overloaded; `none` with
    grade `good`, and with reason `unconnected`: their media was never connected, whoever
    stands in the way. `affects`: what suffers, seen from the participant: what they send, what
    they receive, or both.
    """

    TYPE = "quality.changed"
    participant: Id
    grade: QualityLevel
    cause: QualityCause
    reason: QualityReason
    affects: Literal["none", "sending", "receiving", "both"]
    facts: QualityFacts


class MediaLost(Notice):
    """The media path is silent: restart ICE (`silent_ms` < 15000) or build a new connection."""

    TYPE = "media.lost"
    silent_ms: int


class Resume(Notice):
    """A fresh resume token; the one before it is worthless from now on."""

    TYPE = "resume"
    resume: str


class Goodbye(Notice):
    """The server closes this connection and says why."""

    TYPE = "goodbye"
    reason: Literal["ended", "removed", "replaced", "left", "revoked", "shutdown"]


NOTICES: dict[str, type[Notice]] = {
    notice.TYPE: notice
    for notice in (
        RoomEvent,
        Welcome,
        Place,
        Slots,
        MoreSlots,
        LayersWanted,
        Speaking,
        QualityChanged,
        MediaLost,
        Resume,
        Goodbye,
    )
}
