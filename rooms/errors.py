"""Errors of rooms. `code` is stable: acknowledgements carry it."""


class RoomsError(Exception):
    """Root of this package's errors; each says its code and a sentence for the log."""

    code = "internal"
    sentence = "The room failed."
    remedy = ""
    """What the person or program can do; "" if the code says it all."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class NotPermitted(RoomsError):
    code = "not_permitted"
    sentence = "This role may not do that."


class NotSeated(RoomsError):
    code = "not_seated"
    sentence = "Only someone inside the room can do that."


class ParticipantUnknown(RoomsError):
    code = "participant_unknown"
    sentence = "Nobody of that id is in this room."


class ParticipantNotWaiting(RoomsError):
    code = "participant_not_waiting"
    sentence = "The participant is not in the lobby."


class CandidateOnly(RoomsError):
    code = "candidate_only"
    sentence = "Only candidates are handed over."


class ScreenTaken(RoomsError):
    code = "screen_taken"
    sentence = "Somebody else shares a screen."


class ReactionLimited(RoomsError):
    code = "reaction_limited"
    sentence = "Too many reactions; wait a moment."


class ChatFull(RoomsError):
    code = "chat_full"
    sentence = "The chat of this room has reached its limit."


class RoundUnknown(RoomsError):
    code = "round_unknown"
    sentence = "There is no such round, or no next one."


class RoundCurrent(RoomsError):
    code = "round_current"
    sentence = "The candidate is in that round already."


class RoundEnded(RoomsError):
    code = "round_ended"
    sentence = "That round is over."


class UndoExpired(RoomsError):
    code = "undo_expired"
    sentence = "The hand-over is too old, not yours, or was already undone."


class RoomOver(RoomsError):
    code = "room_ended"
    sentence = "The round is over."


class RoomFull(RoomsError):
    code = "room_full"
    sentence = "The room has as many people as it can take."


class InterviewUnknown(RoomsError):
    code = "interview_unknown"
    sentence = "The interview does not exist."


class InterviewClosed(RoomsError):
    code = "interview_closed"
    sentence = "The interview is not open now."


class NodeFull(RoomsError):
    """Those who are here stay; nobody new comes in until somebody leaves."""

    code = "busy"
    sentence = "This node has as many people or rooms as it may take."
    remedy = "Try again in a minute, or come to another node."


class StoreUnavailable(RoomsError):
    """Redis does not answer; what needs it cannot be decided."""

    code = "busy"
    sentence = "The live store does not answer."
    remedy = "Try again shortly."


class SnapshotInvalid(RoomsError):
    """Stored state that this version cannot read; `sentence` names the key."""

    code = "internal"
    sentence = "The stored state of the room cannot be read."
