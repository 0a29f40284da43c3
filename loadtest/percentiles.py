"""Percentiles of a handful of measurements, as the benchmarks print them."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of `n` measurements, in the unit of the measurements."""

    p50: float
    p95: float
    worst: float
    n: int

    def as_dict(self) -> dict[str, float]:
        """For a JSON report."""
        return asdict(self)


def percentiles(measurements: Sequence[float]) -> Percentiles:
    """Nearest-rank percentiles (no interpolation). Raises ValueError for an empty sequence."""
    if not measurements:
        raise ValueError("no measurements")
    ordered = sorted(measurements)

    def rank(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)

    return Percentiles(rank(0.50), rank(0.95), round(ordered[-1], 1), len(ordered))
