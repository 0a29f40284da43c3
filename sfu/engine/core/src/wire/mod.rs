//! Formats on the wire: parsing and writing without state, allocation or panics on any bytes.

pub mod demux;
pub mod error;
pub mod extension;
pub mod framing;
pub mod h264;
pub mod red;
pub mod remb;
pub mod rtcp;
pub mod rtcp_writer;
pub mod rtp;
pub mod stun;
pub mod twcc;
pub mod vp8;

pub use demux::{DatagramKind, classify};
pub use error::WireError;

/// Sixteen bits in network order at `offset`, or nothing past the end.
pub(crate) fn read_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..offset.checked_add(2)?)?;
    Some(u16::from_be_bytes([field[0], field[1]]))
}

/// Twenty-four bits in network order at `offset`, or nothing past the end.
pub(crate) fn read_u24(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..offset.checked_add(3)?)?;
    Some(u32::from_be_bytes([0, field[0], field[1], field[2]]))
}

/// Thirty-two bits in network order at `offset`, or nothing past the end.
pub(crate) fn read_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_be_bytes([field[0], field[1], field[2], field[3]]))
}
