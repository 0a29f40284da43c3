"""What an acknowledgement carries as `data` when the command succeeded."""

from signaling.protocol.base import Id, Message, Placement


class Done(Message):
    """The command was carried out; there is nothing more to say."""


class MediaAnswer(Message):
    """The server's SDP answer."""

    sdp: str


class ChatAccepted(Message):
    """The message as the room knows it; the same id for a retry with the same key."""

    id: Id


class HandedOver(Message):
    """Where the candidate is now. `undo_ms`: for so long `round.take_back` works."""

    round: Id
    placement: Placement
    undo_ms: int
