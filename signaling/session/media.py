"""Participants and their peer connections: the stage of `rooms`, the listener of `sfu`."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from rooms.errors import NotSeated, ParticipantUnknown
from rooms.ports import Stage
from sfu.api import (
    BusyError,
    MediaPlane,
    PeerId,
    SdpError,
    SfuError,
    SfuListener,
    Slot,
    SourceKind,
    UnknownPeerError,
    WantedLayer,
    tracks_of,
)
from signaling.errors import MediaMissing, SignalingError, VisitOver
from signaling.protocol.commands import SlotSize
from signaling.protocol.events import LayersWanted, MediaLost, MoreSlots, Slots, Speaking
from signaling.protocol.views import SlotView
from signaling.protocol.views import WantedLayer as WantedLayerView
from signaling.session.visit import Visit

LOST_MS = 5_000
"""Silence after which the others see a participant's connection as lost."""
CLOSED_SILENT_MS = 30_000
"""What a client is told whose peer connection is gone: build a new one."""

_ORIGIN = re.compile(r"^o=\S{1,64} (\d{1,20}) ", re.MULTILINE)


class Whereabouts(Protocol):
    """The little that media must know of rooms."""

    def scene_of(self, participant: str) -> str | None: ...

    def seen_in(self, scene: str) -> Iterable[str]: ...

    def restage(self, participant: str) -> None: ...


def sdp_session(offer: str) -> str:
    """Return the session id of the `o=` line (RFC 8866 5.2), "" for an offer without one."""
    found = _ORIGIN.search(offer[:512])
    return found.group(1) if found else ""


def _layer_views(layers: Sequence[WantedLayer] | None) -> list[WantedLayerView] | None:
    if layers is None:
        return None
    return [WantedLayerView(rid=one.rid, max_bps=one.max_bps) for one in layers]


class PeerDesk(Stage, SfuListener):
    """One peer per visit, kept over the loss of a socket."""

    def __init__(
        self,
        media: MediaPlane,
        rooms: Whereabouts,
        *,
        visit_of: Callable[[str], Visit | None],
        on_lost: Callable[[Visit, int], None],
    ) -> None:
        """`on_lost(visit, silent_ms)`: media is silent for long, or the peer connection ended."""
        self._media = media
        self._rooms = rooms
        self._visit_of = visit_of
        self._on_lost = on_lost
        self._visits: dict[PeerId, Visit] = {}
        self._slots: dict[PeerId, Sequence[Slot]] = {}
        self._watching: dict[PeerId, Visit] = {}
        self._wanted: dict[PeerId, dict[SourceKind, list[WantedLayer]]] = {}

    # Offers.

    async def offer(self, visit: Visit, sdp: str, tracks: Mapping[str, SourceKind] | None) -> str:
        """Answer the visit's offer: a new connection or a later offer of the present one.

        `tracks` is None for a client that cannot say what it sends: it is guessed.
        """
        async with visit.offering:
            if visit.over:
                raise VisitOver("The visit is over.")
            try:
                return await self._answer(visit, sdp, tracks_of(sdp) if tracks is None else tracks)
            except SdpError as error:
                raise SignalingError(str(error), code=error.code) from None
            except BusyError as error:
                raise SignalingError(str(error), code="busy") from None

    async def _answer(self, visit: Visit, sdp: str, tracks: Mapping[str, SourceKind]) -> str:
        session = sdp_session(sdp)
        if visit.peer is not None and session and session == visit.sdp_session:
            try:
                return await self._media.renegotiate(visit.peer, sdp, tracks)
            except UnknownPeerError:
                self.drop(visit)
                raise MediaMissing("Offer a new connection.") from None
        answer = await self._media.connect(sdp, tracks)
        if visit.over:
            self._media.disconnect(answer.peer)
            raise VisitOver("The visit ended meanwhile.")
        self.drop(visit)
        visit.peer, visit.sdp_session, visit.media_up = answer.peer, session, False
        self._visits[answer.peer] = visit
        if visit.watching is not None:
            self._watching[answer.peer] = visit
        if visit.max_video_height is not None:
            self._media.limit_video(answer.peer, visit.max_video_height)
        self._rooms.restage(visit.participant)
        self._follow(visit.participant)
        self.resend_slots(visit)
        return answer.sdp

    async def packets_by_peer(self) -> Mapping[PeerId, int]:
        """RTP packets received from each peer; empty while the media plane does not answer."""
        try:
            stats = await self._media.stats()
        except (SfuError, TimeoutError):
            return {}
        counts: dict[PeerId, int] = {}
        for stream in stats.streams:
            if stream.direction == "receive":
                peer = PeerId(stream.peer)
                counts[peer] = counts.get(peer, 0) + stream.packets
        return counts

    def drop(self, visit: Visit) -> None:
        """Forget the visit's peer connection, if there is one."""
        peer, visit.peer, visit.sdp_session = visit.peer, None, None
        visit.media_up = False
        if peer is not None:
            self._forget(peer)
            self._media.disconnect(peer)

    def _forget(self, peer: PeerId) -> None:
        self._visits.pop(peer, None)
        self._slots.pop(peer, None)
        self._watching.pop(peer, None)
        self._wanted.pop(peer, None)

    # What a viewer wants of pictures.

    def set_sizes(self, visit: Visit, sizes: Iterable[SlotSize]) -> None:
        """Pass on how large slots are drawn; without a peer connection there are no slots."""
        if visit.peer is not None:
            self._media.set_sizes(visit.peer, {one.slot: (one.width, one.height) for one in sizes})

    def limit_video(self, visit: Visit, max_height: int | None) -> None:
        """Remember the limit for the visit and its later peer connections."""
        visit.max_video_height = max_height
        if visit.peer is not None:
            self._media.limit_video(visit.peer, max_height)

    # The stage.

    def place(self, participant: str, scene: str | None) -> None:
        visit = self._visit_of(participant)
        if visit is not None and visit.peer is not None and visit.watching is None:
            self._media.place(visit.peer, scene)
        self._follow(participant)

    def set_enabled(self, participant: str, source: SourceKind, enabled: bool) -> None:
        visit = self._visit_of(participant)
        if visit is not None and visit.peer is not None:
            self._media.set_enabled(visit.peer, source, enabled)

    # Watching one participant (WHEP).

    def check_watch(self, viewer: str, subject: str) -> None:
        """Raise unless both are inside the same room."""
        scene = self._rooms.scene_of(viewer)
        if scene is None:
            raise NotSeated
        if self._rooms.scene_of(subject) != scene:
            raise ParticipantUnknown

    def _follow(self, moved: str) -> None:
        """Keep those who watch `moved`, and `moved` if watching, to people of their own room."""
        for visit in list(self._watching.values()):
            if moved in (visit.participant, visit.watching):
                self._aim(visit)

    def _aim(self, visit: Visit) -> None:
        """Show a watching visitor the participant they asked for, while both are inside."""
        if visit.peer is None or visit.watching is None:
            return
        scene = self._rooms.scene_of(visit.participant)
        subject = self._visit_of(visit.watching)
        allowed = scene is not None and scene == self._rooms.scene_of(visit.watching)
        peer = subject.peer if subject is not None and allowed else None
        self._media.watch(visit.peer, peer)

    # What the media plane says.

    def on_connected(self, peer: PeerId) -> None:
        """Nothing is told to clients: their own connection state says the same."""
        visit = self._visits.get(peer)
        if visit is not None and visit.peer == peer:
            visit.media_up = True

    def on_slots(self, viewer: PeerId, slots: Sequence[Slot]) -> None:
        self._slots[viewer] = slots
        visit = self._visits.get(viewer)
        if visit is not None:
            self.resend_slots(visit)

    def slots_of(self, viewer: PeerId) -> Sequence[Slot]:
        """What the viewer's slots show now."""
        return self._slots.get(viewer, ())

    def resend_slots(self, visit: Visit) -> None:
        """Tell a client what its slots show; after a reconnect it may have missed that."""
        if visit.peer is None or visit.peer not in self._slots:
            return
        visit.send(Slots(slots=[self._slot_view(one) for one in self._slots[visit.peer]]))

    def _slot_view(self, slot: Slot) -> SlotView:
        shown = self._visits.get(slot.peer) if slot.peer is not None else None
        if shown is None:
            return SlotView(mid=slot.mid, participant=None, source=None, paused=False)
        return SlotView(
            mid=slot.mid,
            participant=shown.participant,
            source=slot.source,
            paused=slot.paused,
        )

    def on_slots_short(self, viewer: PeerId, audio: int, video: int) -> None:
        visit = self._visits.get(viewer)
        if visit is not None:
            visit.send(MoreSlots(audio=audio, video=video))

    def on_layers_wanted(
        self, peer: PeerId, source: SourceKind, layers: Sequence[WantedLayer]
    ) -> None:
        visit = self._visits.get(peer)
        if visit is None:
            return
        wanted = self._wanted.setdefault(peer, {})
        if wanted.get(source) == list(layers):
            return
        wanted[source] = list(layers)
        self.resend_layers(visit)

    def resend_layers(self, visit: Visit) -> None:
        """Tell a client which of its layers are watched; a reconnect may have missed it."""
        if visit.peer is None or visit.peer not in self._wanted:
            return
        wanted = self._wanted[visit.peer]
        visit.send(
            LayersWanted(
                camera=_layer_views(wanted.get("camera")),
                screen=_layer_views(wanted.get("screen")),
            )
        )

    def on_speaking(self, peer: PeerId, speaking: bool) -> None:
        speaker = self._visits.get(peer)
        if speaker is None:
            return
        scene = self._rooms.scene_of(speaker.participant)
        if scene is None:
            return
        notice = Speaking(participant=speaker.participant, speaking=speaking)
        for participant in self._rooms.seen_in(scene):
            visit = self._visit_of(participant)
            if visit is not None and visit.room == scene:
                visit.send(notice)

    def on_silent(self, peer: PeerId, silent_ms: int) -> None:
        visit = self._visits.get(peer)
        if visit is None:
            return
        visit.send(MediaLost(silent_ms=silent_ms))
        if silent_ms >= LOST_MS:
            self._on_lost(visit, silent_ms)

    def on_closed(self, peer: PeerId, reason: str) -> None:
        visit = self._visits.get(peer)
        self._forget(peer)
        if visit is None or visit.peer != peer:
            return
        visit.peer, visit.sdp_session, visit.media_up = None, None, False
        visit.send(MediaLost(silent_ms=CLOSED_SILENT_MS))
        self._on_lost(visit, CLOSED_SILENT_MS)
