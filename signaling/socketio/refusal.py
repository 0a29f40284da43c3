"""What a client is told about an exception: the only place where one becomes a wire code here."""

import logging

from pydantic import ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from rooms.errors import RoomsError
from signaling.errors import SignalingError
from signaling.protocol.base import ProtocolError
from signaling.session.intake import describe

_log = logging.getLogger(__name__)


def refusal(error: Exception) -> ProtocolError:
    """Return what a client is told about `error`; only what it may know."""
    if isinstance(error, SignalingError):
        return error.wire()
    if isinstance(error, RoomsError):
        return ProtocolError(code=error.code, message=str(error), remedy=error.remedy)
    if isinstance(error, ValidationError):
        return ProtocolError(code="auth_invalid", message=describe(error))
    _log.error("a request failed", exc_info=error)
    return ProtocolError(code="internal", message="The server failed; its log has the details.")


def refused(error: Exception) -> Refused:
    """`error` as the library wants it from whoever lets nobody in."""
    wire = refusal(error)
    return Refused(wire.message, wire.model_dump())
