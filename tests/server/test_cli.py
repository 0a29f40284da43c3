"""The command line: one JSON object on stdout, one line for an error, help for everything."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.cli import main
from tests.server.test_serve import command


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
