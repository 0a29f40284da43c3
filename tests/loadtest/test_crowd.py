"""Virtual users against a real server: real links, ICE, DTLS and media."""

import asyncio
import json
import struct
import subprocess

import av
import pytest

from loadtest.crowd import clips
from loadtest.crowd.counts import Counts
from loadtest.crowd.process import Crowd
from loadtest.crowd.run import NotAllowedError, run
from loadtest.crowd.scenario import parse_scenario
from loadtest.errors import LoadtestError
from loadtest.server_process import mianshi_command

SMALL = clips.Picture("vp8", height=90, frames_per_second=10, kbps=60)

SCENARIO = """
title = "A few"
users = 6
lasts_s = 2
rooms = {{ interviewers = 2 }}
joins = {{ within_s = 0.5 }}
media = {{ codec = "{codec}", layers = [{layers}] }}
limits = {{ loss_ratio = 0.001, freezes_over_500ms = 0 }}
"""
LAYER = "{ height = 90, frames_per_second = 10, kbps = 60 }"


def frames_of(path):
    """(is keyframe, payloads) of each frame of a clip, by the format's description."""
    content = path.read_bytes()
    magic, version, codec, _, clock, ticks, count = struct.unpack_from(">4sBBHIII", content)
    assert (magic, version) == (b"MCLP", 1)
    at, frames = 20, []
    for _ in range(count):
        is_key, packets = struct.unpack_from(">BH", content, at)
        at += 3
        payloads = []
        for _ in range(packets):
            (length,) = struct.unpack_from(">H", content, at)
            payloads.append(content[at + 2 : at + 2 + length])
            at += 2 + length
        frames.append((bool(is_key), payloads))
    assert at == len(content)
    return codec, clock, ticks, frames


def test_a_clip_is_real_video_that_begins_with_its_only_keyframe(tmp_path):
    codec, clock, ticks, frames = frames_of(clips.picture(SMALL, tmp_path))
    assert (codec, clock, ticks) == (1, 90_000, 9_000)
    assert [is_key for is_key, _ in frames] == [True] + [False] * (len(frames) - 1)
    decoder = av.CodecContext.create("vp8", "r")
    decoded = [
        picture for _, parts in frames for picture in decoder.decode(av.Packet(b"".join(parts)))
    ]
    assert len(decoded) == len(frames) == clips.CLIP_LASTS_S * 10
    assert {(picture.width, picture.height) for picture in decoded} == {(160, 90)}
    kbps = sum(len(part) for _, parts in frames for part in parts) * 8 / 1000 / clips.CLIP_LASTS_S
    assert 0.6 * SMALL.kbps < kbps < 1.4 * SMALL.kbps


def test_a_voice_is_real_opus(tmp_path):
    codec, clock, ticks, frames = frames_of(clips.sound(tmp_path))
    assert (codec, clock, ticks) == (0, 48_000, 960)
    decoder = av.CodecContext.create("opus", "r")
    samples = sum(
        sound.samples for _, (packet,) in frames for sound in decoder.decode(av.Packet(packet))
    )
    assert abs(samples - len(frames) * 960) <= 960
    assert abs(len(frames) * 0.02 - clips.CLIP_LASTS_S) < 0.5


def test_percentiles_are_of_all_counts_together():
    counts = Counts()
    assert counts.percentile_ms(99) is None
    counts.add([(1_000, 90), (5_000, 9)])
    counts.add([(1_000, 900), (20_000, 1)])
    assert counts.as_dict() == {"p50": 1.0, "p95": 1.0, "p99": 1.0, "max": 20.0}


@pytest.mark.parametrize(
    ("codec", "layers"), [("vp8", LAYER), ("h264", LAYER), ("vp8", f"{LAYER}, {LAYER}")]
)
async def test_a_few_users_see_and_hear_each_other(codec, layers):
    scenario = parse_scenario(SCENARIO.format(codec=codec, layers=layers), "here")
    if codec == "h264":
        # Long enough for everybody's first report of quality.
        scenario = scenario.model_copy(update={"lasts_s": 5.5})
    told = []
    outcome = await run(scenario, tell=told.append)
    figures = outcome.figures
    assert outcome.passed, outcome.as_dict()
    assert (figures["joined"], figures["without_picture"]) == (6, 0)
    # Two others each: of each, 50 sounds and at least 10 packets of pictures a second.
    assert figures["packets"] > 6 * 2 * 60 * (scenario.lasts_s - 1)
    assert figures["unreadable"] == figures["refused"] == 0
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"]
    assert figures["join_ms"]["n"] == figures["first_picture_ms"]["n"] == 6
    assert len(told) >= 2
    assert figures["server_rss_kb"] > 0


async def test_a_test_that_is_stopped_tells_what_it_saw():
    scenario = parse_scenario(SCENARIO.format(codec="vp8", layers=LAYER), "here")
    stop = asyncio.Event()

    def stop_when_all_are_there(second):
        if second.joined == 6:
            stop.set()

    long = scenario.model_copy(update={"lasts_s": 600.0})
    outcome = await run(long, stop=stop, tell=stop_when_all_are_there)
    assert outcome.partial
    assert outcome.reason == "stopped"
    assert outcome.figures["joined"] == 6
    assert not outcome.passed


async def test_a_time_limit_ends_a_test():
    scenario = parse_scenario(SCENARIO.format(codec="vp8", layers=LAYER), "here")
    outcome = await run(scenario.model_copy(update={"lasts_s": 600.0}), most_s=2)
    assert outcome.partial
    assert "time limit" in outcome.reason


@pytest.mark.parametrize("hr", ["https://example.com/j/x", "http://192.0.2.1/j/x", "nonsense"])
async def test_only_this_machine_is_loaded(hr):
    scenario = parse_scenario(SCENARIO.format(codec="vp8", layers=LAYER), "here")
    with pytest.raises(NotAllowedError):
        await run(scenario, hr=hr)


async def test_a_crowd_that_cannot_play_its_clips_says_so(tmp_path):
    broken = tmp_path / "broken.clip"
    broken.write_bytes(b"MCLP" + bytes(5))
    for path, reason in ((broken, "not a clip"), (tmp_path / "none.clip", "No such file")):
        crowd = await Crowd.open([path], lambda kind, what: None)
        await crowd.ended()
        with pytest.raises(LoadtestError, match="virtual users") as failed:
            await crowd.close()
        assert reason in failed.value.remedy


@pytest.mark.parametrize(("limit", "status"), [("", 0), ("latency_p99_ms = 0.000001", 1)])
def test_the_command_prints_one_object_and_tells_by_its_status(tmp_path, limit, status):
    file = tmp_path / "few.toml"
    text = SCENARIO.format(codec="vp8", layers=LAYER)
    file.write_text(text.replace("loss_ratio = 0.001", limit or "loss_ratio = 0.001"))
    report = tmp_path / "report.html"
    command = [*mianshi_command(), "loadtest", "run", str(file), "--json"]
    done = subprocess.run([*command, "--report", str(report)], capture_output=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["pass"]) == (status, status == 0), done.stderr
    assert (told["users"], told["joined"], told["partial"]) == (6, 6, False)
    assert "<svg" in report.read_text()
