"""From facts to a verdict, and from verdicts to a mark that does not flicker.

Whoever reports can only ever lower their own grade: others, and this server, are judged by what
this server measured. Where it measured something, a client's figure for the same is not read.
"""

from dataclasses import dataclass

from signaling.protocol.base import QualityLevel, QualityReason
from signaling.quality.facts import (
    GOOD,
    GRADES,
    Affects,
    Claim,
    Fault,
    Path,
    Surroundings,
    Verdict,
    worse,
)

LOST_MS = 5_000
"""Nothing authenticated for so long: the others see the connection as lost."""

UNCONNECTED_MS = 8_000
"""A first connection takes less than a second, a few over TCP or a relay: it does not come."""

LOSS_RATIO = (0.03, 0.10)
"""Above the first it is fair, above the second poor; so with all pairs."""
RTT_MS = (250.0, 500.0)
JITTER_MS = (40.0, 100.0)
FROZEN_RATIO = (0.03, 0.10)
CONCEALED_RATIO = (0.03, 0.10)

LEAN_BPS = (400_000, 150_000)
"""A downlink, or an uplink with a camera on it, below these has no room for a good picture."""
USED_SHARE = 0.6
"""An estimate is believed to be the limit only when so much of it is used."""

FALL_AFTER = 2
RISE_AFTER = 3
"""Judgements in a row before a mark goes down, or up: one bad moment is an accident."""

_PRIORITY: tuple[QualityReason, ...] = ("none", "cpu", "delay", "bandwidth", "loss")
_SERVERS: frozenset[QualityReason] = frozenset({"loss", "delay"})
"""What an overloaded server does to everybody's figures."""


@dataclass(frozen=True, slots=True)
class _Finding:
    grade: QualityLevel
    reason: QualityReason
    affects: Affects
    fault: Fault = "network"


class _Findings(list[_Finding]):
    def add(
        self, grade: QualityLevel, reason: QualityReason, affects: Affects, fault: Fault = "network"
    ) -> None:
        """Note what is not good."""
        if grade != "good":
            self.append(_Finding(grade, reason, affects, fault))


def judge(path: Path | None, claim: Claim | None, around: Surroundings) -> Verdict:
    """Return the verdict of this moment. `path` is None before media was ever connected."""
    if path is None and around.waited_ms >= UNCONNECTED_MS:
        # A network, a firewall, a browser, or what we advertise: it cannot be told from here.
        return Verdict("lost", "none", "unconnected", "both")
    if path is not None and path.silent_ms >= LOST_MS:
        return Verdict("lost", "network", "offline", "both")
    own = _summed(_findings(path, claim, around))
    if around.server == "good":
        return own
    if own.grade == "good" or own.reason in _SERVERS:
        return Verdict(worse(own.grade, around.server), "server", "overload", "both")
    return own


def _findings(path: Path | None, claim: Claim | None, around: Surroundings) -> list[_Finding]:
    """What is not good."""
    measured = path or Path()
    told = claim or Claim(0, "good")
    found = _Findings()
    if path is None:
        # Nothing but the client's own word; a socket that speaks is not lost.
        found.add("poor" if told.level == "lost" else told.level, "delay", "both")
    _sending(found, measured, told)
    _receiving(found, measured, told, around)
    rtt_ms = _first(measured.rtt_ms, told.rtt_ms)
    found.add(_above(rtt_ms, RTT_MS), "delay", "both")
    return found


def _sending(found: _Findings, path: Path, claim: Claim) -> None:
    loss = _first(path.loss_up_ratio, claim.loss_up_ratio)
    found.add(_above(loss, LOSS_RATIO), "loss", "sending")
    found.add(_above(path.jitter_ms, JITTER_MS), "delay", "sending")
    if claim.sent_height:
        found.add(_below(claim.sendable_bps, LEAN_BPS), "bandwidth", "sending")
    if claim.cpu_limited:
        found.add("fair", "cpu", "sending", "device")


def _receiving(found: _Findings, path: Path, claim: Claim, around: Surroundings) -> None:
    loss = _first(path.loss_down_ratio, claim.loss_down_ratio)
    found.add(_above(loss, LOSS_RATIO), "loss", "receiving")
    if around.paused != "none":
        found.add("poor" if around.paused == "all" else "fair", "bandwidth", "receiving")
    estimate_bps = path.estimate_bps
    if estimate_bps is not None and path.down_bps >= USED_SHARE * estimate_bps:
        found.add(_below(estimate_bps, LEAN_BPS), "bandwidth", "receiving")
    if not around.senders_weak:
        found.add(_above(claim.jitter_ms, JITTER_MS), "delay", "receiving")
        _endured(found, claim, lossy=_above(loss, (0.01, 1.0)) != "good")


def _endured(found: _Findings, claim: Claim, *, lossy: bool) -> None:
    """Pictures that stood still and sound that was made up, which we cannot see from here.

    Without a loss that we measured it is no worse than fair: the claim stands alone.
    """
    frozen = _above(claim.freeze_ratio, FROZEN_RATIO)
    concealed = _above(claim.concealed_ratio, CONCEALED_RATIO)
    if lossy:
        found.add(worse(frozen, concealed), "loss", "receiving")
        return
    if frozen != "good":
        found.add("fair", "cpu", "receiving", "device")
    if concealed != "good":
        found.add("fair", "delay", "receiving")


def _summed(found: list[_Finding]) -> Verdict:
    """The worst grade, its weightiest reason, and what suffers from that."""
    if not found:
        return GOOD
    grade = max((one.grade for one in found), key=GRADES.index)
    worst = [one for one in found if one.grade == grade]
    chief = max(worst, key=lambda one: _PRIORITY.index(one.reason))
    affected = {one.affects for one in worst if one.reason == chief.reason}
    return Verdict(
        grade, chief.fault, chief.reason, affected.pop() if len(affected) == 1 else "both"
    )


def _first(measured: float | None, claimed: float | None) -> float | None:
    return claimed if measured is None else measured


def _above(value: float | None, limits: tuple[float, float]) -> QualityLevel:
    fair, poor = limits
    if value is None or value <= fair:
        return "good"
    return "fair" if value <= poor else "poor"


def _below(value: float | None, limits: tuple[float, float]) -> QualityLevel:
    fair, poor = limits
    if value is None or value >= fair:
        return "good"
    return "fair" if value >= poor else "poor"


class Mark:
    """The verdict that is shown: it follows the present one without flickering."""

    def __init__(self) -> None:
        self.shown = GOOD
        self._pending = GOOD
        self._step = 0
        self._streak = 0

    def take(self, verdict: Verdict) -> bool:
        """Take one judgement; return whether what is shown has changed."""
        step = _sign(_rank(verdict) - _rank(self.shown))
        if verdict == self.shown or step != self._step:
            self._streak, self._pending = 0, verdict
        if verdict == self.shown:
            return False
        self._step = step
        self._streak += 1
        self._pending = self._better_founded(verdict, step)
        if self._streak < self._needed(verdict, step):
            return False
        self.shown, self._streak, self._step = self._pending, 0, 0
        return True

    def _better_founded(self, verdict: Verdict, step: int) -> Verdict:
        """What to show if the streak goes on: on the way up the worst of it, else the latest."""
        if step < 0:
            return max(self._pending, verdict, key=_rank)
        if step == 0 and verdict != self._pending:
            self._streak = 1  # other words for the same grade have to last, too
        return verdict

    def _needed(self, verdict: Verdict, step: int) -> int:
        if "lost" in (verdict.grade, self.shown.grade):
            return 1  # a path that is gone, or there again, is no matter of opinion
        return FALL_AFTER if step > 0 else RISE_AFTER


def _rank(verdict: Verdict) -> int:
    return GRADES.index(verdict.grade)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
