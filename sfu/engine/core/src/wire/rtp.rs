//! RTP packets (RFC 3550, section 5) and their header extension block (RFC 8285).

use core::ops::Range;

use super::{WireError, read_u16, read_u32};

/// Bytes of the fixed header.
pub const FIXED_HEADER_BYTES: usize = 12;
/// Profile of the one-byte element form (RFC 8285, section 4.2).
pub const ONE_BYTE_PROFILE: u16 = 0xbede;
/// Profile of the two-byte element form with application bits zero (RFC 8285, section 4.3).
pub const TWO_BYTE_PROFILE: u16 = 0x1000;

/// A parsed header. It is in the clear under SRTP, so it is parsed before decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// For video the last packet of a frame, for audio the first of a talkspurt.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Media timestamp in units of the payload type's clock rate.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// How many contributing sources are listed after the fixed header.
    pub csrc_count: u8,
    /// Where the extension block's elements are.
    pub extension: Option<ExtensionBlock>,
    /// Fixed header, CSRCs and extension block together: the payload begins here.
    pub header_bytes: usize,
    /// Whether the padding bit is set; the count itself is encrypted, see [`RtpHeader::payload`].
    pub padded: bool,
}

/// The elements of a header extension, as offsets in the packet (the 4-byte head is before them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionBlock {
    /// "defined by profile": tells the element form.
    pub profile: u16,
    /// Offset of the first element.
    pub start: usize,
    /// Offset behind the last byte of the block.
    pub end: usize,
}

impl RtpHeader {
    /// Parses the header of a plain or an encrypted packet.
    ///
    /// # Errors
    /// `Version` unless the version is 2; `Truncated` when CSRCs or extension pass the end.
    pub fn parse(packet: &[u8]) -> Result<Self, WireError> {
        let fixed = packet
            .first_chunk::<FIXED_HEADER_BYTES>()
            .ok_or(WireError::Truncated)?;
        if fixed[0] >> 6 != 2 {
            return Err(WireError::Version);
        }
        let csrc_count = fixed[0] & 0x0f;
        let csrc_end = FIXED_HEADER_BYTES + 4 * usize::from(csrc_count);
        let extension = match fixed[0] & 0x10 {
            0 => None,
            _ => Some(ExtensionBlock::parse(packet, csrc_end)?),
        };
        let header_bytes = extension.map_or(csrc_end, |block| block.end);
        if header_bytes > packet.len() {
            return Err(WireError::Truncated);
        }
        Ok(Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            csrc_count,
            extension,
            header_bytes,
            padded: fixed[0] & 0x20 != 0,
        })
    }

    /// The payload's place in the decrypted packet, without padding; empty for pure padding.
    ///
    /// # Errors
    /// `Malformed` when the padding count is zero or longer than what follows the header;
    /// `Truncated` when `plain` is shorter than the header.
    pub fn payload(&self, plain: &[u8]) -> Result<Range<usize>, WireError> {
        let body = plain.get(self.header_bytes..).ok_or(WireError::Truncated)?;
        if !self.padded {
            return Ok(self.header_bytes..plain.len());
        }
        let padding_bytes = usize::from(*body.last().ok_or(WireError::Malformed)?);
        if padding_bytes == 0 || padding_bytes > body.len() {
            return Err(WireError::Malformed);
        }
        Ok(self.header_bytes..plain.len() - padding_bytes)
    }

    /// The extension elements of the packet that this header was parsed from.
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        match &self.extension {
            Some(block) => extensions(packet, block),
            None => Extensions::none(),
        }
    }
}

impl ExtensionBlock {
    fn parse(packet: &[u8], head: usize) -> Result<Self, WireError> {
        let profile = read_u16(packet, head).ok_or(WireError::Truncated)?;
        let words = read_u16(packet, head + 2).ok_or(WireError::Truncated)?;
        let start = head + 4;
        Ok(Self {
            profile,
            start,
            end: start + 4 * usize::from(words),
        })
    }
}

/// The elements `(id, value)` of a block; ends at the first element that passes the block's end.
///
/// A block of an unknown profile has no elements.
pub fn extensions<'a>(packet: &'a [u8], block: &ExtensionBlock) -> Extensions<'a> {
    let form = match block.profile {
        ONE_BYTE_PROFILE => Form::OneByte,
        profile if profile & 0xfff0 == TWO_BYTE_PROFILE => Form::TwoByte,
        _ => return Extensions::none(),
    };
    Extensions {
        rest: packet.get(block.start..block.end).unwrap_or_default(),
        form,
    }
}

/// Iterator over extension elements.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    rest: &'a [u8],
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    OneByte,
    TwoByte,
}

impl Extensions<'_> {
    const fn none() -> Self {
        Self {
            rest: &[],
            form: Form::OneByte,
        }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest;
        let element = rest.iter().position(|&byte| byte != 0)?;
        let head = rest[element];
        let (id, length, start) = match self.form {
            // RFC 8285, section 4.2: id 15, and id 0 with a length, end the whole block.
            Form::OneByte if matches!(head >> 4, 0 | 15) => {
                self.rest = &[];
                return None;
            }
            Form::OneByte => (head >> 4, usize::from(head & 0x0f) + 1, element + 1),
            Form::TwoByte => {
                let length = rest.get(element + 1).copied().unwrap_or(u8::MAX);
                (head, usize::from(length), element + 2)
            }
        };
        let Some(value) = rest.get(start..start + length) else {
            self.rest = &[];
            return None;
        };
        self.rest = &rest[start + length..];
        Some((id, value))
    }
}

/// What a caller decides about a header to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderFields {
    /// Marker bit.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Media timestamp.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Sets the padding bit; the caller appends the padding.
    pub padded: bool,
}

/// Writes a header without CSRCs, with `elements` as its extension; returns the header's length.
///
/// One-byte form, or two-byte form when an id is above 14 or a value empty or above 16 bytes
/// (RFC 8285, section 4.1.2). No elements: no extension block.
///
/// # Errors
/// `NoRoom` when the buffer is too small; `Malformed` for id 0 or a value above 255 bytes.
pub fn write_header(
    buffer: &mut [u8],
    fields: &HeaderFields,
    elements: &[(u8, &[u8])],
) -> Result<usize, WireError> {
    let form = form_of(elements)?;
    let extension_bytes = extension_bytes(form, elements);
    let header_bytes = FIXED_HEADER_BYTES + extension_bytes;
    let header = buffer.get_mut(..header_bytes).ok_or(WireError::NoRoom)?;
    header[0] = 0x80 | u8::from(fields.padded) << 5 | u8::from(extension_bytes > 0) << 4;
    header[1] = u8::from(fields.marker) << 7 | fields.payload_type & 0x7f;
    header[2..4].copy_from_slice(&fields.sequence.to_be_bytes());
    header[4..8].copy_from_slice(&fields.timestamp.to_be_bytes());
    header[8..12].copy_from_slice(&fields.ssrc.to_be_bytes());
    if extension_bytes > 0 {
        write_extension(&mut header[FIXED_HEADER_BYTES..], form, elements);
    }
    Ok(header_bytes)
}

fn form_of(elements: &[(u8, &[u8])]) -> Result<Form, WireError> {
    let mut form = Form::OneByte;
    for (id, value) in elements {
        if *id == 0 || value.len() > 255 {
            return Err(WireError::Malformed);
        }
        if *id > 14 || value.is_empty() || value.len() > 16 {
            form = Form::TwoByte;
        }
    }
    Ok(form)
}

fn extension_bytes(form: Form, elements: &[(u8, &[u8])]) -> usize {
    if elements.is_empty() {
        return 0;
    }
    let head_bytes = match form {
        Form::OneByte => 1,
        Form::TwoByte => 2,
    };
    let bytes: usize = elements
        .iter()
        .map(|(_, value)| head_bytes + value.len())
        .sum();
    4 + bytes.next_multiple_of(4)
}

/// `block` is exactly as long as `extension_bytes` says.
fn write_extension(block: &mut [u8], form: Form, elements: &[(u8, &[u8])]) {
    let profile = match form {
        Form::OneByte => ONE_BYTE_PROFILE,
        Form::TwoByte => TWO_BYTE_PROFILE,
    };
    let words = (block.len() / 4 - 1) as u16;
    block[..2].copy_from_slice(&profile.to_be_bytes());
    block[2..4].copy_from_slice(&words.to_be_bytes());
    let mut at = 4;
    for (id, value) in elements {
        match form {
            Form::OneByte => block[at] = id << 4 | (value.len() - 1) as u8,
            Form::TwoByte => {
                block[at] = *id;
                at += 1;
                block[at] = value.len() as u8;
            }
        }
        at += 1;
        block[at..at + value.len()].copy_from_slice(value);
        at += value.len();
    }
    block[at..].fill(0);
}

/// The original sequence number at the head of an RFC 4588 retransmission's payload.
///
/// # Errors
/// `Truncated` when the payload has fewer than two bytes.
pub fn rtx_original_sequence(payload: &[u8]) -> Result<u16, WireError> {
    read_u16(payload, 0).ok_or(WireError::Truncated)
}

/// The contributing sources of the packet that `header` was parsed from.
pub fn contributing_sources(packet: &[u8], header: &RtpHeader) -> impl Iterator<Item = u32> {
    (0..usize::from(header.csrc_count))
        .map_while(move |index| read_u32(packet, FIXED_HEADER_BYTES + 4 * index))
}
