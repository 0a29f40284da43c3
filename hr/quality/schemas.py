"""What the API gives of quality records."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator

from hr.interviews.interview import Interview, Participant, Role
from hr.interviews.schemas import Schema
from hr.quality.line import QualityLine, quality_line
from hr.quality.record import QualitySitting, QualityTotals, totals_of

Grade = Literal["good", "fair", "poor", "lost"]
Share = Annotated[float, AfterValidator(lambda share: round(share, 4))]


class QualityLineOut(Schema):
    """One readable sentence, in both languages."""

    zh: str
    en: str


class QualityPointOut(Schema):
    """The means of one step that began `at_s` seconds after the presence; heights 0: no picture.

    Up is from the participant to the server; `estimate_kbps` is what their downlink was believed
    to carry (0: unknown), `grade` the worst of the step.
    """

    at_s: int
    up_kbps: int
    down_kbps: int
    estimate_kbps: int
    sent_height: int
    shown_height: int
    grade: Grade


class QualitySittingOut(Schema):
    """One presence, from connecting until the seat was given up; a crash may cut its last minute.

    `join_ms`: from the tap to a standing media path; `first_frame_ms`: from the tap, or from when
    there first was somebody to see, to the first picture. `path`: how media travelled. Freezes
    and concealment are what the person's own browser told; round trip and loss are the server's.
    """

    begun_at: datetime
    seen_at: datetime
    ended: bool
    path: Literal["udp", "tcp", "relay"] | None
    join_ms: int | None
    first_frame_ms: int | None
    reconnects: int
    freezes: int
    frozen_ms: int
    freeze_ratio: Share
    concealed_ratio: Share
    good_ms: int
    fair_ms: int
    poor_ms: int
    lost_ms: int
    server_ms: int
    rtt_ms: int | None
    loss_up_ratio: float | None
    loss_down_ratio: float | None
    step_ms: int
    points: tuple[QualityPointOut, ...]


class QualityParticipantOut(Schema):
    """One person: the sums over all presences, then each of them."""

    participant: str
    name: str
    role: Role
    present_ms: int
    troubled_ratio: Share
    freezes: int
    freeze_ratio: Share
    concealed_ratio: Share
    reconnects: int
    first_frame_ms: int | None
    sittings: tuple[QualitySittingOut, ...]


class InterviewQualityOut(Schema):
    """`line` is null, and the list empty, before anybody was recorded."""

    interview: str
    line: QualityLineOut | None
    participants: tuple[QualityParticipantOut, ...]


def line_out(line: QualityLine | None) -> QualityLineOut | None:
    return None if line is None else QualityLineOut.model_validate(line, from_attributes=True)


def quality_out(interview: Interview, sittings: list[QualitySitting]) -> InterviewQualityOut:
    totals = totals_of(sittings)
    return InterviewQualityOut(
        interview=interview.id,
        line=line_out(quality_line(interview, list(totals.values()))),
        participants=tuple(
            _participant_out(one, totals[one.id])
            for one in interview.participants
            if one.id in totals
        ),
    )


def _participant_out(person: Participant, totals: QualityTotals) -> QualityParticipantOut:
    return QualityParticipantOut(
        participant=person.id,
        name=person.name,
        role=person.role,
        present_ms=totals.present_ms,
        troubled_ratio=totals.troubled_ratio,
        freezes=totals.freezes,
        freeze_ratio=totals.freeze_ratio,
        concealed_ratio=totals.concealed_ratio,
        reconnects=totals.reconnects,
        first_frame_ms=totals.first_frame_ms,
        sittings=tuple(
            QualitySittingOut.model_validate(one, from_attributes=True) for one in totals.sittings
        ),
    )
