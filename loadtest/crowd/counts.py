"""Latencies as a crowd tells them: upper bounds of buckets and how many packets lie in each."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence


class Counts:
    """Of many samples and processes together."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, counts: Iterable[Sequence[int]]) -> None:
        for bound_us, count in counts:
            self._counts[bound_us] += count

    def percentile_ms(self, percent: float) -> float | None:
        """Nearest rank; a bucket's bound is at most a sixteenth too high. None without counts."""
        wanted = math.ceil(self._counts.total() * percent / 100)
        seen = 0
        for bound_us, count in sorted(self._counts.items()):
            seen += count
            if seen >= wanted:
                return round(bound_us / 1000, 3)
        return None

    def as_dict(self) -> dict[str, float | None]:
        """The usual percentiles."""
        return {
            "p50": self.percentile_ms(50),
            "p95": self.percentile_ms(95),
            "p99": self.percentile_ms(99),
            "max": self.percentile_ms(100),
        }
