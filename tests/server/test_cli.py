"""The command line: one JSON object on stdout, one line for an error, help for everything."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.test_serve import command


def told(data: Path, *arguments: str) -> Any:
    done = command(*arguments, "--json", MIANSHI_DATA=str(data), PORT="8099")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def test_interviews_and_their_links(tmp_path: Path) -> None:
    made = told(
        tmp_path, "interviews", "create", "--title", "测试", "--round", "一面", "--round", "二面",
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
    assert [one["id"] for one in told(tmp_path, "interviews", "list")["interviews"]] == [made["id"]]
    shown = told(tmp_path, "interviews", "show", made["id"])
    assert "url" not in shown["participants"][0]
    person = made["participants"][0]["id"]
    newer = told(tmp_path, "links", "new", made["id"], person)
    states = {one["id"]: one["state"] for one in told(tmp_path, "links", "list")["links"]}
    assert states[newer["id"]] == "open"
    assert sorted(states.values()) == ["open"] * 4 + ["revoked"]
    assert told(tmp_path, "links", "revoke", newer["id"])["state"] == "revoked"
    assert told(tmp_path, "links", "hr", "HR")["url"].startswith("http://127.0.0.1:8099/hr/")


def test_keys(tmp_path: Path) -> None:
    first = told(tmp_path, "keys", "rotate")
    assert told(tmp_path, "keys", "rotate")["kid"] != first["kid"]
    made = told(tmp_path, "keys", "create-api", "ATS")
    assert made["key"].startswith("mk_")
    assert told(tmp_path, "keys", "list-api")["keys"] == [
        {"id": made["id"], "name": "ATS", "revoked": False}
    ]
    assert told(tmp_path, "keys", "revoke-api", made["id"])["revoked"] is True


def test_the_demo_without_a_server(tmp_path: Path) -> None:
    assert set(told(tmp_path, "demo")) == {"hr", "interviewer", "interviewer-2", "candidate"}


def test_the_doctor_finds_this_machine_well(tmp_path: Path) -> None:
    done = command("doctor", "--json", MIANSHI_DATA=str(tmp_path), PORT="0")
    body = json.loads(done.stdout)
    found = {one["check"]: one["state"] for one in body["findings"]}
    assert (done.returncode == 0) is body["ok"] is True
    assert found["engine"] == found["redis"] == found["database"] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    done = command(
        "doctor", "--json", MIANSHI_DATA=str(tmp_path), PORT="0",
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
def test_refusals_are_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = command(*arguments, MIANSHI_DATA=str(tmp_path))
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
def test_help(path: tuple[str, ...]) -> None:
    done = command(*path, "--help")
    assert done.returncode == 0
    assert "Usage: mianshi" in done.stdout
