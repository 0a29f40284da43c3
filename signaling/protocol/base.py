"""What every message shares: strictness, limits and the error object."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PROTOCOL_VERSION = 1

MAX_MESSAGE_BYTES = 256 * 1024
"""Largest Socket.IO message accepted; an offer with 20 slots is about 40 KiB."""

MAX_COMMAND_BYTES = 16 * 1024
"""Largest command but `media.offer`; 2000 characters of chat take at most 12 KiB."""

MAX_SDP_BYTES = 128 * 1024
MAX_CHAT_CHARS = 2000
MAX_PICTURE_PIXELS = 16_384
"""Of one side: what no screen reaches."""

MAX_SIZES = 64
"""Slots in one `slots.sizes`; a client has at most 16 of each kind."""

MAX_CHAT_REPLAY = 200


class Message(BaseModel):
    """A message or a part of one: unknown fields are refused, instances are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Role = Literal["candidate", "interviewer", "observer", "hr"]
Placement = Literal["lobby", "room"]
SourceKind = Literal["microphone", "camera", "screen"]
ReactionName = Literal["like", "puzzled", "clap", "hand"]
QualityLevel = Literal["good", "fair", "poor", "lost"]
QualityCause = Literal["none", "self", "peer", "server"]
QualityReason = Literal[
    "none", "unconnected", "offline", "loss", "delay", "bandwidth", "cpu", "overload"
]

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
PictureSide = Annotated[int, Field(ge=0, le=MAX_PICTURE_PIXELS)]
Mid = Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9_.:-]+$")]


class ProtocolError(Message):
    """Why a command was refused. `code` is stable; `message` is for logs, screens translate."""

    code: str
    message: str
    remedy: str = ""
