"""A session description as lines (RFC 8866): split, bounded, and nothing interpreted yet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sfu.errors import SdpError

MAX_OFFER_BYTES = 128 * 1024
"""As MAX_SDP_BYTES of the protocol: the WHIP endpoint comes here without that check."""

MAX_LINE_CHARS = 4096
"""Browsers stay below 1,000; the longest are msid and fmtp."""

MAX_SECTIONS = 64
"""Bounds slots, SSRCs and answers of one peer."""

MAX_FORMATS = 128
"""There are no more payload types (RFC 3551)."""

WORD = r"[!#-'*+\-.0-9A-Z^-~]+"
MEDIA = re.compile(rf"{WORD} \S+ {WORD}(/{WORD})*( {WORD}){{1,{MAX_FORMATS}}}")
"""RFC 8866, section 9. A rejected section's words stand in the answer as they came."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The a= lines of a section or of the session, in order."""

    pairs: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str | None:
        return next(self.every(name), None)

    def every(self, name: str) -> Iterator[str]:
        return (value for key, value in self.pairs if key == name)

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)


@dataclass(frozen=True, slots=True)
class Section:
    """One m= line and what follows it."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Description:
    session: Attributes
    sections: tuple[Section, ...]


def malformed(reason: str) -> SdpError:
    return SdpError("sdp_malformed", f"the offer is malformed: {reason}")


def split(sdp: str) -> Description:
    """Split an offer into session and sections. Raises SdpError `sdp_too_large`, `sdp_malformed`.

    Lines end with CRLF or LF (RFC 8866, section 5). Types that do not matter to an answer (t=, s=,
    b=) are passed over, so a description of a future browser is not refused for them.
    """
    _check_size(sdp)
    blocks = _blocks(sdp)
    return Description(
        session=_attributes(blocks[0]), sections=tuple(_section(block) for block in blocks[1:])
    )


def _check_size(sdp: str) -> None:
    # Characters first: encoding a huge string to count its bytes would be work for nothing.
    if len(sdp) > MAX_OFFER_BYTES or len(sdp.encode(errors="replace")) > MAX_OFFER_BYTES:
        raise SdpError("sdp_too_large", f"an offer has at most {MAX_OFFER_BYTES} bytes")


def _blocks(sdp: str) -> list[list[tuple[str, str]]]:
    """The session's lines, then each section's, as (type, value)."""
    blocks: list[list[tuple[str, str]]] = [[]]
    for line in _lines(sdp):
        if line[0] == "m":
            if len(blocks) > MAX_SECTIONS:
                raise SdpError("sdp_too_large", f"an offer has at most {MAX_SECTIONS} sections")
            blocks.append([])
        blocks[-1].append(line)
    if not blocks[0] or blocks[0][0] != ("v", "0"):
        raise malformed("it does not begin with v=0")
    return blocks


def _lines(sdp: str) -> Iterator[tuple[str, str]]:
    for raw in sdp.split("\n"):
        line = raw.removesuffix("\r")
        if not line:
            continue
        if len(line) > MAX_LINE_CHARS or len(line) < 2 or line[1] != "=" or not line[0].islower():
            raise malformed("a line is not of the form x=value")
        if not line.isprintable():
            raise malformed("a line holds control characters")
        yield line[0], line[2:]


def _attributes(block: list[tuple[str, str]]) -> Attributes:
    pairs = (value.partition(":") for kind, value in block if kind == "a")
    return Attributes(tuple((name, value.strip()) for name, _, value in pairs))


def _section(block: list[tuple[str, str]]) -> Section:
    value = block[0][1]
    if not MEDIA.fullmatch(value):
        raise malformed("an m= line is incomplete or not made of tokens")
    words = value.split(" ")
    port = number(words[1], 0xFFFF)
    if port is None:
        raise malformed("an m= line has no valid port")
    return Section(
        kind=words[0],
        port=port,
        protocol=words[2],
        formats=tuple(words[3:]),
        attributes=_attributes(block),
    )


def number(text: str, largest: int) -> int | None:
    """A decimal number of at most ten ASCII digits, or None."""
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        return None
    value = int(text)
    return value if value <= largest else None
