//! Statistics as Python sees them.

use mianshi_engine_core as core;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Totals since the stream began, named as in W3C webrtc-stats.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct StreamStats {
    peer: u64,
    mid: String,
    rid: String,
    kind: &'static str,
    direction: &'static str,
    ssrc: u32,
    packets: u64,
    bytes: u64,
    packets_lost: i64,
    jitter_ms: f64,
    round_trip_time_ms: f64,
    nack_count: u64,
    pli_count: u64,
    fir_count: u64,
    retransmitted_packets: u64,
    key_frames: u64,
}

#[pymethods]
impl StreamStats {
    fn __repr__(&self) -> String {
        format!(
            "StreamStats(peer={}, mid='{}', rid='{}', direction='{}', packets={})",
            self.peer, self.mid, self.rid, self.direction, self.packets
        )
    }
}

impl From<core::StreamStats> for StreamStats {
    fn from(stream: core::StreamStats) -> Self {
        Self {
            peer: stream.peer,
            mid: stream.mid,
            rid: stream.rid,
            kind: match stream.kind {
                core::MediaKind::Audio => "audio",
                core::MediaKind::Video => "video",
            },
            direction: match stream.direction {
                core::Direction::Receive => "receive",
                core::Direction::Send => "send",
            },
            ssrc: stream.ssrc,
            packets: stream.packets,
            bytes: stream.bytes,
            packets_lost: stream.packets_lost,
            jitter_ms: stream.jitter_ms,
            round_trip_time_ms: stream.round_trip_time_ms,
            nack_count: stream.nack_count,
            pli_count: stream.pli_count,
            fir_count: stream.fir_count,
            retransmitted_packets: stream.retransmitted_packets,
            key_frames: stream.key_frames,
        }
    }
}

/// The path to one peer, now.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct PathStats {
    peer: u64,
    silent_ms: u64,
    round_trip_time_ms: Option<f64>,
}

#[pymethods]
impl PathStats {
    fn __repr__(&self) -> String {
        format!(
            "PathStats(peer={}, silent_ms={}, round_trip_time_ms={:?})",
            self.peer, self.silent_ms, self.round_trip_time_ms
        )
    }
}

impl From<core::PathStats> for PathStats {
    fn from(path: core::PathStats) -> Self {
        Self {
            peer: path.peer,
            silent_ms: path.silent_ms,
            round_trip_time_ms: path.round_trip_time_ms,
        }
    }
}

/// The path to one viewer, at one moment.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct DownlinkStats {
    peer: u64,
    available_bps: u64,
    acknowledged_bps: u64,
    queue_ms: f64,
    loss_ratio: f64,
    pacer_queue_ms: f64,
    paced_packets: u64,
    probe_clusters: u64,
}

#[pymethods]
impl DownlinkStats {
    fn __repr__(&self) -> String {
        format!(
            "DownlinkStats(peer={}, available_bps={}, queue_ms={:.0})",
            self.peer, self.available_bps, self.queue_ms
        )
    }
}

impl From<core::DownlinkStats> for DownlinkStats {
    fn from(path: core::DownlinkStats) -> Self {
        Self {
            peer: path.peer,
            available_bps: path.available_bps,
            acknowledged_bps: path.acknowledged_bps,
            queue_ms: path.queue_ms,
            loss_ratio: path.loss_ratio,
            pacer_queue_ms: path.pacer_queue_ms,
            paced_packets: path.paced_packets,
            probe_clusters: path.probe_clusters,
        }
    }
}

/// The answer to `request_stats`; the datagram counters are the engine's totals.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct Stats {
    token: u64,
    peers: u64,
    datagrams_received: u64,
    datagrams_sent: u64,
    tcp_connections: u64,
    datagrams_dropped: Py<PyDict>,
    paths: Py<PyList>,
    streams: Py<PyList>,
    downlinks: Py<PyList>,
}

#[pymethods]
impl Stats {
    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("token",)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!(
            "Stats(token={}, peers={}, {} streams)",
            self.token,
            self.peers,
            self.streams.bind(py).len()
        )
    }
}

impl Stats {
    pub fn new(py: Python<'_>, stats: core::Stats) -> PyResult<Self> {
        let dropped = PyDict::new(py);
        for (reason, count) in stats.datagrams_dropped {
            dropped.set_item(reason, count)?;
        }
        let paths = PyList::empty(py);
        for path in stats.paths {
            paths.append(Bound::new(py, PathStats::from(path))?)?;
        }
        let streams = PyList::empty(py);
        for stream in stats.streams {
            streams.append(Bound::new(py, StreamStats::from(stream))?)?;
        }
        let downlinks = PyList::empty(py);
        for path in stats.downlinks {
            downlinks.append(Bound::new(py, DownlinkStats::from(path))?)?;
        }
        Ok(Self {
            token: stats.token,
            peers: stats.peers,
            datagrams_received: stats.datagrams_received,
            datagrams_sent: stats.datagrams_sent,
            tcp_connections: stats.tcp_connections,
            datagrams_dropped: dropped.unbind(),
            paths: paths.unbind(),
            streams: streams.unbind(),
            downlinks: downlinks.unbind(),
        })
    }
}
