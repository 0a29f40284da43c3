"""The relay as tests and operators use it: real sockets, a server that echoes."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtest.bad_network import (
    BadNetwork,
    ScenarioError,
    open_bad_network,
    read_scenario,
    scenario_names,
)
from loadtest.errors import LoadtestError, MissingToolError
from loadtest.server_process import mianshi_command
from tests.conditions import wait_until

DELAYED = "[[step]]\nat_s = 0\nboth = { delay_ms = 20 }"
DARK = "[[step]]\nat_s = 0\nboth = { dark = true }"


def binding_request(fragment: str) -> bytes:
    name = f"{fragment}:theirs".encode()
    body = b"\x00\x06" + len(name).to_bytes(2, "big") + name + bytes(-len(name) % 4)
    return b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + body


@pytest.fixture
def echo() -> Iterator[str]:
    """A server that sends everything back with the address that it saw in front."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, source = server.recvfrom(65_536)
                if data == b"stop":
                    return
                server.sendto(f"{source[1]} ".encode() + data, source)

        thread = threading.Thread(target=serve)
        thread.start()
        host, port = server.getsockname()
        yield f"{host}:{port}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
            stop.sendto(b"stop", (host, port))
        thread.join()


@contextmanager
def client_of(network: BadNetwork) -> Iterator[socket.socket]:
    host, _, port = network.address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect((host, int(port)))
        yield client


def ask(client: socket.socket, data: bytes) -> tuple[int, bytes]:
    """The port that the server saw, and what it got."""
    client.send(data)
    port, _, echoed = client.recv(65_536).partition(b" ")
    return int(port), echoed


def test_datagrams_pass_unharmed_and_each_address_has_its_own_socket(echo: str) -> None:
    with open_bad_network(echo) as network, client_of(network) as one, client_of(network) as two:
        for size in (1, 1_200, 9_000):
            assert ask(one, b"x" * size)[1] == b"x" * size
        first, second = ask(one, b"1")[0], ask(two, b"2")[0]
        assert first != second
        assert ask(one, b"again")[0] == first
    assert network.ended is not None
    assert network.ended["reason"] == "asked"
    assert [c["up"]["arrived"] for c in network.ended["clients"]] == [5, 1]


def test_delay_is_kept_to_the_millisecond(echo: str) -> None:
    with open_bad_network(echo, DELAYED) as network, client_of(network) as client:
        took_ms = []
        for _ in range(20):
            began = time.monotonic()
            ask(client, b"x" * 500)
            took_ms.append((time.monotonic() - began) * 1000)
    assert min(took_ms) >= 40
    # The middle, since the machine may be busy with something else at any one moment.
    assert sorted(took_ms)[10] < 42


def test_a_scenario_can_be_played_for_one_client_only(echo: str) -> None:
    with open_bad_network(echo) as network, client_of(network) as one, client_of(network) as two:
        ask(one, b"1")
        ask(two, b"2")
        network.play(DARK, clients=[2])
        two.send(b"lost")
        assert ask(one, b"still")[1] == b"still"
        began_ms = network.play("[[step]]\nat_s = 0\nboth.dark = false", clients=[2])
        assert ask(two, b"back")[1] == b"back"
    assert network.ended is not None
    assert [c["up"]["dark"] for c in network.ended["clients"]] == [0, 1]
    assert abs(began_ms - time.time() * 1000) < 60_000


def test_a_client_is_known_by_its_credentials_and_keeps_its_network(echo: str) -> None:
    with (
        open_bad_network(echo) as network,
        client_of(network) as wifi,
        client_of(network) as cable,
        client_of(network) as other,
    ):
        ask(wifi, binding_request("aaaa"))
        ask(cable, binding_request("aaaa"))
        ask(other, binding_request("bbbb"))
        ask(wifi, binding_request("cccc"))  # an ICE restart
    assert network.ended is not None
    assert len(network.clients) == 2
    assert [c["up"]["arrived"] for c in network.ended["clients"]] == [3, 1]


def test_the_address_changes_for_the_server_only(echo: str) -> None:
    roaming = "[[step]]\nat_s = 0\n[[step]]\nat_s = 0.05\naddress_change = true"
    with open_bad_network(echo) as network, client_of(network) as client:
        before, _ = ask(client, b"1")
        network.change_address([2])
        assert ask(client, b"2")[0] == before
        network.change_address()
        after, _ = ask(client, b"3")
        assert after != before
        network.play(roaming)
        wait_until(lambda: ask(client, b"4")[0] != after)


def test_samples_tell_rate_queue_and_drops(echo: str) -> None:
    narrow = "[[step]]\nat_s = 0\nup = { rate_kbps = 200, queue_ms = 100 }"
    with open_bad_network(echo, narrow, sample_ms=20) as network, client_of(network) as client:
        for _ in range(10):
            client.send(b"x" * 972)  # 40 ms each
        for _ in range(2):
            client.recv(2_000)
        wait_until(lambda: sum(s.up.queue_drops for s in network.of_client(1)) > 0)
        wait_until(lambda: network.of_client(1)[-1].up.sent_bps == 0)
        samples = network.of_client(1)
    assert sum(sample.up.queue_drops for sample in samples) == 8
    assert 60 <= max(sample.up.queue_ms for sample in samples) <= 120
    assert {sample.up.capacity_bps for sample in samples} == {200_000}
    assert {sample.down.capacity_bps for sample in samples} == {None}


def test_it_ends_by_itself_and_tcp_passes_on_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = f"127.0.0.1:{server.getsockname()[1]}"
        with open_bad_network(target, DARK, tcp=True, most_s=1) as network:
            host, _, port = network.address.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=5) as client:
                inside, _ = server.accept()
                with inside:
                    client.sendall(b"hello")
                    assert inside.recv(5) == b"hello"
                    inside.sendall(b"there")
                    assert client.recv(5) == b"there"
            network.process.wait(5)
        assert network.ended is not None
        assert network.ended["reason"] == "time"
        with open_bad_network(target) as untouched:
            host, _, port = untouched.address.rpartition(":")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, int(port)), timeout=5)


def test_a_server_that_is_not_there_yet_does_no_harm() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        host, port = server.getsockname()
        with open_bad_network(f"{host}:{port}") as network, client_of(network) as client:
            server.close()
            client.send(b"nobody")
            wait_until(lambda: len(network.clients) == 1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as later:
                later.bind((host, port))
                later.settimeout(5)
                client.send(b"somebody")
                while later.recv(100) != b"somebody":
                    pass


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("[[step]]\nat_s = 0\nup.delay_ms = -3", "line 3, up.delay_ms: -3 is not between 0 and"),
        ("speed = 3", "line 1, speed: unknown field"),
        ("", "line 1: missing field `step`"),
        ("\0", "line 1"),
    ],
)
def test_a_wrong_scenario_is_refused_with_line_and_field(
    echo: str, scenario: str, said: str
) -> None:
    with pytest.raises(ScenarioError, match=said), open_bad_network(echo, scenario):
        pass
    with open_bad_network(echo) as network, client_of(network) as client:
        with pytest.raises(ScenarioError, match=said):
            network.play(scenario)
        assert ask(client, b"goes on")[1] == b"goes on"


@pytest.mark.parametrize(
    ("listen", "target"), [("0.0.0.0:0", "127.0.0.1:9"), ("127.0.0.1:0", "192.0.2.1:9")]
)
def test_other_machines_are_relayed_only_when_told(listen: str, target: str) -> None:
    with (
        pytest.raises(LoadtestError, match="only loopback"),
        open_bad_network(target, listen=listen),
    ):
        pass
    with open_bad_network("127.0.0.1:9", listen="0.0.0.0:0", remote_allowed=True) as network:
        assert network.address.startswith("0.0.0.0:")


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIANSHI_NETSIM", "/nowhere/mianshi-netsim")
    with pytest.raises(MissingToolError), open_bad_network("127.0.0.1:9"):
        pass


def test_scenarios_are_found_by_name_or_path() -> None:
    assert {"train", "cap-4-to-1_2", "cap-300k", "loss-20"} <= set(scenario_names())
    assert "tunnel" in read_scenario("train")
    with pytest.raises(ScenarioError, match="nowhere"):
        read_scenario("nowhere")


def test_the_command_relays_until_it_is_stopped(echo: str) -> None:
    process = subprocess.Popen(
        [*mianshi_command(), "netsim", "steady-1", "--listen", "127.0.0.1:0", "--target", echo],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    address = process.stdout.readline().split()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        host, _, port = address.rpartition(":")
        client.settimeout(5)
        client.connect((host, int(port)))
        assert ask(client, b"x")[1] == b"x"
        assert "of 1000 kbit/s" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert rest.strip().endswith("asked")


def test_the_command_reports_as_one_object(echo: str) -> None:
    arguments = ["--listen", "127.0.0.1:0", "--target", echo, "--seconds", "1", "--json"]
    done = subprocess.run(
        [*mianshi_command(), "netsim", "steady-1", *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["reason"] == "time"
    assert report["clients"] == report["samples"] == []
    refused = subprocess.run(
        [*mianshi_command(), "netsim", "nowhere", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: nowhere cannot be read")
    assert refused.stderr.count("\n") == 1
