"""The visitor of `udp_client` on a TCP connection: every packet behind its length (RFC 4571)."""

import asyncio
import struct

from tests.sfu.udp_client import UdpClient


def framed(packet: bytes) -> bytes:
    return struct.pack("!H", len(packet)) + packet


class TcpClient(UdpClient):
    """Made by `open_tcp_client`."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.lost = asyncio.Event()
        self._buffer = b""

    def send(self, datagram: bytes) -> None:
        self._transport.write(framed(datagram))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 2:
            end = 2 + int.from_bytes(self._buffer[:2])
            if len(self._buffer) < end:
                return
            packet, self._buffer = self._buffer[2:end], self._buffer[end:]
            self.datagram_received(packet, self.server)

    def eof_received(self) -> None:
        """The transport closes by itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    @property
    def address(self) -> tuple[str, int]:
        """Ours."""
        return self._transport.get_extra_info("sockname")[:2]


async def open_tcp_client(port: int, host: str = "127.0.0.1") -> TcpClient:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: TcpClient(port), host, port)
    return client
