//! One outgoing packet, written with the slot's numbers and extensions.

use super::Slot;
use crate::command::MediaKind;
use crate::packet::Packet;
use crate::redundancy::Earlier;
use crate::rewrite::Numbers;
use crate::time::Time;
use crate::wire::WireError;
use crate::wire::extension::abs_send_time_bytes;
use crate::wire::red;
use crate::wire::rtp::{HeaderFields, write_header};

/// Room for what an outgoing packet has beyond its payload: a header with our extensions, the
/// RFC 4588 number, a longer VP8 descriptor.
pub const OVERHEAD_BYTES: usize = 128;

/// What a packet of padding holds: the count is one byte (RFC 3550, section 5.1).
const PADDING_BYTES: u8 = 255;
/// Room for a packet of padding.
pub const PADDING_PACKET_BYTES: usize = PADDING_BYTES as usize + OVERHEAD_BYTES;

/// How a packet is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// For the first time.
    First,
    /// Again, by RFC 4588, because the viewer lacks it.
    Again,
    /// Again, by RFC 4588, to see whether the path carries it.
    Probe,
}

/// What every packet of a viewer is stamped with.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Our transport-wide number.
    pub transport_sequence: u16,
    /// When it is sent.
    pub now: Time,
}

/// A packet as composed: plain length, and how much of it is header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composed {
    /// Length of the plain packet.
    pub plain_bytes: usize,
    /// Length of its header.
    pub header_bytes: usize,
}

impl Slot {
    /// Write a packet with the slot's numbers into `buffer`.
    ///
    /// # Errors
    /// The viewer did not negotiate the packet's codec, or the buffer is too small.
    pub fn compose(
        &mut self,
        packet: &Packet<'_>,
        numbers: Numbers,
        sending: Sending,
        stamp: Stamp,
        buffer: &mut [u8],
    ) -> Result<Composed, WireError> {
        let codec = self.codec(packet).ok_or(WireError::Malformed)?;
        let repair = match sending {
            Sending::First => None,
            // Another packet under an old number would repeat the nonce of its encryption.
            Sending::Again | Sending::Probe => Some(
                codec
                    .rtx_payload_type
                    .zip(self.rtx_ssrc)
                    .ok_or(WireError::Malformed)?,
            ),
        };
        let plain_type = codec.payload_type;
        let copies = self.copies(packet, numbers, plain_type);
        let redundant_type = self.redundancy.filter(|_| copies > 0);
        let first_type = redundant_type.map_or(plain_type, |red| red.payload_type);
        let (payload_type, ssrc) = repair.unwrap_or((first_type, self.ssrc));
        let fields = HeaderFields {
            marker: packet.header.marker || self.begins_talk(numbers),
            payload_type,
            sequence: if repair.is_some() {
                self.next_rtx_sequence()
            } else {
                numbers.sequence as u16
            },
            timestamp: numbers.timestamp,
            ssrc,
            padded: false,
        };
        let header_bytes = self.write_header(Some(packet), &fields, stamp, buffer)?;
        let mut at = header_bytes;
        if repair.is_some() {
            let original = (numbers.sequence as u16).to_be_bytes();
            buffer
                .get_mut(at..at + 2)
                .ok_or(WireError::NoRoom)?
                .copy_from_slice(&original);
            at += 2;
        }
        let copied_bytes = write_earlier(packet, copies, plain_type, &mut buffer[at..])?;
        at += copied_bytes;
        let payload_bytes = write_payload(packet, numbers, &mut buffer[at..])?;
        let counted_bytes = copied_bytes + payload_bytes;
        self.count(packet, counted_bytes, sending, repair.is_some());
        Ok(Composed {
            plain_bytes: at + payload_bytes,
            header_bytes,
        })
    }

    /// Write a packet of the retransmission stream that carries nothing but padding.
    ///
    /// # Errors
    /// The viewer did not negotiate retransmissions, or the buffer is too small.
    pub fn compose_padding(
        &mut self,
        stamp: Stamp,
        buffer: &mut [u8],
    ) -> Result<Composed, WireError> {
        let payload_type = self
            .codecs
            .iter()
            .find_map(|codec| codec.rtx_payload_type)
            .ok_or(WireError::Malformed)?;
        let fields = HeaderFields {
            marker: false,
            payload_type,
            sequence: self.next_rtx_sequence(),
            timestamp: self.rewriter.last_timestamp(),
            ssrc: self.rtx_ssrc.ok_or(WireError::Malformed)?,
            padded: true,
        };
        let header_bytes = self.write_header(None, &fields, stamp, buffer)?;
        let plain_bytes = header_bytes + usize::from(PADDING_BYTES);
        let padding = buffer
            .get_mut(header_bytes..plain_bytes)
            .ok_or(WireError::NoRoom)?;
        padding.fill(0);
        padding[usize::from(PADDING_BYTES) - 1] = PADDING_BYTES;
        Ok(Composed {
            plain_bytes,
            header_bytes,
        })
    }

    /// How many packets before this one are repeated in it: none of what the slot did not show.
    fn copies(&self, packet: &Packet<'_>, numbers: Numbers, plain_type: u8) -> usize {
        let negotiated = self
            .redundancy
            .is_some_and(|redundancy| redundancy.plain_payload_type == plain_type);
        if !negotiated || packet.payload.is_empty() {
            return 0;
        }
        let is_shown =
            |earlier: &&Earlier<'_>| self.rewriter.reaches(numbers.sequence, earlier.distance);
        // Counted in places, of which the nearer may be empty.
        let depth = self.depth.copies();
        (1..=depth)
            .rev()
            .find(|copies| {
                packet.earlier[copies - 1]
                    .as_ref()
                    .is_some_and(|e| is_shown(&e))
            })
            .unwrap_or(0)
    }

    /// The first packet of sound after a change: the receiver may adapt its delay here.
    fn begins_talk(&self, numbers: Numbers) -> bool {
        self.kind == MediaKind::Audio && self.rewriter.begins_at(numbers.sequence)
    }

    fn next_rtx_sequence(&mut self) -> u16 {
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        self.rtx_sequence
    }

    fn write_header(
        &self,
        packet: Option<&Packet<'_>>,
        fields: &HeaderFields,
        stamp: Stamp,
        buffer: &mut [u8],
    ) -> Result<usize, WireError> {
        let audio_level = packet.and_then(|packet| packet.audio_level);
        let video_orientation = packet.and_then(|packet| packet.video_orientation);
        let transport = stamp.transport_sequence.to_be_bytes();
        let sent = abs_send_time_bytes(stamp.now.abs_send_time());
        let level = [audio_level.unwrap_or_default()];
        let orientation = [video_orientation.unwrap_or_default()];
        let candidates: [(Option<u8>, &[u8]); 5] = [
            (self.ids.mid, self.mid.as_bytes()),
            (self.ids.transport_cc, &transport),
            (self.ids.abs_send_time, &sent),
            (
                self.ids.audio_level.filter(|_| audio_level.is_some()),
                &level,
            ),
            (
                self.ids
                    .video_orientation
                    .filter(|_| video_orientation.is_some()),
                &orientation,
            ),
        ];
        let mut elements: [(u8, &[u8]); 5] = [(0, &[]); 5];
        let mut count = 0;
        for (id, value) in candidates {
            if let Some(id) = id {
                elements[count] = (id, value);
                count += 1;
            }
        }
        write_header(buffer, fields, &elements[..count])
    }

    fn count(&mut self, packet: &Packet<'_>, payload_bytes: usize, sending: Sending, repair: bool) {
        self.totals.packets += 1;
        self.totals.bytes += payload_bytes as u64;
        if !repair {
            self.totals.stream_packets = self.totals.stream_packets.wrapping_add(1);
            self.totals.stream_bytes = self.totals.stream_bytes.wrapping_add(payload_bytes as u32);
        }
        match sending {
            Sending::First => self.count_keyframe(packet),
            Sending::Again => self.totals.retransmitted += 1,
            Sending::Probe => {}
        }
    }

    fn count_keyframe(&mut self, packet: &Packet<'_>) {
        let Some(live) = self.live.as_mut().filter(|_| packet.starts_keyframe) else {
            return;
        };
        let timestamp = Some(packet.header.timestamp);
        if self.kind == MediaKind::Video && live.keyframe_timestamp != timestamp {
            live.keyframe_timestamp = timestamp;
            self.totals.keyframes += 1;
        }
    }
}

/// The packets before this one that may be repeated in it, the nearest first.
fn nearest<'p, 'a>(
    packet: &'p Packet<'a>,
    copies: usize,
) -> impl DoubleEndedIterator<Item = &'p Earlier<'a>> {
    packet.earlier[..copies].iter().flatten()
}

/// What stands before the payload in a packet that repeats others (RFC 2198); its length.
fn write_earlier(
    packet: &Packet<'_>,
    copies: usize,
    payload_type: u8,
    buffer: &mut [u8],
) -> Result<usize, WireError> {
    if copies == 0 {
        return Ok(0);
    }
    let oldest_first = || nearest(packet, copies).rev();
    let headers = oldest_first().map(|earlier| (earlier.timestamp_offset, earlier.payload.len()));
    let mut at = red::write_headers(buffer, payload_type, headers)?;
    for earlier in oldest_first() {
        buffer
            .get_mut(at..at + earlier.payload.len())
            .ok_or(WireError::NoRoom)?
            .copy_from_slice(earlier.payload);
        at += earlier.payload.len();
    }
    Ok(at)
}

/// The payload with the slot's VP8 indices; its length.
fn write_payload(
    packet: &Packet<'_>,
    numbers: Numbers,
    buffer: &mut [u8],
) -> Result<usize, WireError> {
    let payload = packet.payload_bytes();
    let Some(mut vp8) = packet.vp8 else {
        buffer
            .get_mut(..payload.len())
            .ok_or(WireError::NoRoom)?
            .copy_from_slice(payload);
        return Ok(payload.len());
    };
    if let Some(picture_id) = &mut vp8.picture_id {
        picture_id.value = numbers.picture_id;
    }
    if let Some(index) = &mut vp8.tl0_picture_index {
        index.value = numbers.tl0_picture_index;
    }
    let rest = &payload[vp8.bytes..];
    let descriptor_bytes = vp8.write(buffer)?;
    let end = descriptor_bytes + rest.len();
    buffer
        .get_mut(descriptor_bytes..end)
        .ok_or(WireError::NoRoom)?
        .copy_from_slice(rest);
    Ok(end)
}
