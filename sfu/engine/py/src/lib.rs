//! The Python shell of the media engine; its typed surface is `sfu/_engine.pyi`.

use pyo3::prelude::*;

mod engine;
mod errors;
mod events;
mod media;
mod stats;
mod validate;

#[pymodule]
mod _engine {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::errors::EngineError;
    #[pymodule_export]
    use crate::events::{
        DtlsReceived, IceConnected, LayersWanted, PeerSilent, SlotPaused, SourceStarted, Speaking,
    };
    #[pymodule_export]
    use crate::media::{Codec, Media};
    #[pymodule_export]
    use crate::stats::{DownlinkStats, PathStats, Stats, StreamStats};

    /// `Event`: the union of all event classes.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        let event = py
            .get_type::<IceConnected>()
            .bitor(py.get_type::<DtlsReceived>())?
            .bitor(py.get_type::<PeerSilent>())?
            .bitor(py.get_type::<SourceStarted>())?
            .bitor(py.get_type::<LayersWanted>())?
            .bitor(py.get_type::<SlotPaused>())?
            .bitor(py.get_type::<Speaking>())?
            .bitor(py.get_type::<Stats>())?;
        module.add("Event", event)
    }
}
