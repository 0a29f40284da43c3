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
    """What one slot shows. `participant` is null for an empty slot."""

    mid: Mid
    participant: Id | None
    source: SourceKind | None


class IceServer(Message):
    urls: list[str]
    username: str | None = None
    credential: str | None = None


class HrContact(Message):
    name: str
    phone: str
