"""What is known of one connection: measured by this server, claimed by its client."""

from dataclasses import dataclass
from typing import Literal

from signaling.protocol.base import QualityLevel, QualityReason
from signaling.protocol.commands import QualityReport

Affects = Literal["none", "sending", "receiving", "both"]
Fault = Literal["none", "network", "device", "server"]

GRADES: tuple[QualityLevel, ...] = ("good", "fair", "poor", "lost")
"""From the best to the worst."""

STALE_MS = 20_000
"""A report speaks of the present for so long: four of them are due in that time."""


def worse(one: QualityLevel, other: QualityLevel) -> QualityLevel:
    return max(one, other, key=GRADES.index)


@dataclass(frozen=True, slots=True)
class Path:
    """What this server measured of one connection lately; None: too little passed to tell.

    Up is from the client to us. `loss_down_ratio` is of our leg alone: what a sender's uplink
    had lost already is not counted again.
    """

    silent_ms: int = 0
    rtt_ms: float | None = None
    jitter_ms: float | None = None
    loss_up_ratio: float | None = None
    loss_down_ratio: float | None = None
    up_bps: int = 0
    down_bps: int = 0
    estimate_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client last said of itself. None: the browser does not tell."""

    at_ms: int
    level: QualityLevel
    rtt_ms: float | None = None
    jitter_ms: float | None = None
    loss_up_ratio: float | None = None
    loss_down_ratio: float | None = None
    freeze_ratio: float | None = None
    concealed_ratio: float | None = None
    sendable_bps: int | None = None
    cpu_limited: bool = False
    sent_height: int | None = None
    shown_height: int | None = None
    pictures: int = 0
    """Video slots that show somebody."""


def claim_of(report: QualityReport, at_ms: int) -> Claim:
    """The report as a value; no time can have stood still for longer than it lasted."""
    pictures = len(report.slots)
    watched_ms = report.span_ms * pictures
    return Claim(
        at_ms=at_ms,
        level=report.level,
        rtt_ms=report.rtt_ms,
        jitter_ms=report.jitter_ms,
        loss_up_ratio=report.loss_up_ratio,
        loss_down_ratio=report.loss_down_ratio,
        freeze_ratio=min(1.0, report.frozen_ms / watched_ms) if watched_ms else None,
        concealed_ratio=report.concealed_ratio,
        sendable_bps=report.sendable_bps,
        cpu_limited=report.limited_by == "cpu",
        sent_height=report.sent_height,
        shown_height=max((one.height for one in report.slots), default=None),
        pictures=pictures,
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is true around one connection."""

    server: QualityLevel = "good"
    """How this server does itself."""
    senders_weak: bool = False
    """Somebody whom they are shown or hear has a weak uplink: gaps may come from there."""
    paused: Literal["none", "some", "all"] = "none"
    """Which of the pictures for them were stopped because their downlink has no room."""
    waited_ms: int = 0
    """How long ago they came, while their media was never connected."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good a connection is, and whose fault it is if it is not good."""

    grade: QualityLevel = "good"
    fault: Fault = "none"
    reason: QualityReason = "none"
    affects: Affects = "none"


GOOD = Verdict()
