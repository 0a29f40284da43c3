"""From the media plane's running totals to what each path did lately."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sfu.api import MediaStats, PeerId, Slot
from signaling.quality.facts import Path

if TYPE_CHECKING:
    from sfu.api import DownlinkStats, PathStats, StreamStats

HALF_LIFE_MS = 4_000
"""Losses are weighed over about this time: receivers report them up to 5 s late."""

MIN_PACKETS = 25
"""Fewer, weighed likewise, say nothing about loss: a silent microphone sends two a second."""

_StreamKey = tuple[int, str, str, str, int]
_KINDS = ("audio", "video")


@dataclass(slots=True)
class _Leg:
    """One direction of one peer: bytes of this interval, packets weighed."""

    bytes: int = 0
    packets: float = 0.0
    lost: float = 0.0
    peak_ratio: float = 0.0
    """The greatest loss of an interval lately. Viewers' reports of the same loss come up to 5 s
    after we saw it, and not evenly: to be sure that it is not theirs, this much is forgiven."""

    def fade(self, keep: float) -> None:
        self.bytes = 0
        self.packets *= keep
        self.lost *= keep
        self.peak_ratio *= math.sqrt(keep)

    def add(self, packets: float, lost: float) -> None:
        self.packets += packets
        self.lost += lost
        if packets >= MIN_PACKETS:
            self.peak_ratio = max(self.peak_ratio, lost / packets)

    @property
    def loss_ratio(self) -> float | None:
        if self.packets < MIN_PACKETS:
            return None
        return min(1.0, max(0.0, self.lost / self.packets))


@dataclass(slots=True)
class _Peer:
    up: dict[str, _Leg] = field(default_factory=lambda: {kind: _Leg() for kind in _KINDS})
    down: _Leg = field(default_factory=_Leg)
    jitter_ms: float | None = None

    def begin(self, keep: float) -> None:
        for leg in (*self.up.values(), self.down):
            leg.fade(keep)
        self.jitter_ms = None

    def loss_up(self) -> float | None:
        """Of sound or picture, whichever fares worse."""
        known = [ratio for leg in self.up.values() if (ratio := leg.loss_ratio) is not None]
        return max(known, default=None)


@dataclass(frozen=True, slots=True)
class _Totals:
    packets: int
    bytes: int
    lost: int


class Readings:
    """Give it the statistics every few seconds; it remembers those before."""

    def __init__(self) -> None:
        self._peers: dict[int, _Peer] = {}
        self._totals: dict[_StreamKey, _Totals] = {}
        self._at_ms: int | None = None

    def take(
        self, stats: MediaStats, at_ms: int, shown: Callable[[PeerId], Iterable[Slot]]
    ) -> dict[int, Path]:
        """Return each peer's path. `shown(viewer)`: what the viewer's slots show now."""
        interval_ms = 0 if self._at_ms is None else max(0, at_ms - self._at_ms)
        self._at_ms = at_ms
        self._begin({one.peer for one in stats.paths}, 0.5 ** (interval_ms / HALF_LIFE_MS))
        before, self._totals = self._totals, {}
        # Sources first: what they lost is not to be charged to their viewers.
        for direction in ("receive", "send"):
            for stream in stats.streams:
                if stream.direction == direction:
                    self._add(stream, before, shown)
        downlinks = {one.peer: one for one in stats.downlinks}
        return {
            one.peer: self._path(one, downlinks.get(one.peer), interval_ms) for one in stats.paths
        }

    def _begin(self, present: set[int], keep: float) -> None:
        for gone in self._peers.keys() - present:
            del self._peers[gone]
        for peer in present:
            self._peers.setdefault(peer, _Peer()).begin(keep)

    def _add(
        self,
        stream: "StreamStats",
        before: dict[_StreamKey, _Totals],
        shown: Callable[[PeerId], Iterable[Slot]],
    ) -> None:
        key = (stream.peer, stream.mid, stream.rid, stream.direction, stream.ssrc)
        now = self._totals[key] = _Totals(stream.packets, stream.bytes, stream.packets_lost)
        then, peer = before.get(key), self._peers.get(stream.peer)
        if then is None or peer is None or now.packets <= then.packets:
            return
        packets = now.packets - then.packets
        # Counts that began again are no packets that came late after all.
        lost = max(float(now.lost - then.lost), float(-packets))
        if stream.direction == "receive":
            leg = peer.up[stream.kind]
            # A late packet takes its loss back; expected is what came and what is missing.
            leg.add(max(0.0, packets + lost), lost)
            if stream.kind == "audio":
                peer.jitter_ms = max(peer.jitter_ms or 0.0, stream.jitter_ms)
        else:
            leg = peer.down
            if lost > 0:
                lost = max(0.0, lost - packets * self._upstream(stream, shown))
            leg.add(packets, lost)
        leg.bytes += now.bytes - then.bytes

    def _upstream(self, stream: "StreamStats", shown: Callable[[PeerId], Iterable[Slot]]) -> float:
        """For each packet that was sent to this slot, those that never reached us for it."""
        for slot in shown(PeerId(stream.peer)):
            if slot.mid == stream.mid and slot.peer in self._peers:
                ratio = min(self._peers[slot.peer].up[stream.kind].peak_ratio, 0.99)
                return ratio / (1 - ratio)
        return 0.0

    def _path(self, told: "PathStats", downlink: "DownlinkStats | None", interval_ms: int) -> Path:
        peer = self._peers[told.peer]
        loss_down_ratio = peer.down.loss_ratio
        if downlink is not None and downlink.acknowledged_bps:
            # The viewer numbers what it got of our own leg: nobody else's loss is in that.
            loss_down_ratio = downlink.loss_ratio
        up_bytes = sum(leg.bytes for leg in peer.up.values())
        return Path(
            silent_ms=told.silent_ms,
            rtt_ms=told.round_trip_time_ms,
            jitter_ms=peer.jitter_ms,
            loss_up_ratio=peer.loss_up(),
            loss_down_ratio=loss_down_ratio,
            up_bps=_bps(up_bytes, interval_ms),
            down_bps=_bps(peer.down.bytes, interval_ms),
            estimate_bps=None if downlink is None else downlink.available_bps,
        )


def _bps(size_bytes: int, interval_ms: int) -> int:
    return size_bytes * 8_000 // interval_ms if interval_ms else 0
