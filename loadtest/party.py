"""People in rooms, connected and ready for traffic: through a server, or through a relay."""

import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
from aiortc.rtcdtlstransport import RTCCertificate

from loadtest.generator import Address, Endpoint, Stream
from loadtest.server_process import ServerProcess
from loadtest.visitor.desk import Desk
from loadtest.visitor.media_path import SrtpKeys
from loadtest.visitor.offer import (
    MID_EXTENSION,
    TRANSPORT_CC_EXTENSION,
    VP8_PAYLOAD_TYPE,
    OfferedSection,
)
from loadtest.visitor.visit import Visit

_PACKET_BYTES = 1100
_CAMERA_MID = "0"
_GCM_128 = 7
_GCM_128_KEY_BYTES = 28


@dataclass(frozen=True, slots=True)
class Scenario:
    """`rooms` rooms; in each one publishes to `viewers`, who publish too if `both_ways`."""

    name: str
    rooms: int
    viewers: int
    packets_per_second: int
    both_ways: bool = False

    @property
    def publishers(self) -> int:
        return self.rooms * (1 + self.viewers * self.both_ways)

    @property
    def published_per_second(self) -> int:
        return self.publishers * self.packets_per_second

    def denser(self, factor: int) -> "Scenario":
        """The same people, each of whom sends more packets in the same time."""
        return replace(self, packets_per_second=self.packets_per_second * factor)

    def stream(self, index: int) -> Stream:
        """The stream of publisher `index`; all together are evenly interleaved."""
        return Stream(
            ssrc=1000 + index,
            payload_type=VP8_PAYLOAD_TYPE,
            packets_per_second=self.packets_per_second,
            packet_bytes=_PACKET_BYTES,
            phase_us=index * 1_000_000 // self.published_per_second,
            mid=(MID_EXTENSION, _CAMERA_MID),
            transport_cc=TRANSPORT_CC_EXTENSION,
        )


@asynccontextmanager
async def open_party(server: ServerProcess, scenario: Scenario) -> AsyncIterator[list[Endpoint]]:
    """Everyone of a scenario joined, connected and shown to each other.

    Raises LoadtestError when the server refuses somebody.
    """
    certificate = RTCCertificate.generateCertificate()
    async with AsyncExitStack() as stack:
        endpoints: list[Endpoint] = []
        watching: list[Visit] = []
        # Cookies of an address without a name are kept only by an "unsafe" jar.
        jar = aiohttp.CookieJar(unsafe=True)
        office = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        desk = await Desk.open(office, server.links["hr"])
        for room in range(scenario.rooms):
            links = await desk.schedule(scenario.viewers)
            # The panel first: a candidate enters at once where an interviewer is seated.
            for seat, url in enumerate([*links.panel, links.candidate]):
                publishes = scenario.both_ways or url == links.candidate
                index = room * (1 + scenario.viewers) + seat if scenario.both_ways else room
                stream = scenario.stream(index) if publishes else None
                visit, endpoint = await _join(stack, url, certificate, stream)
                endpoints.append(endpoint)
                if scenario.both_ways or not publishes:
                    watching.append(visit)
        for visit in watching:
            await visit.expect_shown(1)
        yield endpoints


async def _join(
    stack: AsyncExitStack, url: str, certificate: RTCCertificate, stream: Stream | None
) -> tuple[Visit, Endpoint]:
    http = await stack.enter_async_context(aiohttp.ClientSession())
    visit = await Visit.open(http, url)
    stack.push_async_callback(visit.close)
    slots = [OfferedSection("1", "audio", "recvonly"), OfferedSection("2", "video", "recvonly")]
    if stream is None:
        media = await visit.connect_media(certificate, slots, {})
    else:
        camera = OfferedSection(_CAMERA_MID, "video", "sendonly", stream.ssrc)
        sections = [camera, *slots]
        media = await visit.connect_media(certificate, sections, {_CAMERA_MID: "camera"})
    stack.callback(media.path.close)
    return visit, Endpoint(
        fd=media.path.socket.fileno(),
        server=media.server.address,
        keys=media.keys,
        payload_type=VP8_PAYLOAD_TYPE,
        consent_check=media.path.check(),
        publish=stream,
    )


@dataclass(frozen=True, slots=True)
class RelayedPeer:
    """A socket without ICE and DTLS: whatever it sends is relayed to the others of its room."""

    socket: socket.socket
    keys: SrtpKeys
    publish: Stream | None


@dataclass(frozen=True, slots=True)
class Relayed:
    """A scenario's sockets for a bare relay."""

    rooms: Sequence[Sequence[RelayedPeer]]

    @property
    def routes(self) -> dict[Address, Sequence[Address]]:
        """From each publisher to the others of its room."""
        return {
            peer.socket.getsockname(): [
                other.socket.getsockname() for other in room if other is not peer
            ]
            for room in self.rooms
            for peer in room
            if peer.publish
        }

    def endpoints(self, relay_address: Address) -> list[Endpoint]:
        return [
            Endpoint(
                fd=peer.socket.fileno(),
                server=relay_address,
                keys=peer.keys,
                payload_type=VP8_PAYLOAD_TYPE,
                publish=peer.publish,
            )
            for room in self.rooms
            for peer in room
        ]


@asynccontextmanager
async def open_relayed(scenario: Scenario) -> AsyncIterator[Relayed]:
    """The same people without a server: each room shares one key."""
    async with AsyncExitStack() as stack:
        rooms = []
        for room in range(scenario.rooms):
            key = os.urandom(_GCM_128_KEY_BYTES)
            keys = SrtpKeys(_GCM_128, send=key, receive=key)
            peers = []
            for seat in range(1 + scenario.viewers):
                publishes = scenario.both_ways or seat == scenario.viewers
                index = room * (1 + scenario.viewers) + seat if scenario.both_ways else room
                stream = scenario.stream(index) if publishes else None
                peers.append(RelayedPeer(stack.enter_context(_socket()), keys, stream))
            rooms.append(peers)
        yield Relayed(rooms)


def _socket() -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    return udp
