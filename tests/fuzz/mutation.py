"""Seeded changes to session descriptions, by line and by word: where bytes alone seldom lead."""

import random
import re
from collections.abc import Callable

from tests.fuzz.sdp import BETWEEN_TEXTS, SEEDS

SEED_TEXTS = [path.read_bytes() for folder in SEEDS for path in sorted(folder.glob("*.sdp"))]
END = b"\r\n"
LINES = sorted({line for text in SEED_TEXTS for line in re.split(b"\r\n|\0", text)})
PARTS = re.compile(rb"([ :=;,/])")
WORDS = (
    *(b"", b"0", b"-1", b"1", b"9", b"14", b"15", b"72", b"96", b"097", b"127", b"128", b"65536"),
    *(b"4294967295", b"4294967296", b"9" * 30, b"0x60", b"1e3", "１".encode(), "é".encode()),
    *(b"*", b"~q", b"q,h;~f", b"send", b"recv", b"sendrecv", b"inactive", b"bundle-only"),
    *(b"audio", b"video", b"application", b"BUNDLE", b"FID", b"SIM", b"apt", b"red", b"rtx"),
    *(b"opus", b"VP8", b"H264", b"a", b"m", b"v", b"\t", b"\x80", b"\xff\xfe", b"x" * 300),
)
MAX_REPEATS = 70


def mutate(text: bytes, chance: random.Random) -> bytes:
    """One to five changes."""
    lines = text.split(END)
    for _ in range(chance.randint(1, 5)):
        if lines:
            chance.choice(CHANGES)(lines, chance.randrange(len(lines)), chance)
    return END.join(lines)


def _drop(lines: list[bytes], at: int, chance: random.Random) -> None:
    del lines[at]


def _cut(lines: list[bytes], at: int, chance: random.Random) -> None:
    parts = PARTS.split(lines[at])
    lines[at] = b"".join(parts[: chance.randrange(len(parts))])


def _repeat(lines: list[bytes], at: int, chance: random.Random) -> None:
    lines[at:at] = [lines[at]] * chance.choice((1, 1, 2, MAX_REPEATS))


def _swap(lines: list[bytes], at: int, chance: random.Random) -> None:
    other = chance.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _graft(lines: list[bytes], at: int, chance: random.Random) -> None:
    lines.insert(at, chance.choice(LINES))


def _change_word(lines: list[bytes], at: int, chance: random.Random) -> None:
    """A word becomes another of the same text, or an odd one; or they are separated otherwise."""
    parts = PARTS.split(lines[at])
    words = (*WORDS, *PARTS.split(chance.choice(lines)))
    parts[chance.randrange(len(parts))] = chance.choice(words)
    lines[at] = b"".join(parts)


def _change_byte(lines: list[bytes], at: int, chance: random.Random) -> None:
    line = bytearray(lines[at])
    if line:
        line[chance.randrange(len(line))] = chance.randrange(256)
    lines[at] = bytes(line)


def _move_section(lines: list[bytes], at: int, chance: random.Random) -> None:
    """From one m= line to the next: dropped, doubled or moved to the end."""
    starts = [index for index, line in enumerate(lines) if line.startswith(b"m=")]
    if starts:
        begin = chance.choice(starts)
        end = min((start for start in starts if start > begin), default=len(lines))
        section = lines[begin:end]
        if chance.random() < 0.7:
            del lines[begin:end]
        lines += section * chance.choice((0, 1, 1, 2))


def _offer_again(lines: list[bytes], at: int, chance: random.Random) -> None:
    """The same offer once more; later changes strike one of the two."""
    lines.append(BETWEEN_TEXTS.encode() + lines[0].rpartition(BETWEEN_TEXTS.encode())[2])
    lines += lines[1:-1]


CHANGES: tuple[Callable[[list[bytes], int, random.Random], None], ...] = (
    *(_drop, _cut, _repeat, _swap, _graft, _change_byte, _move_section, _offer_again),
    *(_change_word,) * 4,
)
