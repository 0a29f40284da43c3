"""What a client says when it connects: `auth` of the Socket.IO handshake."""

from typing import Annotated

from pydantic import Field, model_validator

from signaling.protocol.base import Id, Message

MAX_TOKEN_CHARS = 4096

Token = Annotated[str, Field(min_length=16, max_length=MAX_TOKEN_CHARS)]


class Auth(Message):
    """Exactly one of `token` (a fresh join token) and `resume` (from `welcome` or `resume`).

    With `resume`, `room` and `seq` name the last event seen, so that only the missed ones are
    sent instead of the whole room.
    """

    token: Token | None = Field(default=None, repr=False)
    resume: Token | None = Field(default=None, repr=False)
    room: Id | None = None
    seq: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None

    @model_validator(mode="after")
    def _one_credential(self) -> "Auth":
        if (self.token is None) == (self.resume is None):
            raise ValueError("give either token or resume")
        return self
