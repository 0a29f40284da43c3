"""A real server on a port that the kernel chose, and ways to talk to it, polite and raw."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import socketio
from aiohttp import web

from signaling.socketio.server import SignalingServer
from tests.conditions import until
from tests.signaling.node import Node, join_token


class Wire:
    """A node that listens."""

    def __init__(self, node: Node, server: SignalingServer, port: int) -> None:
        self.node, self.server, self.port = node, server, port

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
        await until(lambda: self.server.connections == 0)


@asynccontextmanager
async def listening(node: Node, **options: Any) -> AsyncIterator[Wire]:
    server = SignalingServer(node.visits, node.feed, **options)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Wire(node, server, runner.addresses[0][1])
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
        self.socket.on("*", self._hear, namespace=namespace)
        self.socket.on("connect_error", self._refused, namespace=namespace)

    async def _hear(self, name: str, body: Any) -> None:
        self.heard.append((name, body))

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
        await until(lambda: any(one == name for one, _ in self.heard))
        return next(body for one, body in reversed(self.heard) if one == name)

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
