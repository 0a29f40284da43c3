"""The state that a client may see: parts of `welcome`, `place` and the HR list."""

from typing import Annotated, Literal

from pydantic import Field

from signaling.protocol.base import (
    MAX_CHAT_REPLAY,
    Id,
    Message,
    Mid,
    Placement,
    QualityLevel,
    Role,
    SourceKind,
)


class ParticipantView(Message):
    """A participant as the others see them.

    `connected` is false while a reconnect is awaited; `since_ms` is when the present placement
    began (Unix time), so that a lobby can say how long somebody has waited.
    """

    id: Id
    name: str
    role: Role
    placement: Placement
    connected: bool
    microphone: bool
    camera: bool
    screen: bool
    quality: QualityLevel
    since_ms: int


class ChatView(Message):
    id: Id
    participant: Id
    name: str
    text: str
    at_ms: int


class RoundView(Message):
    """A round of the interview. `occupied`: an interviewer is seated there now."""

    id: Id
    title: str
    index: int
    occupied: bool


class RoomView(Message):
    """A room as one participant may see it; in the lobby only one's own entry is listed."""

    id: Id
    interview_id: Id
    interview_title: str
    round: RoundView
    rounds: list[RoundView]
    placement: Placement
    participants: list[ParticipantView]
    screen: Id | None
    chat: Annotated[list[ChatView], Field(max_length=MAX_CHAT_REPLAY)]
    state: Literal["waiting", "live", "ended"]
    seq: int


class SlotView(Message):
    """What one slot shows. `participant` is null for an empty slot.

    `paused`: my network cannot hold even the smallest picture, so there is sound only for now.
    """

    mid: Mid
    participant: Id | None
    source: SourceKind | None
    paused: bool


class WantedLayer(Message):
    """A layer of mine that somebody watches.

    `rid` is `""` for the only encoding of a source without rids. `max_bps`: its only viewer's
    network carries no more than so many bits a second, so the encoder should make a picture for
    that (`maxBitrate`, where its own is not smaller already) instead of one that loses frames on
    the way. Null: no limit; the layer's own `maxBitrate` holds again.
    """

    rid: str
    max_bps: int | None


class QualityFacts(Message):
    """What was measured of one participant's connection lately; null: not measured.

    Up is from the participant to the server, down from the server to them. `estimate_bps` is
    what their downlink is believed to carry, `sent_height` the tallest picture that they send,
    `shown_height` the tallest that they are shown, `freeze_ratio` the share of the time in which
    a picture stood still, `concealed_ratio` the share of sound that had to be made up, and
    `video_paused` whether they get no video because there is no room for it.
    """

    rtt_ms: float | None = None
    loss_up_ratio: float | None = None
    loss_down_ratio: float | None = None
    jitter_ms: float | None = None
    up_bps: int | None = None
    down_bps: int | None = None
    estimate_bps: int | None = None
    sent_height: int | None = None
    shown_height: int | None = None
    freeze_ratio: float | None = None
    concealed_ratio: float | None = None
    video_paused: bool = False


class IceServer(Message):
    urls: list[str]
    username: str | None = None
    credential: str | None = None


class HrContact(Message):
    name: str
    phone: str
