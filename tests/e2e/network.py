"""A network between browsers and the server that loses connections, goes dark, roams, blocks UDP.

It stands on another loopback address at the server's port number, carries TCP and UDP, and
gives each browser socket a socket of its own towards the server, as a NAT does. One thread.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OUTSIDE = "127.0.0.2"
INSIDE = "127.0.0.1"
Address = tuple[str, int]


class _Inner(asyncio.DatagramProtocol):
    """Towards the server, for one browser socket."""

    def __init__(self, reply: Callable[[bytes], None]) -> None:
        self._reply = reply

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._reply(data)


@dataclass
class Network(asyncio.DatagramProtocol):
    """`origin` is how browsers reach the server through it."""

    port: int
    loop: asyncio.AbstractEventLoop
    dark: bool = False
    blocks_udp: bool = False
    outer: asyncio.DatagramTransport | None = None
    inner: dict[Address, asyncio.DatagramTransport] = field(default_factory=dict)
    streams: set[asyncio.StreamWriter] = field(default_factory=set)
    opening: set[Address] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"http://{OUTSIDE}:{self.port}"

    # What tests do to it, from their own thread.

    def drop_connections(self) -> None:
        """Every TCP connection breaks; new ones can be made."""
        self._call(self._drop_connections)

    def go_dark(self) -> None:
        """Nothing passes, and TCP connections break."""
        self._call(lambda: (setattr(self, "dark", True), self._drop_connections()))

    def come_back(self) -> None:
        """Everything passes again."""
        self._call(lambda: setattr(self, "dark", False))

    def block_udp(self, blocked: bool = True) -> None:
        """A firewall that lets TCP through only; nobody is told, as firewalls do."""
        self._call(lambda: setattr(self, "blocks_udp", blocked))

    def rebind(self) -> None:
        """The NAT forgets: media reaches the server from new addresses, and nobody is told."""
        self._call(self._forget_addresses)

    def roam(self) -> None:
        """From Wi-Fi to mobile: TCP breaks, and media reaches the server from new addresses."""
        self._call(lambda: (self._drop_connections(), self._forget_addresses()))

    def _call(self, action: Callable[[], object]) -> None:
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (action(), done.set()))
        assert done.wait(5), "the network's thread hangs"

    def _drop_connections(self) -> None:
        for writer in self.streams:
            writer.transport.abort()

    def _forget_addresses(self) -> None:
        for transport in self.inner.values():
            transport.close()
        self.inner.clear()

    # UDP

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self.dark or self.blocks_udp:
            return
        if transport := self.inner.get(addr):
            transport.sendto(data)
        elif addr not in self.opening:
            self.opening.add(addr)
            self._keep(self._open(addr, data))

    async def _open(self, source: Address, first: bytes) -> None:
        def reply(data: bytes) -> None:
            if self.outer and not self.dark and not self.blocks_udp:
                self.outer.sendto(data, source)

        transport, _ = await self.loop.create_datagram_endpoint(
            lambda: _Inner(reply), remote_addr=(INSIDE, self.port), local_addr=(INSIDE, 0)
        )
        self.opening.discard(source)
        self.inner[source] = transport
        transport.sendto(first)

    # TCP

    async def listen(self, port: int) -> None:
        """Carry TCP connections to this port of the server."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self.dark:
                writer.transport.abort()
                return
            await self._carry(port, reader, writer)

        await asyncio.start_server(accept, OUTSIDE, port)

    async def _carry(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        onward, back = await asyncio.open_connection(INSIDE, port)
        self.streams |= {writer, back}
        with suppress(ConnectionError):
            await asyncio.gather(_pump(reader, back), _pump(onward, writer))
        for each in (writer, back):
            each.transport.abort()
        self.streams -= {writer, back}

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


@contextmanager
def open_network(port: int, *tcp_ports: int) -> Iterator[Network]:
    """Run the network in a thread of its own until the block ends.

    `port` is the server's for HTTP and UDP media; `tcp_ports` are carried, too.
    """
    loop = asyncio.new_event_loop()
    network = Network(port, loop)

    async def start() -> None:
        network.outer, _ = await loop.create_datagram_endpoint(
            lambda: network, local_addr=(OUTSIDE, port)
        )
        for each in (port, *tcp_ports):
            await network.listen(each)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield network
    finally:
        network.drop_connections()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
