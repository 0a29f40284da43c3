"""What the media plane measured: totals for `/metrics`, streams for quality."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfu._engine import DownlinkStats, PathStats, StreamStats
    from sfu._engine import Stats as EngineStats


@dataclass(slots=True)
class HandshakeCounts:
    """Connections by outcome since the node began."""

    completed: int = 0
    failed: int = 0
    timed_out: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class MediaStats:
    """A snapshot of the node. The datagram counters are totals since it began."""

    peers: int
    connected: int
    handshakes: HandshakeCounts
    datagrams_received: int
    datagrams_sent: int
    datagrams_dropped: Mapping[str, int]
    """By reason, as in `sfu._engine.Stats`."""
    streams: "Sequence[StreamStats]" = field(repr=False)
    """The engine's own objects, as below: a busy node has thousands of them."""
    paths: "Sequence[PathStats]" = field(default=(), repr=False)
    downlinks: "Sequence[DownlinkStats]" = field(default=(), repr=False)
    tcp_connections: int = 0
    """Of clients whose network lets no UDP through, open now."""


def media_stats(
    event: "EngineStats", peers: int, connected: int, handshakes: HandshakeCounts
) -> MediaStats:
    """The engine's answer beside what Python counts."""
    return MediaStats(
        peers=peers,
        connected=connected,
        handshakes=handshakes,
        datagrams_received=event.datagrams_received,
        datagrams_sent=event.datagrams_sent,
        tcp_connections=event.tcp_connections,
        datagrams_dropped=dict(event.datagrams_dropped),
        streams=event.streams,
        paths=event.paths,
        downlinks=event.downlinks,
    )
