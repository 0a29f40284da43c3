"""Whatever the text, the answer is an answer or an SdpError with a known code."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.errors import SdpError
from sfu.transport.sdp import HostAddress, Negotiator, tracks_of
from tests.sfu.transport.test_sdp import ALL_TRACKS, FINGERPRINT, VECTORS

CODES = {
    "sdp_too_large",
    "sdp_malformed",
    "sdp_no_bundle",
    "sdp_no_rtcp_mux",
    "sdp_ice",
    "sdp_fingerprint",
    "sdp_setup",
    "sdp_tracks",
    "sdp_no_media",
    "sdp_changed",
}
OFFERS = [path.read_bytes().decode().split("\r\n") for path in sorted(VECTORS.glob("*.sdp"))]
LINES = sorted({line for lines in OFFERS for line in lines})
WORDS = st.sampled_from(
    ["0", "-1", "96", "65536", "q;h;f", "~q,h", "*", "send", "", " ", "a=", "é", "\x00"]
)


def check(text: str) -> None:
    peer = Negotiator(FINGERPRINT, [HostAddress("192.0.2.7", 9)], random.Random(7).getrandbits)
    for tracks in (ALL_TRACKS, {}, "guessed"):
        try:
            chosen = tracks_of(text) if tracks == "guessed" else tracks
            answer = peer.answer(text, chosen)
        except SdpError as error:
            assert error.code in CODES
        else:
            offered = [line for line in text.split("\n") if line.startswith("m=")]
            answered = [line for line in answer.sdp.split("\r\n") if line.startswith("m=")]
            assert len(answered) == len(offered)


@given(st.text(max_size=400))
def test_any_text(text):
    check(text)


@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=20)), max_size=60))
def test_shuffled_lines(lines):
    check("v=0\r\n" + "\r\n".join(lines))


@settings(max_examples=150)
@given(
    st.sampled_from(OFFERS),
    st.lists(
        st.tuples(
            st.sampled_from(["drop", "double", "replace", "graft"]),
            st.floats(0, 1, exclude_max=True),
            st.one_of(WORDS, st.sampled_from(LINES)),
            st.floats(0, 1),
        ),
        max_size=6,
    ),
)
def test_damaged_offers(lines, damages):
    lines = list(lines)
    for what, where, text, cut in damages:
        index = int(where * len(lines))
        line = lines[index] if lines else ""
        match what:
            case "drop":
                del lines[index : index + 1]
            case "double":
                lines.insert(index, line)
            case "replace":
                lines[index : index + 1] = [line[: int(cut * len(line))] + text]
            case "graft":
                lines.insert(index, text)
    check("\r\n".join(lines))
