"""Errors of signalling; `code` is one of `signaling.protocol.codes`."""

from signaling.protocol.base import ProtocolError


class SignalingError(Exception):
    """Root of this package's errors. `message` is for logs; screens translate the code."""

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code is not None:
            self.code = code

    def wire(self) -> ProtocolError:
        """As it goes into an acknowledgement or a refused connection."""
        return ProtocolError(code=self.code, message=self.message, remedy=self.remedy)


class AdmissionRefused(SignalingError):
    """A connection is not let in; give the code: `token_expired`, `token_used`, …"""

    code = "token_invalid"


class FeedUnavailable(SignalingError):
    """HR's list cannot be read now; it may be later."""


class UnknownCommand(SignalingError):
    code = "unknown_command"


class InvalidMessage(SignalingError):
    code = "message_invalid"


class TooLarge(SignalingError):
    code = "message_too_large"


class RateLimited(SignalingError):
    code = "rate_limited"


class NotPermitted(SignalingError):
    code = "not_permitted"


class MediaMissing(SignalingError):
    code = "media_missing"


class VisitOver(SignalingError):
    code = "visit_over"
