"""What the media plane offers and what it tells: peers, scenes and slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NewType, Protocol

from sfu.stats import MediaStats

PeerId = NewType("PeerId", int)
SourceKind = Literal["microphone", "camera", "screen"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The SDP answer for a peer that `connect` just created."""

    peer: PeerId
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Slot:
    """What the viewer's slot `mid` shows; `peer` and `source` are None for an empty slot.

    `paused`: the viewer's network cannot hold even the smallest picture of it.
    """

    mid: str
    peer: PeerId | None
    source: SourceKind | None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class WantedLayer:
    """A layer of a source that somebody watches.

    `rid`: `""` for the only encoding of a source without rids. `max_bps`: no more than this is of
    use, because its only viewer's path carries no more; None: as much as its publisher likes.
    """

    rid: str
    max_bps: int | None = None


class SfuListener(Protocol):
    """What the media plane tells its owner. Called on the event loop; must return quickly."""

    def on_connected(self, peer: PeerId) -> None:
        """DTLS is up: media can flow."""

    def on_slots(self, viewer: PeerId, slots: Sequence[Slot]) -> None:
        """The whole list of the viewer's slots, whenever it changes."""

    def on_slots_short(self, viewer: PeerId, audio: int, video: int) -> None:
        """The scene needs this many slots of each kind; the viewer has fewer."""

    def on_layers_wanted(
        self, peer: PeerId, source: SourceKind, layers: Sequence[WantedLayer]
    ) -> None:
        """The layers of the peer's source that somebody watches: it may pause the others.

        The whole list, whenever it changes: with the limits up to a few times a second.
        """

    def on_speaking(self, peer: PeerId, speaking: bool) -> None:
        """Voice began or ended on the peer's microphone."""

    def on_silent(self, peer: PeerId, silent_ms: int) -> None:
        """Nothing authenticated has arrived for so long (2 s, 5 s, 15 s, 30 s)."""

    def on_closed(self, peer: PeerId, reason: str) -> None:
        """The peer is gone by itself: `dtls_failed`, `dtls_timeout`, `dtls_closed`."""


class NoListener(SfuListener):
    """Hears nothing: what the media plane has before anyone listens."""

    def on_connected(self, peer: PeerId) -> None:
        return

    def on_slots(self, viewer: PeerId, slots: Sequence[Slot]) -> None:
        return

    def on_slots_short(self, viewer: PeerId, audio: int, video: int) -> None:
        return

    def on_layers_wanted(
        self, peer: PeerId, source: SourceKind, layers: Sequence[WantedLayer]
    ) -> None:
        return

    def on_speaking(self, peer: PeerId, speaking: bool) -> None:
        return

    def on_silent(self, peer: PeerId, silent_ms: int) -> None:
        return

    def on_closed(self, peer: PeerId, reason: str) -> None:
        return


@dataclass(frozen=True, slots=True)
class Limits:
    """What one node takes on. Beyond it, `connect` raises BusyError."""

    max_peers: int = 2000
    max_handshakes: int = 64
    """DTLS handshakes under way at once; further ones wait their turn."""
    max_pending: int = 512
    """Peers that were answered and are not connected yet."""
    connects_per_second: float = 100.0
    connects_at_once: float = 200.0


class MediaPlane(Protocol):
    """What `Sfu` offers; the tests of other packages rely on this much.

    Methods raise nothing for a peer that is already gone, except `renegotiate`, which raises
    UnknownPeerError.
    """

    async def connect(self, offer: str, tracks: Mapping[str, SourceKind]) -> Answer:
        """Answer a first offer. Raises SdpError for one that cannot be answered, BusyError.

        `tracks` names the sections that send, by mid; `tracks_of` guesses it for a client that
        cannot say (WHIP).
        """

    async def renegotiate(self, peer: PeerId, offer: str, tracks: Mapping[str, SourceKind]) -> str:
        """Answer a later offer: more slots, or an ICE restart. Returns the answer's SDP."""

    def place(self, peer: PeerId, scene: str | None) -> None:
        """Put the peer into a scene, where all see each other, or into none."""

    def watch(self, viewer: PeerId, subject: PeerId | None) -> None:
        """Show the viewer this one peer and nobody else, whatever its scene (WHEP)."""

    def set_enabled(self, peer: PeerId, source: SourceKind, enabled: bool) -> None:
        """Drop or forward a source on the server.

        Microphones and cameras begin enabled. A screen begins disabled, is shown in a slot of
        each viewer from the moment it is enabled, and gives the slot back when disabled.
        """

    def set_sizes(self, viewer: PeerId, sizes: Mapping[str, tuple[int, int]]) -> None:
        """How large slots are drawn, by mid: width and height in pixels; 0 and 0: not at all.

        A slot that is not named keeps its size; one that was never named may be of any size.
        Mids that are no slots of the viewer mean nothing.
        """

    def limit_video(self, viewer: PeerId, max_height: int | None) -> None:
        """The most picture lines that the viewer wants of anybody; 0: no pictures at all."""

    def disconnect(self, peer: PeerId) -> None:
        """Forget the peer."""

    async def stats(self) -> MediaStats:
        """A snapshot. Raises ClosedError after `close`, TimeoutError if the engine is stuck."""
