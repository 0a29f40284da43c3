"""A real server on a port that the kernel chose, and ways to talk to it, polite and raw."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import socketio
from aiohttp import web

from signaling.socketio.server import SignalingServer
from tests.conditions import Changes
from tests.signaling.node import Node, join_token


class Wire:
    """A node that listens."""

    def __init__(self, node: Node, server: SignalingServer, port: int, changes: Changes) -> None:
        """`changes`: of rooms, and whenever a line has gone."""
        self.node, self.server, self.port, self.changes = node, server, port, changes

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def raw(self, **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket that speaks Engine.IO by hand; its greeting is read already."""
        async with aiohttp.ClientSession() as session:
            url = f"{self.url}/socket.io/?EIO=4&transport=websocket"
            async with session.ws_connect(url, headers=headers, max_msg_size=0) as socket:
                assert (await socket.receive_str()).startswith("0{")
                yield socket

    async def lines_gone(self) -> None:
        await self.changes.until(lambda: self.server.connections == 0)

    async def loses(self, participant: str) -> None:
        """Wait until the room knows that their connection is gone."""

        def is_away() -> bool:
            live = self.node.rooms.live("i1")
            seat = live and live.seat_of(participant)
            return seat is not None and not seat.connected

        await self.changes.until(is_away)


@asynccontextmanager
async def listening(node: Node, **options: Any) -> AsyncIterator[Wire]:
    server = SignalingServer(node.visits, node.feed, **options)
    changes = Changes()
    node.rooms.on_change(changes.tell)

    @web.middleware
    async def tell_end(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            changes.tell()

    app = web.Application(middlewares=[tell_end])
    server.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Wire(node, server, runner.addresses[0][1], changes)
    finally:
        await server.close()
        await runner.cleanup()


class Client:
    """A Socket.IO client that keeps what it hears."""

    def __init__(self, namespace: str = "/room") -> None:
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.namespace = namespace
        self.heard: list[tuple[str, Any]] = []
        self.refusal: Any = None
        self.ended = False
        self._changes = Changes()
        self.socket.on("*", self._hear, namespace=namespace)
        self.socket.on("disconnect", self._end, namespace=namespace)
        self.socket.on("connect_error", self._refused, namespace=namespace)

    async def _hear(self, name: str, body: Any) -> None:
        self.heard.append((name, body))
        self._changes.tell()

    async def _end(self, *_: object) -> None:
        self.ended = True
        self._changes.tell()

    async def _refused(self, data: Any) -> None:
        self.refusal = data

    async def connect(self, wire: Wire, auth: Any = None, **headers: str) -> "Client":
        await self.socket.connect(
            wire.url,
            auth=auth,
            headers=headers,
            namespaces=[self.namespace],
            transports=["websocket"],
            wait_timeout=5,
        )
        return self

    async def does(self, name: str, body: Any = None) -> Any:
        return await self.socket.call(name, body, namespace=self.namespace, timeout=5)

    async def hears(self, name: str) -> Any:
        """The newest message of that name, waited for."""
        await self.until(lambda: any(one == name for one, _ in self.heard))
        return next(body for one, body in reversed(self.heard) if one == name)

    async def until(self, condition: Callable[[], object]) -> None:
        """Return when `condition` holds; looked at whenever something is heard."""
        await self._changes.until(condition)

    async def is_cut_off(self) -> None:
        """Wait until the server ends it."""
        await self.until(lambda: self.ended)

    async def close(self) -> None:
        await self.socket.disconnect()


async def arrive(wire: Wire, participant: str) -> Client:
    client = await Client().connect(wire, {"token": join_token(participant)})
    await client.hears("welcome")
    return client


def event_packet(
    name: object, *bodies: object, ack: int | str = "", namespace: str = "/room"
) -> str:
    """An Engine.IO message with a Socket.IO event, as text."""
    return f"42{namespace},{ack}" + json.dumps([name, *bodies])


def connect_packet(auth: object, namespace: str = "/room") -> str:
    return f"40{namespace}," + json.dumps(auth)
