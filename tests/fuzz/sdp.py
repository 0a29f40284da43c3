"""What must hold of the answer to any offer, and of an ICE restart by any fragment (WHIP)."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from server.bearer_sessions import IceCredentials, ice_credentials, with_ice_credentials
from sfu.contract import SourceKind
from sfu.errors import SdpError
from sfu.transport.engine import describe
from sfu.transport.sdp import HostAddress, Negotiated, Negotiator, Sending, tracks_of
from sfu.transport.sdp.lines import Section, split

SEEDS = (Path(__file__).parent / "seeds", Path(__file__).parents[1] / "vectors" / "sdp")
"""Short offers and sequences of them; whole offers of browsers."""

BETWEEN_TEXTS = "\0"
"""Refused in an offer, so that nothing is lost by it."""

MAX_TEXTS = 4
ANSWERED_SECTION_CHARS = 2_000
FINGERPRINT = ":".join(["AB"] * 32)
ADDRESSES = (HostAddress("192.0.2.7", 5000), HostAddress("192.0.2.7", 5001, "tcp"))
FRESH = IceCredentials("fresh", "freshpasswordfreshpassword")
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
Tracks = Mapping[str, SourceKind] | None
TRACKS: Sequence[Tracks] = (None, {}, {"0": "microphone", "1": "camera", "2": "screen"})
"""As the client says by signaling; None: a WHIP encoder, which does not say."""

DIRECTIONS_TO = {
    "sendrecv": {"sendrecv", "sendonly", "recvonly", "inactive"},
    "sendonly": {"recvonly", "inactive"},
    "recvonly": {"sendonly", "inactive"},
    "inactive": {"inactive"},
}
"""RFC 3264, section 6.1."""

TOKEN = r"[!#-'*+\-.0-9A-Z^-~]+"
MID = r"[A-Za-z0-9_.:-]{1,16}"
ANSWER_LINE = re.compile(
    "|".join(
        (
            r"v=0|o=- \d+ \d+ IN IP4 127\.0\.0\.1|s=-|t=0 0|c=IN IP4 0\.0\.0\.0",
            r"m=(audio|video) 9 (UDP/TLS/|TCP/DTLS/|)RTP/SAVPF( \d{1,3})+",
            rf"m={TOKEN} 0 {TOKEN}(/{TOKEN})* {TOKEN}",
            r"a=(ice-lite|msid-semantic: WMS \*|setup:passive|rtcp-mux|rtcp-rsize)",
            r"a=(sendonly|recvonly|inactive|end-of-candidates|rtcp:9 IN IP4 0\.0\.0\.0)",
            rf"a=group:BUNDLE( {MID})+|a=mid:{MID}",
            r"a=ice-ufrag:[0-9a-f]{12}|a=ice-pwd:[0-9a-f]{48}",
            r"a=fingerprint:sha-256 [0-9A-F:]{95}",
            r"a=candidate:\d+ 1 (udp|tcp) \d+ [0-9.]+ \d+ typ host( tcptype passive)?",
            r"a=extmap:\d+(/(sendrecv|sendonly|recvonly|inactive))? [!-~]+",
            r"a=rtpmap:\d+ [A-Za-z0-9]+/\d+(/2)?|a=fmtp:\d+ [!-~]+",
            r"a=rtcp-fb:\d+ (nack|nack pli|ccm fir|transport-cc)",
            r"a=rid:[A-Za-z0-9]+ recv|a=simulcast:recv [A-Za-z0-9]+(;[A-Za-z0-9]+)*",
            r"a=ssrc-group:FID \d+ \d+|a=ssrc:\d+ cname:[a-z0-9-]+",
            r"a=(ssrc:\d+ )?msid:[a-z0-9-]+ [a-z0-9-]+",
        )
    )
)
"""RFC 8866, section 9, and the RFC of each attribute, as narrow as what we write."""


def sdp(data: bytes) -> None:
    """Texts with NUL between them: offers to one peer, each a fragment to the one before too.

    Raises AssertionError if a promise is broken, and whatever else than SdpError comes out.
    """
    texts = data.decode(errors="surrogateescape").split(BETWEEN_TEXTS)[:MAX_TEXTS]
    for tracks in TRACKS:
        peer = Negotiator(FINGERPRINT, ADDRESSES, random.Random(7).getrandbits)
        slots: dict[str, Sending] = {}
        for text, fragment in zip(texts, [*texts[1:], ""], strict=True):
            answered = _answer(peer, text, tracks)
            if answered is None:
                continue
            _check(text, answered)
            _check_kept(slots, answered)
            slots = {slot.mid: slot for slot in answered.slots}
            _check_restart(peer, text, tracks, ice_credentials(fragment) or FRESH)


def _answer(peer: Negotiator, text: str, tracks: Tracks) -> Negotiated | None:
    """None if it was refused, which changed nothing."""
    before = _state(peer)
    try:
        answered = peer.answer(text, tracks_of(text) if tracks is None else tracks)
    except SdpError as error:
        assert error.code in CODES
        assert _state(peer) == before
        return None
    assert len(peer._streams) == len(answered.slots)
    return answered


def _state(peer: Negotiator) -> dict[str, object]:
    return {**vars(peer), "_streams": dict(peer._streams)}


def _check(text: str, answered: Negotiated) -> None:
    """The answer is well-formed and fits the offer, section by section."""
    theirs, ours = split(text), split(answered.sdp)
    assert answered.sdp.endswith("\r\n")
    for line in answered.sdp[:-2].split("\r\n"):
        assert ANSWER_LINE.fullmatch(line), line
    assert len(answered.sdp) <= len(text) + ANSWERED_SECTION_CHARS * (len(theirs.sections) + 1)
    pairs = list(zip(theirs.sections, ours.sections, strict=True))
    accepted = [_check_section(*pair) for pair in pairs]
    mids = [mid for mid in accepted if mid is not None]
    assert list(ours.session.every("group")) == [" ".join(["BUNDLE", *mids])]
    assert any(set(mids) <= set(group.split()[1:]) for group in theirs.session.every("group"))
    used = [section.mid for section in (*answered.sources, *answered.slots)]
    assert len(set(used)) == len(used)
    assert set(used) <= set(mids)
    _check_streams(answered.slots)
    describe(answered)


def _check_section(theirs: Section, ours: Section) -> str | None:
    """The mid where it is accepted."""
    assert (ours.kind, ours.protocol) == (theirs.kind, theirs.protocol)
    mid = theirs.attributes.first("mid") or ""
    assert list(ours.attributes.every("mid")) == ([mid] if mid else [])
    if not ours.port:
        assert ours.formats == theirs.formats[:1]
        assert [name for name, _ in ours.attributes.pairs if name != "mid"] == ["inactive"]
        return None
    directions = {name for name in DIRECTIONS_TO if theirs.attributes.has(name)} or {"sendrecv"}
    (direction,) = (name for name in DIRECTIONS_TO if ours.attributes.has(name))
    assert any(direction in DIRECTIONS_TO[offered] for offered in directions)
    _check_formats(theirs, ours)
    extensions = list(_extensions(ours))
    assert set(extensions) <= set(_extensions(theirs))
    for column in zip(*extensions, strict=True):
        assert len(set(column)) == len(column)
    offered_rids = {value.split()[0] for value in theirs.attributes.every("rid") if value}
    assert {value.split()[0] for value in ours.attributes.every("rid")} <= offered_rids
    return mid


def _check_formats(theirs: Section, ours: Section) -> None:
    assert len(set(ours.formats)) == len(ours.formats)
    assert set(ours.formats) <= {word.lstrip("0") or "0" for word in theirs.formats}
    offered, answered = _encodings(theirs), _encodings(ours)
    assert answered.keys() == set(ours.formats)
    assert all(offered[payload_type] == each for payload_type, each in answered.items())


def _encodings(section: Section) -> dict[str, str]:
    words = (value.split() for value in section.attributes.every("rtpmap"))
    return {pair[0].lstrip("0") or "0": pair[1].lower() for pair in words if len(pair) > 1}


def _extensions(section: Section) -> Iterator[tuple[int, str]]:
    for value in section.attributes.every("extmap"):
        found = re.match(r"(\d+)\S* +(\S+)", value, re.ASCII)
        if found:
            yield int(found[1]), found[2]


def _check_streams(slots: Sequence[Sending]) -> None:
    """Each slot can repeat what it sends where that was agreed on, and no SSRC comes twice."""
    for slot in slots:
        repeats = any(codec.rtx_payload_type is not None for codec in slot.codecs)
        assert slot.sent.rtx_ssrc is not None or not repeats
    ssrcs = [ssrc for slot in slots for ssrc in (slot.sent.ssrc, slot.sent.rtx_ssrc) if ssrc]
    assert len(set(ssrcs)) == len(ssrcs)


def _check_kept(before: Mapping[str, Sending], answered: Negotiated) -> None:
    """What remains a slot remains of its kind, and keeps its SSRC."""
    for slot in answered.slots:
        known = before.get(slot.mid, slot)
        assert (known.kind, known.sent.ssrc) == (slot.kind, slot.sent.ssrc)


def _check_restart(peer: Negotiator, text: str, tracks: Tracks, given: IceCredentials) -> None:
    """As PATCH does: whoever was answered once can restart ICE, with any credentials allowed."""
    restarted = _answer(peer, with_ice_credentials(text, given), tracks)
    if restarted is not None:
        assert restarted.remote.ice_ufrag == given.ufrag.strip()
        assert restarted.remote.ice_pwd == given.pwd.strip()
    else:
        assert given != FRESH or len(text) > 100_000
