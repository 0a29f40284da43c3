"""What the API gives of quality records."""

from datetime import datetime
from typing import Literal

from hr.interviews.interview import Interview, Role
from hr.interviews.schemas import Schema
from hr.quality.line import QualityLine, quality_line
from hr.quality.record import QualitySitting, QualityTotals, totals_of

Grade = Literal["good", "fair", "poor", "lost"]


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
    freeze_ratio: float
    concealed_ratio: float
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
    troubled_ratio: float
    freezes: int
    freeze_ratio: float
    concealed_ratio: float
    reconnects: int
    first_frame_ms: int | None
    sittings: tuple[QualitySittingOut, ...]


class InterviewQualityOut(Schema):
    """`line` is null, and the list empty, before anybody was recorded."""

    interview: str
    line: QualityLineOut | None
    participants: tuple[QualityParticipantOut, ...]


_PLAIN = QualitySittingOut.model_fields.keys() - {"freeze_ratio", "concealed_ratio", "points"}
"""What is given as it is kept."""


def line_out(line: QualityLine | None) -> QualityLineOut | None:
    return None if line is None else QualityLineOut(zh=line.zh, en=line.en)


def quality_out(interview: Interview, sittings: list[QualitySitting]) -> InterviewQualityOut:
    totals = totals_of(sittings)
    return InterviewQualityOut(
        interview=interview.id,
        line=line_out(quality_line(interview, list(totals.values()))),
        participants=tuple(
            _participant_out(one.name, one.role, totals[one.id], sittings)
            for one in interview.participants
            if one.id in totals
        ),
    )


def _participant_out(
    name: str, role: Role, totals: QualityTotals, sittings: list[QualitySitting]
) -> QualityParticipantOut:
    return QualityParticipantOut(
        participant=totals.participant_id,
        name=name,
        role=role,
        present_ms=totals.present_ms,
        troubled_ratio=round(totals.troubled_ratio, 4),
        freezes=totals.freezes,
        freeze_ratio=round(totals.freeze_ratio, 4),
        concealed_ratio=round(totals.concealed_ratio, 4),
        reconnects=totals.reconnects,
        first_frame_ms=totals.first_frame_ms,
        sittings=tuple(
            _sitting_out(one) for one in sittings if one.participant_id == totals.participant_id
        ),
    )


def _sitting_out(one: QualitySitting) -> QualitySittingOut:
    ratios = totals_of([one])[one.participant_id]
    plain = {name: getattr(one, name) for name in _PLAIN}
    return QualitySittingOut(
        **plain,
        freeze_ratio=round(ratios.freeze_ratio, 4),
        concealed_ratio=round(ratios.concealed_ratio, 4),
        points=tuple(QualityPointOut.model_validate(point._asdict()) for point in one.points),
    )
