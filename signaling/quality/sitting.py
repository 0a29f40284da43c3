"""What is kept of one person's presence: how soon they saw, how well, over time; bounded."""

import secrets
from dataclasses import dataclass, field
from typing import NamedTuple

from signaling.protocol.base import QualityLevel
from signaling.protocol.commands import QualityReport
from signaling.quality.facts import GRADES, Claim, Path, Verdict

FIRST_STEP_MS = 10_000
SHORTEST_FREEZE_MS = 150
"""Browsers call no shorter pause a freeze (webrtc-stats: three frame times plus 150 ms)."""
MAX_POINTS = 240
"""Forty minutes at the first step; a longer presence has its points merged two by two."""


class Point(NamedTuple):
    """The means of one step, which began `at_s` after the presence; `grade` is the worst."""

    at_s: int
    up_kbps: int
    down_kbps: int
    estimate_kbps: int
    sent_height: int
    shown_height: int
    grade: QualityLevel


@dataclass(frozen=True, slots=True)
class SittingRecord:
    """One presence as it is kept. Times are Unix milliseconds, spans in milliseconds."""

    id: str
    interview: str
    participant: str
    begun_at_ms: int
    seen_at_ms: int
    ended: bool
    path: str | None
    join_ms: int | None
    first_frame_ms: int | None
    reconnects: int
    freezes: int
    frozen_ms: int
    watched_ms: int
    concealed_ms: int
    heard_ms: int
    graded_ms: dict[QualityLevel, int]
    server_ms: int
    """Of these, how long this server was at fault."""
    rtt_ms: int | None
    loss_up_ratio: float | None
    loss_down_ratio: float | None
    step_ms: int
    points: tuple[Point, ...] = field(repr=False)


class _Mean:
    """Weighed by time."""

    __slots__ = ("_sum", "_weight")

    def __init__(self) -> None:
        self._sum = 0.0
        self._weight = 0

    def add(self, value: float | None, weight: int) -> None:
        if value is not None:
            self._sum += value * weight
            self._weight += weight

    @property
    def value(self) -> float | None:
        return self._sum / self._weight if self._weight else None


class Series:
    """Points at an even step, which doubles when there are too many."""

    def __init__(self) -> None:
        self.step_ms = FIRST_STEP_MS
        self.points: list[Point] = []
        self._open: list[Point] = []
        self._opened_ms = 0

    def add(self, point: Point, at_ms: int) -> None:
        """`at_ms` counts from the beginning; samples come in order."""
        if self._open and at_ms - self._opened_ms >= self.step_ms:
            self.points.append(_merged(self._open))
            self._open = []
        if not self._open:
            self._opened_ms = at_ms
        self._open.append(point)
        if len(self.points) >= MAX_POINTS:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [_merged(list(pair)) for pair in pairs]
            self.step_ms *= 2

    def so_far(self) -> tuple[Point, ...]:
        return (*self.points, _merged(self._open)) if self._open else tuple(self.points)


def _merged(points: list[Point]) -> Point:
    count = len(points)
    return Point(
        at_s=points[0].at_s,
        up_kbps=sum(one.up_kbps for one in points) // count,
        down_kbps=sum(one.down_kbps for one in points) // count,
        estimate_kbps=sum(one.estimate_kbps for one in points) // count,
        sent_height=max(one.sent_height for one in points),
        shown_height=max(one.shown_height for one in points),
        grade=max((one.grade for one in points), key=GRADES.index),
    )


class Sitting:
    """From the first connection until the seat is given up."""

    def __init__(self, interview: str, participant: str, now_ms: int) -> None:
        self.id = f"sitting_{secrets.token_hex(8)}"
        self.interview = interview
        self.participant = participant
        self.begun_at_ms = self.seen_at_ms = now_ms
        self.reconnects = 0
        self.join_ms: int | None = None
        self.first_frame_ms: int | None = None
        self._path: str | None = None
        self._freezes = self._frozen_ms = self._watched_ms = 0
        self._concealed_ms = self._heard_ms = 0.0
        self._graded_ms: dict[QualityLevel, int] = dict.fromkeys(GRADES, 0)
        self._server_ms = 0
        self._rtt, self._loss_up, self._loss_down = _Mean(), _Mean(), _Mean()
        self._series = Series()
        self._reported_ms = now_ms

    def report(self, report: QualityReport, now_ms: int) -> int:
        """Take a client's report; return the time it may speak for, in milliseconds.

        It can cover no more than the time since the one before, whatever it says, so that a
        flood of reports adds up to no more than one.
        """
        span_ms = int(min(report.span_ms, max(0, now_ms - self._reported_ms)))
        self._reported_ms = now_ms if report.span_ms else self._reported_ms
        watched_ms = span_ms * len(report.slots)
        self._watched_ms += watched_ms
        self._frozen_ms += min(report.frozen_ms, watched_ms)
        self._freezes += min(report.freezes, watched_ms // SHORTEST_FREEZE_MS)
        if report.concealed_ratio is not None:
            self._heard_ms += span_ms
            self._concealed_ms += span_ms * report.concealed_ratio
        self.join_ms = report.join_ms if self.join_ms is None else self.join_ms
        if self.first_frame_ms is None:
            self.first_frame_ms = report.first_frame_ms
        self._path = report.path or self._path
        return span_ms

    def sample(self, path: Path | None, claim: Claim | None, verdict: Verdict, now_ms: int) -> None:
        """Take what was true since the sample before."""
        interval_ms = max(0, now_ms - self.seen_at_ms)
        self.seen_at_ms = now_ms
        self._graded_ms[verdict.grade] += interval_ms
        self._server_ms += interval_ms if verdict.fault == "server" else 0
        if path is None:
            return
        self._rtt.add(path.rtt_ms, interval_ms)
        self._loss_up.add(path.loss_up_ratio, interval_ms)
        self._loss_down.add(path.loss_down_ratio, interval_ms)
        at_ms = now_ms - self.begun_at_ms
        self._series.add(_point(path, claim, verdict, at_ms), at_ms)

    def record(self, *, ended: bool) -> SittingRecord:
        rtt_ms = self._rtt.value
        return SittingRecord(
            id=self.id,
            interview=self.interview,
            participant=self.participant,
            begun_at_ms=self.begun_at_ms,
            seen_at_ms=self.seen_at_ms,
            ended=ended,
            path=self._path,
            join_ms=self.join_ms,
            first_frame_ms=self.first_frame_ms,
            reconnects=self.reconnects,
            freezes=self._freezes,
            frozen_ms=self._frozen_ms,
            watched_ms=self._watched_ms,
            concealed_ms=round(self._concealed_ms),
            heard_ms=round(self._heard_ms),
            graded_ms=dict(self._graded_ms),
            server_ms=self._server_ms,
            rtt_ms=None if rtt_ms is None else round(rtt_ms),
            loss_up_ratio=self._loss_up.value,
            loss_down_ratio=self._loss_down.value,
            step_ms=self._series.step_ms,
            points=self._series.so_far(),
        )


def _point(path: Path, claim: Claim | None, verdict: Verdict, at_ms: int) -> Point:
    return Point(
        at_s=at_ms // 1000,
        up_kbps=path.up_bps // 1000,
        down_kbps=path.down_bps // 1000,
        estimate_kbps=(path.estimate_bps or 0) // 1000,
        sent_height=(claim and claim.sent_height) or 0,
        shown_height=(claim and claim.shown_height) or 0,
        grade=verdict.grade,
    )
