"""What the engine adds to a packet's way when it is half busy; native traffic, no browser.

Half load is the rate at which the media thread takes half a core of this machine. (Half of the
highest rate without loss would say more of the generator: it shares the cores and is the busier
of the two.) The same traffic then goes through the bare relay.

A latency is from just before the publisher seals and sends a packet until the kernel notes its
arrival at the viewer. That is more than from the kernel's receipt to the engine's send: sealing,
and the kernel's way to the engine and from it. Nothing is subtracted; the relay's figure shows how
much the way costs without an engine.

Of several windows in a row the calmest counts, of engine and relay alike: other guests of a host
stop our threads for milliseconds, which only ever adds.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from loadtest.generator import Traffic, relay
from loadtest.party import Scenario, open_party, open_relayed
from loadtest.process_cpu import cpu_ns, thread_cpu_ns
from loadtest.server_process import serve
from loadtest.window import WINDOW_S, expect_traffic, over_windows

HALF = 0.5
"""Of one core."""

_NEAR = 0.05
"""About half: the share is not the same in two windows of the same traffic either."""

_WINDOWS = 5
"""In a row, of engine and relay each."""

_SEARCH_WINDOWS = 3
_TRIALS = 4
_MOST_STEP = 4.0
"""A share is only told well by a rate that is not far from the one wanted."""

_MEDIA_THREAD = "mianshi-media"
_ROOMS = Scenario("half-load", rooms=16, viewers=8, packets_per_second=1000)
"""So many people that what else a node does for each of them is there too."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The traffic of some windows, and the share of a core that carried it in each of them."""

    traffic: Traffic
    shares: Sequence[float]

    @property
    def share(self) -> float:
        return sum(self.shares) / len(self.shares)


@contextmanager
def at_half_load() -> Iterator[Callable[[], dict[str, float]]]:
    """Find the rate of half load once, then measure at it. Raises LoadtestError."""
    # By the least share, so that the rate is not taken for more load than it is in a calm moment.
    scenario = half_load(
        _ROOMS, lambda tried: min(asyncio.run(_through_engine(tried, _SEARCH_WINDOWS)).shares)
    )
    yield lambda: asyncio.run(_measure(scenario))


def half_load(scenario: Scenario, share_of: Callable[[Scenario], float]) -> Scenario:
    """The same rooms at the rate that takes about half a core, by what `share_of` tells.

    After a few trials it is the nearest guess: who measures with it looks at the share again.
    """
    for _ in range(_TRIALS):
        share = share_of(scenario)
        if abs(share - HALF) <= _NEAR:
            break
        step = min(_MOST_STEP, HALF / share)
        scenario = replace(scenario, packets_per_second=round(scenario.packets_per_second * step))
    return scenario


async def _measure(scenario: Scenario) -> dict[str, float]:
    ours = await _through_engine(scenario, _WINDOWS)
    theirs = await _through_relay(scenario, _WINDOWS)
    return measured(ours, theirs, scenario.viewers)


def measured(ours: Carried, theirs: Carried, viewers: int) -> dict[str, float]:
    """The fields of one run, for the bench's entry."""
    return {
        "packets_per_second": ours.traffic.received / (len(ours.shares) * WINDOW_S),
        "media_thread_share": ours.share,
        "loss_percent": 100 * (1 - ours.traffic.received / (ours.traffic.sent * viewers)),
        **_in_ms("latency", ours.traffic),
        "relay_share": theirs.share,
        **_in_ms("relay_latency", theirs.traffic),
    }


def _in_ms(name: str, traffic: Traffic) -> dict[str, float]:
    """The percentiles of the calmest window, and the 99th of all of them together."""
    calmest = min(traffic.windows_latency_us, key=lambda each: each["p99"])
    fields = {f"{name}_{which}_ms": us / 1000 for which, us in calmest.items()}
    return {**fields, f"{name}_p99_of_all_ms": traffic.latency_us["p99"] / 1000}


async def _through_engine(scenario: Scenario, windows: int) -> Carried:
    with serve() as server:
        async with open_party(server, scenario) as party:
            pid = server.process.pid
            carried = await over_windows(
                windows, party, lambda: thread_cpu_ns(pid, _MEDIA_THREAD), punctual=True
            )
    return _expected(*carried, scenario)


async def _through_relay(scenario: Scenario, windows: int) -> Carried:
    async with open_relayed(scenario) as relayed, relay(relayed.routes) as bare:
        endpoints = relayed.endpoints(bare.address)
        carried = await over_windows(windows, endpoints, lambda: cpu_ns(bare.pid), punctual=True)
    return _expected(*carried, scenario)


def _expected(traffic: Traffic, busy_ns: Sequence[int], scenario: Scenario) -> Carried:
    expect_traffic(traffic, scenario, len(busy_ns))
    return Carried(traffic, [busy / (WINDOW_S * 1e9) for busy in busy_ns])
