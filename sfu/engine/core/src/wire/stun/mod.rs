//! STUN (RFC 8489) as ICE uses it: Binding with short-term credentials.

mod crc32;
mod message;
mod writer;

pub use message::{Class, Message, UnknownAttributes};
pub use writer::MessageWriter;

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};

/// Bytes of the header: type, length, magic cookie and transaction.
pub const HEADER_BYTES: usize = 20;
/// Longest message that is looked at; ICE's own are about a hundred bytes.
pub const MAX_MESSAGE_BYTES: usize = 1_280;

/// The magic cookie (section 5).
pub const MAGIC_COOKIE: u32 = 0x2112_a442;
/// The method of connectivity checks.
pub const BINDING: u16 = 0x0001;

/// Attribute types (RFC 8489, section 18.3; RFC 8445, section 20.2).
pub mod attribute {
    /// `theirs:ours` of ICE.
    pub const USERNAME: u16 = 0x0006;
    /// HMAC-SHA1 of the message before it.
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    /// Class, number and reason of an error.
    pub const ERROR_CODE: u16 = 0x0009;
    /// The types that an error 420 is about.
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    /// Where the request came from.
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    /// Priority of a peer-reflexive candidate.
    pub const PRIORITY: u16 = 0x0024;
    /// Nomination by the controlling side.
    pub const USE_CANDIDATE: u16 = 0x0025;
    /// CRC-32 of the message before it.
    pub const FINGERPRINT: u16 = 0x8028;
    /// The sender is in the controlled role.
    pub const ICE_CONTROLLED: u16 = 0x8029;
    /// The sender is in the controlling role.
    pub const ICE_CONTROLLING: u16 = 0x802a;
}

const INTEGRITY_BYTES: usize = 20;
const FINGERPRINT_MASK: u32 = 0x5354_554e;

/// The integrity key of a short-term credential (section 9.1.1): the ICE password itself, which
/// is ASCII and so unchanged by SASLprep.
pub fn integrity_key(password: &str) -> Key {
    Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes())
}
