//! The one error that Python sees.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

pyo3::create_exception!(
    sfu._engine,
    EngineError,
    PyException,
    "The engine refused its arguments or could not have its socket; `code` is stable."
);

/// An `EngineError` with its stable code.
pub(crate) fn error(code: &'static str, message: impl Into<String>) -> PyErr {
    let error = EngineError::new_err(message.into());
    Python::attach(|py| match error.value(py).setattr("code", code) {
        Ok(()) => error,
        Err(failed) => failed,
    })
}
