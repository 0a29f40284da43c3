"""A browser's offer, checked: what every answer needs to know of it (RFC 8829, RFC 8843)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sfu.contract import SourceKind
from sfu.errors import SdpError
from sfu.transport.sdp.lines import Attributes, Description, Section, malformed, number, split

MAX_EXTENSION_ID = 14
"""Larger ids need two-byte extensions (RFC 8285), which we do not negotiate."""

MAX_LAYERS = 3
"""Simulcast encodings of one source: more are not answered."""

MEDIA_PROTOCOLS = {"UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF"}
"""RFC 8829, section 5.1.2: all three mean DTLS-SRTP."""

KIND_OF_TRACK: Mapping[SourceKind, str] = {
    "microphone": "audio",
    "camera": "video",
    "screen": "video",
}

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
MID = re.compile(r"[A-Za-z0-9_.:-]{1,16}")
RID = re.compile(r"[A-Za-z0-9]{1,16}")
ICE_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
ICE_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")
SHA256 = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}")
EXTENSION_URI = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """What the client says of ICE and DTLS, the same for all its bundled sections."""

    ice_ufrag: str
    ice_pwd: str = field(repr=False)
    fingerprint: str
    """SHA-256 of the client's certificate: upper-case hexadecimal with colons."""


@dataclass(frozen=True, slots=True)
class Extension:
    """An a=extmap of the offer (RFC 8285); `direction` is "" where it names none."""

    identifier: int
    direction: str


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """One m= section. Without `usable` it is answered with port 0."""

    index: int
    mid: str
    line: Section
    usable: bool
    direction: str
    extensions: Mapping[str, Extension]
    """By URI."""
    rids: tuple[str, ...]
    ssrc: int | None
    rtx_ssrc: int | None

    @property
    def kind(self) -> str:
        return self.line.kind


@dataclass(frozen=True, slots=True)
class Offer:
    transport: RemoteTransport
    sections: tuple[OfferedSection, ...]


def parse(sdp: str) -> Offer:
    """Read and check an offer. Raises SdpError, and nothing else, for whatever text."""
    description = split(sdp)
    bundled = _bundled(description)
    sections = tuple(
        _section(index, line, bundled) for index, line in enumerate(description.sections)
    )
    mids = [section.mid for section in sections if section.mid]
    if len(set(mids)) != len(mids):
        raise malformed("two sections have one mid")
    usable = [section for section in sections if section.usable]
    if not usable:
        raise SdpError("sdp_no_media", "no audio or video section of the offer can be answered")
    for section in usable:
        _check_muxed(section)
    return Offer(transport=_transport(description, usable[0].line), sections=sections)


def check_tracks(offer: Offer, tracks: Mapping[str, SourceKind]) -> None:
    """Each named section exists, is of the right kind, and no kind of source comes twice."""
    kinds = {section.mid: section.kind for section in offer.sections if section.mid}
    for mid, track in tracks.items():
        if kinds.get(mid) != KIND_OF_TRACK.get(track, ""):
            raise SdpError("sdp_tracks", "tracks name a section that is absent or of another kind")
    if len(set(tracks.values())) != len(tracks):
        raise SdpError("sdp_tracks", "tracks name one kind of source twice")


def tracks_of(sdp: str) -> dict[str, SourceKind]:
    """The sections of an offer that send, for a client that names none: the first of each kind."""
    found: dict[str, SourceKind] = {}
    kinds: dict[str, SourceKind] = {"audio": "microphone", "video": "camera"}
    for section in parse(sdp).sections:
        sends = section.usable and section.direction in ("sendonly", "sendrecv")
        if sends and section.kind in kinds:
            found[section.mid] = kinds.pop(section.kind)
    return found


def _bundled(description: Description) -> frozenset[str]:
    """The mids of the BUNDLE group (RFC 8843); one transport for all is the only way we speak."""
    for value in description.session.every("group"):
        semantics, _, mids = value.partition(" ")
        if semantics == "BUNDLE" and mids:
            return frozenset(mids.split())
    raise SdpError("sdp_no_bundle", "the offer has no BUNDLE group")


def _section(index: int, line: Section, bundled: frozenset[str]) -> OfferedSection:
    attributes = line.attributes
    mid = attributes.first("mid") or ""
    if mid and not MID.fullmatch(mid):
        raise malformed("a mid is not a token of at most 16 characters")
    stopped = line.port == 0 and not attributes.has("bundle-only")
    media = line.kind in ("audio", "video") and line.protocol in MEDIA_PROTOCOLS
    ssrc, rtx_ssrc = _ssrcs(attributes)
    return OfferedSection(
        index=index,
        mid=mid,
        line=line,
        usable=media and not stopped and mid in bundled,
        direction=next((name for name in DIRECTIONS if attributes.has(name)), "sendrecv"),
        extensions=_extensions(attributes),
        rids=_rids(attributes),
        ssrc=ssrc,
        rtx_ssrc=rtx_ssrc,
    )


def _check_muxed(section: OfferedSection) -> None:
    attributes = section.line.attributes
    if not attributes.has("rtcp-mux") and not attributes.has("rtcp-mux-only"):
        raise SdpError("sdp_no_rtcp_mux", "a section of the offer does not multiplex RTCP")


def _transport(description: Description, tagged: Section) -> RemoteTransport:
    """From the first usable section, or the session's own lines where that has none."""

    def first(name: str) -> str:
        return tagged.attributes.first(name) or description.session.first(name) or ""

    ufrag, pwd = first("ice-ufrag"), first("ice-pwd")
    if not ICE_UFRAG.fullmatch(ufrag) or not ICE_PWD.fullmatch(pwd):
        raise SdpError("sdp_ice", "the offer has no valid ICE credentials")
    if first("setup") not in ("actpass", "active"):
        raise SdpError("sdp_setup", "the offer must leave the passive DTLS role to us")
    return RemoteTransport(ufrag, pwd, _fingerprint(description, tagged))


def _fingerprint(description: Description, tagged: Section) -> str:
    for attributes in (tagged.attributes, description.session):
        for value in attributes.every("fingerprint"):
            algorithm, _, digest = value.partition(" ")
            if algorithm.lower() == "sha-256" and SHA256.fullmatch(digest.strip()):
                return digest.strip().upper()
    raise SdpError("sdp_fingerprint", "the offer has no sha-256 fingerprint")


def _extensions(attributes: Attributes) -> dict[str, Extension]:
    """The header extensions that fit the one-byte form; the first of each URI and id wins."""
    found: dict[str, Extension] = {}
    taken = set()
    for value in attributes.every("extmap"):
        head, _, rest = value.partition(" ")
        text, _, direction = head.partition("/")
        identifier = number(text, MAX_EXTENSION_ID)
        uri = rest.strip().partition(" ")[0]
        known = direction in ("", *DIRECTIONS) and EXTENSION_URI.fullmatch(uri)
        if identifier and known and identifier not in taken and uri not in found:
            found[uri] = Extension(identifier, direction)
            taken.add(identifier)
    return found


def _rids(attributes: Attributes) -> tuple[str, ...]:
    """The simulcast layers the client sends, lowest first (RFC 8853).

    RFC 8853 orders by preference, but what browsers put there is the page's `sendEncodings`;
    `q`, `h` and `f` are the names everyone gives to the quarter, half and full size.
    """
    declared = {value.split()[0] for value in attributes.every("rid") if _is_sending_rid(value)}
    words = (attributes.first("simulcast") or "").split()
    streams = dict(zip(words[::2], words[1::2], strict=False)).get("send", "")
    # One alternative of each stream, a paused one included: ~ says that it only begins later.
    rids = [choice.split(",")[0].removeprefix("~") for choice in streams.split(";")]
    sent = list(dict.fromkeys(rid for rid in rids if rid in declared))[:MAX_LAYERS]
    if set(sent) <= set("qhf"):
        sent.sort(key="qhf".index)
    return tuple(sent)


def _is_sending_rid(value: str) -> bool:
    words = value.split()
    return len(words) >= 2 and words[1] == "send" and RID.fullmatch(words[0]) is not None


def _ssrcs(attributes: Attributes) -> tuple[int | None, int | None]:
    """The announced media SSRC and its RTX SSRC (RFC 5576); the first where there are several."""
    for value in attributes.every("ssrc-group"):
        semantics, _, members = value.partition(" ")
        numbers = [number(member, 0xFFFFFFFF) for member in members.split()]
        if semantics == "FID" and len(numbers) == 2 and None not in numbers:
            return numbers[0], numbers[1]
    announced = (number(value.split(" ")[0], 0xFFFFFFFF) for value in attributes.every("ssrc"))
    return next((ssrc for ssrc in announced if ssrc is not None), None), None
