"""Which formats of an offered section we take, and under which keys they are forwarded."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sfu.transport.sdp.lines import Section, number

MediaKind = Literal["audio", "video"]

FEEDBACK = ("nack", "nack pli", "ccm fir", "transport-cc")
"""RTCP feedback that the engine understands (RFC 4585, RFC 5104, transport-wide-cc)."""

OPUS_FMTP = "minptime=10;useinbandfec=1;usedtx=1"
"""In-band FEC repairs single losses without a round trip; DTX spares the listener's downlink."""

MAX_RED_BLOCKS = 10
"""As the engine's parser: an offer of more is not answered."""

PROFILE_LEVEL_ID = re.compile(r"[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Codec:
    """A format both sides speak, under the payload type of the offer."""

    payload_type: int
    key: str
    encoding: str
    clock_rate: int
    fmtp: str
    feedback: tuple[str, ...]
    rtx_payload_type: int | None


@dataclass(frozen=True, slots=True)
class _Offered:
    payload_type: int
    encoding: str
    """As in a=rtpmap: `VP8/90000`, `opus/48000/2`; compared without regard to case."""
    parameters: Mapping[str, str]
    fmtp: str


def choose(section: Section) -> tuple[Codec, ...]:
    """The codecs of an audio or video section that we answer, the preferred first.

    Of several payload types with one key the first offered is taken, as RFC 3264 orders them.
    """
    offered = _offered(section)
    feedback = _feedback(section)
    rtx = _retransmission(offered)
    best: dict[str, Codec] = {}
    for format_ in offered:
        key = _key(section.kind, format_)
        if key is not None and key not in best:
            best[key] = Codec(
                payload_type=format_.payload_type,
                key=key,
                encoding=format_.encoding,
                clock_rate=int(format_.encoding.split("/")[1]),
                fmtp=_answered_fmtp(key, format_.parameters),
                feedback=_supported(feedback, format_.payload_type),
                rtx_payload_type=rtx.get(format_.payload_type),
            )
    chosen = sorted(best.values(), key=lambda codec: _preference(codec.key))
    return (*_redundancy(offered, best, feedback), *chosen)


def _preference(key: str) -> int:
    """VP8 first: every browser encodes it in simulcast. `sorted` is stable for the rest."""
    return 0 if key in ("vp8", "opus") else 1


def _redundancy(
    offered: Iterable[_Offered], chosen: Mapping[str, Codec], feedback: list[tuple[str, str]]
) -> Iterator[Codec]:
    """Opus in RFC 2198: it stands first, since browsers send it only where it is preferred."""
    opus = chosen.get("opus")
    for format_ in offered:
        if format_.encoding.lower() != "red/48000/2" or opus is None:
            continue
        blocks = format_.fmtp.split("/")
        if 2 <= len(blocks) <= MAX_RED_BLOCKS and set(blocks) == {str(opus.payload_type)}:
            yield replace(
                opus,
                payload_type=format_.payload_type,
                key="red/opus",
                encoding=format_.encoding,
                fmtp=format_.fmtp,
                feedback=_supported(feedback, format_.payload_type),
            )
            return


def repeated_on_demand(codecs: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """The codecs of a microphone, with NACK for Opus where the sender keeps what it sent.

    libwebrtc does, and takes the answer's word for it, though it never offers NACK for sound; it
    is known by its offer of redundancy. Slots go without: a browser that asks for sound again
    holds back what it has, for up to a second on a bad path, and copies repair more.
    """
    if not any(codec.key == "red/opus" for codec in codecs):
        return codecs
    return tuple(
        replace(codec, feedback=("nack", *(kind for kind in codec.feedback if kind != "nack")))
        if codec.key == "opus"
        else codec
        for codec in codecs
    )


def _key(kind: str, format_: _Offered) -> str | None:
    encoding = format_.encoding.lower()
    if kind == "audio":
        return "opus" if encoding == "opus/48000/2" else None
    if encoding == "vp8/90000":
        return "vp8"
    if encoding == "h264/90000" and _is_common_h264(format_.parameters):
        return "h264/42e01f/1"
    return None


def _is_common_h264(parameters: Mapping[str, str]) -> bool:
    """Constrained Baseline (RFC 6184, table 5) with fragmentation: what every decoder takes."""
    profile = parameters.get("profile-level-id", "420010")
    if parameters.get("packetization-mode") != "1" or not PROFILE_LEVEL_ID.fullmatch(profile):
        return False
    return int(profile[:2], 16) == 0x42 and bool(int(profile[2:4], 16) & 0x40)


def _answered_fmtp(key: str, parameters: Mapping[str, str]) -> str:
    if key == "opus":
        return OPUS_FMTP
    if key.startswith("h264"):
        profile = parameters.get("profile-level-id", "42e01f").lower()
        asymmetry = "level-asymmetry-allowed=1;" if _allows_asymmetry(parameters) else ""
        return f"{asymmetry}packetization-mode=1;profile-level-id={profile}"
    return ""


def _allows_asymmetry(parameters: Mapping[str, str]) -> bool:
    return parameters.get("level-asymmetry-allowed") == "1"


def _offered(section: Section) -> list[_Offered]:
    """The section's formats with an a=rtpmap, in the order of the m= line."""
    encodings = dict(_by_payload_type(section.attributes.every("rtpmap")))
    parameters = dict(_by_payload_type(section.attributes.every("fmtp")))
    formats = (number(text, 127) for text in section.formats)
    usable = [each for each in formats if each is not None and _is_usable(each)]
    return [
        _Offered(payload_type, encodings[payload_type], _fmtp(fmtp), fmtp)
        for payload_type in usable
        if payload_type in encodings
        for fmtp in [parameters.get(payload_type, "")]
    ]


def _is_usable(payload_type: int) -> bool:
    """With rtcp-mux, 64 to 95 would be taken for RTCP (RFC 5761, section 4)."""
    return not 64 <= payload_type <= 95


def _by_payload_type(values: Iterable[str]) -> Iterable[tuple[int, str]]:
    for value in values:
        head, _, rest = value.partition(" ")
        payload_type = number(head, 127)
        if payload_type is not None and rest:
            yield payload_type, rest.strip()


def _fmtp(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name}


def _retransmission(offered: Iterable[_Offered]) -> dict[int, int]:
    """Media payload type -> its RTX payload type (RFC 4588, `apt`)."""
    found: dict[int, int] = {}
    for format_ in offered:
        associated = number(format_.parameters.get("apt", ""), 127)
        if format_.encoding.lower() == "rtx/90000" and associated is not None:
            found.setdefault(associated, format_.payload_type)
    return found


def _feedback(section: Section) -> list[tuple[str, str]]:
    values = (value.partition(" ") for value in section.attributes.every("rtcp-fb"))
    return [(payload_type, " ".join(rest.split()).lower()) for payload_type, _, rest in values]


def _supported(feedback: list[tuple[str, str]], payload_type: int) -> tuple[str, ...]:
    asked = {kind for target, kind in feedback if target in ("*", str(payload_type))}
    return tuple(kind for kind in FEEDBACK if kind in asked)
