"""The Socket.IO server as one object: `attach` it to the application, `run` it, `close` it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from rooms.beat import next_beat
from signaling.protocol.base import MAX_MESSAGE_BYTES
from signaling.session.ports import HrFeed
from signaling.session.visits import Visits
from signaling.socketio.edge import BoundedServer
from signaling.socketio.hr import HR, HrNamespace
from signaling.socketio.room import ROOM, RoomNamespace

PING_INTERVAL_S = 5
"""At the most: told to clients, who take us for gone that much and the timeout later."""
PING_AFTER_S = 3.5
PING_TIMEOUT_S = 5
PING_BEAT_S = 1.0
"""How often it is looked who is due: together, but not all of a busy node at once."""
FRAME_OVERHEAD_BYTES = 1024
"""Event name, namespace and acknowledgement number around a body of the largest size."""
SILENT_MS = 10_000
SWEEP_S = 2.0
FAREWELL_S = 0.2
"""How long the last messages have to leave before the application closes the sockets."""

_log = logging.getLogger(__name__)


class SignalingServer:
    """Serves `/socket.io` over WebSocket only.

    Long polling is off: a browser that has WebRTC has WebSocket, and polling would need limits
    of its own. `origins` are further page origins, such as `https://interview.example.com`
    behind a proxy that rewrites Host; a page of our own host is always welcome, and so is a
    client without an Origin, because only browsers carry cookies that others could abuse.
    """

    def __init__(self, visits: Visits, hr_feed: HrFeed, *, origins: Sequence[str] = ()) -> None:
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._visits = visits
        self._closed = False
        self._sio = BoundedServer(
            greet=self._greet,
            async_mode="aiohttp",
            async_handlers=False,  # a connection's commands run in order, and only as read
            transports=["websocket"],
            cors_allowed_origins=self._is_welcome,
            max_http_buffer_size=MAX_MESSAGE_BYTES + FRAME_OVERHEAD_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            namespaces=[ROOM, HR],
        )
        self._room = RoomNamespace(self._sio, visits)
        self._hr = HrNamespace(self._sio, hr_feed)
        self._sio.register_namespace(self._room)
        self._sio.register_namespace(self._hr)

    def attach(self, app: web.Application) -> None:
        """Add the route; call before the application starts."""
        self._sio.attach(app)

    def hr_changed(self, interview_id: str) -> None:
        """Something that HR's list shows has changed; also give this to `RoomService.on_change`."""
        self._hr.changed(interview_id)

    def hr_signed_out(self) -> None:
        """Some HR session ended: whoever listens with it hears nothing more."""
        self._hr.signed_out()

    @property
    def connections(self) -> int:
        return len(self._sio.lines)

    async def run(self) -> None:
        """Ping clients, look after what nobody says; endlessly."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._every(PING_BEAT_S, self._ping))
            tasks.create_task(self._every(SWEEP_S, self._sweep))

    async def _ping(self) -> None:
        await self._sio.ping(int(PING_AFTER_S * 1000), int(PING_TIMEOUT_S * 1000))

    async def _sweep(self) -> None:
        """Cut off silent lines, notice media that came back, keep HR's list fresh."""
        self._sio.cut_silent(SILENT_MS)
        await self._visits.notice_returns()
        await self._hr.reread()

    async def _every(self, period_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await next_beat(period_s)
            try:
                await work()
            except Exception:
                _log.exception("what is done now and then failed")  # the next time it may not

    async def close(self) -> None:
        """Say goodbye to everyone; call before the application stops listening."""
        if self._closed:
            return
        self._closed = True
        await self._visits.close()
        if self._sio.lines:
            await asyncio.sleep(FAREWELL_S)
        await self._sio.shutdown()
        for line in list(self._sio.lines.values()):
            line.outbox.cut()

    async def _greet(self, sid: str, namespace: str) -> None:
        await (self._room if namespace == ROOM else self._hr).greet(sid)

    def _is_welcome(self, origin: str | None, environ: dict[str, Any]) -> bool:
        if not origin:
            return True
        origin = origin.lower()
        return origin in self._origins or urlsplit(origin).netloc == _host(environ)


def _host(environ: dict[str, Any]) -> str:
    return str(environ.get("HTTP_HOST", "")).lower()
