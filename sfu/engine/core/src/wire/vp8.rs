//! The VP8 payload descriptor (RFC 7741, section 4.2), read and rewritten in place.

use super::{WireError, read_u16, read_u24};

/// A parsed descriptor; offsets are relative to the RTP payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// First packet of a partition.
    pub starts_partition: bool,
    /// Partition index; 0 holds the frame header.
    pub partition: u8,
    /// No other frame depends on this one.
    pub non_reference: bool,
    /// Running frame index.
    pub picture_id: Option<PictureId>,
    /// Running index of temporal base-layer frames.
    pub tl0_picture_index: Option<Tl0PictureIndex>,
    /// Temporal layer and its sync bit.
    pub temporal: Option<TemporalLayer>,
    /// Temporal key frame index.
    pub key_index: Option<u8>,
    /// Length of the descriptor: the VP8 payload begins here.
    pub bytes: usize,
}

/// A picture id and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureId {
    /// 7 or 15 bits.
    pub value: u16,
    /// Whether it has 15 bits.
    pub wide: bool,
    /// Offset in the RTP payload.
    pub offset: usize,
}

/// A TL0PICIDX and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tl0PictureIndex {
    /// Eight bits.
    pub value: u8,
    /// Offset in the RTP payload.
    pub offset: usize,
}

/// A temporal layer index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporalLayer {
    /// 0 to 3; 0 is the base layer.
    pub index: u8,
    /// Depends on the base layer only, so a receiver may switch up here.
    pub sync: bool,
}

impl PictureId {
    /// The largest value in this width.
    pub const fn mask(&self) -> u16 {
        if self.wide { 0x7fff } else { 0x7f }
    }
}

impl Descriptor {
    /// Parses the head of an RTP payload.
    ///
    /// # Errors
    /// `Truncated` when the payload ends within the descriptor or has no byte behind it.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader { payload, at: 0 };
        let first = reader.byte()?;
        let flags = if first & 0x80 != 0 { reader.byte()? } else { 0 };
        let picture_id = (flags & 0x80 != 0)
            .then(|| reader.picture_id())
            .transpose()?;
        let tl0_picture_index = (flags & 0x40 != 0)
            .then(|| reader.tl0_picture_index())
            .transpose()?;
        // T and K share one byte, present when either is set.
        let layers = (flags & 0x30 != 0).then(|| reader.byte()).transpose()?;
        if reader.at >= payload.len() {
            return Err(WireError::Truncated);
        }
        Ok(Self {
            starts_partition: first & 0x10 != 0,
            partition: first & 0x07,
            non_reference: first & 0x20 != 0,
            picture_id,
            tl0_picture_index,
            temporal: layers
                .filter(|_| flags & 0x20 != 0)
                .map(|byte| TemporalLayer {
                    index: byte >> 6,
                    sync: byte & 0x20 != 0,
                }),
            key_index: layers.filter(|_| flags & 0x10 != 0).map(|byte| byte & 0x1f),
            bytes: reader.at,
        })
    }

    /// Whether this packet begins a frame.
    pub const fn starts_frame(&self) -> bool {
        self.starts_partition && self.partition == 0
    }

    /// Whether this packet begins a key frame (RFC 7741, section 4.3: bit P of the frame tag).
    pub fn starts_keyframe(&self, payload: &[u8]) -> bool {
        self.starts_frame() && payload.get(self.bytes).is_some_and(|tag| tag & 0x01 == 0)
    }

    /// Overwrites the picture id and TL0PICIDX that are there, keeping widths; `payload` is the
    /// one that was parsed, or a copy. Values are cut to the width that the field has.
    pub fn rewrite(&self, payload: &mut [u8], picture_id: u16, tl0_picture_index: u8) {
        if let Some(field) = self.picture_id {
            if field.wide {
                let bytes = (picture_id | 0x8000).to_be_bytes();
                payload[field.offset..field.offset + 2].copy_from_slice(&bytes);
            } else {
                payload[field.offset] = (picture_id & 0x7f) as u8;
            }
        }
        if let Some(field) = self.tl0_picture_index {
            payload[field.offset] = tl0_picture_index;
        }
    }

    /// Writes the descriptor anew with a 15-bit picture id whenever there is one; returns its
    /// length, at most [`MAX_DESCRIPTOR_BYTES`]. It may be longer than the one that was parsed.
    ///
    /// # Errors
    /// `NoRoom` when the buffer is too small.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, WireError> {
        let mut scratch = [0; MAX_DESCRIPTOR_BYTES];
        let bytes = self.compose(&mut scratch);
        buffer
            .get_mut(..bytes)
            .ok_or(WireError::NoRoom)?
            .copy_from_slice(&scratch[..bytes]);
        Ok(bytes)
    }

    fn compose(&self, out: &mut [u8; MAX_DESCRIPTOR_BYTES]) -> usize {
        let has_layers = self.temporal.is_some() || self.key_index.is_some();
        let flags = u8::from(self.picture_id.is_some()) << 7
            | u8::from(self.tl0_picture_index.is_some()) << 6
            | u8::from(self.temporal.is_some()) << 5
            | u8::from(self.key_index.is_some()) << 4;
        out[0] = u8::from(flags != 0) << 7
            | u8::from(self.non_reference) << 5
            | u8::from(self.starts_partition) << 4
            | self.partition & 0x07;
        if flags == 0 {
            return 1;
        }
        out[1] = flags;
        let mut at = 2;
        if let Some(field) = self.picture_id {
            out[at..at + 2].copy_from_slice(&(field.value | 0x8000).to_be_bytes());
            at += 2;
        }
        if let Some(field) = self.tl0_picture_index {
            out[at] = field.value;
            at += 1;
        }
        if has_layers {
            let temporal = self.temporal.map_or(0, |layer| {
                (layer.index & 0x03) << 6 | u8::from(layer.sync) << 5
            });
            out[at] = temporal | self.key_index.unwrap_or(0) & 0x1f;
            at += 1;
        }
        at
    }
}

/// Longest descriptor: two flag bytes, picture id, TL0PICIDX and the layer byte.
pub const MAX_DESCRIPTOR_BYTES: usize = 6;

/// Width and height of a key frame's first packet (RFC 6386, section 9.1), for statistics.
pub fn keyframe_size(payload: &[u8]) -> Option<(u16, u16)> {
    let descriptor = Descriptor::parse(payload).ok()?;
    if !descriptor.starts_keyframe(payload) {
        return None;
    }
    let start_code = descriptor.bytes + 3;
    if read_u24(payload, start_code)? != 0x9d_012a {
        return None;
    }
    // Little-endian, with the scaling in the two upper bits.
    let width = read_u16(payload, start_code + 3)?.swap_bytes() & 0x3fff;
    let height = read_u16(payload, start_code + 5)?.swap_bytes() & 0x3fff;
    Some((width, height))
}

struct Reader<'a> {
    payload: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, WireError> {
        let byte = *self.payload.get(self.at).ok_or(WireError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    fn picture_id(&mut self) -> Result<PictureId, WireError> {
        let offset = self.at;
        let high = self.byte()?;
        let wide = high & 0x80 != 0;
        let value = match wide {
            true => u16::from_be_bytes([high & 0x7f, self.byte()?]),
            false => u16::from(high),
        };
        Ok(PictureId {
            value,
            wide,
            offset,
        })
    }

    fn tl0_picture_index(&mut self) -> Result<Tl0PictureIndex, WireError> {
        let offset = self.at;
        let value = self.byte()?;
        Ok(Tl0PictureIndex { value, offset })
    }
}
