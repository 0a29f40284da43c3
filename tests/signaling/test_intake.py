"""Rate, size, name, schema."""

import pytest

from signaling.errors import InvalidMessage, RateLimited, TooLarge, UnknownCommand
from signaling.protocol.base import MAX_CHAT_CHARS, MAX_COMMAND_BYTES
from signaling.protocol.commands import ChatSend, RoomLeave
from signaling.session.intake import MAX_REASON_CHARS, Intake
from signaling.session.limits import COMMANDS, OFFERS, REPORTS, Bucket, Rate

OFFER = {"sdp": "v=0", "tracks": {"0": "microphone"}}
SLOT = {"mid": "5", "width": 640, "height": 360, "fps": 30}


def test_a_good_command():
    command = Intake(0).command("chat.send", {"text": "hi", "key": "k1"}, 50, 0)
    assert command == ChatSend(text="hi", key="k1")


def test_no_body_is_an_empty_one():
    assert Intake(0).command("room.leave", None, 20, 0) == RoomLeave()


def test_an_unknown_command():
    with pytest.raises(UnknownCommand):
        Intake(0).command("room.explode", {}, 20, 0)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("chat.send", {"text": "", "key": "k"}),
        ("chat.send", {"text": "x" * (MAX_CHAT_CHARS + 1), "key": "k"}),
        ("chat.send", {"text": "hi", "key": "k" * 65}),
        ("chat.send", {"text": "hi", "key": "k", "more": 1}),
        ("chat.send", {"text": ["hi"], "key": "k"}),
        ("chat.send", "hi"),
        ("chat.send", ["hi"]),
        ("reaction.send", {"name": "explode"}),
        ("seat.admit", {"participant": "<script>"}),
        ("seat.admit", {"participant": None}),
        ("quality.report", {"level": "splendid"}),
        ("quality.report", {"level": "good", "rtt_ms": float("nan")}),
        ("quality.report", {"level": "good", "rtt_ms": float("inf")}),
        ("quality.report", {"level": "good", "loss_up_ratio": -0.1}),
        ("quality.report", {"level": "good", "loss_down_ratio": 1.01}),
        ("quality.report", {"level": "good", "freezes": 10**9}),
        ("quality.report", {"level": "good", "frozen_ms": -1}),
        ("quality.report", {"level": "good", "sendable_bps": 1e30}),
        ("quality.report", {"level": "good", "participant": "someone-else"}),
        ("quality.report", {"level": "good", "slots": [SLOT] * 65}),
        ("quality.report", {"level": "good", "slots": [SLOT | {"width": 10**6}]}),
        ("quality.report", {"level": "good", "slots": [SLOT | {"peer": "someone-else"}]}),
        ("media.offer", {"sdp": "x" * 200_000, "tracks": {}}),
        ("media.offer", {"sdp": "v=0", "tracks": {str(n): "camera" for n in range(9)}}),
        ("media.offer", {"sdp": "v=0", "tracks": {"0": "kitchen"}}),
        ("room.leave", {"really": True}),
    ],
)
def test_a_body_that_does_not_fit(name, body):
    with pytest.raises(InvalidMessage) as refused:
        Intake(0).command(name, body, 100, 0)
    assert len(refused.value.message) <= MAX_REASON_CHARS
    assert "<script>" not in refused.value.message, "what was sent is not repeated"


def test_sizes():
    intake = Intake(0)
    with pytest.raises(TooLarge):
        intake.command("chat.send", {"text": "hi", "key": "k"}, MAX_COMMAND_BYTES + 1, 0)
    intake.command("media.offer", OFFER, MAX_COMMAND_BYTES + 1, 0)


def test_a_flood_is_refused_and_forgiven():
    intake = Intake(0)
    for _ in range(int(COMMANDS.burst)):
        intake.command("room.leave", {}, 20, 0)
    with pytest.raises(RateLimited):
        intake.command("room.leave", {}, 20, 0)
    intake.command("room.leave", {}, 20, 1_000)


def test_reports_have_a_limit_of_their_own():
    intake = Intake(0)
    for _ in range(int(REPORTS.burst)):
        intake.command("quality.report", {"level": "good"}, 100, 0)
    with pytest.raises(RateLimited):
        intake.command("quality.report", {"level": "good"}, 100, 0)
    intake.command("room.leave", {}, 20, 0)
    intake.command("quality.report", {"level": "good"}, 100, 1_000)


def test_offers_have_a_limit_of_their_own():
    intake = Intake(0)
    for _ in range(int(OFFERS.burst)):
        intake.command("media.offer", OFFER, 100, 0)
    with pytest.raises(RateLimited):
        intake.command("media.offer", OFFER, 100, 0)
    intake.command("room.leave", {}, 20, 0)


def test_a_bucket_neither_overflows_nor_runs_backwards():
    bucket = Bucket(Rate(burst=2, per_second=1), 1_000_000)
    assert [bucket.take(1_000_000) for _ in range(3)] == [True, True, False]
    assert not bucket.take(0)
    assert bucket.take(1_001_000)
    assert [bucket.take(9_000_000) for _ in range(3)] == [True, True, False]
