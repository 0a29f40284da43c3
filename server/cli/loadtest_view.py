"""What a running load test shows: a table in a terminal, a line a second elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from loadtest.crowd.scenario import Scenario
    from loadtest.crowd.tally import Second


@contextmanager
def view(scenario: "Scenario", users: int, *, quiet: bool) -> Iterator[Callable[["Second"], None]]:
    """What is to be called every second."""
    if quiet:
        yield lambda _: None
    elif sys.stdout.isatty():
        with Live(console=Console(), transient=True, auto_refresh=False) as live:
            yield lambda second: live.update(_table(scenario, users, second), refresh=True)
    else:
        yield _print_line


def _table(scenario: "Scenario", users: int, second: "Second") -> Table:
    table = Table(title=scenario.title, title_justify="left", show_header=False)
    limits = scenario.limits
    for name, value, is_bad in (
        ("time", f"{second.at_s:.0f} s", False),
        ("joined", f"{second.joined} of {users}", False),
        ("failed", str(second.failed), second.failed > 0),
        ("packets a second", f"{second.packets:,}", False),
        ("received", f"{second.bits / 1e6:.1f} Mbit/s", False),
        ("lost", str(second.lost), second.lost > 0),
        ("latency p50", _ms(second.latency_p50_ms), False),
        ("latency p99", _ms(second.latency_p99_ms), _over(second, limits.latency_p99_ms)),
        ("freezes over 500 ms", str(second.freezes_over_500ms), second.freezes_over_500ms > 0),
        ("server", f"{second.server_cpu:.2f} processors", False),
        ("server memory", f"{second.server_rss_kb / 1024:.0f} MB", False),
        ("generator late by", _ms(second.generator_late_ms), False),
    ):
        table.add_row(name, f"[red]{value}[/red]" if is_bad else value)
    return table


def _over(second: "Second", limit_ms: float | None) -> bool:
    return (
        limit_ms is not None
        and second.latency_p99_ms is not None
        and second.latency_p99_ms > limit_ms
    )


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _print_line(second: "Second") -> None:
    print(
        f"{second.at_s:6.0f} s  joined {second.joined}  failed {second.failed}  "
        f"{second.packets} packets/s  {second.bits / 1e6:.0f} Mbit/s  lost {second.lost}  "
        f"p99 {_ms(second.latency_p99_ms)}  server {second.server_cpu:.2f} processors, "
        f"{second.server_rss_kb // 1024} MB",
        flush=True,
    )
