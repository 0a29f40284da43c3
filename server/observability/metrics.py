"""Prometheus: counters that the node keeps, and figures asked of its parts when scraped."""

from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from server.observability.quality_metrics import QualityMetrics
from sfu.api import MediaStats, SfuError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class LiveFigures(Protocol):
    """What the metrics ask of the running node."""

    def room_count(self) -> int: ...

    def visit_count(self) -> int: ...

    def live_store_lost(self) -> bool: ...

    async def media_stats(self) -> MediaStats: ...


class Metrics:
    """One registry per node, so that tests can run several in a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "mianshi_http_request_seconds",
            "HTTP requests by route pattern, method and status",
            ("route", "method", "status"),
            buckets=_LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.joins = Counter(
            "mianshi_joins_total",
            "Admissions by way (join, resume) and outcome (ok or an error code)",
            ("way", "outcome"),
            registry=self.registry,
        )
        self.rooms = Gauge("mianshi_rooms", "Rooms with a seat taken", registry=self.registry)
        self.visits = Gauge("mianshi_visits", "Connected visits", registry=self.registry)
        self.store_lost = Gauge(
            "mianshi_live_store_lost", "1 while Redis does not take writes", registry=self.registry
        )
        self.quality = QualityMetrics(self.registry)
        self._media = _MediaCollector()
        self.registry.register(self._media)

    async def render(self, figures: LiveFigures) -> bytes:
        self.rooms.set(figures.room_count())
        self.visits.set(figures.visit_count())
        self.store_lost.set(figures.live_store_lost())
        try:
            self._media.stats = await figures.media_stats()
        except (SfuError, TimeoutError):
            self._media.stats = None
        return generate_latest(self.registry)


class _MediaCollector(Collector):
    """The engine's totals as it told them; nothing while it does not answer."""

    stats: MediaStats | None = None

    def collect(self) -> Iterable[Metric]:
        if self.stats is None:
            return
        stats = self.stats
        yield GaugeMetricFamily("mianshi_media_peers", "Peers", value=stats.peers)
        yield GaugeMetricFamily(
            "mianshi_media_peers_connected", "Peers with DTLS up", value=stats.connected
        )
        yield GaugeMetricFamily(
            "mianshi_media_tcp_connections",
            "Media connections over TCP that are open",
            value=stats.tcp_connections,
        )
        yield CounterMetricFamily(
            "mianshi_media_datagrams_received",
            "Datagrams over UDP and TCP",
            value=stats.datagrams_received,
        )
        yield CounterMetricFamily(
            "mianshi_media_datagrams_sent", "Datagrams over UDP and TCP", value=stats.datagrams_sent
        )
        yield _labelled(
            "mianshi_media_datagrams_dropped",
            "Dropped datagrams",
            "reason",
            stats.datagrams_dropped.items(),
        )
        counts = stats.handshakes
        yield _labelled(
            "mianshi_media_handshakes",
            "DTLS handshakes by outcome",
            "outcome",
            (
                ("completed", counts.completed),
                ("failed", counts.failed),
                ("timed_out", counts.timed_out),
                ("refused", counts.refused),
            ),
        )
        yield from _stream_totals(stats)


def _labelled(
    name: str, text: str, label: str, values: Iterable[tuple[str, int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in values:
        family.add_metric((value,), count)
    return family


def _stream_totals(stats: MediaStats) -> Iterable[Metric]:
    """Sums over the streams alive now: gauges, since streams end."""
    for name in ("packets", "bytes", "packets_lost", "nack_count", "retransmitted_packets"):
        family = GaugeMetricFamily(
            f"mianshi_media_streams_{name}",
            "Sum over the streams alive now",
            labels=("direction", "kind"),
        )
        sums: dict[tuple[str, str], int] = {}
        for stream in stats.streams:
            key = (stream.direction, stream.kind)
            sums[key] = sums.get(key, 0) + getattr(stream, name)
        for key, value in sums.items():
            family.add_metric(key, value)
        yield family


METRICS = web.AppKey("metrics", Metrics)
