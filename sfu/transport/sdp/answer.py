"""The answer as text (RFC 8829, section 5.3): written from what `negotiate` decided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal

from sfu.transport.sdp.codecs import Codec
from sfu.transport.sdp.lines import Section
from sfu.transport.sdp.offer import Extension

HOST_TYPE_PREFERENCE = {"udp": 126, "tcp": 90}
"""RFC 8445, section 5.1.2.2; TCP below every UDP candidate, as RFC 6544, section 4.2, has it."""

PASSIVE_PREFERENCE = 4
"""Clients open the connections: RFC 6544, section 4.2."""

REVERSED = {
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "sendrecv": "sendrecv",
    "inactive": "inactive",
}


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address and port of ours, as clients reach it."""

    ip: str
    port: int
    transport: Literal["udp", "tcp"] = "udp"


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end of the one transport."""

    ice_ufrag: str
    ice_pwd: str = field(repr=False)
    fingerprint: str
    addresses: Sequence[HostAddress]


@dataclass(frozen=True, slots=True)
class SentStream:
    """What a slot sends: SSRCs of our choice, and the stream that pairs it with its partner."""

    ssrc: int
    rtx_ssrc: int | None
    stream: str
    """Audio and video with one stream name are played in sync; it is the CNAME too."""


@dataclass(frozen=True, slots=True)
class AnsweredSection:
    """One m= section of the answer; rejected without `codecs`."""

    offered: Section
    mid: str
    direction: str
    codecs: tuple[Codec, ...] = ()
    extensions: tuple[tuple[str, Extension], ...] = ()
    rids: tuple[str, ...] = ()
    sent: SentStream | None = None


def write(
    session_id: int, version: int, transport: LocalTransport, sections: Sequence[AnsweredSection]
) -> str:
    """The answer's text, with one section for each of the offer's, in order."""
    accepted = [section for section in sections if section.codecs]
    lines = [
        "v=0",
        f"o=- {session_id} {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        " ".join(["a=group:BUNDLE", *(section.mid for section in accepted)]),
        "a=msid-semantic: WMS *",
    ]
    for section in sections:
        lines += _accepted(section, transport) if section.codecs else _rejected(section)
        if section is accepted[0]:
            lines += _candidates(transport.addresses)
    return "\r\n".join(lines) + "\r\n"


def _rejected(section: AnsweredSection) -> Iterator[str]:
    yield f"m={section.offered.kind} 0 {section.offered.protocol} {section.offered.formats[0]}"
    yield "c=IN IP4 0.0.0.0"
    if section.mid:
        yield f"a=mid:{section.mid}"
    yield "a=inactive"


def _accepted(section: AnsweredSection, transport: LocalTransport) -> Iterator[str]:
    formats = " ".join(str(payload_type) for payload_type in _payload_types(section.codecs))
    yield f"m={section.offered.kind} 9 {section.offered.protocol} {formats}"
    yield "c=IN IP4 0.0.0.0"
    yield "a=rtcp:9 IN IP4 0.0.0.0"
    yield f"a=ice-ufrag:{transport.ice_ufrag}"
    yield f"a=ice-pwd:{transport.ice_pwd}"
    yield f"a=fingerprint:sha-256 {transport.fingerprint}"
    yield "a=setup:passive"
    yield f"a=mid:{section.mid}"
    yield from (_extmap(uri, extension) for uri, extension in section.extensions)
    yield f"a={section.direction}"
    yield "a=rtcp-mux"
    yield "a=rtcp-rsize"
    for codec in section.codecs:
        yield from _codec(codec)
    yield from _simulcast(section.rids)
    if section.sent is not None:
        yield from _stream(section.offered.kind, section.sent)


def _extmap(uri: str, extension: Extension) -> str:
    direction = f"/{REVERSED[extension.direction]}" if extension.direction else ""
    return f"a=extmap:{extension.identifier}{direction} {uri}"


def _payload_types(codecs: Sequence[Codec]) -> Iterator[int]:
    for codec in codecs:
        yield codec.payload_type
        if codec.rtx_payload_type is not None:
            yield codec.rtx_payload_type


def _codec(codec: Codec) -> Iterator[str]:
    yield f"a=rtpmap:{codec.payload_type} {codec.encoding}"
    yield from (f"a=rtcp-fb:{codec.payload_type} {kind}" for kind in codec.feedback)
    if codec.fmtp:
        yield f"a=fmtp:{codec.payload_type} {codec.fmtp}"
    if codec.rtx_payload_type is not None:
        yield f"a=rtpmap:{codec.rtx_payload_type} rtx/{codec.clock_rate}"
        yield f"a=fmtp:{codec.rtx_payload_type} apt={codec.payload_type}"


def _simulcast(rids: Sequence[str]) -> Iterator[str]:
    if rids:
        yield from (f"a=rid:{rid} recv" for rid in rids)
        yield f"a=simulcast:recv {';'.join(rids)}"


def _stream(kind: str, sent: SentStream) -> Iterator[str]:
    track = f"{sent.stream}-{kind}"
    yield f"a=msid:{sent.stream} {track}"
    ssrcs = [sent.ssrc]
    if sent.rtx_ssrc is not None:
        ssrcs.append(sent.rtx_ssrc)
        yield f"a=ssrc-group:FID {sent.ssrc} {sent.rtx_ssrc}"
    for ssrc in ssrcs:
        yield f"a=ssrc:{ssrc} cname:{sent.stream}"
        yield f"a=ssrc:{ssrc} msid:{sent.stream} {track}"


def _candidates(addresses: Sequence[HostAddress]) -> Iterator[str]:
    """Host candidates in the order given, most preferred first (RFC 8839, section 5.1)."""
    for index, address in enumerate(addresses):
        priority = _priority(address, index)
        transport = address.transport
        # RFC 6544, section 4.5: only TCP candidates have a type.
        suffix = " tcptype passive" if transport == "tcp" else ""
        yield (
            f"a=candidate:{index + 1} 1 {transport} {priority} {ip_address(address.ip)} "
            f"{address.port} typ host{suffix}"
        )
    yield "a=end-of-candidates"


def _priority(address: HostAddress, index: int) -> int:
    local = 0xFFFF - index
    if address.transport == "tcp":
        local = PASSIVE_PREFERENCE << 13 | 0x1FFF - index
    return HOST_TYPE_PREFERENCE[address.transport] << 24 | local << 8 | 0xFF
