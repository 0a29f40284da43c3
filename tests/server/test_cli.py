"""The command line: one JSON object on stdout, one line for an error, help for everything."""

import json
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loadtest.server_process import free_port
from server.cli import main
from server.cli.serve import loopback_hint
from tests.server.test_serve import command
from tests.turn_server import turn_server


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Call = Callable[..., Done]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """The command line in this process, which spares its start; on an empty data directory."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setenv("MIANSHI_DATA", str(tmp_path))
    monkeypatch.setenv("PORT", "8099")

    def run(*arguments: str, **variables: str) -> Done:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["mianshi", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Done(int(ended.value.code or 0), told.out, told.err)

    yield run
    root.handlers[:], root.level = before[0], before[1]


def told(call: Call, *arguments: str) -> Any:
    done = call(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def test_interviews_and_their_links(call: Call) -> None:
    made = told(
        call, "interviews", "create", "--title", "测试", "--round", "一面", "--round", "二面",
        "--candidate", "甲", "--interviewer", "1:乙", "--interviewer", "2:丙", "--observer", "丁",
        "--admission", "automatic",
    )  # fmt: skip
    assert [one["role"] for one in made["participants"]] == [
        "candidate", "interviewer", "interviewer", "observer",
    ]  # fmt: skip
    rounds = [one["id"] for one in made["rounds"]]
    assert [one["round"] for one in made["participants"]] == [rounds[0], *rounds, None]
    assert all(one["url"].startswith("http://127.0.0.1:8099/i/") for one in made["participants"])
    assert {one["admission"] for one in made["rounds"]} == {"automatic"}
    assert [one["id"] for one in told(call, "interviews", "list")["interviews"]] == [made["id"]]
    shown = told(call, "interviews", "show", made["id"])
    assert "url" not in shown["participants"][0]
    person = made["participants"][0]["id"]
    newer = told(call, "links", "new", made["id"], person)
    states = {one["id"]: one["state"] for one in told(call, "links", "list")["links"]}
    assert states[newer["id"]] == "open"
    assert sorted(states.values()) == ["open"] * 4 + ["revoked"]
    assert told(call, "links", "revoke", newer["id"])["state"] == "revoked"
    assert told(call, "links", "hr", "HR")["url"].startswith("http://127.0.0.1:8099/hr/")


def test_keys(call: Call) -> None:
    first = told(call, "keys", "rotate")
    assert told(call, "keys", "rotate")["kid"] != first["kid"]
    made = told(call, "keys", "create-api", "ATS")
    assert made["key"].startswith("mk_")
    assert told(call, "keys", "list-api")["keys"] == [
        {"id": made["id"], "name": "ATS", "revoked": False}
    ]
    assert told(call, "keys", "revoke-api", made["id"])["revoked"] is True


def test_the_demo_without_a_server(call: Call) -> None:
    assert set(told(call, "demo")) == {"hr", "interviewer", "interviewer-2", "candidate"}


def test_the_doctor_finds_this_machine_well(call: Call, tmp_path: Path) -> None:
    done = call("doctor", "--json", PORT="0")
    body = json.loads(done.stdout)
    found = {one["check"]: one["state"] for one in body["findings"]}
    assert (done.returncode == 0) is body["ok"] is True
    assert found["engine"] == found["redis"] == found["database"] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_says_what_is_wrong(call: Call, tmp_path: Path) -> None:
    done = call(
        "doctor", "--json", PORT="0",
        REDIS_URL=f"unix://{tmp_path}/none", DATABASE_URL=f"postgresql://u:hunter2@/x?host={tmp_path}",
    )  # fmt: skip
    states = {one["check"]: one["state"] for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert (states["redis"], states["database"]) == ("failed", "failed")
    assert "hunter2" not in done.stdout + done.stderr
    assert done.stderr.startswith("error: 2 checks failed: database, redis. ")


def network_findings(call: Call, **environment: str) -> dict[str, tuple[str, str]]:
    findings = json.loads(call("doctor", "--json", **environment).stdout)["findings"]
    return {one["check"]: (one["state"], one["says"]) for one in findings}


def test_the_doctor_says_which_ports_to_open_and_what_holds_them(call: Call) -> None:
    port = str(free_port())
    found = network_findings(call, PORT=port)
    assert found["media"] == ("ok", f"UDP 127.0.0.1:{port} is free; open it in the firewall")
    assert f":{int(port) + 1} " in found["media_tcp"][1]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        taken = str(other.getsockname()[1])
        found = network_findings(call, PORT=port, MIANSHI_MEDIA_TCP_PORT=taken)
    assert found["media_tcp"][0] == "failed"
    assert "MIANSHI_MEDIA_TCP_PORT" in found["media_tcp"][1]
    assert network_findings(call, PORT=port, MIANSHI_MEDIA_TCP="false")["media_tcp"][0] == "warning"


def test_the_doctor_notices_addresses_that_outsiders_cannot_reach(call: Call) -> None:
    port = str(free_port())
    public = {"PORT": port, "MIANSHI_HTTP_PUBLIC_URL": "https://interviews.example.com"}
    state, says = network_findings(call, **public)["addresses"]
    assert (state, "MIANSHI_MEDIA_ADVERTISED" in says) == ("warning", True)
    found = network_findings(call, **public, MIANSHI_MEDIA_ADVERTISED="8.8.8.8")
    assert found["addresses"][0] == "ok"


def test_the_doctor_tries_the_turn_server_out(call: Call) -> None:
    port = str(free_port())
    assert network_findings(call, PORT=port)["turn"][0] == "ok"
    with turn_server() as relay:
        settings = {"PORT": port, "MIANSHI_TURN_URLS": relay.url}
        good = network_findings(call, **settings, MIANSHI_TURN_SECRET=relay.secret)
        assert good["turn"] == ("ok", "1 relay to 127.0.0.1")
        bad = network_findings(call, **settings, MIANSHI_TURN_SECRET="not what coturn has")
        assert bad["turn"][0] == "failed"
        assert "static-auth-secret" in bad["turn"][1]
        elsewhere = {**settings, "MIANSHI_MEDIA_ADVERTISED": "192.0.2.1"}
        denied = network_findings(call, **elsewhere, MIANSHI_TURN_SECRET=relay.secret)
        assert "allowed-peer-ip" in denied["turn"][1]
    gone = network_findings(call, PORT=port, MIANSHI_TURN_URLS="turn:127.0.0.1:9?transport=tcp",
                            MIANSHI_TURN_SECRET=relay.secret)  # fmt: skip
    assert "does not answer" in gone["turn"][1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("interviews", "show", "none"),
        ("interviews", "create", "--title", ""),
        ("interviews", "create", "--title", "x", "--starts-at", "tomorrow"),
        ("interviews", "create", "--title", "x", "--starts-at", "2027-01-01T00:00:00"),
        ("interviews", "create", "--title", "x", "--candidate", "9:甲"),
        ("interviews", "create", "--title", "x", "--candidate", "0:甲"),
        ("interviews", "create", "--title", "x", "--admission", "perhaps"),
        ("links", "new", "none", "none"),
        ("links", "revoke", "none"),
        ("keys", "revoke-api", "none"),
    ],
)
def test_refusals_are_one_line(call: Call, arguments: tuple[str, ...]) -> None:
    done = call(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "path",
    [
        (), ("serve",), ("demo",), ("doctor",), ("interviews",), ("interviews", "create"),
        ("links",), ("links", "new"), ("keys",), ("keys", "rotate"), ("bench",),
        ("bench", "join"), ("bench", "handoff"), ("bench", "forward"),
    ],
)  # fmt: skip
def test_help(call: Call, path: tuple[str, ...]) -> None:
    done = call(*path, "--help")
    assert done.returncode == 0
    assert "Usage: mianshi" in done.stdout


def test_the_installed_command() -> None:
    done = command("--help")
    assert done.returncode == 0
    assert "Usage: mianshi" in done.stdout


@pytest.mark.parametrize(
    ("url", "hinted"),
    [
        ("http://127.0.0.1:8080/i/x", True),
        ("http://[::1]:8080/i/x", True),
        ("http://localhost:8080/i/x", True),
        ("https://192.0.2.1:8080/i/x", False),
        ("https://interviews.example/i/x", False),
    ],
)
def test_links_to_this_machine_come_with_a_hint(url, hinted):
    assert bool(loopback_hint(url)) is hinted
