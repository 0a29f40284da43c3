"""What a load test saw: every second, and in the end."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from loadtest.crowd.counts import Counts
from loadtest.crowd.scenario import Limits
from loadtest.percentiles import percentiles

COUNTERS = (
    "sent",
    "datagrams_sent",
    "bytes_sent",
    "datagrams_received",
    "bytes_received",
    "refused",
    "unreadable",
    "keyframes_asked",
    "keyframes_wanted",
    "packets_asked",
    "received",
    "lost",
    "repaired",
    "duplicates",
    "reordered",
    "pictures",
    "freezes",
    "long_freezes",
    "frozen_ms",
)


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a test; counters are of that second, by all processes."""

    at_s: float
    joined: int
    failed: int
    packets: int
    bits: int
    lost: int
    freezes_over_500ms: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    generator_late_ms: float
    server_cpu: float
    server_rss_kb: int


@dataclass(slots=True)
class Tally:
    """Filled while the test runs; `processes` is how many crowds there are."""

    processes: int
    began_s: float = field(default_factory=time.monotonic)
    join_ms: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    first_picture_ms: dict[int, float] = field(default_factory=dict)
    """By user: until the first picture of anybody, from when there was somebody to see."""
    members: list[dict[str, Any]] = field(default_factory=list)
    latency: Counts = field(default_factory=Counts)
    seconds: list[Second] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    _latest: dict[int, dict[str, Any]] = field(default_factory=dict)
    _before: Counter[str] = field(default_factory=Counter)
    _fresh: Counts = field(default_factory=Counts)
    _late_us: int = 0

    def hear(self, process: int, kind: str, what: dict[str, Any]) -> None:
        """Take a line of crowd number `process`."""
        if kind == "sample":
            self._latest[process] = what
            self.latency.add(what["latency_us"])
            self._fresh.add(what["latency_us"])
            self._late_us = max(self._late_us, what["late_us"])
        elif kind == "first_picture":
            self.first_picture_ms.setdefault(what["user"], what["after_ms"])
        elif kind == "member":
            self.members.append(what)

    def end_second(self, server_cpu: float, server_rss_kb: int) -> Second:
        """Everything since the last one."""
        self._sum_up()
        fresh = self.totals - self._before
        self._before = self.totals.copy()
        second = Second(
            at_s=round(time.monotonic() - self.began_s, 1),
            joined=len(self.join_ms),
            failed=self.failures.total(),
            packets=fresh["received"],
            bits=fresh["bytes_received"] * 8,
            lost=fresh["lost"],
            freezes_over_500ms=fresh["long_freezes"],
            latency_p50_ms=self._fresh.percentile_ms(50),
            latency_p99_ms=self._fresh.percentile_ms(99),
            generator_late_ms=self._late_us / 1000,
            server_cpu=server_cpu,
            server_rss_kb=server_rss_kb,
        )
        self._fresh, self._late_us = Counts(), 0
        self.seconds.append(second)
        return second

    def figures(self, users: int) -> dict[str, Any]:
        """What came out, for `--json`."""
        self._sum_up()
        totals = self.totals
        expected = totals["received"] + totals["lost"]
        pictures = list(self.first_picture_ms.values())
        return {
            "users": users,
            "joined": len(self.join_ms),
            "failed_joins": self.failures.total(),
            "failures": dict(self.failures),
            "without_picture": len(self.join_ms) - len(pictures),
            "packets": totals["received"],
            "loss_ratio": round(totals["lost"] / expected, 7) if expected else None,
            "unrepaired": totals["lost"] - totals["repaired"],
            "reordered": totals["reordered"],
            "unreadable": totals["unreadable"],
            "refused": totals["refused"],
            "latency_ms": self.latency.as_dict(),
            "join_ms": percentiles(self.join_ms).as_dict() if self.join_ms else None,
            "first_picture_ms": percentiles(pictures).as_dict() if pictures else None,
            "freezes": totals["freezes"],
            "freezes_over_500ms": totals["long_freezes"],
            "generator_late_ms": max((each.generator_late_ms for each in self.seconds), default=0),
        }

    def _sum_up(self) -> None:
        self.totals = Counter(
            {name: sum(sample[name] for sample in self._latest.values()) for name in COUNTERS}
        )


def missed(figures: dict[str, Any], limits: Limits) -> list[str]:
    """One sentence for each limit that did not hold."""
    found = []
    if limits.failed_joins is not None:
        failed = figures["failed_joins"] + figures["without_picture"]
        if failed > limits.failed_joins:
            found.append(f"{failed} joins failed or never saw anybody")
    for name, value, limit in (
        ("join p95 (ms)", (figures["join_ms"] or {}).get("p95"), limits.join_p95_ms),
        ("loss", figures["loss_ratio"], limits.loss_ratio),
        ("latency p99 (ms)", figures["latency_ms"]["p99"], limits.latency_p99_ms),
        ("freezes over 500 ms", figures["freezes_over_500ms"], limits.freezes_over_500ms),
    ):
        if limit is not None and (value is None or value > limit):
            found.append(f"{name}: {value} instead of at most {limit}")
    return found
