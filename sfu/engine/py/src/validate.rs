//! What the shell refuses, so that the core only sees arguments that make sense.

use std::net::{IpAddr, SocketAddr};

use mianshi_engine_core::Tuning;
use pyo3::PyResult;

use crate::errors::error;

/// Sections of one description; an offer for a large panel has about forty.
const MAX_SECTIONS: usize = 512;

/// The mid header extension carries at most 16 bytes in the one-byte form (RFC 8285).
const MAX_TAG_CHARS: usize = 16;

/// The longest UDP payload over IPv4.
const MAX_UDP_BYTES: usize = 65_507;

pub(crate) fn address(host: &str, port: u32) -> PyResult<SocketAddr> {
    let ip: IpAddr = host
        .parse()
        .map_err(|_| error("invalid_host", "the host must be an IP address"))?;
    let port = u16::try_from(port)
        .map_err(|_| error("invalid_port", "the port must be between 0 and 65535"))?;
    Ok(SocketAddr::new(ip, port))
}

pub(crate) fn seed(seed: &[u8]) -> PyResult<[u8; 32]> {
    seed.try_into()
        .map_err(|_| error("invalid_seed", "the seed must be 32 bytes"))
}

/// RFC 8839, section 5.4: 4 to 256 characters for the fragment, 22 to 256 for the password.
pub(crate) fn ice_credentials(ufrag: &str, pwd: &str) -> PyResult<()> {
    let is_ice = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
    };
    if !(4..=256).contains(&ufrag.len()) || !is_ice(ufrag) {
        return Err(error(
            "invalid_ice_ufrag",
            "an ICE user fragment is 4 to 256 ICE characters",
        ));
    }
    if !(22..=256).contains(&pwd.len()) || !is_ice(pwd) {
        return Err(error(
            "invalid_ice_pwd",
            "an ICE password is 22 to 256 ICE characters",
        ));
    }
    Ok(())
}

pub(crate) fn datagram(datagram: &[u8]) -> PyResult<()> {
    if (1..=MAX_UDP_BYTES).contains(&datagram.len()) {
        return Ok(());
    }
    Err(error(
        "invalid_datagram",
        "a datagram is 1 to 65507 bytes long",
    ))
}

/// The profile's code, if we know it and both keys are as long as it wants
/// (RFC 5764, section 4.1.2; RFC 7714, section 12).
pub(crate) fn keys(profile: u32, receive: &[u8], send: &[u8]) -> PyResult<u16> {
    let (code, bytes) = match profile {
        0x0001 => (0x0001, 16 + 14),
        0x0007 => (0x0007, 16 + 12),
        0x0008 => (0x0008, 32 + 12),
        _ => {
            return Err(error(
                "invalid_profile",
                "the SRTP profile must be 1 (AES-CM-SHA1-80), 7 (GCM-128) or 8 (GCM-256)",
            ));
        }
    };
    if receive.len() != bytes || send.len() != bytes {
        return Err(error(
            "invalid_key",
            format!("this profile takes {bytes} bytes of key and salt in each direction"),
        ));
    }
    Ok(code)
}

/// An identification tag (RFC 5888 token) that fits its header extension.
pub(crate) fn mid(mid: &str) -> PyResult<()> {
    if is_tag(mid, |byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(error(
        "invalid_mid",
        "a mid is 1 to 16 printable characters",
    ))
}

/// RFC 8851, section 10: letters and digits, plus the `-` and `_` that RFC 8852 took out.
pub(crate) fn rid(rid: &str) -> PyResult<()> {
    if is_tag(rid, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
    }) {
        return Ok(());
    }
    Err(error("invalid_rid", "a rid is 1 to 16 letters and digits"))
}

fn is_tag(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    (1..=MAX_TAG_CHARS).contains(&text.len()) && text.bytes().all(allowed)
}

/// Pixels and a priority that fit the core's types.
pub(crate) fn tuning(
    drawn: Option<(u32, u32)>,
    max_height: Option<u32>,
    priority: u32,
) -> PyResult<Tuning> {
    let pixels = |side: u32| {
        u16::try_from(side).map_err(|_| error("invalid_size", "a side is 0 to 65535 pixels long"))
    };
    Ok(Tuning {
        drawn: drawn
            .map(|(width, height)| Ok::<_, pyo3::PyErr>((pixels(width)?, pixels(height)?)))
            .transpose()?,
        max_height: max_height.map(pixels).transpose()?,
        priority: u8::try_from(priority)
            .map_err(|_| error("invalid_priority", "a priority is 0 to 255"))?,
    })
}

/// Ids of RFC 8285: 1 to 14 in the one-byte form, to 255 in the two-byte form, 15 in neither.
pub(crate) fn extension_id(id: u32) -> PyResult<u8> {
    match u8::try_from(id) {
        Ok(id) if id != 0 && id != 15 => Ok(id),
        _ => Err(error(
            "invalid_extension",
            "a header extension's id is 1 to 14 or 16 to 255",
        )),
    }
}

pub(crate) fn payload_type(payload_type: u32) -> PyResult<u8> {
    u8::try_from(payload_type)
        .ok()
        .filter(|payload_type| *payload_type < 128)
        .ok_or_else(|| error("invalid_payload_type", "a payload type is 0 to 127"))
}

pub(crate) fn codec(key: &str, clock_rate: u32) -> PyResult<()> {
    if key.is_empty() || key.len() > 64 || clock_rate == 0 {
        return Err(error(
            "invalid_codec",
            "a codec has a key of 1 to 64 bytes and a clock rate above 0",
        ));
    }
    Ok(())
}

/// Each mid once, and not more sections than any honest description has.
pub(crate) fn sections<'a>(mids: impl ExactSizeIterator<Item = &'a str>) -> PyResult<()> {
    if mids.len() > MAX_SECTIONS {
        return Err(error(
            "too_many_sections",
            format!("a description has at most {MAX_SECTIONS} sections"),
        ));
    }
    let mut seen = std::collections::HashSet::new();
    for mid in mids {
        if !seen.insert(mid) {
            return Err(error("duplicate_mid", format!("mid {mid:?} occurs twice")));
        }
    }
    Ok(())
}
