"""From signalling's record to HR's: two packages that may not know each other meet here."""

from datetime import UTC, datetime, timedelta

from hr.quality.record import QualityPoint, QualitySitting
from server.quality_archive import sitting_of
from signaling.quality.sitting import Point, SittingRecord

BEGUN = datetime(2030, 1, 1, tzinfo=UTC)
NUMBERED = (
    *("join_ms", "first_frame_ms", "reconnects", "freezes", "frozen_ms", "watched_ms"),
    *("concealed_ms", "heard_ms", "server_ms", "rtt_ms", "loss_up_ratio", "loss_down_ratio"),
    "step_ms",
)


def test_every_figure_arrives_under_its_own_name() -> None:
    numbers = {name: number for number, name in enumerate(NUMBERED, start=10)}
    record = SittingRecord(
        id="sitting_1",
        interview="interview_1",
        participant="person_1",
        begun_at_ms=int(BEGUN.timestamp() * 1000),
        seen_at_ms=int(BEGUN.timestamp() * 1000) + 1500,
        ended=True,
        path="relay",
        graded_ms={"good": 1, "fair": 2, "poor": 3, "lost": 4},
        points=(Point(1, 2, 3, 4, 5, 6, "fair"),),
        **numbers,
    )
    assert sitting_of(record) == QualitySitting(
        id="sitting_1",
        interview_id="interview_1",
        participant_id="person_1",
        begun_at=BEGUN,
        seen_at=BEGUN + timedelta(milliseconds=1500),
        ended=True,
        path="relay",
        good_ms=1,
        fair_ms=2,
        poor_ms=3,
        lost_ms=4,
        points=(
            QualityPoint(
                at_s=1,
                up_kbps=2,
                down_kbps=3,
                estimate_kbps=4,
                sent_height=5,
                shown_height=6,
                grade="fair",
            ),
        ),
        **numbers,
    )
