"""Who is shown in which slot: scenes, and the assignment of sources to the slots of a viewer.

Pure: a call changes the table and returns what the engine and the listener must be told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sfu.contract import PeerId, Slot, SourceKind
from sfu.forwarding.assignment import Candidate, Source, assign
from sfu.forwarding.tuning import Size, Tuning, tunings

Kind = Literal["audio", "video"]

KIND_OF: Mapping[SourceKind, Kind] = {
    "microphone": "audio",
    "camera": "video",
    "screen": "video",
}

MAX_SLOTS_ASKED = 16
"""Of each kind: Chromium writes 5.6 KiB of SDP for a video slot, and an offer has a bound."""


@dataclass(frozen=True, slots=True)
class Route:
    """Show `source` (peer, mid) in the viewer's slot, or nothing."""

    viewer: PeerId
    slot: str
    source: tuple[PeerId, str] | None


@dataclass(frozen=True, slots=True)
class SlotTuned:
    """The engine is to serve the viewer's slot so from now on."""

    viewer: PeerId
    slot: str
    tuning: Tuning


@dataclass(frozen=True, slots=True)
class SlotsChanged:
    """The whole list of the viewer's slots."""

    viewer: PeerId
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class SlotsShort:
    """The viewer would need this many slots of each kind to see and hear everyone."""

    viewer: PeerId
    audio: int
    video: int


@dataclass(slots=True)
class Changes:
    """What one call changed. `tuned`, then `routes` go to the engine together and in order."""

    tuned: list[SlotTuned] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    slots: list[SlotsChanged] = field(default_factory=list)
    short: list[SlotsShort] = field(default_factory=list)


@dataclass(slots=True)
class _Member:
    peer: PeerId
    joined: int
    sources: dict[SourceKind, str] = field(default_factory=dict)
    audio: tuple[str, ...] = ()
    video: tuple[str, ...] = ()
    scene: str | None = None
    watches: PeerId | None = None
    disabled: set[SourceKind] = field(default_factory=lambda: {"screen"})
    started: set[SourceKind] = field(default_factory=set)
    speaking: bool = False
    spoke: int = 0
    """Counts up over the table whenever someone begins to speak; 0: never."""
    shown: dict[str, Source] = field(default_factory=dict)
    """Slot mid -> what it shows; empty slots are absent."""
    asked: tuple[int, int] = (0, 0)
    sizes: dict[str, Size] = field(default_factory=dict)
    max_height: int | None = None
    tuned: dict[str, Tuning] = field(default_factory=dict)
    """What the engine was told of the slots."""
    paused: set[str] = field(default_factory=set)
    """Slots whose picture the engine holds back."""


class SceneTable:
    """All peers of a node and the scenes they stand in."""

    def __init__(self) -> None:
        self._members: dict[PeerId, _Member] = {}
        self._scenes: dict[str, dict[PeerId, None]] = {}
        self._watchers: dict[PeerId, dict[PeerId, None]] = {}
        self._joined = 0
        self._spoke = 0

    def describe(
        self,
        peer: PeerId,
        sources: Mapping[SourceKind, str],
        audio: Sequence[str],
        video: Sequence[str],
    ) -> Changes:
        """Add a peer or give it a new description: its sources and the mids of its slots."""
        member = self._members.get(peer)
        if member is None:
            self._joined += 1
            member = self._members[peer] = _Member(peer, self._joined)
        member.sources = dict(sources)
        member.audio, member.video = tuple(audio), tuple(video)
        member.started &= set(sources)
        # A slot that is gone needs no route: the engine forgets it with its section.
        present = {*member.audio, *member.video}
        member.shown = {mid: source for mid, source in member.shown.items() if mid in present}
        member.sizes = {mid: size for mid, size in member.sizes.items() if mid in present}
        member.tuned = {mid: tuning for mid, tuning in member.tuned.items() if mid in present}
        member.paused &= present
        return self._refresh([peer, *self._audience(member)])

    def place(self, peer: PeerId, scene: str | None) -> Changes:
        """Move a peer into a scene or out of all; both scenes change together."""
        member = self._members.get(peer)
        if member is None or member.scene == scene:
            return Changes()
        before = self._audience(member)
        self._leave_scene(member)
        member.scene = scene
        if scene is not None:
            self._scenes.setdefault(scene, {})[peer] = None
        # Those who lose sight of the peer first: nobody sees two rounds' rooms at once.
        return self._refresh(dict.fromkeys([*before, peer, *self._audience(member)]))

    def watch(self, viewer: PeerId, subject: PeerId | None) -> Changes:
        """Show the viewer only `subject`, wherever that stands."""
        member = self._members.get(viewer)
        if member is None:
            return Changes()
        self._stop_watching(member)
        member.watches = subject
        if subject is not None:
            self._watchers.setdefault(subject, {})[viewer] = None
        return self._refresh([viewer])

    def set_enabled(self, peer: PeerId, source: SourceKind, enabled: bool) -> Changes:
        """A disabled screen needs no slot; a disabled camera or microphone is the first to go."""
        member = self._members.get(peer)
        if member is None or enabled != (source in member.disabled):
            return Changes()
        (member.disabled.discard if enabled else member.disabled.add)(source)
        return self._refresh(self._audience(member))

    def started(self, peer: PeerId, mid: str) -> Changes:
        """Media arrived from a source for the first time: it now counts when slots are short."""
        member = self._members.get(peer)
        source = self.source_at(peer, mid)
        if member is None or source is None or source in member.started:
            return Changes()
        member.started.add(source)
        return self._refresh(self._audience(member))

    def speaking(self, peer: PeerId, speaking: bool) -> Changes:
        """The active speaker goes first where slots are short."""
        member = self._members.get(peer)
        if member is None:
            return Changes()
        member.speaking = speaking
        if speaking:
            self._spoke += 1
            member.spoke = self._spoke
        return self._refresh(self._audience(member))

    def set_sizes(self, viewer: PeerId, sizes: Mapping[str, Size]) -> Changes:
        """How large the viewer draws its slots; what is no video slot of it means nothing."""
        member = self._members.get(viewer)
        if member is None:
            return Changes()
        member.sizes |= {mid: size for mid, size in sizes.items() if mid in member.video}
        return self._refresh([viewer])

    def limit(self, viewer: PeerId, max_height: int | None) -> Changes:
        """The most picture lines that the viewer wants of anybody."""
        member = self._members.get(viewer)
        if member is None:
            return Changes()
        member.max_height = max_height
        return self._refresh([viewer])

    def paused(self, viewer: PeerId, slot: str, paused: bool) -> Changes:
        """The engine holds the pictures of a slot back, or shows them again."""
        member = self._members.get(viewer)
        if member is None or slot not in member.video or paused == (slot in member.paused):
            return Changes()
        (member.paused.add if paused else member.paused.discard)(slot)
        return Changes(slots=[SlotsChanged(viewer, _slots(member))])

    def remove(self, peer: PeerId) -> Changes:
        """Forget a peer; its slots are not told of any more."""
        member = self._members.get(peer)
        if member is None:
            return Changes()
        audience = self._audience(member)
        self._leave_scene(member)
        self._stop_watching(member)
        del self._members[peer]
        return self._refresh(audience)

    def source_at(self, peer: PeerId, mid: str) -> SourceKind | None:
        """What the peer's section `mid` is."""
        member = self._members.get(peer)
        if member is None:
            return None
        return next((kind for kind, at in member.sources.items() if at == mid), None)

    def mid_of(self, peer: PeerId, source: SourceKind) -> str | None:
        member = self._members.get(peer)
        return None if member is None else member.sources.get(source)

    def is_enabled(self, peer: PeerId, source: SourceKind) -> bool:
        member = self._members.get(peer)
        return member is not None and source not in member.disabled

    def slots(self, viewer: PeerId) -> tuple[Slot, ...]:
        """The viewer's slots as they are now: audio first, each kind in the order of the offer."""
        member = self._members.get(viewer)
        return () if member is None else _slots(member)

    def _leave_scene(self, member: _Member) -> None:
        if member.scene is not None:
            scene = self._scenes[member.scene]
            del scene[member.peer]
            if not scene:
                del self._scenes[member.scene]

    def _stop_watching(self, member: _Member) -> None:
        if member.watches is not None and (watchers := self._watchers.get(member.watches)):
            watchers.pop(member.peer, None)
            if not watchers:
                del self._watchers[member.watches]
        member.watches = None

    def _audience(self, member: _Member) -> list[PeerId]:
        """Who may be shown this peer's sources."""
        scene = self._scenes.get(member.scene, {}) if member.scene is not None else {}
        watchers = self._watchers.get(member.peer, {})
        return [peer for peer in dict.fromkeys([*scene, *watchers]) if peer != member.peer]

    def _visible(self, viewer: _Member) -> list[_Member]:
        """Whose sources the viewer is to be shown. A watcher itself is no part of a scene."""
        if viewer.watches is not None:
            subject = self._members.get(viewer.watches)
            return [] if subject is None else [subject]
        scene = self._scenes.get(viewer.scene, {}) if viewer.scene is not None else {}
        return [self._members[peer] for peer in scene if peer != viewer.peer]

    def _refresh(self, viewers: Iterable[PeerId]) -> Changes:
        changes = Changes()
        for peer in viewers:
            member = self._members.get(peer)
            if member is not None:
                self._assign(member, changes)
        # Clearing before showing: no slot ever carries on with what its viewer may not see.
        changes.routes.sort(key=lambda route: route.source is not None)
        return changes

    def _assign(self, viewer: _Member, changes: Changes) -> None:
        candidates = [
            _candidate(member, kind)
            for member in self._visible(viewer)
            for kind in member.sources
            if kind != "screen" or kind not in member.disabled
        ]
        shown = assign(candidates, viewer.audio, viewer.video, viewer.shown)
        self._ask_for_slots(viewer, candidates, changes)
        self._tune(viewer, shown, candidates, changes)
        if shown == viewer.shown:
            return
        for mid in (*viewer.audio, *viewer.video):
            source = shown.get(mid)
            if source != viewer.shown.get(mid):
                route = None if source is None else (source.peer, source.mid)
                changes.routes.append(Route(viewer.peer, mid, route))
                viewer.paused.discard(mid)
        viewer.shown = shown
        changes.slots.append(SlotsChanged(viewer.peer, _slots(viewer)))

    def _tune(
        self,
        viewer: _Member,
        shown: Mapping[str, Source],
        candidates: Sequence[Candidate],
        changes: Changes,
    ) -> None:
        """Tell what the engine does not know yet of the slots that show pictures."""
        people = len(self._scenes.get(self._stage(viewer), {}))
        for mid, tuning in tunings(
            shown, candidates, viewer.sizes, viewer.max_height, people
        ).items():
            if viewer.tuned.get(mid, Tuning()) != tuning:
                viewer.tuned[mid] = tuning
                changes.tuned.append(SlotTuned(viewer.peer, mid, tuning))

    def _stage(self, viewer: _Member) -> str:
        """The scene that the viewer sees; "" if none."""
        seen = viewer if viewer.watches is None else self._members.get(viewer.watches)
        return (seen.scene if seen is not None else None) or ""

    def _ask_for_slots(
        self, viewer: _Member, candidates: Sequence[Candidate], changes: Changes
    ) -> None:
        """Say once that slots are short. Peers that never sent anything do not count: observers.

        Of the others all that is enabled counts, so that a newcomer whose microphone starts
        before the camera costs one renegotiation and not two.
        """
        senders = {candidate.source.peer for candidate in candidates if candidate.live}
        counted = [c.source for c in candidates if c.source.peer in senders and c.enabled]
        audio = min(sum(KIND_OF[source.kind] == "audio" for source in counted), MAX_SLOTS_ASKED)
        video = min(sum(KIND_OF[source.kind] == "video" for source in counted), MAX_SLOTS_ASKED)
        # A viewer without a slot of a kind wants none of it (WHIP, audio only).
        audio = max(audio if viewer.audio else 0, len(viewer.audio))
        video = max(video if viewer.video else 0, len(viewer.video))
        if (audio, video) == (len(viewer.audio), len(viewer.video)):
            viewer.asked = (0, 0)
        elif audio > viewer.asked[0] or video > viewer.asked[1]:
            viewer.asked = (audio, video)
            changes.short.append(SlotsShort(viewer.peer, audio, video))


def _candidate(member: _Member, kind: SourceKind) -> Candidate:
    return Candidate(
        source=Source(member.peer, member.sources[kind], kind),
        started=kind in member.started,
        enabled=kind not in member.disabled,
        speaking=member.speaking,
        spoke=member.spoke,
        joined=member.joined,
    )


def _slots(member: _Member) -> tuple[Slot, ...]:
    def view(mid: str) -> Slot:
        source = member.shown.get(mid)
        if source is None:
            return Slot(mid, None, None)
        return Slot(mid, source.peer, source.kind, paused=mid in member.paused)

    return tuple(view(mid) for mid in (*member.audio, *member.video))
