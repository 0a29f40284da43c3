//! RTCP: compound and reduced-size packets (RFC 3550, RFC 5506) and their feedback (RFC 4585,
//! RFC 5104), read by iteration and written into a caller's buffer.

use super::remb::Remb;
use super::twcc::TransportFeedback;
use super::{WireError, read_u16, read_u24, read_u32};
use crate::time::NtpTime;

/// Packet types.
pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
pub(crate) const SOURCE_DESCRIPTION: u8 = 202;
pub(crate) const GOODBYE: u8 = 203;
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;

/// Formats of transport-layer feedback.
pub(crate) const FORMAT_NACK: u8 = 1;
pub(crate) const FORMAT_TWCC: u8 = 15;
/// Formats of payload-specific feedback.
pub(crate) const FORMAT_PLI: u8 = 1;
pub(crate) const FORMAT_FIR: u8 = 4;
pub(crate) const FORMAT_APPLICATION: u8 = 15;

/// Bytes of a packet's common header.
pub(crate) const HEAD_BYTES: usize = 4;
/// Bytes of one report block.
pub(crate) const REPORT_BLOCK_BYTES: usize = 24;
pub(crate) const SENDER_INFO_BYTES: usize = 20;
/// Most report blocks or sources that one packet's 5-bit count can say.
pub const MAX_COUNT: usize = 31;

/// One packet of a compound.
#[derive(Clone, Debug)]
pub enum Packet<'a> {
    /// SR: what the sender sent, and what it received from others.
    SenderReport {
        /// The reporting stream.
        ssrc: u32,
        /// Its clock and counters.
        info: SenderInfo,
        /// What it received.
        reports: ReportBlocks<'a>,
    },
    /// RR: what the receiver received.
    ReceiverReport {
        /// The reporting stream.
        ssrc: u32,
        /// What it received.
        reports: ReportBlocks<'a>,
    },
    /// SDES: names of sources.
    SourceDescription(SourceDescription<'a>),
    /// BYE: streams that end.
    Goodbye(Words<'a>),
    /// Generic NACK (RFC 4585, section 6.2.1).
    Nack {
        /// Who asks.
        sender_ssrc: u32,
        /// The stream with the gaps.
        media_ssrc: u32,
        /// The missing packets.
        lost: Nacks<'a>,
    },
    /// Picture loss indication (RFC 4585, section 6.3.1).
    Pli {
        /// Who asks.
        sender_ssrc: u32,
        /// The stream to refresh.
        media_ssrc: u32,
    },
    /// Full intra request (RFC 5104, section 4.3.1).
    Fir {
        /// Who asks.
        sender_ssrc: u32,
        /// The streams to refresh.
        requests: FirRequests<'a>,
    },
    /// Transport-wide congestion control feedback.
    TransportFeedback(TransportFeedback<'a>),
    /// Receiver estimated maximum bitrate.
    Remb(Remb<'a>),
    /// Well-formed, but nothing that is used here.
    Other {
        /// RTCP packet type.
        packet_type: u8,
        /// Count or format field.
        count: u8,
    },
}

/// Sender information of an SR (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// Wall clock of the report.
    pub ntp: NtpTime,
    /// The same instant in the stream's timestamp units.
    pub rtp_timestamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload bytes sent so far.
    pub bytes: u32,
}

/// A report block (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The stream reported on.
    pub ssrc: u32,
    /// Lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Lost since the beginning; 24 bits, signed (duplicates make it negative).
    pub cumulative_lost: i32,
    /// Highest sequence number, extended by its cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the last SR's NTP time; zero when none came.
    pub last_sender_report: u32,
    /// Delay since that SR in 1/65536 s.
    pub delay_since_last: u32,
}

impl ReportBlock {
    fn parse(block: &[u8]) -> Option<Self> {
        let lost = read_u24(block, 5)?;
        Some(Self {
            ssrc: read_u32(block, 0)?,
            fraction_lost: *block.get(4)?,
            // Sign extension from 24 bits.
            cumulative_lost: (lost << 8) as i32 >> 8,
            highest_sequence: read_u32(block, 8)?,
            jitter: read_u32(block, 12)?,
            last_sender_report: read_u32(block, 16)?,
            delay_since_last: read_u32(block, 20)?,
        })
    }
}

/// Iterates over the packets of a decrypted compound; a lying length ends it with one error.
pub fn packets(compound: &[u8]) -> Packets<'_> {
    Packets { rest: compound }
}

/// Iterator over the packets of a compound.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let parsed = split(self.rest).and_then(|(packet, rest)| {
            self.rest = rest;
            Packet::parse(packet)
        });
        if parsed.is_err() {
            self.rest = &[];
        }
        Some(parsed)
    }
}

/// One packet by its length field, and what follows it.
fn split(compound: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let words = read_u16(compound, 2).ok_or(WireError::Truncated)?;
    if compound[0] >> 6 != 2 {
        return Err(WireError::Version);
    }
    compound
        .split_at_checked(HEAD_BYTES + 4 * usize::from(words))
        .ok_or(WireError::Truncated)
}

/// The part behind the common header, without padding.
///
/// RFC 3550 counts padding in words of 4 bytes; libwebrtc pads its transport feedback by the odd
/// bytes alone.
fn body(packet: &[u8]) -> Result<&[u8], WireError> {
    let body = &packet[HEAD_BYTES..];
    if packet[0] & 0x20 == 0 {
        return Ok(body);
    }
    let padding = usize::from(*body.last().ok_or(WireError::Malformed)?);
    match body.len().checked_sub(padding) {
        Some(end) if padding != 0 => Ok(&body[..end]),
        _ => Err(WireError::Malformed),
    }
}

impl<'a> Packet<'a> {
    fn parse(packet: &'a [u8]) -> Result<Self, WireError> {
        let body = body(packet)?;
        let count = packet[0] & 0x1f;
        match (packet[1], count) {
            (SENDER_REPORT, _) => parse_sender_report(body, count),
            (RECEIVER_REPORT, _) => parse_receiver_report(body, count),
            (SOURCE_DESCRIPTION, _) => Ok(Self::SourceDescription(SourceDescription {
                chunks: body,
                count,
            })),
            (GOODBYE, _) => words(body, count).map(Self::Goodbye),
            (TRANSPORT_FEEDBACK, FORMAT_NACK) => parse_nack(body),
            (TRANSPORT_FEEDBACK, FORMAT_TWCC) => {
                TransportFeedback::parse(body).map(Self::TransportFeedback)
            }
            (PAYLOAD_FEEDBACK, _) => parse_payload_feedback(body, count),
            (packet_type, count) => Ok(Self::Other { packet_type, count }),
        }
    }
}

fn parse_sender_report(body: &[u8], count: u8) -> Result<Packet<'_>, WireError> {
    let (head, blocks) = body
        .split_at_checked(4 + SENDER_INFO_BYTES)
        .ok_or(WireError::Truncated)?;
    let field = |offset| read_u32(head, offset).ok_or(WireError::Truncated);
    Ok(Packet::SenderReport {
        ssrc: field(0)?,
        info: SenderInfo {
            ntp: NtpTime(u64::from(field(4)?) << 32 | u64::from(field(8)?)),
            rtp_timestamp: field(12)?,
            packets: field(16)?,
            bytes: field(20)?,
        },
        reports: report_blocks(blocks, count)?,
    })
}

fn parse_receiver_report(body: &[u8], count: u8) -> Result<Packet<'_>, WireError> {
    Ok(Packet::ReceiverReport {
        ssrc: read_u32(body, 0).ok_or(WireError::Truncated)?,
        reports: report_blocks(&body[4..], count)?,
    })
}

fn parse_nack(body: &[u8]) -> Result<Packet<'_>, WireError> {
    let (sender_ssrc, media_ssrc) = feedback_ssrcs(body)?;
    Ok(Packet::Nack {
        sender_ssrc,
        media_ssrc,
        lost: Nacks {
            pairs: &body[8..],
            packet_id: 0,
            bitmask: 0,
        },
    })
}

fn parse_payload_feedback(body: &[u8], format: u8) -> Result<Packet<'_>, WireError> {
    let (sender_ssrc, media_ssrc) = feedback_ssrcs(body)?;
    let other = Packet::Other {
        packet_type: PAYLOAD_FEEDBACK,
        count: format,
    };
    Ok(match format {
        FORMAT_PLI => Packet::Pli {
            sender_ssrc,
            media_ssrc,
        },
        FORMAT_FIR => Packet::Fir {
            sender_ssrc,
            requests: FirRequests {
                entries: &body[8..],
            },
        },
        FORMAT_APPLICATION => Remb::parse(body)?.map_or(other, Packet::Remb),
        _ => other,
    })
}

pub(crate) fn feedback_ssrcs(body: &[u8]) -> Result<(u32, u32), WireError> {
    let sender_ssrc = read_u32(body, 0).ok_or(WireError::Truncated)?;
    let media_ssrc = read_u32(body, 4).ok_or(WireError::Truncated)?;
    Ok((sender_ssrc, media_ssrc))
}

fn report_blocks(blocks: &[u8], count: u8) -> Result<ReportBlocks<'_>, WireError> {
    let blocks = blocks
        .get(..REPORT_BLOCK_BYTES * usize::from(count))
        .ok_or(WireError::Truncated)?;
    Ok(ReportBlocks { blocks })
}

fn words(body: &[u8], count: u8) -> Result<Words<'_>, WireError> {
    let words = body
        .get(..4 * usize::from(count))
        .ok_or(WireError::Truncated)?;
    Ok(Words { words })
}

/// Iterator over report blocks.
#[derive(Clone, Debug)]
pub struct ReportBlocks<'a> {
    blocks: &'a [u8],
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let block = ReportBlock::parse(self.blocks)?;
        self.blocks = &self.blocks[REPORT_BLOCK_BYTES..];
        Some(block)
    }
}

/// Iterator over 32-bit words, such as the SSRCs of a BYE.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    words: &'a [u8],
}

impl Iterator for Words<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let word = read_u32(self.words, 0)?;
        self.words = &self.words[4..];
        Some(word)
    }
}

/// Iterator over the sequence numbers that a NACK asks for.
#[derive(Clone, Debug)]
pub struct Nacks<'a> {
    pairs: &'a [u8],
    packet_id: u16,
    bitmask: u16,
}

impl Iterator for Nacks<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.bitmask == 0 {
            let pair = read_u32(self.pairs, 0)?;
            self.pairs = &self.pairs[4..];
            self.packet_id = (pair >> 16) as u16;
            self.bitmask = pair as u16;
            return Some(self.packet_id);
        }
        let bit = self.bitmask.trailing_zeros() as u16;
        self.bitmask &= self.bitmask - 1;
        Some(self.packet_id.wrapping_add(bit + 1))
    }
}

/// Iterator over `(media SSRC, command sequence number)` of a FIR.
#[derive(Clone, Debug)]
pub struct FirRequests<'a> {
    entries: &'a [u8],
}

impl Iterator for FirRequests<'_> {
    type Item = (u32, u8);

    fn next(&mut self) -> Option<(u32, u8)> {
        let ssrc = read_u32(self.entries, 0)?;
        let command = *self.entries.get(4)?;
        self.entries = self.entries.get(8..).unwrap_or_default();
        Some((ssrc, command))
    }
}

/// The chunks of an SDES packet (RFC 3550, section 6.5).
#[derive(Clone, Copy, Debug)]
pub struct SourceDescription<'a> {
    chunks: &'a [u8],
    count: u8,
}

const SDES_CNAME: u8 = 1;

impl<'a> SourceDescription<'a> {
    /// The CNAMEs that are named, as raw bytes; ends at the first chunk that is cut off.
    pub fn cnames(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let mut rest = self.chunks;
        (0..self.count)
            .map_while(move |_| {
                let ssrc = read_u32(rest, 0)?;
                let (cname, bytes) = chunk_cname(&rest[4..])?;
                rest = rest.get(4 + bytes..)?;
                Some(cname.map(|name| (ssrc, name)))
            })
            .flatten()
    }
}

/// The CNAME of a chunk's items, and how long the items with their end and padding are.
fn chunk_cname(items: &[u8]) -> Option<(Option<&[u8]>, usize)> {
    let mut cname = None;
    let mut at = 0;
    loop {
        let kind = *items.get(at)?;
        if kind == 0 {
            return Some((cname, (at + 1).next_multiple_of(4)));
        }
        let length = usize::from(*items.get(at + 1)?);
        let text = items.get(at + 2..at + 2 + length)?;
        if kind == SDES_CNAME {
            cname = Some(text);
        }
        at += 2 + length;
    }
}
