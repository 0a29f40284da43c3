"""Namespace `/room`: participants."""

from collections.abc import Callable
from typing import Any

import socketio

from signaling.errors import SignalingError
from signaling.protocol.auth import Auth
from signaling.protocol.events import Notice
from signaling.session.intake import Intake
from signaling.session.visit import Visit
from signaling.session.visits import Visits
from signaling.socketio.edge import BoundedServer, Line, steady_ms
from signaling.socketio.outbox import Outbox
from signaling.socketio.refusal import refusal, refused

ROOM = "/room"


class SocketConnection:
    """The `Connection` of a visit over one socket."""

    def __init__(self, outbox: Outbox, hang_up: Callable[[], None]) -> None:
        self._outbox = outbox
        self._hang_up = hang_up
        self.intake = Intake(steady_ms())
        self.visit: Visit | None = None
        self.greeting: list[Notice] = []

    def send(self, notice: Notice) -> None:
        self._outbox.send(ROOM, notice.TYPE, notice)

    def close(self) -> None:
        self._hang_up()


class RoomNamespace(socketio.AsyncNamespace):  # type: ignore[misc] # the library ships no types
    """Every event of a client is a command of `signaling.protocol.commands`."""

    def __init__(self, sio: BoundedServer, visits: Visits) -> None:
        super().__init__(ROOM)
        self._sio = sio
        self._visits = visits
        self._connections: dict[str, SocketConnection] = {}

    async def trigger_event(self, event: str, *args: Any) -> Any:  # noqa: ANN401 (the library's)
        if event == "connect":
            return await self._connect(*args)
        if event == "disconnect":
            return self._disconnect(args[0])
        return await self._command(event, *args)

    async def greet(self, sid: str) -> None:
        """Send what a new connection is told first: the client is listening only now."""
        connection = self._connections.get(sid)
        if connection is None or connection.visit is None:
            return
        waiting, connection.greeting = connection.greeting, []
        for notice in waiting:
            connection.send(notice)
        self._visits.greeted(connection.visit)

    async def _connect(self, sid: str, _: dict[str, Any], auth: object = None) -> None:
        line = self._line(sid)
        connection = SocketConnection(line.outbox, lambda: self._hang_up(sid))
        try:
            checked = Auth.model_validate(auth or {})
            connection.visit, connection.greeting = await self._visits.connect(checked, connection)
        except Exception as error:
            raise refused(error) from None
        self._connections[sid] = connection

    def _disconnect(self, sid: str) -> None:
        connection = self._connections.pop(sid, None)
        if connection is not None and connection.visit is not None:
            self._visits.disconnected(connection.visit, connection)

    async def _command(self, name: str, sid: str, *bodies: object) -> dict[str, Any]:
        connection = self._connections.get(sid)
        try:
            if connection is None or connection.visit is None:
                raise SignalingError("The connection is not admitted.", code="visit_over")
            body = bodies[0] if bodies else None
            size_bytes = self._line(sid).size_bytes
            command = connection.intake.command(name, body, size_bytes, steady_ms())
            reply = await self._visits.handle(connection.visit, connection, command)
        except Exception as error:
            return {"ok": False, "error": refusal(error).model_dump()}
        return {"ok": True, "data": reply.model_dump(mode="json")}

    def _line(self, sid: str) -> Line:
        return self._sio.lines[self._sio.manager.eio_sid_from_sid(sid, ROOM)]

    def _hang_up(self, sid: str) -> None:
        self._sio.start_background_task(self._sio.disconnect, sid, namespace=ROOM)
