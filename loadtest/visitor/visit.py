"""One visit over the real wire: link, Socket.IO, offer, ICE, DTLS."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import socketio
from aiortc.rtcdtlstransport import RTCCertificate

from loadtest.errors import LoadtestError
from loadtest.visitor.media_path import MediaPath, SrtpKeys
from loadtest.visitor.offer import (
    OfferedSection,
    ServerTransport,
    SlotStream,
    read_answer,
    read_slots,
    write_offer,
)
from signaling.protocol.base import SourceKind
from signaling.protocol.commands import Command, MediaOffer
from signaling.protocol.events import LayersWanted, MoreSlots, Place, Slots, Welcome

NAMESPACE = "/room"
_PATIENCE_S = 15.0
_KEPT_NOTICES = (Welcome.TYPE, Slots.TYPE, Place.TYPE, MoreSlots.TYPE, LayersWanted.TYPE)


@dataclass(frozen=True, slots=True)
class Media:
    """The visitor's media: a connected socket and its keys."""

    path: MediaPath
    keys: SrtpKeys
    server: ServerTransport
    slots: tuple[SlotStream, ...]


class Visit:
    """A participant from the tap on a link until `close`."""

    def __init__(self, socket: socketio.AsyncClient) -> None:
        self._socket = socket
        self._latest: dict[str, dict[str, Any]] = {}
        self._heard_by: dict[str, list[Callable[[dict[str, Any]], None]]] = {}
        self._news = asyncio.Event()
        for name in _KEPT_NOTICES:
            socket.on(name, self._keeper(name), namespace=NAMESPACE)

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, url: str) -> Self:
        """Redeem a participant's link on a fresh device and connect. Raises LoadtestError."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        link = parts.path.rpartition("/")[2]
        async with http.post(
            f"{origin}/api/links/{link}/redeem", headers={"Origin": origin}
        ) as response:
            body = await response.json()
            if response.status != 200:
                raise LoadtestError(f"the link was refused: {body['error']['code']}")
        visit = cls(socketio.AsyncClient(reconnection=False))
        try:
            await visit._socket.connect(
                origin,
                auth={"token": body["token"]},
                namespaces=[NAMESPACE],
                transports=["websocket"],
                wait_timeout=_PATIENCE_S,
            )
            await visit.expect(Welcome.TYPE)
        except socketio.exceptions.SocketIOError as refused:
            await visit.close()
            raise LoadtestError(f"the server refused the connection: {refused}") from None
        except LoadtestError:
            await visit.close()
            raise
        return visit

    async def command(self, command: Command) -> dict[str, Any]:
        """Ask the server; returns the acknowledgement's data. Raises LoadtestError."""
        body = command.model_dump(mode="json")
        try:
            reply = await self._socket.call(
                command.TYPE, body, namespace=NAMESPACE, timeout=_PATIENCE_S
            )
        except socketio.exceptions.SocketIOError:
            raise LoadtestError(f"{command.TYPE} was not answered") from None
        if not reply["ok"]:
            raise LoadtestError(f"{command.TYPE} was refused: {reply['error']['code']}")
        data: dict[str, Any] = reply["data"]
        return data

    async def connect_media(
        self,
        certificate: RTCCertificate,
        sections: Sequence[OfferedSection],
        tracks: dict[str, SourceKind],
    ) -> Media:
        """Offer, validate the path and shake hands. Raises LoadtestError."""
        path = MediaPath(certificate)
        sdp = write_offer(sections, path.credentials, path.fingerprint)
        data = await self.command(MediaOffer(sdp=sdp, tracks=tracks))
        server = read_answer(data["sdp"])
        keys = await path.connect(server)
        return Media(path, keys, server, read_slots(data["sdp"]))

    def on(self, name: str, hear: Callable[[dict[str, Any]], None]) -> None:
        """Have every notice of a type from now on given to `hear`, and the latest at once."""
        self._heard_by.setdefault(name, []).append(hear)
        if name in self._latest:
            hear(self._latest[name])

    async def expect(
        self, name: str, matches: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The latest notice of a type, once it matches. Raises LoadtestError after a while."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not (name in self._latest and matches(self._latest[name])):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise LoadtestError(f"no such `{name}` came from the server") from None
        return self._latest[name]

    async def expect_shown(self, count: int) -> None:
        """Wait until so many slots show a camera."""
        await self.expect(
            Slots.TYPE,
            lambda notice: sum(slot["source"] == "camera" for slot in notice["slots"]) >= count,
        )

    async def close(self) -> None:
        """Hang up."""
        await self._socket.disconnect()

    def _keeper(self, name: str) -> Callable[[dict[str, Any]], None]:
        def keep(notice: dict[str, Any]) -> None:
            self._latest[name] = notice
            self._news.set()
            for hear in self._heard_by.get(name, ()):
                hear(notice)

        return keep
