"""What is kept of a presence, and what a hostile client cannot make of it."""

import json

from signaling.protocol.commands import QualityReport
from signaling.quality.facts import GOOD, Claim, Path, Verdict
from signaling.quality.sitting import FIRST_STEP_MS, MAX_POINTS, Sitting

POOR = Verdict("poor", "network", "loss", "sending")
SERVER = Verdict("fair", "server", "overload", "both")
SLOT = {"mid": "5", "width": 640, "height": 360, "fps": 30}


def report(**fields) -> QualityReport:
    return QualityReport.model_validate({"level": "good", **fields})


def sitting() -> Sitting:
    return Sitting("i1", "cai", 0)


def test_time_by_grade_and_fault():
    one = sitting()
    for n, verdict in enumerate([GOOD, POOR, POOR, SERVER], start=1):
        one.sample(Path(), None, verdict, 2_000 * n)
    record = one.record(ended=False)
    assert record.graded_ms == {"good": 2_000, "fair": 2_000, "poor": 4_000, "lost": 0}
    assert (record.server_ms, record.seen_at_ms, record.ended) == (2_000, 8_000, False)


def test_a_clients_reports_add_up():
    one = sitting()
    one.report(report(span_ms=5_000, slots=[SLOT], freezes=2, frozen_ms=500, join_ms=300), 5_000)
    one.report(report(span_ms=5_000, slots=[SLOT, SLOT], concealed_ratio=0.1, path="tcp"), 10_000)
    one.report(report(span_ms=5_000, first_frame_ms=800, join_ms=900), 15_000)
    record = one.record(ended=True)
    assert (record.freezes, record.frozen_ms, record.watched_ms) == (2, 500, 15_000)
    assert (record.concealed_ms, record.heard_ms) == (500, 5_000)
    assert (record.join_ms, record.first_frame_ms, record.path) == (300, 800, "tcp")


def test_a_flood_of_reports_adds_up_to_no_more_than_the_time():
    one = sitting()
    for n in range(1_000):
        one.report(
            report(
                span_ms=60_000, slots=[SLOT], freezes=1000, frozen_ms=600_000, concealed_ratio=1
            ),
            1_000 + n,
        )
    record = one.record(ended=False)
    assert record.frozen_ms <= record.watched_ms <= 2_000
    assert record.freezes <= 2_000 // 100
    assert record.concealed_ms <= record.heard_ms <= 2_000


def test_a_clock_that_goes_back_harms_nothing():
    one = sitting()
    one.report(report(span_ms=5_000, slots=[SLOT]), -60_000)
    one.sample(Path(), None, GOOD, -60_000)
    record = one.record(ended=False)
    assert record.watched_ms == 0
    assert sum(record.graded_ms.values()) == 0


def test_the_series_is_bounded_and_covers_everything():
    one = sitting()
    claim = Claim(0, "good", sent_height=720, shown_height=360)
    day_s = 24 * 3600
    for second in range(2, day_s, 2):
        path = Path(up_bps=1_000_000, down_bps=500_000, estimate_bps=2_000_000)
        one.sample(path, claim, POOR if second == 40_000 else GOOD, 1000 * second)
    record = one.record(ended=True)
    assert MAX_POINTS // 2 <= len(record.points) <= MAX_POINTS + 1
    assert record.step_ms == FIRST_STEP_MS * 64
    assert record.points[0].at_s == 2
    assert record.points[-1].at_s > day_s - 2 * record.step_ms // 1000
    assert [one.grade for one in record.points].count("poor") == 1, "the worst of a step shows"
    assert {(one.up_kbps, one.down_kbps, one.estimate_kbps) for one in record.points} == {
        (1000, 500, 2000)
    }
    assert {(one.sent_height, one.shown_height) for one in record.points} == {(720, 360)}
    assert len(json.dumps(record.points)) < 16_000


def test_means_are_weighed_by_time():
    one = sitting()
    one.sample(Path(rtt_ms=100, loss_up_ratio=0.1), None, GOOD, 9_000)
    one.sample(Path(rtt_ms=200), None, GOOD, 10_000)
    record = one.record(ended=True)
    assert (record.rtt_ms, record.loss_up_ratio, record.loss_down_ratio) == (110, 0.1, None)
