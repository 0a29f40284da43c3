"""What a client may ask. The Socket.IO event name is `TYPE`; every command is acknowledged.

The acknowledgement is `{"ok": true, "data": {…}}` or `{"ok": false, "error": ProtocolError}`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from signaling.protocol.base import (
    MAX_CHAT_CHARS,
    MAX_COMMAND_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_SDP_BYTES,
    MAX_SIZES,
    Id,
    Message,
    Mid,
    PictureSide,
    QualityLevel,
    ReactionName,
    SourceKind,
)
from signaling.protocol.replies import ChatAccepted, Done, HandedOver, MediaAnswer


class Command(Message):
    """A request by a client."""

    TYPE: ClassVar[str]
    REPLY: ClassVar[type[Message]] = Done
    MAX_BYTES: ClassVar[int] = MAX_COMMAND_BYTES


class MediaOffer(Command):
    """The client's SDP offer; the answer's SDP is in the acknowledgement as `sdp`.

    `tracks` names the client's sending sections by mid. The same command renegotiates (more
    slots) and restarts ICE. The session id in the offer's `o=` line, which a browser keeps for
    the life of a peer connection, tells a later offer from the first one of a new connection.
    """

    TYPE = "media.offer"
    REPLY = MediaAnswer
    MAX_BYTES = MAX_MESSAGE_BYTES
    sdp: Annotated[str, Field(max_length=MAX_SDP_BYTES)]
    tracks: Annotated[dict[Mid, SourceKind], Field(max_length=8)]


class MediaState(Command):
    """Whether my microphone and camera are on, as I set them."""

    TYPE = "media.state"
    microphone: bool
    camera: bool


class SlotSize(Message):
    """How large a slot is drawn, in CSS pixels times `devicePixelRatio`; 0 and 0: not at all."""

    slot: Mid
    width: PictureSide
    height: PictureSide


class SlotsSizes(Command):
    """How large slots are drawn: those whose size changed.

    A slot that was never named may be as large as the source; one that is not drawn costs no
    bandwidth. What is smaller gets a smaller layer. A new peer connection begins anew.
    """

    TYPE = "slots.sizes"
    sizes: Annotated[list[SlotSize], Field(max_length=MAX_SIZES)]


class VideoLimit(Command):
    """The most picture lines that I want of anybody: saves data. Null: no limit; 0: sound only.

    Kept for the whole visit, reconnects included. The lowest layer is sent even if it is larger.
    """

    TYPE = "video.limit"
    max_height: PictureSide | None


class SeatAdmit(Command):
    """Let a waiting participant in (interviewer, HR)."""

    TYPE = "seat.admit"
    participant: Id


class SeatRemove(Command):
    """Remove a participant from the room or the lobby (interviewer, HR)."""

    TYPE = "seat.remove"
    participant: Id


class SeatMute(Command):
    """Mute another's microphone; the owner can unmute it again (interviewer, HR)."""

    TYPE = "seat.mute"
    participant: Id


class RoundHandOver(Command):
    """Move the candidate to another round, by default the next one (interviewer, HR).

    The candidate enters the room at once if an interviewer is seated there, else its lobby.
    """

    TYPE = "round.hand_over"
    REPLY = HandedOver
    participant: Id
    round: Id | None = None


class RoundTakeBack(Command):
    """Undo my hand-over while the candidate has been gone for less than a minute."""

    TYPE = "round.take_back"
    participant: Id


class ScreenStart(Command):
    """Begin to share my screen; refused with `screen_taken` while another shares."""

    TYPE = "screen.start"


class ScreenStop(Command):
    """Stop sharing my screen."""

    TYPE = "screen.stop"


class ChatSend(Command):
    """Say something to everyone in the room. `key` makes a retry harmless."""

    TYPE = "chat.send"
    REPLY = ChatAccepted
    text: Annotated[str, Field(min_length=1, max_length=MAX_CHAT_CHARS)]
    key: Id


class ReactionSend(Command):
    """点赞 like, 疑惑 puzzled, 鼓掌 clap, 举手 hand."""

    TYPE = "reaction.send"
    name: ReactionName


Ratio = Annotated[float, Field(ge=0, le=1)]
DurationMs = Annotated[float, Field(ge=0, le=60_000)]
LongMs = Annotated[int, Field(ge=0, le=600_000)]
Pixels = Annotated[int, Field(ge=0, le=8192)]
Fps = Annotated[float, Field(ge=0, le=240)]


class SlotReport(Message):
    """What one video slot drew at last: the decoded picture and its rate."""

    mid: Mid
    width: Pixels
    height: Pixels
    fps: Fps


class QualityReport(Command):
    """What the client measured of its own connection since its report before.

    Sent every 5 s, and at once when `level`, the client's own judgement, changes. A value that
    the browser does not give is null. It only ever speaks of the sender: what is wrong with
    others the server finds out by itself, and where it measured something its own figure counts.

    `span_ms` is how long the report covers: `freezes` and `frozen_ms` (of all slots together)
    and `concealed_ratio` (of the sound played, silence left out) are of that time. `slots` lists
    the video slots that show somebody. `limited_by` is why our encoder sends less than it could,
    `sendable_bps` the browser's estimate of its uplink. `path` is how media travels.
    `join_ms` is the time from the tap to a media path that stands, `first_frame_ms` from the tap,
    or from when there first was somebody to see if that was later, to the first picture drawn;
    both may be repeated, the first value counts. With `level` alone it only asks whether the
    server is there.
    """

    TYPE = "quality.report"
    level: QualityLevel
    span_ms: DurationMs = 0
    rtt_ms: DurationMs | None = None
    loss_up_ratio: Ratio | None = None
    loss_down_ratio: Ratio | None = None
    jitter_ms: DurationMs | None = None
    freezes: Annotated[int, Field(ge=0, le=1000)] = 0
    frozen_ms: LongMs = 0
    concealed_ratio: Ratio | None = None
    slots: Annotated[list[SlotReport], Field(max_length=64, default_factory=list)]
    sent_height: Pixels | None = None
    sent_fps: Fps | None = None
    limited_by: Literal["none", "bandwidth", "cpu", "other"] = "none"
    sendable_bps: Annotated[int, Field(ge=0, le=10_000_000_000)] | None = None
    path: Literal["udp", "tcp", "relay"] | None = None
    join_ms: LongMs | None = None
    first_frame_ms: LongMs | None = None


class RoomEnd(Command):
    """End this round for everyone (interviewer, HR)."""

    TYPE = "room.end"


class RoomLeave(Command):
    """Leave; coming back needs the link again."""

    TYPE = "room.leave"


COMMANDS: dict[str, type[Command]] = {
    command.TYPE: command
    for command in (
        MediaOffer,
        MediaState,
        SlotsSizes,
        VideoLimit,
        SeatAdmit,
        SeatRemove,
        SeatMute,
        RoundHandOver,
        RoundTakeBack,
        ScreenStart,
        ScreenStop,
        ChatSend,
        ReactionSend,
        QualityReport,
        RoomEnd,
        RoomLeave,
    )
}
