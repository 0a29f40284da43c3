"""How a verdict is said to one person: the same fault is `self` to its owner, `peer` to others."""

from signaling.protocol.base import QualityCause
from signaling.protocol.events import QualityChanged
from signaling.protocol.views import QualityFacts
from signaling.quality.facts import Claim, Path, Verdict


def _cause(verdict: Verdict, *, own: bool) -> QualityCause:
    if verdict.fault in ("none", "server"):
        return verdict.fault
    return "self" if own else "peer"


def quality_notice(
    participant: str, viewer: str, verdict: Verdict, facts: QualityFacts
) -> QualityChanged:
    """The verdict on `participant` in the words for `viewer`."""
    return QualityChanged(
        participant=participant,
        grade=verdict.grade,
        cause=_cause(verdict, own=viewer == participant),
        reason=verdict.reason,
        affects=verdict.affects,
        facts=facts,
    )


def quality_facts(path: Path | None, claim: Claim | None, *, paused: bool) -> QualityFacts:
    """Measured where we measured; the client's word for what only a client can know."""
    measured, told = path or Path(), claim or Claim(0, "good")
    return QualityFacts(
        rtt_ms=_rounded(measured.rtt_ms if measured.rtt_ms is not None else told.rtt_ms, 1),
        loss_up_ratio=_rounded(measured.loss_up_ratio, 4),
        loss_down_ratio=_rounded(measured.loss_down_ratio, 4),
        jitter_ms=_rounded(measured.jitter_ms, 1),
        up_bps=None if path is None else measured.up_bps,
        down_bps=None if path is None else measured.down_bps,
        estimate_bps=measured.estimate_bps,
        sent_height=told.sent_height,
        shown_height=told.shown_height,
        freeze_ratio=_rounded(told.freeze_ratio, 4),
        concealed_ratio=_rounded(told.concealed_ratio, 4),
        video_paused=paused,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
