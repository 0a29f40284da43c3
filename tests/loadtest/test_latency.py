"""How the engine's latency at half load is found and judged; the measurement is the bench's."""

import os
import threading
import time
from pathlib import Path

import pytest

from loadtest.browser.adapt.bench import Entry
from loadtest.browser.adapt.cases import CASES
from loadtest.errors import LoadtestError
from loadtest.generator import Traffic
from loadtest.latency import Carried, half_load, measured
from loadtest.party import Scenario
from loadtest.process_cpu import thread_cpu_ns
from loadtest.window import WINDOW_S

ROOMS = Scenario("rooms", rooms=2, viewers=4, packets_per_second=1000)


def carried(*, received: int = 400_000, share: float = 0.5, **latency_us: int) -> Carried:
    calm = {"p50": 50, "p95": 150, "p99": 900, "max": 5000, **latency_us}
    stormy = {"p50": 60, "p95": 300, "p99": 4000, "max": 9000}
    over_all = {"p50": 55, "p95": 200, "p99": 2000, "max": 9000}
    return Carried(Traffic(100_000, received, 0, 0, over_all, [stormy, calm, stormy]), [share] * 3)


def entry(ours: Carried) -> Entry:
    return Entry(CASES["engine-latency"], [measured(ours, carried(), viewers=4)])


def test_half_load_is_found_where_a_packet_costs_less_the_more_there_are() -> None:
    tried: list[int] = []

    def share_of(scenario: Scenario) -> float:
        tried.append(scenario.packets_per_second)
        return (scenario.packets_per_second / 2000) ** 0.8 / 2

    assert 0.45 <= share_of(half_load(ROOMS, share_of)) <= 0.55
    assert tried[0] == 1000
    assert len(tried) <= 4


def test_a_rate_that_is_half_load_already_is_kept() -> None:
    assert half_load(ROOMS, lambda _: 0.53) == ROOMS


def test_the_search_ends_and_leaps_not_far() -> None:
    assert half_load(ROOMS, lambda _: 0.01).packets_per_second == 1000 * 4**4


def test_the_calmest_window_counts_in_milliseconds_shares_and_percent() -> None:
    fields = measured(carried(received=399_000), carried(share=0.25, p50=20), viewers=4)
    assert fields == pytest.approx(
        {
            "packets_per_second": 399_000 / (3 * WINDOW_S),
            "media_thread_share": 0.5,
            "loss_percent": 0.25,
            "latency_p50_ms": 0.05,
            "latency_p95_ms": 0.15,
            "latency_p99_ms": 0.9,
            "latency_max_ms": 5.0,
            "latency_p99_of_all_ms": 2.0,
            "relay_share": 0.25,
            "relay_latency_p50_ms": 0.02,
            "relay_latency_p95_ms": 0.15,
            "relay_latency_p99_ms": 0.9,
            "relay_latency_max_ms": 5.0,
            "relay_latency_p99_of_all_ms": 2.0,
        }
    )


@pytest.mark.parametrize(
    ("ours", "passes"),
    [
        (carried(p50=150, p99=1000), True),
        (carried(p50=151), False),
        (carried(p99=1001), False),
        (carried(share=0.39), False),
        (carried(received=399_000), False),
    ],
)
def test_latency_counts_at_half_load_and_without_loss(ours: Carried, passes: bool) -> None:
    judged = entry(ours)
    assert judged.passed is passes
    assert judged.as_dict()["limits"] == {
        "latency_p50_ms": {"most": 0.15},
        "latency_p99_ms": {"most": 1.0},
        "media_thread_share": {"least": 0.4},
        "loss_percent": {"most": 0.1},
    }


def test_microseconds_are_told() -> None:
    told = entry(carried(p50=63)).as_dict()
    assert told["latency_p50_ms"] == {"median": 0.063, "worst": 0.063, "values": [0.063]}


def test_a_threads_time_is_its_own() -> None:
    def work() -> None:
        until_ns = time.thread_time_ns() + 50_000_000
        while time.thread_time_ns() < until_ns:
            pass
        done.set()
        leave.wait()

    done, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    try:
        done.wait()
        Path(f"/proc/self/task/{thread.native_id}/comm").write_text("counted-thread")
        took_ns = thread_cpu_ns(os.getpid(), "counted-thread")
        assert 45_000_000 < took_ns < 100_000_000
        with pytest.raises(LoadtestError, match="no thread uncounted"):
            thread_cpu_ns(os.getpid(), "uncounted")
    finally:
        leave.set()
        thread.join()
