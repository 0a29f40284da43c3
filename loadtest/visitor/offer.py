"""The visitor's SDP offer (RFC 8829), and what it needs of the answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from loadtest.errors import LoadtestError

_SDES = "urn:ietf:params:rtp-hdrext:sdes:"
MID_URI = f"{_SDES}mid"
RID_URI = f"{_SDES}rtp-stream-id"
REPAIRED_RID_URI = f"{_SDES}repaired-rtp-stream-id"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO_LEVEL_EXTENSION = 1
TRANSPORT_CC_EXTENSION = 3
MID_EXTENSION = 4
RID_EXTENSION = 10
REPAIRED_RID_EXTENSION = 11
VP8_PAYLOAD_TYPE = 96
VP8_RTX_PAYLOAD_TYPE = 97
H264_PAYLOAD_TYPE = 102
H264_RTX_PAYLOAD_TYPE = 103
OPUS_PAYLOAD_TYPE = 111


@dataclass(frozen=True, slots=True)
class Format:
    """A payload type of every offer, and that of its retransmissions."""

    codec: Literal["opus", "vp8", "h264"]
    payload_type: int
    repair_payload_type: int | None = None


FORMATS = (
    Format("opus", OPUS_PAYLOAD_TYPE),
    Format("vp8", VP8_PAYLOAD_TYPE, VP8_RTX_PAYLOAD_TYPE),
    Format("h264", H264_PAYLOAD_TYPE, H264_RTX_PAYLOAD_TYPE),
)


EXTENSIONS = {
    "mid": MID_EXTENSION,
    "rid": RID_EXTENSION,
    "repaired_rid": REPAIRED_RID_EXTENSION,
    "transport_cc": TRANSPORT_CC_EXTENSION,
    "audio_level": AUDIO_LEVEL_EXTENSION,
}
"""Header extensions of every offer, by number."""


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """One m= section; `ssrc` and `repair_ssrc` are what a sending section announces.

    With `rids` it sends these layers, the lowest first, and announces no SSRC (RFC 8853).
    """

    mid: str
    kind: Literal["audio", "video"]
    direction: Literal["sendonly", "recvonly"]
    ssrc: int | None = None
    repair_ssrc: int | None = None
    rids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """One side's ICE user fragment and password (RFC 8839, section 5.4)."""

    ufrag: str
    pwd: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerTransport:
    """Where the server is and how to know it: from its answer."""

    credentials: Credentials
    fingerprint: str
    address: tuple[str, int]


def write_offer(
    sections: Sequence[OfferedSection], credentials: Credentials, fingerprint: str
) -> str:
    """The offer of a client that bundles everything, with VP8, H264 and Opus."""
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(section.mid for section in sections)}",
        f"a=ice-ufrag:{credentials.ufrag}",
        f"a=ice-pwd:{credentials.pwd}",
        f"a=fingerprint:sha-256 {fingerprint}",
    ]
    for section in sections:
        lines += _section_lines(section)
    return "\r\n".join(lines) + "\r\n"


def _section_lines(section: OfferedSection) -> list[str]:
    codecs = _VIDEO_LINES if section.kind == "video" else _OPUS_LINES
    kinds = ("opus",) if section.kind == "audio" else ("vp8", "h264")
    payload_types = [
        str(number)
        for each in FORMATS
        if each.codec in kinds
        for number in (each.payload_type, each.repair_payload_type)
        if number is not None
    ]
    return [
        f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(payload_types)}",
        "c=IN IP4 0.0.0.0",
        "a=setup:actpass",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=mid:{section.mid}",
        f"a={section.direction}",
        f"a=extmap:{MID_EXTENSION} {MID_URI}",
        f"a=extmap:{TRANSPORT_CC_EXTENSION} {TRANSPORT_CC_URI}",
        *(_VIDEO_EXTENSIONS if section.kind == "video" else _AUDIO_EXTENSIONS),
        *codecs,
        *_stream_lines(section),
    ]


def _stream_lines(section: OfferedSection) -> list[str]:
    if section.rids:
        simulcast = f"a=simulcast:send {';'.join(section.rids)}"
        return [*(f"a=rid:{rid} send" for rid in section.rids), simulcast]
    if section.ssrc is None:
        return []
    streams = [section.ssrc]
    lines = []
    if section.repair_ssrc is not None:
        streams.append(section.repair_ssrc)
        lines.append(f"a=ssrc-group:FID {section.ssrc} {section.repair_ssrc}")
    return [*lines, *(f"a=ssrc:{ssrc} cname:visitor" for ssrc in streams)]


_AUDIO_EXTENSIONS = (f"a=extmap:{AUDIO_LEVEL_EXTENSION} {AUDIO_LEVEL_URI}",)
_VIDEO_EXTENSIONS = (
    f"a=extmap:{RID_EXTENSION} {RID_URI}",
    f"a=extmap:{REPAIRED_RID_EXTENSION} {REPAIRED_RID_URI}",
)


def _video_lines(payload_type: int, repair: int, encoding: str) -> tuple[str, ...]:
    return (
        f"a=rtpmap:{payload_type} {encoding}/90000",
        *(f"a=rtcp-fb:{payload_type} {each}" for each in _VIDEO_FEEDBACK),
        f"a=rtpmap:{repair} rtx/90000",
        f"a=fmtp:{repair} apt={payload_type}",
    )


_VIDEO_FEEDBACK = ("nack", "nack pli", "transport-cc")
_H264_FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
_VIDEO_LINES = (
    *_video_lines(VP8_PAYLOAD_TYPE, VP8_RTX_PAYLOAD_TYPE, "VP8"),
    *_video_lines(H264_PAYLOAD_TYPE, H264_RTX_PAYLOAD_TYPE, "H264"),
    f"a=fmtp:{H264_PAYLOAD_TYPE} {_H264_FMTP}",
)

_OPUS_LINES = (
    f"a=rtpmap:{OPUS_PAYLOAD_TYPE} opus/48000/2",
    f"a=rtcp-fb:{OPUS_PAYLOAD_TYPE} transport-cc",
)


@dataclass(frozen=True, slots=True)
class SlotStream:
    """A stream that the server's answer announces."""

    mid: str
    kind: Literal["audio", "video"]
    ssrc: int
    repair_ssrc: int | None


def read_slots(sdp: str) -> tuple[SlotStream, ...]:
    """The slots of an answer."""
    return tuple(
        slot for section in sdp.split("\r\nm=")[1:] if (slot := _slot(section)) is not None
    )


def _slot(section: str) -> SlotStream | None:
    mid = re.search(r"a=mid:(\S+)", section)
    ssrc = re.search(r"a=ssrc:(\d+)", section)
    if mid is None or ssrc is None:
        return None
    pair = re.search(r"a=ssrc-group:FID (\d+) (\d+)", section)
    return SlotStream(
        mid[1],
        "audio" if section.startswith("audio") else "video",
        int(pair[1] if pair else ssrc[1]),
        int(pair[2]) if pair else None,
    )


def read_answer(sdp: str) -> ServerTransport:
    """The transport of a bundled answer. Raises LoadtestError when something is missing."""
    host, port = _find(r"a=candidate:\S+ 1 (?:udp|UDP) \d+ (\S+) (\d+) typ host", sdp)
    return ServerTransport(
        credentials=Credentials(
            _find(r"a=ice-ufrag:(\S+)", sdp)[0], _find(r"a=ice-pwd:(\S+)", sdp)[0]
        ),
        fingerprint=_find(r"a=fingerprint:sha-256 (\S+)", sdp)[0],
        address=(host, int(port)),
    )


def _find(pattern: str, sdp: str) -> tuple[str, ...]:
    found = re.search(pattern, sdp)
    if found is None:
        raise LoadtestError(f"the answer has no {pattern.partition(':')[0]}")
    return tuple(found.groups())
