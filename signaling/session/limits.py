"""Token buckets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, refilled with `per_second`."""

    burst: float
    per_second: float


COMMANDS = Rate(burst=40, per_second=20)
"""Of one connection. Joining takes three commands, a busy minute about sixty."""

OFFERS = Rate(burst=10, per_second=0.5)
"""Each costs an SDP answer, and a new connection a handshake."""

REPORTS = Rate(burst=10, per_second=1)
"""Of a client's quality: one every 5 s, one for each change of its own judgement, and probes."""

RAW_MESSAGES = Rate(burst=200, per_second=100)
"""Packets of any kind; whoever sends more is no client of ours and is cut off."""

CONNECTS = Rate(burst=10, per_second=0.5)
"""Namespace connections on one socket."""


class Bucket:
    """Takes one at a time; time is an argument (milliseconds on any steady scale)."""

    __slots__ = ("_at_ms", "_rate", "_tokens")

    def __init__(self, rate: Rate, now_ms: int) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._at_ms = now_ms

    def take(self, now_ms: int) -> bool:
        """Use one token, if there is one."""
        gained = max(0, now_ms - self._at_ms) / 1000 * self._rate.per_second
        self._tokens = min(self._rate.burst, self._tokens + gained)
        self._at_ms = max(now_ms, self._at_ms)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
