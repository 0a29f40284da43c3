"""What can go wrong with interviews."""

from hr.errors import ConflictError, NotFoundError


class InterviewUnknownError(NotFoundError):
    """There is no such interview."""

    code = "interview_unknown"


class ParticipantUnknownError(NotFoundError):
    """There is no such participant in this interview."""

    code = "participant_unknown"


class InterviewEndedError(ConflictError):
    """The interview has ended."""

    code = "interview_ended"
