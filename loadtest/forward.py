"""What a forwarded packet costs: the whole server process, beside a bare UDP relay.

The server is a real `mianshi serve`; visitors join by link, ICE and DTLS; their traffic is
native (`mianshi-peers`). The same traffic then goes through a relay that does not look inside.
Both are measured in several windows, of which the cheapest counts: other guests of a host only add
to the cost, up to twice as much. In a window of its own, every call that Python makes in the
server is counted.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loadtest.errors import LoadtestError
from loadtest.generator import Endpoint, Traffic, relay
from loadtest.party import Scenario, open_party, open_relayed
from loadtest.process_cpu import cpu_ns
from loadtest.server_process import ServerProcess, serve
from loadtest.window import expect_traffic, over_a_window, over_windows

LIMIT_US = 8.0
MAX_LOSS_RATIO = 0.001
MAX_PYTHON_CALLS_PER_PACKET = 0.01
"""Room for a timer or two in the difference of two windows; one call per packet is 1."""

_WINDOWS = 5
"""In a row, of server and relay each."""

_DENSER = 5
"""By how much the traffic is denser in the window whose calls are compared with the usual's."""

SCENARIOS = (
    Scenario("1:1", rooms=8, viewers=1, packets_per_second=200, both_ways=True),
    Scenario("1:8", rooms=1, viewers=8, packets_per_second=1000),
)


@dataclass(frozen=True, slots=True)
class ScenarioReport:
    """Processor time per forwarded packet of the whole process, in microseconds."""

    name: str
    ours_us: float
    relay_us: float
    ours_windows_us: tuple[float, ...]
    relay_windows_us: tuple[float, ...]
    python_calls_per_packet: float
    loss_ratio: float
    packets: int
    latency_us: dict[str, int]


@dataclass(frozen=True, slots=True)
class ForwardReport:
    scenarios: tuple[ScenarioReport, ...]

    @property
    def passed(self) -> bool:
        """Whether the limits hold in every scenario."""
        return all(
            each.ours_us <= LIMIT_US
            and each.python_calls_per_packet <= MAX_PYTHON_CALLS_PER_PACKET
            and each.loss_ratio <= MAX_LOSS_RATIO
            for each in self.scenarios
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "scenarios": [asdict(each) for each in self.scenarios],
            "limits": {
                "ours_us": LIMIT_US,
                "python_calls_per_packet": MAX_PYTHON_CALLS_PER_PACKET,
                "loss_ratio": MAX_LOSS_RATIO,
            },
            "pass": self.passed,
        }


def run(scenarios: Sequence[Scenario] = SCENARIOS) -> ForwardReport:
    """Measure on a server of our own, all on loopback. Raises LoadtestError."""
    return ForwardReport(tuple(asyncio.run(_measure(scenario)) for scenario in scenarios))


async def _measure(scenario: Scenario) -> ScenarioReport:
    with serve() as server:
        async with open_party(server, scenario) as party:
            ours, ours_us = await _costs(server.process.pid, party, scenario)
    async with open_relayed(scenario) as relayed, relay(relayed.routes) as bare:
        _, relay_us = await _costs(bare.pid, relayed.endpoints(bare.address), scenario)
    return ScenarioReport(
        name=scenario.name,
        ours_us=min(ours_us),
        relay_us=min(relay_us),
        ours_windows_us=ours_us,
        relay_windows_us=relay_us,
        python_calls_per_packet=await _python_calls_per_packet(scenario),
        loss_ratio=round(1 - ours.received / (ours.sent * scenario.viewers), 6),
        packets=ours.received,
        latency_us=ours.latency_us,
    )


async def _costs(
    pid: int, endpoints: Sequence[Endpoint], scenario: Scenario
) -> tuple[Traffic, tuple[float, ...]]:
    """The traffic of all windows, and what a packet cost `pid` in each of them."""
    traffic, spent_ns = await over_windows(_WINDOWS, endpoints, lambda: cpu_ns(pid))
    expect_traffic(traffic, scenario, _WINDOWS)
    packets = traffic.received / _WINDOWS
    return traffic, tuple(round(spent / packets / 1000, 2) for spent in spent_ns)


async def _python_calls_per_packet(scenario: Scenario) -> float:
    """Calls that more packets of the same streams cause, for each packet more.

    Each count is of a server of its own, at the same age: what it does for each stream or visit
    now and then is the same in all, and what it seldom does is not in the lesser of two.
    """
    usual, dense = scenario, scenario.denser(_DENSER)
    few, little = min([await _calls(usual), await _calls(usual)])
    many, much = min([await _calls(dense), await _calls(dense)])
    return round(max(0, many - few) / (much - little), 3)


async def _calls(scenario: Scenario) -> tuple[int, int]:
    """Python's calls in one window, and the packets that were forwarded in it."""
    with _counting_server() as (server, count):
        async with open_party(server, scenario) as party:
            traffic, calls = await over_a_window(party, lambda: _read_count(count))
    expect_traffic(traffic, scenario)
    return calls, traffic.received


@contextmanager
def _counting_server() -> Iterator[tuple[ServerProcess, Path]]:
    """A server whose Python calls are counted (see call_counter/sitecustomize.py)."""
    folder = Path(__file__).with_name("call_counter")
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    with tempfile.NamedTemporaryFile(prefix="mianshi-calls-") as file:
        file.write(bytes(8))
        file.flush()
        count = Path(file.name)
        environment = {"PYTHONPATH": os.pathsep.join(paths), "MIANSHI_CALL_COUNT": file.name}
        with serve(environment=environment) as server:
            if _read_count(count) == 0:
                raise LoadtestError("the server's Python calls are not being counted")
            yield server, count


def _read_count(path: Path) -> int:
    return int.from_bytes(path.read_bytes(), "little")
