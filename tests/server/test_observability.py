"""What may be in the logs, and what may not."""

import io
import json
import logging
import time

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from config import LogSettings
from server.observability.logs import configure_logs
from server.observability.redaction import HIDDEN, MAX_TEXT_CHARS, redact, redact_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwZXJzb24ifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {JWT} refused", JWT),
        ("key mk_" + "a" * 32, "a" * 32),
        ("GET /i/" + "b" * 32 + " 200", "b" * 32),
        ("GET /hr/" + "c" * 32, "c" * 32),
        ("POST /api/links/" + "d" * 32 + "/redeem", "d" * 32),
        ("v=0\r\na=ice-pwd:" + "e" * 24 + "\r\n", "e" * 24),
        ("a=fingerprint:sha-256 AB:CD", "sha-256"),
        ("redis://user:hunter2@host/0", "hunter2"),
        ("call 13800138000 now", "13800138000"),
        ("call +86 138-0013-8000 now", "138-0013-8000"),
    ],
)
def test_secrets_are_hidden_in_running_text(text: str, secret: str) -> None:
    hidden = redact_text(text)
    assert secret not in hidden
    assert HIDDEN in hidden


@pytest.mark.parametrize(
    "text", ["interview_0123456789abcdef ended", "took 1380013800 ns", "GET /hr 200", "a=mid:0"]
)
def test_what_operators_need_stays(text: str) -> None:
    assert redact_text(text) == text


@given(st.text(min_size=16, max_size=40, alphabet="abcXYZ019_-"))
def test_values_of_secret_keys_never_appear(value: str) -> None:
    nested = {"auth": {"token": value, "list": [{"Name": value}]}, "phone": value}
    assert value not in json.dumps(redact(None, "info", nested))


@pytest.mark.parametrize("part", ["x", "eyJ", "a=ice-pwd:", "://a", "/i/", "1380013", "mk_", "."])
def test_huge_values_are_cut_and_cost_little(part: str) -> None:
    began = time.process_time()
    assert len(redact_text(part * 10**6)) <= 2 * MAX_TEXT_CHARS
    assert time.process_time() - began < 2.0


def test_both_kinds_of_logger_write_one_json_object_a_line() -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    output = io.StringIO()
    try:
        configure_logs(LogSettings(format="json"), output)
        structlog.get_logger("ours").info("joined", token=JWT, room="r1")
        logging.getLogger("theirs").warning("saw %s from %s", JWT, "10.0.0.1")
        try:
            raise ValueError(JWT)
        except ValueError:
            structlog.get_logger("ours").exception("failed")
    finally:
        root.handlers[:], root.level = before[0], before[1]
        structlog.reset_defaults()
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [one["level"] for one in lines] == ["info", "warning", "error"]
    assert lines[0]["token"] == HIDDEN
    assert lines[1]["event"] == f"saw {HIDDEN} from 10.0.0.1"
    assert "ValueError" in lines[2]["exception"]
    assert JWT not in output.getvalue()
