//! Redundant audio (RFC 2198): the newest block of sound, and copies of the ones before it.

use crate::wire::{WireError, read_u24};

/// Most blocks of one payload: browsers send two and can be made to send ten.
pub const MAX_BLOCKS: usize = 10;
/// The farthest that a block can lie back, in timestamp units (14 bits): 341 ms of Opus.
pub const MAX_TIMESTAMP_OFFSET: u32 = 0x3fff;
/// The longest block that is not the newest (10 bits).
pub const MAX_BLOCK_BYTES: usize = 0x3ff;
/// What the header of each earlier block takes.
pub const EARLIER_HEADER_BYTES: usize = 4;

const FOLLOWED: u8 = 0x80;

/// One block, and where it is in the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// How the block is encoded.
    pub payload_type: u8,
    /// How far the block lies back, in timestamp units; 0 for the newest.
    pub timestamp_offset: u32,
    start: usize,
    bytes: usize,
}

impl Block {
    /// Where the block is.
    pub fn range(&self) -> core::ops::Range<usize> {
        self.start..self.start + self.bytes
    }
}

/// The blocks of a payload.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    blocks: [Block; MAX_BLOCKS],
    count: usize,
}

impl Blocks {
    /// Find the blocks of a payload.
    ///
    /// # Errors
    /// A length or the headers reach past the payload, there is no newest block, or there are
    /// more than `MAX_BLOCKS`.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut blocks = [Block::default(); MAX_BLOCKS];
        let mut count = 0;
        let mut at = 0;
        loop {
            let block = blocks.get_mut(count).ok_or(WireError::Malformed)?;
            let first = *payload.get(at).ok_or(WireError::Truncated)?;
            block.payload_type = first & !FOLLOWED;
            count += 1;
            at += 1;
            if first & FOLLOWED == 0 {
                break;
            }
            let fields = read_u24(payload, at).ok_or(WireError::Truncated)?;
            block.timestamp_offset = fields >> 10;
            block.bytes = fields as usize & MAX_BLOCK_BYTES;
            at += EARLIER_HEADER_BYTES - 1;
        }
        for block in &mut blocks[..count - 1] {
            block.start = at;
            at += block.bytes;
        }
        let newest = &mut blocks[count - 1];
        newest.start = at;
        newest.bytes = payload.len().checked_sub(at).ok_or(WireError::Truncated)?;
        Ok(Self { blocks, count })
    }

    /// The block that the packet's own timestamp belongs to.
    pub fn newest(&self) -> &Block {
        &self.blocks[self.count - 1]
    }

    /// The others, as they stand in the payload: the oldest first.
    pub fn earlier(&self) -> &[Block] {
        &self.blocks[..self.count - 1]
    }

    /// All of them.
    pub fn all(&self) -> &[Block] {
        &self.blocks[..self.count]
    }
}

/// Write the headers of a payload: `earlier` is (timestamp offset, length) of each block before
/// the newest, oldest first. Returns the headers' length; the blocks follow in the same order.
///
/// # Errors
/// An offset or a length does not fit its field, or the buffer is too small.
pub fn write_headers(
    buffer: &mut [u8],
    payload_type: u8,
    earlier: impl Iterator<Item = (u32, usize)>,
) -> Result<usize, WireError> {
    let mut at = 0;
    for (timestamp_offset, bytes) in earlier {
        if timestamp_offset > MAX_TIMESTAMP_OFFSET || bytes > MAX_BLOCK_BYTES {
            return Err(WireError::Malformed);
        }
        let fields = (timestamp_offset << 10 | bytes as u32).to_be_bytes();
        let header = [payload_type | FOLLOWED, fields[1], fields[2], fields[3]];
        buffer
            .get_mut(at..at + EARLIER_HEADER_BYTES)
            .ok_or(WireError::NoRoom)?
            .copy_from_slice(&header);
        at += EARLIER_HEADER_BYTES;
    }
    *buffer.get_mut(at).ok_or(WireError::NoRoom)? = payload_type & !FOLLOWED;
    Ok(at + 1)
}
