//! The Python shell of the media engine; its typed surface is `sfu/_engine.pyi`.

use pyo3::prelude::*;

#[pymodule]
mod _engine {}
