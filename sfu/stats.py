"""What the media plane measured: totals for `/metrics`, streams for quality."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfu._engine import Stats as EngineStats
    from sfu._engine import StreamStats as EngineStream


@dataclass(frozen=True, slots=True)
class StreamStats:
    """Totals since the stream began, named as in W3C webrtc-stats.

    `rid` is "" outside simulcast; `direction` is `receive` for a source, `send` for a slot.
    """

    peer: int
    mid: str
    rid: str
    kind: str
    direction: str
    ssrc: int
    packets: int
    bytes: int
    packets_lost: int
    jitter_ms: float
    round_trip_time_ms: float
    nack_count: int
    pli_count: int
    fir_count: int
    retransmitted_packets: int
    key_frames: int


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
    streams: tuple[StreamStats, ...] = field(repr=False)
    tcp_connections: int = 0
    """Of clients whose network lets no UDP through, open now."""


STREAM_FIELDS = tuple(item.name for item in fields(StreamStats))


def stream_stats(stream: "EngineStream") -> StreamStats:
    return StreamStats(**{name: getattr(stream, name) for name in STREAM_FIELDS})


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
        streams=tuple(stream_stats(stream) for stream in event.streams),
    )
