"""Which sources get a viewer's slots, and which slot each: a pure function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sfu.contract import PeerId, SourceKind


@dataclass(frozen=True, slots=True)
class Source:
    """A section that a peer sends."""

    peer: PeerId
    mid: str
    kind: SourceKind


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source that the viewer may be shown, and what speaks for showing it."""

    source: Source
    started: bool
    """It has sent media."""
    enabled: bool
    speaking: bool
    spoke: int
    """Higher: its peer began to speak more recently; 0: never."""
    joined: int
    """Lower: its peer has been here for longer."""

    @property
    def live(self) -> bool:
        return self.started and self.enabled


def assign(
    candidates: Sequence[Candidate],
    audio: Sequence[str],
    video: Sequence[str],
    shown: Mapping[str, Source],
) -> dict[str, Source]:
    """Slot mid -> source. Every candidate is shown while there are slots enough.

    A source that stays keeps its slot, so that nobody's picture jumps. New ones take a free slot:
    microphone and camera of one peer the k-th of each kind where both are free, since those are
    one stream and are played in sync.
    """
    cameras = [c for c in candidates if c.source.kind != "microphone"]
    microphones = [c for c in candidates if c.source.kind == "microphone"]
    assigned = _fill(_chosen(cameras, len(video), shown), video, shown, {})
    beside = _positions(assigned, video)
    return assigned | _fill(_chosen(microphones, len(audio), shown), audio, shown, beside)


def _chosen(
    candidates: Sequence[Candidate], slots: int, shown: Mapping[str, Source]
) -> list[Source]:
    """The sources that get a slot, in the order in which they may pick one."""
    if len(candidates) > slots:
        visible = set(shown.values())
        candidates = sorted(candidates, key=lambda c: _rank(c, c.source in visible))[:slots]
    ordered = sorted(candidates, key=lambda c: (c.source.kind == "screen", c.joined))
    return [candidate.source for candidate in ordered]


def _rank(candidate: Candidate, visible: bool) -> tuple[bool, bool, bool, bool, int, int]:
    """Smaller is better: a screen, what sends, who speaks, who is seen already, who spoke last."""
    return (
        candidate.source.kind != "screen",
        not candidate.live,
        not candidate.speaking,
        not visible,
        -candidate.spoke,
        candidate.joined,
    )


def _fill(
    sources: Sequence[Source],
    slots: Sequence[str],
    shown: Mapping[str, Source],
    wishes: Mapping[PeerId, int],
) -> dict[str, Source]:
    """Keep who is there, then fill the free slots, the wished position first if it is free."""
    wanted = set(sources)
    kept = {mid: shown[mid] for mid in slots if shown.get(mid) in wanted}
    settled = set(kept.values())
    waiting = [source for source in sources if source not in settled]
    free = [mid for mid in slots if mid not in kept]
    reserved: dict[str, Source] = {}
    for source in waiting:
        position = wishes.get(source.peer)
        if position is not None and position < len(slots) and slots[position] in free:
            reserved[slots[position]] = source
            free.remove(slots[position])
    unplaced = [source for source in waiting if source not in reserved.values()]
    return kept | reserved | dict(zip(free, unplaced, strict=False))


def _positions(assigned: Mapping[str, Source], slots: Sequence[str]) -> dict[PeerId, int]:
    """Peer -> index of the slot that shows its camera."""
    return {
        assigned[mid].peer: index
        for index, mid in enumerate(slots)
        if mid in assigned and assigned[mid].kind == "camera"
    }
