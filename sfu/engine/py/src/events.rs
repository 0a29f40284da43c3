//! The events, frozen, for `match` statements; none shows an address, a key or a datagram.

use mianshi_engine_core as core;
use mianshi_engine_core::transport::{Transport, socket_address};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::stats::Stats;

/// A peer's address was validated by an authenticated STUN request, or changed.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct IceConnected {
    peer: u64,
    address: (String, u16),
    changed: bool,
    transport: &'static str,
}

#[pymethods]
impl IceConnected {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("peer", "address", "changed")
    }

    fn __repr__(&self) -> String {
        let changed = if self.changed { "True" } else { "False" };
        format!("IceConnected(peer={}, changed={changed})", self.peer)
    }
}

/// A DTLS datagram from a validated address.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct DtlsReceived {
    peer: u64,
    datagram: Py<PyBytes>,
}

#[pymethods]
impl DtlsReceived {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("peer", "datagram")
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let bytes = self.datagram.bind(py).as_bytes().len();
        format!("DtlsReceived(peer={}, {bytes} bytes)", self.peer)
    }
}

/// Nothing authenticated has arrived for `silent_ms`.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct PeerSilent {
    peer: u64,
    silent_ms: u32,
}

#[pymethods]
impl PeerSilent {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("peer", "silent_ms")
    }

    fn __repr__(&self) -> String {
        format!(
            "PeerSilent(peer={}, silent_ms={})",
            self.peer, self.silent_ms
        )
    }
}

/// The first valid packet of a source, or of one of its layers.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct SourceStarted {
    peer: u64,
    mid: String,
    rid: String,
}

#[pymethods]
impl SourceStarted {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("peer", "mid", "rid")
    }

    fn __repr__(&self) -> String {
        let Self { peer, mid, rid } = self;
        format!("SourceStarted(peer={peer}, mid='{mid}', rid='{rid}')")
    }
}

/// The layers of a video source that somebody watches now.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct LayersWanted {
    peer: u64,
    mid: String,
    layers: Vec<(String, Option<u64>)>,
}

#[pymethods]
impl LayersWanted {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("peer", "mid", "layers")
    }

    fn __repr__(&self) -> String {
        let Self { peer, mid, layers } = self;
        format!("LayersWanted(peer={peer}, mid='{mid}', layers={layers:?})")
    }
}

/// A viewer's path cannot hold the smallest picture of a slot, or can again.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct SlotPaused {
    viewer: u64,
    slot: String,
    paused: bool,
}

#[pymethods]
impl SlotPaused {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("viewer", "slot", "paused")
    }

    fn __repr__(&self) -> String {
        let paused = if self.paused { "True" } else { "False" };
        let Self { viewer, slot, .. } = self;
        format!("SlotPaused(viewer={viewer}, slot='{slot}', paused={paused})")
    }
}

/// Voice began or ended on an audio source.
#[pyclass(frozen, get_all, module = "sfu._engine")]
pub(crate) struct Speaking {
    peer: u64,
    mid: String,
    speaking: bool,
    level_dbov: i8,
}

#[pymethods]
impl Speaking {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str, &'static str) {
        ("peer", "mid", "speaking", "level_dbov")
    }

    fn __repr__(&self) -> String {
        let speaking = if self.speaking { "True" } else { "False" };
        format!(
            "Speaking(peer={}, mid='{}', speaking={speaking}, level_dbov={})",
            self.peer, self.mid, self.level_dbov
        )
    }
}

/// The event as an instance of its Python class.
pub(crate) fn to_python(py: Python<'_>, event: core::Event) -> PyResult<Bound<'_, PyAny>> {
    match event {
        core::Event::IceConnected {
            peer,
            address,
            changed,
        } => instance(
            py,
            IceConnected {
                peer,
                address: (socket_address(address).ip().to_string(), address.port()),
                changed,
                transport: Transport::of(&address).name(),
            },
        ),
        core::Event::DtlsReceived { peer, datagram } => instance(
            py,
            DtlsReceived {
                peer,
                datagram: PyBytes::new(py, &datagram).unbind(),
            },
        ),
        core::Event::PeerSilent { peer, silent_ms } => instance(py, PeerSilent { peer, silent_ms }),
        core::Event::SourceStarted { peer, mid, rid } => {
            instance(py, SourceStarted { peer, mid, rid })
        }
        core::Event::LayersWanted { peer, mid, layers } => {
            let layers = layers.into_iter().map(|layer| (layer.rid, layer.max_bps));
            let layers = layers.collect();
            instance(py, LayersWanted { peer, mid, layers })
        }
        core::Event::SlotPaused {
            viewer,
            slot,
            paused,
        } => instance(
            py,
            SlotPaused {
                viewer,
                slot,
                paused,
            },
        ),
        core::Event::Speaking {
            peer,
            mid,
            speaking,
            level_dbov,
        } => instance(
            py,
            Speaking {
                peer,
                mid,
                speaking,
                level_dbov,
            },
        ),
        core::Event::Stats(stats) => instance(py, Stats::new(py, stats)?),
    }
}

fn instance<T>(py: Python<'_>, value: T) -> PyResult<Bound<'_, PyAny>>
where
    T: pyo3::PyClass + Into<PyClassInitializer<T>>,
{
    Ok(Bound::new(py, value)?.into_any())
}
