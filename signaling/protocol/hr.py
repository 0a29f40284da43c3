"""Namespace `/hr`: a live list of interviews for the HR page."""

from typing import ClassVar, Literal

from signaling.protocol.base import Id, Message, Placement, QualityLevel, Role


class HrParticipant(Message):
    """A person in an interview. `bound`: the link belongs to one device already."""

    id: Id
    name: str
    role: Role
    round: Id | None
    connected: bool
    placement: Placement | None
    bound: bool
    asks_device: bool
    """A second device was refused and asks to be let in."""
    quality: QualityLevel | None
    """How good their connection is now; null while they are not here."""


class QualityLine(Message):
    """One readable sentence about how the connections of an interview were."""

    zh: str
    en: str


class HrRound(Message):
    id: Id
    title: str
    index: int
    state: Literal["waiting", "live", "ended"]


class HrInterview(Message):
    id: Id
    title: str
    starts_at: str
    ends_at: str
    quality: QualityLine | None
    """Of what is recorded; null before anybody was here. `/api/interviews/<id>/quality` has all."""
    rounds: list[HrRound]
    participants: list[HrParticipant]


class HrInterviews(Message):
    """Sent on connect: everything."""

    TYPE: ClassVar[str] = "interviews"
    interviews: list[HrInterview]


class HrInterviewChanged(Message):
    """One interview, whole, whenever something in it changed."""

    TYPE: ClassVar[str] = "interview"
    interview: HrInterview


HR_NOTICES: dict[str, type[HrInterviews] | type[HrInterviewChanged]] = {
    HrInterviews.TYPE: HrInterviews,
    HrInterviewChanged.TYPE: HrInterviewChanged,
}
