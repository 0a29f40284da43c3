"""Bounds on what strangers can make us do: handshakes at once and over time."""

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """At most `burst` at once and `per_second` in the long run; sans-IO, `now_s` from outside."""

    burst: float
    per_second: float
    _tokens: float = -1.0
    _at_s: float = 0.0

    def take(self, now_s: float) -> bool:
        """Take one token if there is one."""
        if self._tokens < 0:
            self._tokens, self._at_s = self.burst, now_s
        refill = max(0.0, now_s - self._at_s) * self.per_second
        self._tokens = min(self.burst, self._tokens + refill)
        self._at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
