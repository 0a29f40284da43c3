"""Pictures as they were shown, and how long they stood still."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_REMEMBERED = 30
_LONGER_BY_MS = 150.0


@dataclass(frozen=True, slots=True)
class Picture:
    """Shown at `at_ms`, milliseconds since 1970."""

    at_ms: float
    height: int


def gaps_ms(pictures: Sequence[Picture]) -> list[float]:
    """Between one picture and the next."""
    return [after.at_ms - before.at_ms for before, after in pairwise(pictures)]


def freezes_ms(pictures: Sequence[Picture]) -> list[float]:
    """Intervals longer than three times, and 150 ms more than, the mean of the 30 before.

    Source: W3C webrtc-stats, `freezeCount`, by presented instead of decoded frames.
    """
    gaps = gaps_ms(pictures)
    found = []
    for at, gap in enumerate(gaps):
        before = gaps[max(0, at - _REMEMBERED) : at]
        if len(before) < 5:
            continue
        mean = sum(before) / len(before)
        if gap > max(3 * mean, mean + _LONGER_BY_MS):
            found.append(gap)
    return found


def frozen_percent(pictures: Sequence[Picture]) -> float:
    """The share of the time in which the picture was frozen; 100 without pictures."""
    if len(pictures) < 2:
        return 100.0
    lasted_ms = pictures[-1].at_ms - pictures[0].at_ms
    return 100 * sum(freezes_ms(pictures)) / lasted_ms
