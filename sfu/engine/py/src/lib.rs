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
    #[pymodule_export]
    use crate::engine::Engine;
    #[pymodule_export]
    use crate::errors::EngineError;
    #[pymodule_export]
    use crate::events::{DtlsReceived, IceConnected, PeerSilent, SourceStarted, Speaking};
    #[pymodule_export]
    use crate::media::{Codec, Media};
    #[pymodule_export]
    use crate::stats::{Stats, StreamStats};
}
