//! Writes RTCP packets one behind the other into a caller's buffer.

use super::rtcp::{
    FORMAT_APPLICATION, FORMAT_FIR, FORMAT_NACK, FORMAT_PLI, GOODBYE, HEAD_BYTES, MAX_COUNT,
    PAYLOAD_FEEDBACK, RECEIVER_REPORT, REPORT_BLOCK_BYTES, ReportBlock, SENDER_INFO_BYTES,
    SENDER_REPORT, SOURCE_DESCRIPTION, SenderInfo, TRANSPORT_FEEDBACK,
};
use super::{WireError, remb};

const SDES_CNAME: u8 = 1;

/// A compound under construction. A packet that does not fit leaves the ones before it intact.
#[derive(Debug)]
pub struct RtcpWriter<'a> {
    buffer: &'a mut [u8],
    used_bytes: usize,
}

impl<'a> RtcpWriter<'a> {
    /// Starts at the beginning of `buffer`.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self {
            buffer,
            used_bytes: 0,
        }
    }

    /// The length of the compound so far.
    pub fn finish(self) -> usize {
        self.used_bytes
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.used_bytes == 0
    }

    /// Bytes that are left.
    pub fn room(&self) -> usize {
        self.buffer.len() - self.used_bytes
    }

    /// Appends an SR.
    ///
    /// # Errors
    /// `NoRoom`; `Malformed` for more than [`MAX_COUNT`] reports.
    pub fn sender_report(
        &mut self,
        ssrc: u32,
        info: &SenderInfo,
        reports: &[ReportBlock],
    ) -> Result<(), WireError> {
        let fixed_bytes = 4 + SENDER_INFO_BYTES;
        let body = self.report(SENDER_REPORT, fixed_bytes, reports)?;
        put_u32(body, 0, ssrc);
        body[4..12].copy_from_slice(&info.ntp.0.to_be_bytes());
        put_u32(body, 12, info.rtp_timestamp);
        put_u32(body, 16, info.packets);
        put_u32(body, 20, info.bytes);
        Ok(())
    }

    /// Appends an RR.
    ///
    /// # Errors
    /// As for [`RtcpWriter::sender_report`].
    pub fn receiver_report(&mut self, ssrc: u32, reports: &[ReportBlock]) -> Result<(), WireError> {
        let body = self.report(RECEIVER_REPORT, 4, reports)?;
        put_u32(body, 0, ssrc);
        Ok(())
    }

    /// Appends an SDES packet with one CNAME (1 to 255 bytes).
    ///
    /// # Errors
    /// `NoRoom`; `Malformed` for a name that is empty or too long.
    pub fn cname(&mut self, ssrc: u32, cname: &str) -> Result<(), WireError> {
        if cname.is_empty() || cname.len() > 255 {
            return Err(WireError::Malformed);
        }
        // At least one zero byte ends the item list.
        let body_bytes = (4 + 2 + cname.len() + 1).next_multiple_of(4);
        let body = self.packet(SOURCE_DESCRIPTION, 1, body_bytes)?;
        put_u32(body, 0, ssrc);
        body[4] = SDES_CNAME;
        body[5] = cname.len() as u8;
        body[6..6 + cname.len()].copy_from_slice(cname.as_bytes());
        Ok(())
    }

    /// Appends a BYE.
    ///
    /// # Errors
    /// `NoRoom`; `Malformed` for more than [`MAX_COUNT`] streams.
    pub fn goodbye(&mut self, ssrcs: &[u32]) -> Result<(), WireError> {
        let count = count_of(ssrcs.len())?;
        let body = self.packet(GOODBYE, count, 4 * ssrcs.len())?;
        for (index, ssrc) in ssrcs.iter().enumerate() {
            put_u32(body, 4 * index, *ssrc);
        }
        Ok(())
    }

    /// Appends a PLI.
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn pli(&mut self, sender_ssrc: u32, media_ssrc: u32) -> Result<(), WireError> {
        self.feedback(PAYLOAD_FEEDBACK, FORMAT_PLI, sender_ssrc, media_ssrc, 0)?;
        Ok(())
    }

    /// Appends a FIR; `command` counts the new requests for this stream (RFC 5104, 4.3.1.2).
    ///
    /// # Errors
    /// `NoRoom`.
    pub fn fir(&mut self, sender_ssrc: u32, media_ssrc: u32, command: u8) -> Result<(), WireError> {
        let entry = self.feedback(PAYLOAD_FEEDBACK, FORMAT_FIR, sender_ssrc, 0, 8)?;
        put_u32(entry, 0, media_ssrc);
        entry[4] = command;
        Ok(())
    }

    /// Appends a generic NACK for `lost`, which should ascend (with wrap-around) to be packed
    /// well. Returns how many of them were written: what does not fit is left out.
    ///
    /// # Errors
    /// `NoRoom` when not even one fits. Nothing is written for an empty `lost`.
    pub fn nack(
        &mut self,
        sender_ssrc: u32,
        media_ssrc: u32,
        lost: &[u16],
    ) -> Result<usize, WireError> {
        if lost.is_empty() {
            return Ok(0);
        }
        let most_pairs = self.room().saturating_sub(HEAD_BYTES + 8) / 4;
        let (pairs, covered) = nack_pairs(lost).measure(most_pairs);
        if pairs == 0 {
            return Err(WireError::NoRoom);
        }
        let body = self.feedback(
            TRANSPORT_FEEDBACK,
            FORMAT_NACK,
            sender_ssrc,
            media_ssrc,
            4 * pairs,
        )?;
        for (index, (packet_id, bitmask, _)) in nack_pairs(lost).take(pairs).enumerate() {
            put_u32(
                body,
                4 * index,
                u32::from(packet_id) << 16 | u32::from(bitmask),
            );
        }
        Ok(covered)
    }

    /// Appends a REMB; `bitrate_bps` loses all but its 18 upper bits.
    ///
    /// # Errors
    /// `NoRoom`; `Malformed` for more than 255 streams.
    pub fn remb(
        &mut self,
        sender_ssrc: u32,
        bitrate_bps: u64,
        ssrcs: &[u32],
    ) -> Result<(), WireError> {
        let count = u8::try_from(ssrcs.len()).map_err(|_| WireError::Malformed)?;
        let body = self.feedback(
            PAYLOAD_FEEDBACK,
            FORMAT_APPLICATION,
            sender_ssrc,
            0,
            8 + 4 * ssrcs.len(),
        )?;
        body[..4].copy_from_slice(b"REMB");
        put_u32(body, 4, remb::pack(bitrate_bps, count));
        for (index, ssrc) in ssrcs.iter().enumerate() {
            put_u32(body, 8 + 4 * index, *ssrc);
        }
        Ok(())
    }

    /// Appends what [`super::twcc::write_feedback`] wrote elsewhere, or any ready packet.
    ///
    /// # Errors
    /// `NoRoom`; `Malformed` unless its length is a multiple of four.
    pub fn ready(&mut self, packet: &[u8]) -> Result<(), WireError> {
        if packet.len() % 4 != 0 {
            return Err(WireError::Malformed);
        }
        let end = self.used_bytes + packet.len();
        self.buffer
            .get_mut(self.used_bytes..end)
            .ok_or(WireError::NoRoom)?
            .copy_from_slice(packet);
        self.used_bytes = end;
        Ok(())
    }

    /// A zeroed body behind a common header.
    fn packet(
        &mut self,
        packet_type: u8,
        count: u8,
        body_bytes: usize,
    ) -> Result<&mut [u8], WireError> {
        let end = self.used_bytes + HEAD_BYTES + body_bytes;
        let packet = self
            .buffer
            .get_mut(self.used_bytes..end)
            .ok_or(WireError::NoRoom)?;
        self.used_bytes = end;
        packet.fill(0);
        write_head(packet, packet_type, count);
        Ok(&mut packet[HEAD_BYTES..])
    }

    fn report(
        &mut self,
        packet_type: u8,
        fixed_bytes: usize,
        reports: &[ReportBlock],
    ) -> Result<&mut [u8], WireError> {
        let count = count_of(reports.len())?;
        let body_bytes = fixed_bytes + REPORT_BLOCK_BYTES * reports.len();
        let body = self.packet(packet_type, count, body_bytes)?;
        let blocks = body[fixed_bytes..].chunks_exact_mut(REPORT_BLOCK_BYTES);
        for (block, report) in blocks.zip(reports) {
            write_report_block(block, report);
        }
        Ok(body)
    }

    /// The feedback control information of a feedback packet.
    fn feedback(
        &mut self,
        packet_type: u8,
        format: u8,
        sender_ssrc: u32,
        media_ssrc: u32,
        information_bytes: usize,
    ) -> Result<&mut [u8], WireError> {
        let body = self.packet(packet_type, format, 8 + information_bytes)?;
        put_u32(body, 0, sender_ssrc);
        put_u32(body, 4, media_ssrc);
        Ok(&mut body[8..])
    }
}

/// Writes the common header of a packet that fills `packet`, a multiple of four bytes.
pub(crate) fn write_head(packet: &mut [u8], packet_type: u8, count: u8) {
    let words = (packet.len() / 4 - 1) as u16;
    packet[0] = 0x80 | count & 0x1f;
    packet[1] = packet_type;
    packet[2..4].copy_from_slice(&words.to_be_bytes());
}

pub(crate) fn put_u32(bytes: &mut [u8], offset: usize, value: u32) {
    bytes[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
}

fn count_of(length: usize) -> Result<u8, WireError> {
    match length {
        0..=MAX_COUNT => Ok(length as u8),
        _ => Err(WireError::Malformed),
    }
}

fn write_report_block(block: &mut [u8], report: &ReportBlock) {
    // Saturated as RFC 3550, section 6.4.1 asks, not wrapped.
    let lost = report.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff);
    let fraction_and_lost = u32::from(report.fraction_lost) << 24 | lost as u32 & 0xff_ffff;
    put_u32(block, 0, report.ssrc);
    put_u32(block, 4, fraction_and_lost);
    put_u32(block, 8, report.highest_sequence);
    put_u32(block, 12, report.jitter);
    put_u32(block, 16, report.last_sender_report);
    put_u32(block, 20, report.delay_since_last);
}

/// Groups lost packets into `(packet id, bitmask of the 16 behind it, how many were taken)`.
struct NackPairs<'a> {
    lost: &'a [u16],
}

const fn nack_pairs(lost: &[u16]) -> NackPairs<'_> {
    NackPairs { lost }
}

impl NackPairs<'_> {
    /// How many pairs, up to `most`, and how many lost packets they cover.
    fn measure(self, most: usize) -> (usize, usize) {
        self.take(most)
            .fold((0, 0), |(pairs, covered), (_, _, taken)| {
                (pairs + 1, covered + taken)
            })
    }
}

impl Iterator for NackPairs<'_> {
    type Item = (u16, u16, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let (&packet_id, following) = self.lost.split_first()?;
        let mut bitmask = 0;
        let mut taken = 1;
        for sequence in following {
            let distance = sequence.wrapping_sub(packet_id);
            if distance > 16 {
                break;
            }
            if distance > 0 {
                bitmask |= 1 << (distance - 1);
            }
            taken += 1;
        }
        self.lost = &self.lost[taken..];
        Some((packet_id, bitmask, taken))
    }
}
