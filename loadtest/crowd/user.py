"""A virtual user: signals as the browser does, while a crowd sends and watches for it.

From the link to the goodbye: redeem, Socket.IO, one offer with microphone, camera and slots, ICE,
DTLS; then it says how large it draws, pauses the layers that nobody watches and reports its
quality every five seconds.
"""

import asyncio
import contextlib
import secrets
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiortc.rtcdtlstransport import RTCCertificate

from loadtest.crowd.process import Crowd, Membership, SentStream
from loadtest.errors import LoadtestError
from loadtest.visitor.offer import OfferedSection, SlotStream
from loadtest.visitor.visit import Media, Visit
from signaling.protocol.base import SourceKind
from signaling.protocol.commands import MediaState, QualityReport, SlotSize, SlotsSizes
from signaling.protocol.events import LayersWanted, Slots

_MICROPHONE_MID, _CAMERA_MID = "0", "1"
_FIRST_SLOT = 2
_REPORT_EVERY_S = 5.0
_DRAWN = (1280, 720)
"""How large everybody draws a slot: as a window on a laptop."""


@dataclass(frozen=True, slots=True)
class Playing:
    """What a user sends; numbers of the crowd's clips. Layers lowest first, by rid."""

    sound: int | None
    layers: Sequence[tuple[str | None, int]]


class VirtualUser:
    """One participant; `number` is unique in the crowd."""

    def __init__(self, number: int, url: str, slots: int, playing: Playing, crowd: Crowd) -> None:
        self.number = number
        self._url = url
        self._slots = slots
        self._playing = playing
        self._crowd = crowd
        self._visit: Visit | None = None
        self._reporting: asyncio.Task[None] | None = None
        self._video_slots: dict[str, int] = {}

    async def join(self, certificate: RTCCertificate) -> float:
        """Come in and begin to send. Raises LoadtestError.

        Returns the time from the tap to a media path that stands, in milliseconds.
        """
        tapped_s = time.monotonic()
        try:
            async with aiohttp.ClientSession() as http:
                self._visit = await Visit.open(http, self._url)
            sends = self._streams()
            media = await self._visit.connect_media(certificate, *self._offer(sends))
        except (aiohttp.ClientError, OSError) as error:
            raise LoadtestError(f"the server was not reached: {error}") from None
        join_ms = (time.monotonic() - tapped_s) * 1000
        await self._hand_over(media, sends)
        await self._say_what_is_shown(self._visit, media.slots)
        self._reporting = asyncio.create_task(self._report(self._visit, join_ms))
        return join_ms

    async def leave(self) -> None:
        """Hang up."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
        self._crowd.leave(self.number)
        if self._visit is not None:
            await self._visit.close()

    def _streams(self) -> list[SentStream]:
        streams = []
        if self._playing.sound is not None:
            streams.append(SentStream(_MICROPHONE_MID, self._playing.sound, _ssrc()))
        streams += [
            SentStream(_CAMERA_MID, clip, _ssrc(), rid, _ssrc())
            for rid, clip in self._playing.layers
        ]
        return streams

    def _offer(
        self, sends: Sequence[SentStream]
    ) -> tuple[list[OfferedSection], dict[str, SourceKind]]:
        sections: list[OfferedSection] = []
        tracks: dict[str, SourceKind] = {}
        camera = [each for each in sends if each.mid == _CAMERA_MID]
        for each in sends:
            if each.mid == _MICROPHONE_MID:
                sections.append(OfferedSection(each.mid, "audio", "sendonly", each.ssrc))
                tracks[each.mid] = "microphone"
        if camera:
            rids = tuple(each.rid for each in camera if each.rid is not None)
            first = camera[0]
            sections.append(
                OfferedSection(
                    mid=_CAMERA_MID,
                    kind="video",
                    direction="sendonly",
                    ssrc=None if rids else first.ssrc,
                    repair_ssrc=None if rids else first.repair_ssrc,
                    rids=rids,
                )
            )
            tracks[_CAMERA_MID] = "camera"
        for index in range(self._slots):
            mid = _FIRST_SLOT + 2 * index
            sections.append(OfferedSection(str(mid), "audio", "recvonly"))
            sections.append(OfferedSection(str(mid + 1), "video", "recvonly"))
        return sections, tracks

    async def _hand_over(self, media: Media, sends: Sequence[SentStream]) -> None:
        membership = Membership(
            user=self.number,
            socket=media.path.socket,
            server=media.server.address,
            keys=media.keys,
            consent_check=media.path.check(),
            sends=sends,
            slots=media.slots,
        )
        await self._crowd.join(membership)
        media.path.close()

    async def _say_what_is_shown(self, visit: Visit, slots: Sequence[SlotStream]) -> None:
        self._video_slots = {slot.mid: slot.ssrc for slot in slots if slot.kind == "video"}
        visit.on(Slots.TYPE, self._show)
        visit.on(LayersWanted.TYPE, self._want_layers)
        width, height = _DRAWN
        sizes = [SlotSize(slot=mid, width=width, height=height) for mid in self._video_slots]
        await visit.command(SlotsSizes(sizes=sizes))
        await visit.command(
            MediaState(
                microphone=self._playing.sound is not None, camera=bool(self._playing.layers)
            )
        )

    def _show(self, notice: dict[str, Any]) -> None:
        shown = [
            (self._video_slots[slot["mid"]], zlib.crc32(slot["participant"].encode()))
            for slot in notice["slots"]
            if slot["mid"] in self._video_slots
            and slot["participant"] is not None
            and slot["source"] is not None
            and not slot["paused"]
        ]
        self._crowd.show(self.number, shown)

    def _want_layers(self, notice: dict[str, Any]) -> None:
        if notice["camera"] is not None:
            self._crowd.want_layers(self.number, [layer["rid"] for layer in notice["camera"]])

    async def _report(self, visit: Visit, join_ms: float) -> None:
        told_join_ms: int | None = round(join_ms)
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            report = QualityReport(
                level="good",
                span_ms=_REPORT_EVERY_S * 1000,
                slots=[],
                path="udp",
                join_ms=told_join_ms,
            )
            with contextlib.suppress(LoadtestError):
                await visit.command(report)
                told_join_ms = None


def _ssrc() -> int:
    return secrets.randbelow(2**32 - 1) + 1
