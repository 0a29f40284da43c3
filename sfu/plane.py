"""`Sfu`: the media plane of one node, over one engine."""

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from sfu import _engine
from sfu.contract import (
    Answer,
    Limits,
    MediaPlane,
    NoListener,
    PeerId,
    SfuListener,
    SourceKind,
    WantedLayer,
)
from sfu.errors import BusyError, ClosedError, SfuError, UnknownPeerError
from sfu.forwarding.scene import Changes, SceneTable
from sfu.forwarding.tuning import Size
from sfu.stats import HandshakeCounts, MediaStats, media_stats
from sfu.transport.addresses import host_addresses
from sfu.transport.budget import TokenBucket
from sfu.transport.connection import Connection
from sfu.transport.dtls import NodeCertificate, SrtpKeys, warm_up
from sfu.transport.engine import describe
from sfu.transport.sdp import HostAddress, Negotiated, Negotiator

STATS_TIMEOUT_S = 2.0
"""The engine answers within a batch; longer means that it is gone."""

log = logging.getLogger(__name__)


class Sfu(MediaPlane):
    """Made by `start`; all methods are for the event loop that ran it."""

    def __init__(
        self,
        engine: _engine.Engine,
        certificate: NodeCertificate,
        addresses: Sequence[HostAddress],
        limits: Limits,
    ) -> None:
        self._engine = engine
        self._certificate = certificate
        self._addresses = tuple(addresses)
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._listener: SfuListener = NoListener()
        self._connections: dict[PeerId, Connection] = {}
        self._scenes = SceneTable()
        self._numbers = itertools.count(1)
        self._connects = TokenBucket(limits.connects_at_once, limits.connects_per_second)
        self._handshakes = asyncio.Semaphore(limits.max_handshakes)
        self._counts = HandshakeCounts()
        self._asked_stats: dict[int, asyncio.Future[_engine.Stats]] = {}
        self._closed = False
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            _engine.DtlsReceived: self._on_dtls,
            _engine.PeerSilent: self._on_silent,
            _engine.SourceStarted: self._on_source_started,
            _engine.LayersWanted: self._on_layers_wanted,
            _engine.SlotPaused: self._on_slot_paused,
            _engine.Speaking: self._on_speaking,
            _engine.Stats: self._on_stats,
        }

    @classmethod
    async def start(
        cls,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tcp_port: int | None = None,
        advertised: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> Self:
        """Bind the media port and be ready for offers.

        `tcp_port`: where clients may connect by TCP (0: any; None: nowhere). `advertised`:
        addresses for browsers (`ip`, `ip:port`), by default `host`. Raises SfuError: the engine's
        code if a port cannot be had (`tcp_unavailable`: only that one), `sfu_address` for
        unusable addresses.
        """
        certificate = NodeCertificate.generateCertificate()
        await warm_up(certificate)
        try:
            engine = _engine.Engine(host, port, seed=secrets.token_bytes(32), tcp_port=tcp_port)
        except _engine.EngineError as error:
            raise SfuError(error.code, str(error)) from error
        try:
            addresses = host_addresses(host, engine.port, advertised, engine.tcp_port)
            sfu = cls(engine, certificate, addresses, limits or Limits())
        except BaseException:
            engine.close()
            raise
        sfu._loop.add_reader(engine.event_fd, sfu._on_readable)
        return sfu

    def listen(self, listener: SfuListener) -> None:
        """Tell this listener from now on; there is one."""
        self._listener = listener

    @property
    def port(self) -> int:
        """The UDP port in use."""
        return self._engine.port

    @property
    def tcp_port(self) -> int | None:
        """The TCP port in use, if any."""
        return self._engine.tcp_port

    async def connect(self, offer: str, tracks: Mapping[str, SourceKind]) -> Answer:
        self._admit()
        negotiator = Negotiator(self._certificate.sha256, self._addresses)
        negotiated = negotiator.answer(offer, tracks)
        peer = PeerId(next(self._numbers))
        connection = Connection(peer, negotiator, negotiated)
        self._connections[peer] = connection
        local = negotiated.transport
        self._engine.add_peer(peer, local.ice_ufrag, local.ice_pwd)
        self._describe(peer, negotiated)
        connection.begin(
            self._certificate,
            self._handshakes,
            send=lambda datagram: self._engine.send_dtls(peer, datagram),
            on_keys=lambda keys: self._on_keys(peer, keys),
            on_end=lambda reason: self._on_end(peer, reason),
        )
        return Answer(peer, negotiated.sdp)

    async def renegotiate(self, peer: PeerId, offer: str, tracks: Mapping[str, SourceKind]) -> str:
        connection = self._connections.get(peer)
        if connection is None:
            raise UnknownPeerError
        negotiated = connection.negotiator.answer(offer, tracks)
        connection.negotiated = negotiated
        if negotiated.ice_restarted:
            local = negotiated.transport
            self._engine.restart_ice(peer, local.ice_ufrag, local.ice_pwd)
        self._describe(peer, negotiated)
        return negotiated.sdp

    def place(self, peer: PeerId, scene: str | None) -> None:
        self._apply(self._scenes.place(peer, scene))

    def watch(self, viewer: PeerId, subject: PeerId | None) -> None:
        self._apply(self._scenes.watch(viewer, subject))

    def set_enabled(self, peer: PeerId, source: SourceKind, enabled: bool) -> None:
        changes = self._scenes.set_enabled(peer, source, enabled)
        mid = self._scenes.mid_of(peer, source)
        if mid is not None:
            self._engine.set_enabled(peer, mid, enabled)
        self._apply(changes)

    def set_sizes(self, viewer: PeerId, sizes: Mapping[str, tuple[int, int]]) -> None:
        self._apply(
            self._scenes.set_sizes(viewer, {mid: Size(*size) for mid, size in sizes.items()})
        )

    def limit_video(self, viewer: PeerId, max_height: int | None) -> None:
        self._apply(self._scenes.limit(viewer, max_height))

    def disconnect(self, peer: PeerId) -> None:
        connection = self._connections.pop(peer, None)
        if connection is None:
            return
        connection.close()
        self._apply(self._scenes.remove(peer))
        self._engine.remove_peer(peer)

    async def stats(self) -> MediaStats:
        """A snapshot. Raises ClosedError after `close`, TimeoutError if the engine is stuck."""
        if self._closed:
            raise ClosedError
        token = next(self._numbers)
        answer = self._asked_stats[token] = self._loop.create_future()
        self._engine.request_stats(token)
        try:
            event = await asyncio.wait_for(answer, STATS_TIMEOUT_S)
        finally:
            self._asked_stats.pop(token, None)
        connected = sum(connection.connected for connection in self._connections.values())
        return media_stats(event, len(self._connections), connected, self._counts)

    async def close(self) -> None:
        """Say goodbye to all peers and stop the engine. Harmless the second time."""
        if self._closed:
            return
        self._closed = True
        self._listener = NoListener()
        for peer in list(self._connections):
            self.disconnect(peer)
        for answer in self._asked_stats.values():
            answer.cancel()
        self._loop.remove_reader(self._engine.event_fd)
        await asyncio.to_thread(self._engine.close)

    def _admit(self) -> None:
        """Hold a new connection against the limits."""
        if self._closed:
            raise ClosedError
        pending = sum(not connection.connected for connection in self._connections.values())
        full = len(self._connections) >= self._limits.max_peers
        busy = pending >= self._limits.max_pending
        if full or busy or not self._connects.take(self._loop.time()):
            self._counts.refused += 1
            code = "node_full" if full else "node_busy"
            raise BusyError(code, "this node takes no further connection at the moment")

    def _describe(self, peer: PeerId, negotiated: Negotiated) -> None:
        """Tell engine and scenes of a new description, disabled sources included."""
        self._engine.set_media(peer, describe(negotiated))
        audio = [slot.mid for slot in negotiated.slots if slot.kind == "audio"]
        video = [slot.mid for slot in negotiated.slots if slot.kind == "video"]
        sources = {source.source: source.mid for source in negotiated.sources}
        changes = self._scenes.describe(peer, sources, audio, video)
        for kind, mid in sources.items():
            self._engine.set_enabled(peer, mid, self._scenes.is_enabled(peer, kind))
        self._apply(changes)

    def _apply(self, changes: Changes) -> None:
        """Routes at once and together; the listener after the caller has its answer."""
        for tuned in changes.tuned:
            drawn, tuning = tuned.tuning.drawn, tuned.tuning
            self._engine.set_slot(
                tuned.viewer,
                tuned.slot,
                drawn=None if drawn is None else (drawn.width, drawn.height),
                max_height=tuning.max_height,
                priority=tuning.priority,
            )
        for route in changes.routes:
            self._engine.route(route.viewer, route.slot, route.source)
        for told in changes.slots:
            self._loop.call_soon(self._tell_slots, told.viewer)
        for short in changes.short:
            self._loop.call_soon(self._tell_short, short.viewer, short.audio, short.video)

    def _tell_slots(self, viewer: PeerId) -> None:
        if viewer in self._connections:
            self._listener.on_slots(viewer, self._scenes.slots(viewer))

    def _tell_short(self, viewer: PeerId, audio: int, video: int) -> None:
        if viewer in self._connections:
            self._listener.on_slots_short(viewer, audio, video)

    def _on_keys(self, peer: PeerId, keys: SrtpKeys) -> None:
        self._engine.set_keys(peer, keys.profile, keys.receive, keys.send)
        self._counts.completed += 1
        self._listener.on_connected(peer)

    def _on_end(self, peer: PeerId, reason: str) -> None:
        if reason == "dtls_timeout":
            self._counts.timed_out += 1
        elif reason == "dtls_failed":
            self._counts.failed += 1
        if peer in self._connections:
            self.disconnect(peer)
            self._listener.on_closed(peer, reason)

    def _on_readable(self) -> None:
        for event in self._engine.drain():
            handler = self._handlers.get(type(event))
            if handler is None:
                continue
            try:
                handler(event)
            except Exception:
                # One peer's trouble, or a listener's, must not cost the others their events.
                log.exception("an engine event was not handled", extra={"event_type": type(event)})

    def _on_dtls(self, event: _engine.DtlsReceived) -> None:
        connection = self._connections.get(PeerId(event.peer))
        if connection is not None:
            connection.receive_dtls(event.datagram, self._loop.time())

    def _on_silent(self, event: _engine.PeerSilent) -> None:
        connection = self._connections.get(PeerId(event.peer))
        # Who never connected is the handshake's concern, not a lost path.
        if connection is not None and connection.connected:
            self._listener.on_silent(connection.peer, event.silent_ms)

    def _on_source_started(self, event: _engine.SourceStarted) -> None:
        self._apply(self._scenes.started(PeerId(event.peer), event.mid))

    def _on_layers_wanted(self, event: _engine.LayersWanted) -> None:
        peer = PeerId(event.peer)
        source = self._scenes.source_at(peer, event.mid)
        if source is not None:
            layers = [WantedLayer(rid, max_bps) for rid, max_bps in event.layers]
            self._listener.on_layers_wanted(peer, source, layers)

    def _on_slot_paused(self, event: _engine.SlotPaused) -> None:
        self._apply(self._scenes.paused(PeerId(event.viewer), event.slot, event.paused))

    def _on_speaking(self, event: _engine.Speaking) -> None:
        peer = PeerId(event.peer)
        if self._scenes.source_at(peer, event.mid) == "microphone":
            self._apply(self._scenes.speaking(peer, event.speaking))
            self._listener.on_speaking(peer, event.speaking)

    def _on_stats(self, event: _engine.Stats) -> None:
        answer = self._asked_stats.get(event.token)
        if answer is not None:
            with contextlib.suppress(asyncio.InvalidStateError):
                answer.set_result(event)
