"""The visitor's SDP offer (RFC 8829), and what it needs of the answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from loadtest.errors import LoadtestError

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
MID_EXTENSION = 4
TRANSPORT_CC_EXTENSION = 3
VP8_PAYLOAD_TYPE = 96
VP8_RTX_PAYLOAD_TYPE = 97
OPUS_PAYLOAD_TYPE = 111


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """One m= section; `ssrc` is what a sending section announces."""

    mid: str
    kind: Literal["audio", "video"]
    direction: Literal["sendonly", "recvonly"]
    ssrc: int | None = None


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
    """The offer of a client that bundles everything, with VP8 and Opus only."""
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
    codecs = _VP8_LINES if section.kind == "video" else _OPUS_LINES
    payload_types = f"{VP8_PAYLOAD_TYPE} {VP8_RTX_PAYLOAD_TYPE}"
    if section.kind == "audio":
        payload_types = str(OPUS_PAYLOAD_TYPE)
    lines = [
        f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {payload_types}",
        "c=IN IP4 0.0.0.0",
        "a=setup:actpass",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=mid:{section.mid}",
        f"a={section.direction}",
        f"a=extmap:{MID_EXTENSION} {MID_URI}",
        f"a=extmap:{TRANSPORT_CC_EXTENSION} {TRANSPORT_CC_URI}",
        *codecs,
    ]
    if section.ssrc is not None:
        lines.append(f"a=ssrc:{section.ssrc} cname:visitor")
    return lines


_VP8_LINES = (
    f"a=rtpmap:{VP8_PAYLOAD_TYPE} VP8/90000",
    f"a=rtcp-fb:{VP8_PAYLOAD_TYPE} nack",
    f"a=rtcp-fb:{VP8_PAYLOAD_TYPE} nack pli",
    f"a=rtcp-fb:{VP8_PAYLOAD_TYPE} transport-cc",
    f"a=rtpmap:{VP8_RTX_PAYLOAD_TYPE} rtx/90000",
    f"a=fmtp:{VP8_RTX_PAYLOAD_TYPE} apt={VP8_PAYLOAD_TYPE}",
)

_OPUS_LINES = (
    f"a=rtpmap:{OPUS_PAYLOAD_TYPE} opus/48000/2",
    f"a=rtcp-fb:{OPUS_PAYLOAD_TYPE} transport-cc",
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
