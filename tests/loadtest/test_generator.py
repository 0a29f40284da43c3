"""The native generator and relay, driven as the benchmark drives them."""

import dataclasses
import os
import socket
import time
from pathlib import Path

import pytest

from loadtest.errors import LoadtestError, MissingToolError
from loadtest.generator import Endpoint, Stream, Window, generate, relay
from loadtest.party import Scenario, open_relayed
from loadtest.process_cpu import cpu_ns
from loadtest.visitor.media_path import SrtpKeys
from loadtest.visitor.offer import Credentials, OfferedSection, read_answer, write_offer
from sfu.transport.sdp import offer as server_side

SMALL = Scenario("small", rooms=2, viewers=2, packets_per_second=100)


def soon(window_us: int = 300_000, count: int = 1) -> Window:
    return Window(time.monotonic_ns() // 1000 + 700_000, 100_000, window_us, count)


async def test_what_the_relay_carries_is_counted_and_opened():
    async with open_relayed(SMALL) as relayed, relay(relayed.routes) as bare:
        traffic = await generate(relayed.endpoints(bare.address), soon())
    assert traffic.sent > 0
    assert traffic.received == traffic.sent * SMALL.viewers
    assert traffic.failed == 0
    assert 0 < traffic.latency_us["p50"] <= traffic.latency_us["max"]


async def test_each_window_has_a_latency_of_its_own():
    async with open_relayed(SMALL) as relayed, relay(relayed.routes) as bare:
        traffic = await generate(relayed.endpoints(bare.address), soon(100_000, 3))
    each = traffic.windows_latency_us
    assert len(each) == 3
    assert all(0 < window["p50"] <= window["max"] for window in each)
    assert max(window["max"] for window in each) == traffic.latency_us["max"]
    assert traffic.sent >= 3 * 0.1 * SMALL.published_per_second - SMALL.rooms


async def test_a_lost_path_shows_as_loss():
    async with open_relayed(SMALL) as relayed, relay({}) as bare:
        traffic = await generate(relayed.endpoints(bare.address), soon())
    assert traffic.sent > 0
    assert traffic.received == 0


async def test_packets_under_another_key_are_failures_not_traffic():
    async with open_relayed(SMALL) as relayed, relay(relayed.routes) as bare:
        wrong = [
            dataclasses.replace(each, keys=SrtpKeys(7, each.keys.send, os.urandom(28)))
            for each in relayed.endpoints(bare.address)
        ]
        traffic = await generate(wrong, soon())
    assert traffic.received == 0
    assert traffic.failed >= traffic.sent > 0


@pytest.mark.parametrize(
    ("profile", "key_bytes", "packet_bytes"),
    [(2, 28, 1100), (7, 27, 1100), (7, 28, 50)],
)
async def test_a_job_that_makes_no_sense_is_refused(profile, key_bytes, packet_bytes):
    keys = SrtpKeys(profile, send=bytes(key_bytes), receive=bytes(key_bytes))
    stream = Stream(1, 96, 100, packet_bytes)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        endpoint = Endpoint(udp.fileno(), ("127.0.0.1", 9), keys, 96, publish=stream)
        with pytest.raises(LoadtestError):
            await generate([endpoint], soon())


async def test_a_missing_binary_says_how_to_build_it(monkeypatch):
    monkeypatch.setenv("MIANSHI_PEERS", "/nonexistent")
    with pytest.raises(MissingToolError) as missing:
        await generate([], soon())
    assert "cargo build" in missing.value.remedy


def test_the_process_clock_is_what_proc_shows():
    deadline_ns = time.process_time_ns() + 50_000_000
    while time.process_time_ns() < deadline_ns:
        pass
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    shown_ns = (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert abs(cpu_ns(os.getpid()) - shown_ns) < 50_000_000


def test_the_offer_is_one_that_the_server_understands():
    sections = [
        OfferedSection("0", "video", "sendonly", 1234),
        OfferedSection("1", "audio", "recvonly"),
    ]
    fingerprint = ":".join(["AB"] * 32)
    sdp = write_offer(sections, Credentials("abcd", "p" * 22), fingerprint)
    offer = server_side.parse(sdp)
    assert [(each.mid, each.direction, each.ssrc) for each in offer.sections] == [
        ("0", "sendonly", 1234),
        ("1", "recvonly", None),
    ]
    assert offer.transport.fingerprint == fingerprint


def test_an_answer_without_a_transport_is_an_error():
    with pytest.raises(LoadtestError):
        read_answer("v=0\r\n")
