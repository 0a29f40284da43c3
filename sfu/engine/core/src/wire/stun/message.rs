//! Reading STUN messages.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, Key};

use super::crc32::crc32;
use super::{
    FINGERPRINT_MASK, HEADER_BYTES, INTEGRITY_BYTES, MAGIC_COOKIE, MAX_MESSAGE_BYTES, attribute,
};
use crate::wire::{WireError, read_u16, read_u32};

/// The class of a message (RFC 8489, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Asks for a response.
    Request,
    /// Asks for nothing.
    Indication,
    /// Answers well.
    Success,
    /// Answers with an error code.
    Error,
}

/// A message whose framing was checked, with the attributes that ICE knows.
///
/// Nothing is authentic until [`Message::has_integrity_of`] said so; a fingerprint, if there is
/// one, was checked by `parse`.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// Its class.
    pub class: Class,
    /// Its method, such as [`super::BINDING`].
    pub method: u16,
    /// Pairs a response with its request.
    pub transaction: [u8; 12],
    /// USERNAME.
    pub username: Option<&'a [u8]>,
    /// PRIORITY.
    pub priority: Option<u32>,
    /// Whether USE-CANDIDATE is there.
    pub use_candidate: bool,
    /// The tie-breaker of ICE-CONTROLLED.
    pub controlled: Option<u64>,
    /// The tie-breaker of ICE-CONTROLLING.
    pub controlling: Option<u64>,
    /// The number of ERROR-CODE, such as 487.
    pub error_code: Option<u16>,
    /// Comprehension-required attributes that are not known here.
    pub unknown: UnknownAttributes,
    mapped: Option<&'a [u8]>,
    integrity: Option<usize>,
    has_fingerprint: bool,
}

/// Types of unknown comprehension-required attributes, up to what an error response lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct UnknownAttributes {
    types: [u16; Self::MOST],
    count: usize,
}

impl UnknownAttributes {
    /// More than these are not listed.
    pub const MOST: usize = 8;

    fn note(&mut self, kind: u16) {
        if self.count < Self::MOST {
            self.types[self.count] = kind;
            self.count += 1;
        }
    }

    /// The types in order of appearance.
    pub fn types(&self) -> &[u16] {
        &self.types[..self.count]
    }
}

impl<'a> Message<'a> {
    /// Parses a whole datagram.
    ///
    /// # Errors
    /// `Truncated` when lengths contradict the datagram's; `Version` without the magic cookie;
    /// `Malformed` for attributes of a wrong length, a wrong or misplaced fingerprint, or a
    /// datagram above [`MAX_MESSAGE_BYTES`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, WireError> {
        let mut message = Self::parse_header(datagram)?;
        let mut at = HEADER_BYTES;
        while at < datagram.len() {
            if message.has_fingerprint {
                return Err(WireError::Malformed);
            }
            at = message.parse_attribute(at)?;
        }
        Ok(message)
    }

    fn parse_header(bytes: &'a [u8]) -> Result<Self, WireError> {
        let header = bytes
            .first_chunk::<HEADER_BYTES>()
            .ok_or(WireError::Truncated)?;
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if kind & 0xc000 != 0 || bytes.len() > MAX_MESSAGE_BYTES {
            return Err(WireError::Malformed);
        }
        if read_u32(header, 4) != Some(MAGIC_COOKIE) {
            return Err(WireError::Version);
        }
        if length % 4 != 0 || length != bytes.len() - HEADER_BYTES {
            return Err(WireError::Truncated);
        }
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&header[8..]);
        Ok(Self {
            bytes,
            class: class_of(kind),
            method: method_of(kind),
            transaction,
            username: None,
            priority: None,
            use_candidate: false,
            controlled: None,
            controlling: None,
            error_code: None,
            unknown: UnknownAttributes::default(),
            mapped: None,
            integrity: None,
            has_fingerprint: false,
        })
    }

    /// Takes the attribute at `at`; returns where the next one begins.
    fn parse_attribute(&mut self, at: usize) -> Result<usize, WireError> {
        let kind = read_u16(self.bytes, at).ok_or(WireError::Truncated)?;
        let length = usize::from(read_u16(self.bytes, at + 2).ok_or(WireError::Truncated)?);
        let start = at + 4;
        let end = start + length.next_multiple_of(4);
        if end > self.bytes.len() {
            return Err(WireError::Truncated);
        }
        let value = &self.bytes[start..start + length];
        if kind == attribute::FINGERPRINT {
            self.check_fingerprint(at, value)?;
        } else if self.integrity.is_none() {
            // RFC 8489, section 14.5: what follows the integrity is ignored.
            self.take(kind, value, at)?;
        }
        Ok(end)
    }

    /// The first of equal attributes counts (RFC 8489, section 14).
    fn take(&mut self, kind: u16, value: &'a [u8], at: usize) -> Result<(), WireError> {
        match kind {
            attribute::USERNAME => {
                self.username.get_or_insert(value);
            }
            attribute::MESSAGE_INTEGRITY => {
                exact::<INTEGRITY_BYTES>(value)?;
                self.integrity = Some(at);
            }
            attribute::PRIORITY => {
                self.priority
                    .get_or_insert(u32::from_be_bytes(exact(value)?));
            }
            attribute::USE_CANDIDATE => self.use_candidate = true,
            attribute::ICE_CONTROLLED => {
                self.controlled = Some(u64::from_be_bytes(exact(value)?));
            }
            attribute::ICE_CONTROLLING => {
                self.controlling = Some(u64::from_be_bytes(exact(value)?));
            }
            attribute::ERROR_CODE => self.error_code = Some(error_number(value)?),
            attribute::XOR_MAPPED_ADDRESS => self.mapped = Some(value),
            attribute::UNKNOWN_ATTRIBUTES => {}
            0x0000..=0x7fff => self.unknown.note(kind),
            _ => {}
        }
        Ok(())
    }

    fn check_fingerprint(&mut self, at: usize, value: &[u8]) -> Result<(), WireError> {
        let claimed = u32::from_be_bytes(exact(value)?);
        // The header's length must say, as it does, that the fingerprint is the end.
        if crc32(0, &self.bytes[..at]) ^ FINGERPRINT_MASK != claimed {
            return Err(WireError::Malformed);
        }
        self.has_fingerprint = true;
        Ok(())
    }

    /// Whether a right FINGERPRINT is there.
    pub const fn has_fingerprint(&self) -> bool {
        self.has_fingerprint
    }

    /// Whether MESSAGE-INTEGRITY is there, right or wrong.
    pub const fn claims_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether MESSAGE-INTEGRITY is there and made with `key`; compared in constant time.
    pub fn has_integrity_of(&self, key: &Key) -> bool {
        let Some(at) = self.integrity else {
            return false;
        };
        let value = &self.bytes[at + 4..at + 4 + INTEGRITY_BYTES];
        let tag = integrity_tag(key, self.bytes, at);
        verify_slices_are_equal(&tag, value).is_ok()
    }

    /// XOR-MAPPED-ADDRESS (RFC 8489, section 14.2), for the asking side.
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        let value = self.mapped?;
        let port = read_u16(value, 2)? ^ (MAGIC_COOKIE >> 16) as u16;
        let ip = match (value.get(1)?, value.len()) {
            (1, 8) => IpAddr::V4(Ipv4Addr::from(read_u32(value, 4)? ^ MAGIC_COOKIE)),
            (2, 20) => {
                let masked = u128::from_be_bytes(exact(&value[4..]).ok()?);
                IpAddr::V6(Ipv6Addr::from(masked ^ address_mask(&self.transaction)))
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }
}

/// Magic cookie and transaction: what an IPv6 address is masked with.
pub(super) fn address_mask(transaction: &[u8; 12]) -> u128 {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(transaction);
    u128::from_be_bytes(mask)
}

/// The HMAC over what precedes the integrity attribute at `at`, with the header's length set as
/// if the message ended behind that attribute (RFC 8489, section 14.5).
pub(super) fn integrity_tag(key: &Key, bytes: &[u8], at: usize) -> [u8; INTEGRITY_BYTES] {
    let length = (at + 4 + INTEGRITY_BYTES - HEADER_BYTES) as u16;
    let mut context = Context::with_key(key);
    context.update(&bytes[..2]);
    context.update(&length.to_be_bytes());
    context.update(&bytes[4..at]);
    let tag = context.sign();
    *tag.as_ref().first_chunk().expect("SHA-1 has 20 bytes")
}

const fn class_of(kind: u16) -> Class {
    match kind & 0x0110 {
        0x0000 => Class::Request,
        0x0010 => Class::Indication,
        0x0100 => Class::Success,
        _ => Class::Error,
    }
}

/// The method's bits around the two class bits.
const fn method_of(kind: u16) -> u16 {
    kind & 0x000f | (kind & 0x00e0) >> 1 | (kind & 0x3e00) >> 2
}

fn exact<const N: usize>(value: &[u8]) -> Result<[u8; N], WireError> {
    value.try_into().map_err(|_| WireError::Malformed)
}

/// Class and number of an ERROR-CODE value (RFC 8489, section 14.8).
fn error_number(value: &[u8]) -> Result<u16, WireError> {
    match value {
        [_, _, class, number, ..] if *number < 100 => {
            Ok(u16::from(class & 0x07) * 100 + u16::from(*number))
        }
        _ => Err(WireError::Malformed),
    }
}
