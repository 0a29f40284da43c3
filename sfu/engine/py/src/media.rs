//! Codecs and sections, checked when Python makes them.

use std::collections::HashMap;

use mianshi_engine_core as core;
use pyo3::prelude::*;

use crate::errors::error;
use crate::validate;

/// One payload type of a media section.
#[pyclass(frozen, module = "sfu._engine")]
pub(crate) struct Codec(core::Codec);

#[pymethods]
impl Codec {
    #[new]
    #[pyo3(signature = (payload_type, key, clock_rate, *, rtx_payload_type=None, nack=false, pli=false, fir=false, transport_cc=false))]
    #[expect(clippy::too_many_arguments, reason = "the stub's keyword arguments")]
    fn new(
        payload_type: u32,
        key: String,
        clock_rate: u32,
        rtx_payload_type: Option<u32>,
        nack: bool,
        pli: bool,
        fir: bool,
        transport_cc: bool,
    ) -> PyResult<Self> {
        validate::codec(&key, clock_rate)?;
        Ok(Self(core::Codec {
            payload_type: validate::payload_type(payload_type)?,
            key,
            clock_rate,
            rtx_payload_type: rtx_payload_type.map(validate::payload_type).transpose()?,
            nack,
            pli,
            fir,
            transport_cc,
        }))
    }

    fn __repr__(&self) -> String {
        format!("Codec({}, '{}')", self.0.payload_type, self.0.key)
    }
}

/// One m= section, seen from the server.
#[pyclass(frozen, module = "sfu._engine")]
pub(crate) struct Media(core::Media);

#[pymethods]
impl Media {
    #[new]
    #[pyo3(signature = (mid, kind, direction, codecs, extensions, *, rids=Vec::new(), ssrc=None, rtx_ssrc=None, cname=String::new()))]
    #[expect(clippy::too_many_arguments, reason = "the stub's keyword arguments")]
    fn new(
        mid: String,
        kind: &str,
        direction: &str,
        codecs: Vec<PyRef<'_, Codec>>,
        extensions: HashMap<String, u32>,
        rids: Vec<String>,
        ssrc: Option<u32>,
        rtx_ssrc: Option<u32>,
        cname: String,
    ) -> PyResult<Self> {
        validate::mid(&mid)?;
        rids.iter().try_for_each(|rid| validate::rid(rid))?;
        let direction = parse_direction(direction)?;
        if direction == core::Direction::Send && ssrc.is_none() {
            return Err(error("missing_ssrc", "a slot needs an SSRC"));
        }
        if cname.len() > 255 {
            return Err(error("invalid_cname", "a CNAME is at most 255 bytes long"));
        }
        Ok(Self(core::Media {
            mid,
            kind: parse_kind(kind)?,
            direction,
            codecs: codecs.iter().map(|codec| codec.0.clone()).collect(),
            extensions: parse_extensions(extensions)?,
            rids,
            ssrc,
            rtx_ssrc,
            cname,
        }))
    }

    fn __repr__(&self) -> String {
        let Self(media) = self;
        format!(
            "Media('{}', {:?}, {:?})",
            media.mid, media.kind, media.direction
        )
    }
}

impl Media {
    pub fn described(&self) -> &core::Media {
        &self.0
    }
}

fn parse_kind(kind: &str) -> PyResult<core::MediaKind> {
    match kind {
        "audio" => Ok(core::MediaKind::Audio),
        "video" => Ok(core::MediaKind::Video),
        _ => Err(error("invalid_kind", "the kind must be audio or video")),
    }
}

fn parse_direction(direction: &str) -> PyResult<core::Direction> {
    match direction {
        "receive" => Ok(core::Direction::Receive),
        "send" => Ok(core::Direction::Send),
        _ => Err(error(
            "invalid_direction",
            "the direction must be receive or send",
        )),
    }
}

fn parse_extensions(extensions: HashMap<String, u32>) -> PyResult<Vec<(String, u8)>> {
    extensions
        .into_iter()
        .map(|(uri, id)| Ok((uri, validate::extension_id(id)?)))
        .collect()
}
