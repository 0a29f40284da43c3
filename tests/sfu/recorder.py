"""A listener that keeps what it was told and lets a test wait for something."""

from collections.abc import Callable, Sequence

from sfu.api import PeerId, SfuListener, Slot, SourceKind, WantedLayer
from tests.conditions import Changes

WAIT_S = 20.0


class Recorder(SfuListener):
    def __init__(self) -> None:
        self.connected: list[PeerId] = []
        self.slots: dict[PeerId, Sequence[Slot]] = {}
        self.short: dict[PeerId, tuple[int, int]] = {}
        self.wanted: dict[tuple[PeerId, SourceKind], Sequence[WantedLayer]] = {}
        self.spoke: list[tuple[PeerId, bool]] = []
        self.silent: list[tuple[PeerId, int]] = []
        self.closed: dict[PeerId, str] = {}
        self._changes = Changes()

    def on_connected(self, peer: PeerId) -> None:
        self.connected.append(peer)
        self._changes.tell()

    def on_slots(self, viewer: PeerId, slots: Sequence[Slot]) -> None:
        self.slots[viewer] = slots
        self._changes.tell()

    def on_slots_short(self, viewer: PeerId, audio: int, video: int) -> None:
        self.short[viewer] = (audio, video)
        self._changes.tell()

    def on_layers_wanted(
        self, peer: PeerId, source: SourceKind, layers: Sequence[WantedLayer]
    ) -> None:
        self.wanted[peer, source] = layers
        self._changes.tell()

    def on_speaking(self, peer: PeerId, speaking: bool) -> None:
        self.spoke.append((peer, speaking))
        self._changes.tell()

    def on_silent(self, peer: PeerId, silent_ms: int) -> None:
        self.silent.append((peer, silent_ms))
        self._changes.tell()

    def on_closed(self, peer: PeerId, reason: str) -> None:
        self.closed[peer] = reason
        self._changes.tell()

    def shown(self, viewer: PeerId, source: str) -> dict[PeerId, str]:
        """Peer -> mid of the viewer's slot that shows its source of this kind."""
        slots = self.slots.get(viewer, ())
        return {slot.peer: slot.mid for slot in slots if slot.peer and slot.source == source}

    async def until(self, condition: Callable[[], object]) -> None:
        """Return once the condition holds; looked at after every event."""
        await self._changes.until(condition, WAIT_S)
