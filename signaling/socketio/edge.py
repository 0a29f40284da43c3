"""python-socketio with limits on what comes in, before anything is parsed.

The library hands every packet to `_handle_eio_message`; there is no public hook so early. The
tests beside this package talk to a real server and fail if an update moves the method.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
from aiohttp import web
from engineio.async_drivers.aiohttp import WebSocket
from engineio.packet import PING
from engineio.packet import Packet as EnginePacket

from signaling.session.limits import CONNECTS, RAW_MESSAGES, Bucket
from signaling.socketio.outbox import Outbox
from signaling.socketio.refusal import refusal

_PACKET = re.compile(r"4[0-6]|[135]$")
"""A Socket.IO message, or a bare close, pong or upgrade: nothing else comes from a client.

A message without its digit would be parsed as JSON, recursively, before anybody could refuse it.
"""

PINGS_IN_A_ROW = 16
"""They take about 0.1 ms each."""

Greeter = Callable[[str, str], Awaitable[None]]

_log = logging.getLogger(__name__)


def steady_ms() -> int:
    return int(time.monotonic() * 1000)


class StrictSocket(WebSocket):  # type: ignore[misc] # the library ships no types
    """Ends the connection at a frame that is no Engine.IO packet of a client.

    The library parses frames outside its error handling: an empty one killed the handler and
    left the session open until the ping timeout. Compression is off: a zlib context for each
    connection takes more memory than all else about it, and our messages are small.
    """

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        self.environ = environ
        self._sock = web.WebSocketResponse(
            max_msg_size=self.server.max_http_buffer_size, compress=False
        )
        await self._sock.prepare(environ["aiohttp.request"])
        await self.handler(self)
        return self._sock

    async def wait(self) -> str:
        frame = await super().wait()
        if not isinstance(frame, str) or not _PACKET.match(frame):
            raise OSError("not an Engine.IO packet")
        return frame


class Line:
    """One Engine.IO session: its limits and its outbox."""

    def __init__(self, sio: socketio.AsyncServer, eio_sid: str, request: web.BaseRequest) -> None:
        now_ms = steady_ms()
        self.outbox = Outbox(sio, eio_sid, request)
        self.request = request
        self.used_ms = now_ms
        self.packets = Bucket(RAW_MESSAGES, now_ms)
        self.connects = Bucket(CONNECTS, now_ms)
        self.size_bytes = 0
        """Of the packet that is being handled."""
        self.answered_ms = now_ms
        self.asked_ms: int | None = None
        """When the ping was sent that is not answered yet."""

    def answered(self) -> None:
        """A pong came. One that nobody asked for says nothing."""
        if self.asked_ms is not None:
            self.asked_ms, self.answered_ms = None, steady_ms()


class BoundedServer(socketio.AsyncServer):  # type: ignore[misc] # the library ships no types
    """Cuts off a client that floods, sends binary or garbage; greets after a namespace is up."""

    def __init__(self, *, greet: Greeter, **options: object) -> None:
        super().__init__(monitor_clients=False, **options)  # see `ping`
        self.eio._async = {**self.eio._async, "websocket": StrictSocket}
        self.lines: dict[str, Line] = {}
        self._greet = greet

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, object]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        request = environ["aiohttp.request"]
        assert isinstance(request, web.BaseRequest), "mounted on aiohttp"
        line = self.lines[eio_sid] = Line(self, eio_sid, request)
        socket = self.eio.sockets[eio_sid]
        socket.last_ping = None  # ours are not the library's to judge
        socket.schedule_ping = line.answered  # what the library does at a pong

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        line = self.lines.pop(eio_sid, None)
        try:
            await super()._handle_eio_disconnect(eio_sid, reason)
        finally:
            if line is not None:
                line.outbox.cut_later()

    async def _handle_eio_message(self, eio_sid: str, data: object) -> None:
        line = self.lines.get(eio_sid)
        if line is None:
            return
        if not isinstance(data, str) or not line.packets.take(steady_ms()):
            line.outbox.cut()
            return
        line.size_bytes = len(data.encode())
        try:
            await super()._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            _log.info("cut off a client that sent something unreadable")
            line.outbox.cut()

    async def _handle_event(
        self, eio_sid: str, namespace: str, ack_id: int | None, data: object
    ) -> None:
        if not isinstance(data, list) or not data or not _is_event_name(data[0]):
            raise ValueError("an event has a name of its own and a body")
        await super()._handle_event(eio_sid, namespace, ack_id, data)

    async def _handle_connect(self, eio_sid: str, namespace: str, data: object) -> None:
        line = self.lines[eio_sid]
        if self._sid(eio_sid, namespace) is not None or not line.connects.take(steady_ms()):
            line.outbox.cut()
            return
        await super()._handle_connect(eio_sid, namespace, data)
        sid = self._sid(eio_sid, namespace)
        if sid is None:
            return
        try:
            await self._greet(sid, namespace)
        except Exception as error:
            _log.warning("nobody could be greeted: %s", refusal(error).message)
            await self.disconnect(sid, namespace=namespace)

    def _sid(self, eio_sid: str, namespace: str) -> str | None:
        """The session of an open namespace on this line."""
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace or "/")
        return sid if self.manager.is_connected(sid, namespace or "/") else None

    async def ping(self, interval_ms: int, timeout_ms: int) -> None:
        """Ask everybody whose turn it is; close the session of who did not answer in time.

        The library has a timer and a task for the pings of each client and one more task that
        goes round among them. Each wakes an idle node by itself, which costs it more than the
        ping does; here all that are due leave together.
        """
        now_ms, asked = steady_ms(), 0
        for eio_sid, line in list(self.lines.items()):
            socket = self.eio.sockets.get(eio_sid)
            if socket is None or socket.closed or socket.closing:
                continue
            if line.asked_ms is None:
                if now_ms - line.answered_ms >= interval_ms:
                    line.asked_ms = now_ms
                    socket.queue.put_nowait(EnginePacket(PING))
                    asked += 1
                    if asked % PINGS_IN_A_ROW == 0:
                        await asyncio.sleep(0)  # others have their turn
            elif now_ms - line.asked_ms >= timeout_ms:
                await socket.close(wait=False, reason=self.eio.reason.PING_TIMEOUT)

    def cut_silent(self, patience_ms: int) -> None:
        """Cut lines that have had no namespace open for so long."""
        now_ms = steady_ms()
        for eio_sid, line in list(self.lines.items()):
            if any(self._sid(eio_sid, namespace) for namespace in self.namespaces):
                line.used_ms = now_ms
            elif now_ms - line.used_ms > patience_ms:
                line.outbox.cut()


def _is_event_name(name: object) -> bool:
    """The library would take an event called `connect` for its own."""
    return isinstance(name, str) and name not in ("connect", "disconnect")
