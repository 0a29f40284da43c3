"""Whatever the text, the answer is an answer or an SdpError with a known code."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.transport.sdp.lines import MAX_OFFER_BYTES
from tests.fuzz.mutation import LINES, SEED_TEXTS, mutate
from tests.fuzz.sdp import SEEDS, sdp

MUTATIONS_PER_SEED = 40
LONGEST_S = 2.0
"""Of processor time, for the three peers and their restarts; it takes some tenths."""


@given(st.text(max_size=400))
def test_any_text(text):
    sdp(text.encode(errors="replace"))


@given(st.lists(st.one_of(st.sampled_from(LINES), st.binary(max_size=20)), max_size=60))
def test_shuffled_lines(lines):
    sdp(b"v=0\r\n" + b"\r\n".join(lines))


@pytest.mark.parametrize("seed", range(len(SEED_TEXTS)))
def test_seeds_and_changes_to_them(seed):
    sdp(SEED_TEXTS[seed])
    chance = random.Random(seed)
    for _ in range(MUTATIONS_PER_SEED):
        sdp(mutate(SEED_TEXTS[seed], chance))


@pytest.mark.parametrize(
    "line",
    [
        "a=x",
        "a=group:",
        "a=extmap:1 u",
        "a=rtpmap:96 VP8/90000",
        "a=fmtp:97 " + "apt=96;" * 500,
        "a=rtcp-fb:* nack",
        "a=rid:q send",
        "a=simulcast:send " + "q;" * 2000,
        "a=ssrc-group:FID" + " 1" * 2000,
        "a=ice-ufrag:" + "x" * 257,
        "a=fingerprint:sha-256 " + "AB:" * 1000,
        "m=video 9 UDP/TLS/RTP/SAVPF" + " 96" * 128,
    ],
)
def test_the_longest_offers_take_no_longer_than_their_length(line):
    chromium = (SEEDS[0] / "chromium-small.sdp").read_bytes().decode()
    many = (line + "\r\n") * ((MAX_OFFER_BYTES - len(chromium)) // (len(line) + 2))
    began = time.process_time()
    for text in (chromium + many, chromium.replace("m=", many + "m=", 1)):
        sdp(text.encode())
    assert time.process_time() - began < LONGEST_S
