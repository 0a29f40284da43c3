"""What waits to be sent to one client, bounded.

engineio keeps an unbounded queue per client, and its writer waits for a client that does not
read without a limit of time, even after the ping timeout. So we put packets into that queue
ourselves, in step with the acknowledgements that python-socketio puts there, and cut the TCP
connection when too much waits or when it outlives its session.
"""

import asyncio

import socketio
from aiohttp import web
from engineio.async_socket import AsyncSocket
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio.packet import EVENT, Packet

from signaling.protocol.base import Message

MAX_WAITING_MESSAGES = 256
MAX_WAITING_BYTES = 4 * 1024 * 1024
LINGER_S = 2.0


class Outbox:
    """The sending side of one Engine.IO session, shared by its namespaces."""

    def __init__(self, sio: socketio.AsyncServer, eio_sid: str, request: web.BaseRequest) -> None:
        self._sio = sio
        self._eio_sid = eio_sid
        self._request = request
        self._bytes = 0

    def send(self, namespace: str, name: str, body: Message) -> None:
        """Queue one message; a client that let too many wait is cut off."""
        socket = self._sio.eio.sockets.get(self._eio_sid)
        if socket is None or socket.closed:
            return
        data = [name, body.model_dump(mode="json")]
        encoded = Packet(EVENT, data=data, namespace=namespace).encode()
        if self._is_full(socket, len(encoded)):
            self.cut()
            return
        socket.queue.put_nowait(EnginePacket(MESSAGE, data=encoded))

    def _is_full(self, socket: AsyncSocket, size_bytes: int) -> bool:
        waiting = socket.queue.qsize()
        self._bytes = size_bytes + (self._bytes if waiting else 0)
        return waiting >= MAX_WAITING_MESSAGES or self._bytes > MAX_WAITING_BYTES

    def cut_later(self) -> None:
        """Give the last messages a moment to leave, then drop what is left of the connection."""
        asyncio.get_running_loop().call_later(LINGER_S, self.cut)

    def cut(self) -> None:
        """Drop the TCP connection at once, with everything that waits."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()
