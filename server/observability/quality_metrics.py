"""Prometheus: how good connections are. Labels are roles, grades and directions: a handful."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, Histogram

from signaling.protocol.base import QualityLevel, Role
from signaling.protocol.commands import QualityReport
from signaling.quality.facts import Path
from signaling.quality.ports import QualityFigures

_START_S = (0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 20, 60)
_RATIO = (0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_RTT_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2)
_BPS = (1e5, 2e5, 3e5, 5e5, 1e6, 2e6, 4e6, 8e6, 16e6)
_HEIGHT = (0, 180, 360, 540, 720, 1080)

MIN_SPAN_MS = 1_000
"""A report of less is a probe, or part of a flood: it counts for nothing."""


class QualityMetrics(QualityFigures):
    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, text: str, label: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, text, (label,), buckets=buckets, registry=registry)

        self._join = histogram(
            "mianshi_join_seconds", "From the tap to a standing media path", "role", _START_S
        )
        self._first_frame = histogram(
            "mianshi_first_frame_seconds",
            "From the tap, or from when there was somebody to see, to the first picture",
            "role",
            _START_S,
        )
        self._freeze = histogram(
            "mianshi_freeze_ratio", "Share of time in which pictures stood still", "role", _RATIO
        )
        self._concealed = histogram(
            "mianshi_concealed_ratio", "Share of sound that was made up", "role", _RATIO
        )
        self._height = histogram(
            "mianshi_picture_height", "Lines of the pictures sent and shown", "way", _HEIGHT
        )
        self._rtt = histogram("mianshi_rtt_seconds", "Round trip to clients", "role", _RTT_S)
        self._loss = histogram(
            "mianshi_loss_ratio", "Packets lost, up (from clients) and down", "direction", _RATIO
        )
        self._estimate = histogram(
            "mianshi_downlink_estimate_bps", "What downlinks are believed to carry", "role", _BPS
        )
        self._grades = Gauge(
            "mianshi_connections_by_grade", "Connections now", ("grade",), registry=registry
        )
        self._paused = Gauge(
            "mianshi_video_paused",
            "Viewers without a picture now because their downlink has no room",
            registry=registry,
        )

    def joined(self, role: Role, join_ms: int) -> None:
        self._join.labels(role).observe(join_ms / 1000)

    def saw(self, role: Role, first_frame_ms: int) -> None:
        self._first_frame.labels(role).observe(first_frame_ms / 1000)

    def reported(self, role: Role, report: QualityReport, span_ms: int) -> None:
        if span_ms < MIN_SPAN_MS:
            return
        if report.slots:
            frozen_ms = min(report.frozen_ms, span_ms * len(report.slots))
            self._freeze.labels(role).observe(frozen_ms / (span_ms * len(report.slots)))
        for slot in report.slots:
            self._height.labels("shown").observe(slot.height)
        if report.sent_height is not None:
            self._height.labels("sent").observe(report.sent_height)
        if report.concealed_ratio is not None:
            self._concealed.labels(role).observe(report.concealed_ratio)

    def measured(self, role: Role, path: Path) -> None:
        if path.rtt_ms is not None:
            self._rtt.labels(role).observe(path.rtt_ms / 1000)
        if path.loss_up_ratio is not None:
            self._loss.labels("up").observe(path.loss_up_ratio)
        if path.loss_down_ratio is not None:
            self._loss.labels("down").observe(path.loss_down_ratio)
        if path.estimate_bps is not None:
            self._estimate.labels(role).observe(path.estimate_bps)

    def judged(self, grades: Mapping[QualityLevel, int], paused: int) -> None:
        for grade, count in grades.items():
            self._grades.labels(grade).set(count)
        self._paused.set(paused)
