"""How the engine is to serve a viewer's video slots: drawn size, ceiling, precedence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfu.contract import PeerId
from sfu.forwarding.assignment import Candidate, Source

MAX_SHARP_PEOPLE = 4
"""A room with more people than this gets cameras of at most `CROWDED_HEIGHT` lines."""

CROWDED_HEIGHT = 720

SCREEN_PRIORITY = 2
SPEAKER_PRIORITY = 1


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels of a drawn picture; 0 and 0: it is not drawn."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the engine should know of one video slot. The default is what it assumes untold."""

    drawn: Size | None = None
    max_height: int | None = None
    """The most picture lines; 0: no pictures at all."""
    priority: int = 0
    """Slots of a higher one get bandwidth first."""


def tunings(
    shown: Mapping[str, Source],
    candidates: Sequence[Candidate],
    sizes: Mapping[str, Size],
    limit: int | None,
    people: int,
) -> dict[str, Tuning]:
    """Slot mid -> tuning, for the slots that show a picture.

    `sizes`: what the viewer said of its slots. `limit`: the most lines that it wants of anybody.
    `people`: how many stand in the scene.
    """
    speaker = _last_speaker(candidates)
    return {
        mid: Tuning(
            drawn=sizes.get(mid),
            max_height=_ceiling(source, limit, people),
            priority=_priority(source, speaker),
        )
        for mid, source in shown.items()
        if source.kind != "microphone"
    }


def _last_speaker(candidates: Sequence[Candidate]) -> PeerId | None:
    """Who speaks or spoke last: silence does not make their picture worse."""
    spoken = [candidate for candidate in candidates if candidate.spoke > 0]
    return max(spoken, key=lambda candidate: candidate.spoke).source.peer if spoken else None


def _ceiling(source: Source, limit: int | None, people: int) -> int | None:
    """A shared screen is there to be read, so a full room does not blur it."""
    if source.kind == "camera" and people > MAX_SHARP_PEOPLE:
        return CROWDED_HEIGHT if limit is None else min(limit, CROWDED_HEIGHT)
    return limit


def _priority(source: Source, speaker: PeerId | None) -> int:
    if source.kind == "screen":
        return SCREEN_PRIORITY
    return SPEAKER_PRIORITY if source.peer == speaker else 0
