"""One peer's offers and answers over its whole visit: what stays stable between them."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sfu.contract import SourceKind
from sfu.errors import SdpError
from sfu.transport.sdp.answer import (
    AnsweredSection,
    HostAddress,
    LocalTransport,
    SentStream,
    write,
)
from sfu.transport.sdp.codecs import Codec, choose, repeated_on_demand
from sfu.transport.sdp.offer import Offer, OfferedSection, RemoteTransport, check_tracks, parse

SDES = "urn:ietf:params:rtp-hdrext:sdes:"
MID = f"{SDES}mid"
RID = f"{SDES}rtp-stream-id"
REPAIRED_RID = f"{SDES}repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

COMMON_EXTENSIONS = {MID, ABS_SEND_TIME, TRANSPORT_CC}
EXTENSIONS = {
    ("audio", "receive"): COMMON_EXTENSIONS | {AUDIO_LEVEL},
    ("audio", "send"): COMMON_EXTENSIONS | {AUDIO_LEVEL},
    ("video", "receive"): COMMON_EXTENSIONS | {RID, REPAIRED_RID, VIDEO_ORIENTATION},
    ("video", "send"): COMMON_EXTENSIONS | {VIDEO_ORIENTATION},
}

Use = Literal["source", "slot", "idle", "rejected"]


@dataclass(frozen=True, slots=True)
class Receiving:
    """A section that the client sends and the engine receives."""

    mid: str
    source: SourceKind
    kind: Literal["audio", "video"]
    codecs: tuple[Codec, ...]
    extensions: Mapping[str, int]
    rids: tuple[str, ...]
    ssrc: int | None
    rtx_ssrc: int | None


@dataclass(frozen=True, slots=True)
class Sending:
    """A slot: a section that the engine sends."""

    mid: str
    kind: Literal["audio", "video"]
    codecs: tuple[Codec, ...]
    extensions: Mapping[str, int]
    sent: SentStream


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What an answer says, for the engine and for forwarding."""

    sdp: str = field(repr=False)
    transport: LocalTransport
    remote: RemoteTransport
    ice_restarted: bool
    sources: tuple[Receiving, ...]
    slots: tuple[Sending, ...]


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What the last answer fixed for the next one."""

    remote: RemoteTransport
    sections: tuple[tuple[str, str] | None, ...]
    """Mid and kind; None where it was rejected or stopped: its place may be taken by another."""


class Negotiator:
    """Answers the offers of one peer; a refused offer changes nothing."""

    def __init__(
        self,
        fingerprint: str,
        addresses: Sequence[HostAddress],
        draw_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        """`fingerprint` of our certificate, sha-256; `draw_bits(n)` gives n random bits."""
        self._fingerprint = fingerprint
        self._addresses = tuple(addresses)
        self._draw_bits = draw_bits
        self._session_id = draw_bits(62)
        self._version = 0
        self._agreed: _Agreed | None = None
        self._transport = self._new_transport()
        self._streams: dict[str, SentStream] = {}

    def answer(self, sdp: str, tracks: Mapping[str, SourceKind]) -> Negotiated:
        """Answer an offer; `tracks` says which mids are sources. Raises SdpError."""
        offer = parse(sdp)
        check_tracks(offer, tracks)
        restarted = self._check_continuity(offer)
        codecs = {section.mid: _codecs(section, tracks) for section in offer.sections}
        uses = {section.mid: _use(section, codecs, tracks) for section in offer.sections}
        if not {"source", "slot", "idle"} & set(uses.values()):
            raise SdpError("sdp_no_media", "no section of the offer has a codec that we speak")
        if restarted:
            self._transport = self._new_transport()
        self._name_streams(offer, codecs, uses)
        sections = [self._answered(section, codecs, uses) for section in offer.sections]
        self._version += 1
        self._agreed = _Agreed(
            offer.transport,
            tuple((each.mid, each.offered.kind) if each.codecs else None for each in sections),
        )
        return self._negotiated(offer, tracks, sections, uses, restarted)

    def _check_continuity(self, offer: Offer) -> bool:
        """Hold a later offer against the last one; true if it restarts ICE (RFC 8445, 9)."""
        agreed = self._agreed
        if agreed is None:
            return False
        if offer.transport.fingerprint != agreed.remote.fingerprint:
            raise SdpError("sdp_changed", "the certificate changed: connect anew")
        sections = tuple((section.mid, section.kind) for section in offer.sections)
        if len(sections) < len(agreed.sections) or any(
            was not in (None, now) for was, now in zip(agreed.sections, sections, strict=False)
        ):
            raise SdpError("sdp_changed", "sections of the earlier offer are missing or changed")
        return (offer.transport.ice_ufrag, offer.transport.ice_pwd) != (
            agreed.remote.ice_ufrag,
            agreed.remote.ice_pwd,
        )

    def _new_transport(self) -> LocalTransport:
        """Fresh credentials: 48 and 192 random bits (RFC 8445 asks for 24 and 128)."""
        return LocalTransport(
            ice_ufrag=self._draw_bits(48).to_bytes(6).hex(),
            ice_pwd=self._draw_bits(192).to_bytes(24).hex(),
            fingerprint=self._fingerprint,
            addresses=self._addresses,
        )

    def _name_streams(
        self, offer: Offer, codecs: Mapping[str, tuple[Codec, ...]], uses: Mapping[str, Use]
    ) -> None:
        """The k-th audio slot and the k-th video slot are one stream, for the sake of lip sync.

        A slot keeps SSRCs and stream for as long as it is one. A section that was something else
        meanwhile gets new ones: the engine would number the old SSRCs from the start again, under
        the same keys, and repeat nonces (RFC 3711, section 9.1).
        """
        self._streams = {
            mid: kept for mid, kept in self._streams.items() if uses.get(mid) == "slot"
        }
        taken = {
            ssrc for stream in self._streams.values() for ssrc in (stream.ssrc, stream.rtx_ssrc)
        }
        taken |= {ssrc for section in offer.sections for ssrc in (section.ssrc, section.rtx_ssrc)}
        count = {"audio": 0, "video": 0}
        for section in offer.sections:
            if uses[section.mid] != "slot":
                continue
            count[section.kind] += 1
            stream = self._streams.get(section.mid) or SentStream(
                ssrc=self._draw_ssrc(taken), rtx_ssrc=None, stream=f"slot-{count[section.kind]}"
            )
            repairs = any(codec.rtx_payload_type is not None for codec in codecs[section.mid])
            if repairs and stream.rtx_ssrc is None:
                stream = replace(stream, rtx_ssrc=self._draw_ssrc(taken))
            self._streams[section.mid] = stream

    def _draw_ssrc(self, taken: set[int | None]) -> int:
        ssrc = 0
        while ssrc == 0 or ssrc in taken:
            ssrc = self._draw_bits(32)
        taken.add(ssrc)
        return ssrc

    def _answered(
        self,
        section: OfferedSection,
        codecs: Mapping[str, tuple[Codec, ...]],
        uses: Mapping[str, Use],
    ) -> AnsweredSection:
        use = uses[section.mid]
        rejected = AnsweredSection(section.line, section.mid, "inactive")
        if use == "rejected":
            return rejected
        wanted = EXTENSIONS[section.kind, "send" if use == "slot" else "receive"]
        return replace(
            rejected,
            direction=_direction(section, use),
            codecs=codecs[section.mid],
            extensions=tuple(item for item in section.extensions.items() if item[0] in wanted),
            rids=section.rids if use == "source" else (),
            sent=self._streams[section.mid] if use == "slot" else None,
        )

    def _negotiated(
        self,
        offer: Offer,
        tracks: Mapping[str, SourceKind],
        sections: Sequence[AnsweredSection],
        uses: Mapping[str, Use],
        restarted: bool,
    ) -> Negotiated:
        pairs = list(zip(offer.sections, sections, strict=True))
        return Negotiated(
            sdp=write(self._session_id, self._version, self._transport, sections),
            transport=self._transport,
            remote=offer.transport,
            ice_restarted=restarted,
            sources=tuple(
                _receiving(offered, answered, tracks[answered.mid])
                for offered, answered in pairs
                if uses[answered.mid] == "source"
            ),
            slots=tuple(
                _sending(answered, answered.sent)
                for _, answered in pairs
                if answered.sent is not None
            ),
        )


def _codecs(section: OfferedSection, tracks: Mapping[str, SourceKind]) -> tuple[Codec, ...]:
    codecs = choose(section.line) if section.usable else ()
    return repeated_on_demand(codecs) if tracks.get(section.mid) == "microphone" else codecs


def _use(
    section: OfferedSection,
    codecs: Mapping[str, tuple[Codec, ...]],
    tracks: Mapping[str, SourceKind],
) -> Use:
    """A named section is a source even while inactive; any other that receives is a slot."""
    if not codecs[section.mid]:
        return "rejected"
    if section.mid in tracks:
        return "source"
    return "slot" if section.direction in ("recvonly", "sendrecv") else "idle"


def _direction(section: OfferedSection, use: Use) -> str:
    if use == "source":
        return "recvonly" if section.direction in ("sendonly", "sendrecv") else "inactive"
    return "sendonly" if use == "slot" else "inactive"


def _media_kind(section: AnsweredSection) -> Literal["audio", "video"]:
    return "audio" if section.offered.kind == "audio" else "video"


def _receiving(offered: OfferedSection, answered: AnsweredSection, source: SourceKind) -> Receiving:
    # In simulcast the layers are told apart by rid; announced SSRCs would name only one of them.
    simulcast = bool(answered.rids)
    return Receiving(
        mid=answered.mid,
        source=source,
        kind=_media_kind(answered),
        codecs=answered.codecs,
        extensions={uri: item.identifier for uri, item in answered.extensions},
        rids=answered.rids,
        ssrc=None if simulcast else offered.ssrc,
        rtx_ssrc=None if simulcast else offered.rtx_ssrc,
    )


def _sending(answered: AnsweredSection, sent: SentStream) -> Sending:
    return Sending(
        mid=answered.mid,
        kind=_media_kind(answered),
        codecs=answered.codecs,
        extensions={uri: item.identifier for uri, item in answered.extensions},
        sent=sent,
    )
