"""Traffic over measured windows, and what else is read at their ends."""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

from loadtest.errors import LoadtestError
from loadtest.generator import Endpoint, Traffic, Window, generate
from loadtest.party import Scenario

WINDOW_S = 4
"""Whole periods of what a server does now and then (1, 2 and 4 s): all windows have a share."""

_LEAD_US = 700_000
"""For the generator to start, before the first packet."""

_WARMUP_US = 1_500_000


async def over_a_window(
    endpoints: Sequence[Endpoint], read: Callable[[], int]
) -> tuple[Traffic, int]:
    """The traffic of one window and by how much what is read grew in it."""
    traffic, (grown,) = await over_windows(1, endpoints, read)
    return traffic, grown


async def over_windows(
    count: int, endpoints: Sequence[Endpoint], read: Callable[[], int], *, punctual: bool = False
) -> tuple[Traffic, list[int]]:
    """The traffic of windows in a row and by how much what is read grew in each."""
    window = _next_window(count, punctual)
    traffic = asyncio.create_task(generate(endpoints, window))
    await _sleep_until(window.from_s)
    reads = [read()]
    for ended in range(1, count + 1):
        await _sleep_until(window.from_s + ended * WINDOW_S)
        reads.append(read())
    return await traffic, [after - before for before, after in pairwise(reads)]


def expect_traffic(traffic: Traffic, scenario: Scenario, windows: int = 1) -> None:
    """A figure without traffic behind it would be none. Raises LoadtestError."""
    expected = scenario.published_per_second * WINDOW_S * windows
    if traffic.sent < 0.98 * expected:
        raise LoadtestError(
            f"only {traffic.sent} of {expected:.0f} packets could be sent",
            "run it on an idle machine",
        )
    if traffic.received < 0.5 * traffic.sent * scenario.viewers:
        raise LoadtestError(f"{traffic.received} packets arrived of {traffic.sent} sent")


def _next_window(count: int, punctual: bool) -> Window:
    start_us = time.monotonic_ns() // 1000 + _LEAD_US
    return Window(start_us, _WARMUP_US, WINDOW_S * 1_000_000, count, punctual)


async def _sleep_until(moment_s: float) -> None:
    await asyncio.sleep(max(0.0, moment_s - time.monotonic()))
