"""How this server does itself: what everybody suffers from is nobody's network."""

from collections.abc import Iterable, Mapping

from signaling.protocol.base import QualityLevel
from signaling.quality.facts import Path, worse
from signaling.quality.judge import LOSS_RATIO

LAG_MS = (500, 2_000)
"""How late the loop is: above the first it is fair, above the second poor. Media has a thread of
its own; but who is admitted or looks for a new path waits for the loop."""

DROPPED_RATIO = (0.01, 0.05)
"""Of all datagrams, those that found a full buffer of ours."""
_FULL_BUFFERS = ("receive_buffer_full", "send_buffer_full")

COMMON_PATHS = 5
COMMON_INTERVIEWS = 3
COMMON_SHARE = 0.6
"""So many paths of so many interviews, of which this share loses packets at the same time, have
nothing in common but us. One office with one bad Wi-Fi rarely holds three interviews."""


class ServerHealth:
    """Give it the figures of each interval."""

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None

    def take(
        self,
        lag_ms: float,
        datagrams: int,
        dropped: Mapping[str, int],
        paths: Iterable[tuple[str, Path]],
    ) -> QualityLevel:
        """`datagrams` and `dropped` are totals; `paths` come with the id of their interview."""
        shares = (_grade(lag_ms, LAG_MS), self._drops(datagrams, dropped), _common(paths))
        return worse(worse(shares[0], shares[1]), shares[2])

    def _drops(self, datagrams: int, dropped: Mapping[str, int]) -> QualityLevel:
        full = sum(dropped.get(reason, 0) for reason in _FULL_BUFFERS)
        before, self._before = self._before, (datagrams, full)
        if before is None:
            return "good"
        new, lost = datagrams - before[0], full - before[1]
        return _grade(lost / max(1, new + lost), DROPPED_RATIO)


def _common(paths: Iterable[tuple[str, Path]]) -> QualityLevel:
    known = [(where, loss) for where, path in paths if (loss := _loss(path)) is not None]
    lossy = [(where, loss) for where, loss in known if loss > LOSS_RATIO[0]]
    if len(known) < COMMON_PATHS or len(lossy) < COMMON_SHARE * len(known):
        return "good"
    if len({where for where, _ in lossy}) < COMMON_INTERVIEWS:
        return "good"
    return _grade(sorted(loss for _, loss in lossy)[len(lossy) // 2], LOSS_RATIO)


def _loss(path: Path) -> float | None:
    known = [one for one in (path.loss_up_ratio, path.loss_down_ratio) if one is not None]
    return max(known, default=None)


def _grade(value: float, limits: tuple[float, float]) -> QualityLevel:
    fair, poor = limits
    if value <= fair:
        return "good"
    return "fair" if value <= poor else "poor"
