//! Writing STUN messages.

use core::net::{IpAddr, SocketAddr};

use aws_lc_rs::hmac::Key;

use super::crc32::crc32;
use super::message::{address_mask, integrity_tag};
use super::{
    BINDING, Class, FINGERPRINT_MASK, HEADER_BYTES, INTEGRITY_BYTES, MAGIC_COOKIE, attribute,
};
use crate::wire::WireError;

/// A Binding message under construction in a caller's buffer.
///
/// `integrity` comes behind all that it covers and `fingerprint` last.
#[derive(Debug)]
pub struct MessageWriter<'a> {
    buffer: &'a mut [u8],
    used_bytes: usize,
}

impl<'a> MessageWriter<'a> {
    /// Begins a Binding message of `class`.
    ///
    /// # Errors
    /// `NoRoom` when the header does not fit.
    pub fn new(
        buffer: &'a mut [u8],
        class: Class,
        transaction: [u8; 12],
    ) -> Result<Self, WireError> {
        let header = buffer.get_mut(..HEADER_BYTES).ok_or(WireError::NoRoom)?;
        let class_bits = match class {
            Class::Request => 0x0000,
            Class::Indication => 0x0010,
            Class::Success => 0x0100,
            Class::Error => 0x0110,
        };
        header[..2].copy_from_slice(&(BINDING | class_bits).to_be_bytes());
        header[2..4].fill(0);
        header[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        header[8..].copy_from_slice(&transaction);
        Ok(Self {
            buffer,
            used_bytes: HEADER_BYTES,
        })
    }

    /// The length of the message.
    pub fn finish(self) -> usize {
        self.used_bytes
    }

    /// Appends any attribute.
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> Result<(), WireError> {
        self.lend(kind, value.len())?.copy_from_slice(value);
        Ok(())
    }

    /// Appends XOR-MAPPED-ADDRESS (RFC 8489, section 14.2).
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn mapped_address(&mut self, address: SocketAddr) -> Result<(), WireError> {
        let port = address.port() ^ (MAGIC_COOKIE >> 16) as u16;
        let mut value = [0; 20];
        value[2..4].copy_from_slice(&port.to_be_bytes());
        let bytes = match address.ip() {
            IpAddr::V4(ip) => {
                value[1] = 1;
                let masked = u32::from(ip) ^ MAGIC_COOKIE;
                value[4..8].copy_from_slice(&masked.to_be_bytes());
                8
            }
            IpAddr::V6(ip) => {
                value[1] = 2;
                let masked = u128::from(ip) ^ address_mask(&self.transaction());
                value[4..].copy_from_slice(&masked.to_be_bytes());
                20
            }
        };
        self.attribute(attribute::XOR_MAPPED_ADDRESS, &value[..bytes])
    }

    /// Appends ERROR-CODE (RFC 8489, section 14.8), `code` being 300 to 699.
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn error(&mut self, code: u16, reason: &str) -> Result<(), WireError> {
        let value = self.lend(attribute::ERROR_CODE, 4 + reason.len())?;
        value[..4].copy_from_slice(&[0, 0, (code / 100) as u8, (code % 100) as u8]);
        value[4..].copy_from_slice(reason.as_bytes());
        Ok(())
    }

    /// Appends UNKNOWN-ATTRIBUTES (RFC 8489, section 14.9).
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn unknown_attributes(&mut self, types: &[u16]) -> Result<(), WireError> {
        let value = self.lend(attribute::UNKNOWN_ATTRIBUTES, 2 * types.len())?;
        for (pair, kind) in value.chunks_exact_mut(2).zip(types) {
            pair.copy_from_slice(&kind.to_be_bytes());
        }
        Ok(())
    }

    /// Appends MESSAGE-INTEGRITY over everything so far.
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn integrity(&mut self, key: &Key) -> Result<(), WireError> {
        let at = self.used_bytes;
        self.lend(attribute::MESSAGE_INTEGRITY, INTEGRITY_BYTES)?;
        let tag = integrity_tag(key, &self.buffer[..at], at);
        self.buffer[at + 4..self.used_bytes].copy_from_slice(&tag);
        Ok(())
    }

    /// Appends FINGERPRINT over everything so far.
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn fingerprint(&mut self) -> Result<(), WireError> {
        let at = self.used_bytes;
        self.lend(attribute::FINGERPRINT, 4)?;
        let checksum = crc32(0, &self.buffer[..at]) ^ FINGERPRINT_MASK;
        self.buffer[at + 4..self.used_bytes].copy_from_slice(&checksum.to_be_bytes());
        Ok(())
    }

    fn transaction(&self) -> [u8; 12] {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.buffer[8..HEADER_BYTES]);
        transaction
    }

    /// Appends an attribute's head and zero padding; the header's length follows at once.
    fn lend(&mut self, kind: u16, length: usize) -> Result<&mut [u8], WireError> {
        let start = self.used_bytes + 4;
        let end = start + length.next_multiple_of(4);
        if end > self.buffer.len() || end - HEADER_BYTES > usize::from(u16::MAX) {
            return Err(WireError::NoRoom);
        }
        let head = &mut self.buffer[self.used_bytes..start];
        head[..2].copy_from_slice(&kind.to_be_bytes());
        head[2..].copy_from_slice(&(length as u16).to_be_bytes());
        self.buffer[start..end].fill(0);
        self.buffer[2..4].copy_from_slice(&((end - HEADER_BYTES) as u16).to_be_bytes());
        self.used_bytes = end;
        Ok(&mut self.buffer[start..start + length])
    }
}
