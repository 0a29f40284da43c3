"""A real engine with real peers: ICE and DTLS over loopback, as a node would do it."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from aiortc.rtcdtlstransport import RTCCertificate

from loadtest.visitor.media_path import MediaPath, SrtpKeys
from loadtest.visitor.offer import Credentials, ServerTransport
from sfu._engine import DtlsReceived, Engine, Event, IceConnected, Stats
from sfu.transport.dtls import DtlsSession, NodeCertificate

Found = TypeVar("Found", bound=Event)

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Connected:
    """A peer whose media can flow: its socket and the visitor's keys."""

    peer: int
    path: MediaPath
    keys: SrtpKeys


class EngineRoom:
    """The engine, its events and the node's DTLS."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self.certificate = NodeCertificate.generateCertificate()
        self._sessions: dict[int, DtlsSession] = {}
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(engine.event_fd, self._drain)

    def _drain(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for event in self.engine.drain():
            self.events.append(event)
            if isinstance(event, DtlsReceived) and event.peer in self._sessions:
                self._sessions[event.peer].receive(event.datagram, now_s)
        self._news.set()

    async def expect(
        self, kind: type[Found], matches: Callable[[Found], bool] = lambda _: True
    ) -> Found:
        """The first event of a kind that matches, past ones included."""

        async def search() -> Found:
            while True:
                for event in self.events:
                    if isinstance(event, kind) and matches(event):
                        return event
                self._news.clear()
                await self._news.wait()

        return await asyncio.wait_for(search(), PATIENCE_S)

    async def stats(self, token: int) -> Stats:
        self.engine.request_stats(token)
        return await self.expect(Stats, lambda stats: stats.token == token)

    async def connect(self, peer: int) -> Connected:
        """Add a peer and bring it up to SRTP keys in the engine."""
        path = MediaPath(RTCCertificate.generateCertificate())
        server = self.admit(peer)
        session = DtlsSession(
            self.certificate,
            path.fingerprint,
            lambda datagram: self.engine.send_dtls(peer, datagram),
        )
        self._sessions[peer] = session
        ours, theirs = await asyncio.gather(session.handshake(), path.connect(server))
        self.engine.set_keys(peer, ours.profile, ours.receive, ours.send)
        return Connected(peer, path, theirs)

    def admit(self, peer: int) -> ServerTransport:
        """Tell the engine of a peer; what its answer would say."""
        credentials = Credentials(f"peer{peer:04}", f"passwordOfPeer{peer:010}")
        self.engine.add_peer(peer, credentials.ufrag, credentials.pwd)
        address = ("127.0.0.1", self.engine.port)
        return ServerTransport(credentials, self.certificate.sha256, address)

    async def expect_connected(self, peer: int) -> IceConnected:
        return await self.expect(IceConnected, lambda event: event.peer == peer)


@contextmanager
def open_engine_room() -> Iterator[EngineRoom]:
    engine = Engine("127.0.0.1", 0, seed=os.urandom(32))
    try:
        yield EngineRoom(engine)
    finally:
        asyncio.get_running_loop().remove_reader(engine.event_fd)
        engine.close()
