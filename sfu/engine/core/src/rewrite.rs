//! A slot's numbering: sequence numbers, timestamps and VP8 indices that go on without a break
//! while the packets come from one source, layer or restarted stream after another.

use crate::packet::Packet;
use crate::seqnum::{near, timestamp_newer};
use crate::time::Time;
use crate::wire::vp8::PictureId;

/// Stretches of one stream that are remembered for retransmissions.
const SEGMENTS: usize = 8;
/// Initial sequence numbers lie below this, so that the first wrap is far away (RFC 3711, 3.3.1).
const INITIAL_MASK: u64 = 0x7fff;
const COUNTER_BASE: u64 = 1 << 32;

/// Where a received packet is: one incarnation of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The publisher's index.
    pub peer: usize,
    /// The source's index in the publisher.
    pub source: usize,
    /// The layer's index in the source.
    pub layer: usize,
    /// The incarnation: never used twice, so that a stale origin finds nothing.
    pub stream: u64,
}

/// How far a slot's timestamps go on when another stream begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// Ticks since the last packet was sent.
    pub elapsed: u32,
    /// The last stream's own timestamp at the new packet's capture, if both clocks are known.
    pub capture: Option<u32>,
}

/// A capture time that differs this much (ticks) from the elapsed time is a lie or a clock error.
const MAX_CAPTURE_DIFFERENCE: u32 = 180_000;

/// A stream that goes on this many packets later is numbered as if it had not paused: beyond half
/// of the 16-bit space SRTP would take the new number for an old one and repeat a nonce.
const MAX_PAUSE: u64 = 1 << 12;

/// The numbers of one outgoing packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Extended sequence number; the low 16 bits go on the wire.
    pub sequence: u64,
    /// RTP timestamp.
    pub timestamp: u32,
    /// VP8 picture id.
    pub picture_id: u16,
    /// VP8 TL0PICIDX.
    pub tl0_picture_index: u8,
}

/// Packets of one stream, mapped by constant offsets.
#[derive(Clone, Copy, Debug)]
struct Segment {
    origin: Origin,
    first_source: u64,
    first_own: u64,
    timestamp_offset: u32,
    /// The last picture id of the source and what it became.
    picture: Option<(u16, u16)>,
    tl0_offset: Option<u8>,
}

/// The numbering of one slot.
#[derive(Debug)]
pub struct Rewriter {
    segments: Vec<Segment>,
    highest: Option<u64>,
    next_sequence: u64,
    /// The slot's first number.
    first: u64,
    /// The lowest number above all that packets have left with.
    unsent: u64,
    last_timestamp: u32,
    last_sent: Time,
    last_picture_id: u16,
    last_tl0: u8,
}

impl Rewriter {
    /// A numbering that starts at numbers taken from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            segments: Vec::with_capacity(SEGMENTS),
            highest: None,
            next_sequence: COUNTER_BASE + (seed & INITIAL_MASK),
            first: COUNTER_BASE + (seed & INITIAL_MASK),
            unsent: COUNTER_BASE + (seed & INITIAL_MASK),
            last_timestamp: (seed >> 16) as u32,
            last_sent: Time(0),
            last_picture_id: (seed >> 48) as u16 & INITIAL_MASK as u16,
            last_tl0: (seed >> 40) as u8,
        }
    }

    /// The stream that is being sent.
    pub fn origin(&self) -> Option<Origin> {
        self.segments.last().map(|segment| segment.origin)
    }

    /// The newest timestamp.
    pub fn last_timestamp(&self) -> u32 {
        self.last_timestamp
    }

    /// When the newest packet was sent, once one was.
    pub fn last_sent(&self) -> Option<Time> {
        self.highest.map(|_| self.last_sent)
    }

    /// Begin a stream at `packet`: it becomes the next packet of the slot.
    pub fn begin(&mut self, origin: Origin, packet: &Packet<'_>, advance: Advance) {
        let timestamp = self.timestamp_after(advance);
        self.append(Segment {
            origin,
            first_source: packet.sequence,
            first_own: self.next_sequence,
            timestamp_offset: timestamp.wrapping_sub(packet.header.timestamp),
            picture: None,
            tl0_offset: None,
        });
    }

    /// Number a packet of the current stream; nothing if it is older than the stream's beginning.
    pub fn number(&mut self, packet: &Packet<'_>, now: Time) -> Option<Numbers> {
        self.close_long_pause(packet.sequence);
        let segment = self.segments.last_mut()?;
        let sequence = segment.first_own + packet.sequence.checked_sub(segment.first_source)?;
        let numbers = segment.number(packet, sequence, self.last_picture_id, self.last_tl0);
        if self.highest.is_none_or(|highest| sequence > highest) {
            self.highest = Some(sequence);
            self.next_sequence = sequence + 1;
            self.last_sent = now;
        }
        self.follow(packet, numbers);
        Some(numbers)
    }

    /// A packet with this number left: it can never be given to another.
    pub fn left(&mut self, sequence: u64) {
        self.unsent = self.unsent.max(sequence + 1);
    }

    /// Numbers that were given but not used are given again, to the next stream that begins.
    pub fn take_back_unsent(&mut self) {
        if self.unsent < self.next_sequence {
            self.next_sequence = self.unsent;
            self.highest = self.newest_left();
        }
    }

    /// The newest number that left, if any.
    pub fn newest_left(&self) -> Option<u64> {
        (self.unsent > self.first).then(|| self.unsent - 1)
    }

    /// Packets of the stream were left out (a payload the viewer lacks): go on without the gap.
    fn close_long_pause(&mut self, source_sequence: u64) {
        let Some(last) = self.segments.last().copied() else {
            return;
        };
        let offset = source_sequence.saturating_sub(last.first_source);
        if last.first_own + offset <= self.next_sequence + MAX_PAUSE {
            return;
        }
        self.append(Segment {
            first_source: source_sequence,
            first_own: self.next_sequence,
            ..last
        });
    }

    fn append(&mut self, segment: Segment) {
        if self.segments.len() == SEGMENTS {
            self.segments.remove(0);
        }
        self.segments.push(segment);
    }

    /// True if a packet with this number begins its stream.
    pub fn begins_at(&self, sequence: u64) -> bool {
        self.segments
            .last()
            .is_some_and(|segment| segment.first_own == sequence)
    }

    /// True if the packet so far before the one with this number was shown, or would have been.
    pub fn reaches(&self, sequence: u64, distance: u64) -> bool {
        self.segments
            .last()
            .is_some_and(|segment| segment.first_own + distance <= sequence)
    }

    /// Where a packet that was sent, or should have been, came from: its origin, its number
    /// there and its extended own number; nothing if that is forgotten.
    pub fn locate(&self, sequence: u16) -> Option<(Origin, u64, u64)> {
        let own = near(self.highest?, sequence);
        if own >= self.next_sequence {
            return None;
        }
        let segment = self
            .segments
            .iter()
            .rev()
            .find(|segment| segment.first_own <= own)?;
        Some((
            segment.origin,
            segment.first_source + (own - segment.first_own),
            own,
        ))
    }

    /// Number a packet that `locate` found, as it was numbered before.
    pub fn number_again(&mut self, packet: &Packet<'_>, sequence: u16) -> Option<Numbers> {
        let own = near(self.highest?, sequence);
        let (picture_id, tl0) = (self.last_picture_id, self.last_tl0);
        let segment = self
            .segments
            .iter_mut()
            .rev()
            .find(|segment| segment.first_own <= own)?;
        let mut unchanged = *segment;
        let numbers = unchanged.number(packet, own, picture_id, tl0);
        // The first packet of a stream may have been lost: its indices begin with this one.
        segment.picture = segment.picture.or(unchanged.picture);
        segment.tl0_offset = segment.tl0_offset.or(unchanged.tl0_offset);
        Some(numbers)
    }

    /// The slot's timestamp for one of the current stream's.
    pub fn timestamp(&self, source: u32) -> Option<u32> {
        self.segments
            .last()
            .map(|segment| source.wrapping_add(segment.timestamp_offset))
    }

    fn timestamp_after(&self, advance: Advance) -> u32 {
        if self.highest.is_none() {
            return self.last_timestamp;
        }
        let elapsed = self.last_timestamp.wrapping_add(advance.elapsed);
        let wanted = advance
            .capture
            .and_then(|source| self.timestamp(source))
            .filter(|capture| {
                (capture.wrapping_sub(elapsed) as i32).unsigned_abs() < MAX_CAPTURE_DIFFERENCE
            })
            .unwrap_or(elapsed);
        if timestamp_newer(wanted, self.last_timestamp) {
            wanted
        } else {
            self.last_timestamp.wrapping_add(1)
        }
    }

    /// Remember the newest numbers, where the next stream goes on.
    fn follow(&mut self, packet: &Packet<'_>, numbers: Numbers) {
        let newest = self.highest == Some(numbers.sequence);
        if newest || timestamp_newer(numbers.timestamp, self.last_timestamp) {
            self.last_timestamp = numbers.timestamp;
        }
        let Some(vp8) = packet.vp8.filter(|_| newest) else {
            return;
        };
        if vp8.picture_id.is_some() {
            self.last_picture_id = numbers.picture_id;
        }
        if vp8.tl0_picture_index.is_some() {
            self.last_tl0 = numbers.tl0_picture_index;
        }
    }
}

impl Segment {
    fn number(
        &mut self,
        packet: &Packet<'_>,
        sequence: u64,
        last_picture_id: u16,
        last_tl0: u8,
    ) -> Numbers {
        let vp8 = packet.vp8;
        Numbers {
            sequence,
            timestamp: packet.header.timestamp.wrapping_add(self.timestamp_offset),
            picture_id: vp8
                .and_then(|vp8| vp8.picture_id)
                .map_or(0, |id| self.picture_id(id, last_picture_id)),
            tl0_picture_index: vp8
                .and_then(|vp8| vp8.tl0_picture_index)
                .map_or(0, |index| {
                    let offset = *self
                        .tl0_offset
                        .get_or_insert(last_tl0.wrapping_add(1).wrapping_sub(index.value));
                    index.value.wrapping_add(offset)
                }),
        }
    }

    /// Picture ids are followed by differences: a source may count in 7 bits, a slot in 15.
    fn picture_id(&mut self, id: PictureId, last: u16) -> u16 {
        let (source, own) = *self
            .picture
            .get_or_insert((id.value, last.wrapping_add(1) & 0x7fff));
        let bits = if id.wide { 15 } else { 7 };
        let difference = ((id.value.wrapping_sub(source) << (16 - bits)) as i16) >> (16 - bits);
        let mapped = own.wrapping_add_signed(difference) & 0x7fff;
        if difference > 0 {
            self.picture = Some((id.value, mapped));
        }
        mapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Format;
    use crate::packet::Marks;
    use crate::wire::rtp::RtpHeader;

    const FIRST: Origin = Origin {
        peer: 0,
        source: 0,
        layer: 0,
        stream: 1,
    };
    const SECOND: Origin = Origin { stream: 2, ..FIRST };

    /// A VP8 packet with a picture id of 7 or 15 bits.
    fn vp8(timestamp: u32, picture_id: u16, wide: bool) -> Vec<u8> {
        let mut bytes = vec![0x80, 96, 0, 0];
        bytes.extend_from_slice(&timestamp.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 9, 0x90, 0xc0]);
        match wide {
            true => bytes.extend_from_slice(&(picture_id | 0x8000).to_be_bytes()),
            false => bytes.push(picture_id as u8 & 0x7f),
        }
        bytes.extend_from_slice(&[7, 0, 1, 2, 3]);
        bytes
    }

    fn packet(bytes: &[u8], sequence: u64) -> Packet<'_> {
        Packet::describe(
            bytes,
            RtpHeader::parse(bytes).expect("RTP"),
            Marks::default(),
            sequence,
            Format::Vp8,
        )
        .expect("a VP8 packet")
    }

    #[test]
    fn a_narrow_picture_id_becomes_an_endless_wide_one() {
        let mut rewriter = Rewriter::new(42);
        let mut last: Option<Numbers> = None;
        for frame in 0..400u16 {
            let bytes = vp8(u32::from(frame) * 3_000, 100 + frame, false);
            let packet = packet(&bytes, 1_000 + u64::from(frame));
            if frame == 0 {
                rewriter.begin(FIRST, &packet, Advance::default());
            }
            let numbers = rewriter.number(&packet, Time(0)).expect("a number");
            if let Some(last) = last {
                assert_eq!(numbers.picture_id, (last.picture_id + 1) & 0x7fff);
                assert_eq!(numbers.sequence, last.sequence + 1);
            }
            last = Some(numbers);
        }
    }

    #[test]
    fn a_second_stream_goes_on_where_the_first_ended() {
        let mut rewriter = Rewriter::new(7);
        let bytes = vp8(5_000, 9, true);
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let before = rewriter
            .number(&packet(&bytes, 100), Time(0))
            .expect("a number");
        let bytes = vp8(77, 30_000, true);
        let advance = Advance {
            elapsed: 3_000,
            capture: None,
        };
        rewriter.begin(SECOND, &packet(&bytes, 9_000), advance);
        let after = rewriter
            .number(&packet(&bytes, 9_000), Time(0))
            .expect("a number");
        assert_eq!(after.sequence, before.sequence + 1);
        assert_eq!(after.timestamp, before.timestamp.wrapping_add(3_000));
        assert_eq!(after.picture_id, (before.picture_id + 1) & 0x7fff);
        assert_eq!(
            after.tl0_picture_index,
            before.tl0_picture_index.wrapping_add(1)
        );
        assert!(rewriter.begins_at(after.sequence));
        // A straggler of before the beginning has no number.
        assert_eq!(rewriter.number(&packet(&bytes, 8_999), Time(0)), None);
    }

    #[test]
    fn numbers_that_never_left_go_to_the_next_stream() {
        let mut rewriter = Rewriter::new(7);
        let bytes = vp8(5_000, 9, true);
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let numbers: Vec<u64> = (100..110)
            .map(|sequence| rewriter.number(&packet(&bytes, sequence), Time(0)))
            .map(|numbers| numbers.expect("a number").sequence)
            .collect();
        // The third overtook the second on the way here; neither can be given again.
        rewriter.left(numbers[0]);
        rewriter.left(numbers[2]);
        rewriter.take_back_unsent();
        assert_eq!(rewriter.newest_left(), Some(numbers[2]));
        rewriter.begin(SECOND, &packet(&bytes, 900), Advance::default());
        let next = rewriter.number(&packet(&bytes, 900), Time(0));
        assert_eq!(next.map(|next| next.sequence), Some(numbers[3]));
        assert_eq!(
            rewriter.locate(numbers[3] as u16),
            Some((SECOND, 900, numbers[3]))
        );
        assert_eq!(
            rewriter.locate(numbers[1] as u16),
            Some((FIRST, 101, numbers[1]))
        );
        // A straggler of the first stream has no number any more.
        assert_eq!(rewriter.number(&packet(&bytes, 104), Time(0)), None);
    }

    #[test]
    fn a_stream_of_which_nothing_left_leaves_no_trace() {
        let mut rewriter = Rewriter::new(7);
        let bytes = vp8(5_000, 9, true);
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let first = rewriter
            .number(&packet(&bytes, 100), Time(0))
            .expect("a number");
        rewriter.take_back_unsent();
        assert_eq!((rewriter.newest_left(), rewriter.last_sent()), (None, None));
        rewriter.begin(SECOND, &packet(&bytes, 5), Advance::default());
        let again = rewriter
            .number(&packet(&bytes, 5), Time(0))
            .expect("a number");
        assert_eq!(again.sequence, first.sequence);
    }

    #[test]
    fn every_number_leads_back_to_its_packet() {
        let mut rewriter = Rewriter::new(7);
        let bytes = vp8(5_000, 9, true);
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let first = rewriter
            .number(&packet(&bytes, 100), Time(0))
            .expect("a number");
        let ahead = rewriter
            .number(&packet(&bytes, 103), Time(0))
            .expect("a number");
        rewriter.begin(SECOND, &packet(&bytes, 50), Advance::default());
        let second = rewriter
            .number(&packet(&bytes, 50), Time(0))
            .expect("a number");
        assert_eq!(
            rewriter.locate(first.sequence as u16),
            Some((FIRST, 100, first.sequence))
        );
        // 102 was never seen, but the viewer may ask for it.
        assert_eq!(
            rewriter.locate(ahead.sequence as u16 - 1),
            Some((FIRST, 102, ahead.sequence - 1))
        );
        assert_eq!(
            rewriter.locate(second.sequence as u16),
            Some((SECOND, 50, second.sequence))
        );
        assert_eq!(rewriter.locate(second.sequence as u16 + 1), None);
        assert_eq!(rewriter.locate(first.sequence as u16 - 1), None);
        let again = rewriter.number_again(&packet(&bytes, 100), first.sequence as u16);
        assert_eq!(again, Some(first));
    }

    #[test]
    fn a_stream_that_was_left_out_for_long_goes_on_within_reach_of_srtp() {
        let mut rewriter = Rewriter::new(7);
        let bytes = vp8(5_000, 9, true);
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let before = rewriter
            .number(&packet(&bytes, 100), Time(0))
            .expect("a number");
        let after = rewriter
            .number(&packet(&bytes, 40_100), Time(0))
            .expect("a number");
        assert_eq!(after.sequence, before.sequence + 1);
        assert_eq!(
            rewriter.locate(after.sequence as u16),
            Some((FIRST, 40_100, after.sequence))
        );
        assert_eq!(
            rewriter.locate(before.sequence as u16),
            Some((FIRST, 100, before.sequence))
        );
        // A straggler of the pause has no number: its own would be another packet's.
        assert_eq!(rewriter.number(&packet(&bytes, 40_099), Time(0)), None);
    }

    #[test]
    fn a_capture_time_is_believed_only_near_the_elapsed_time() {
        let bytes = vp8(5_000, 9, true);
        for (capture, expected) in [(5_900, 900), (5_000 + 900_000, 1_000), (4_000, 1)] {
            let mut rewriter = Rewriter::new(7);
            rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
            let before = rewriter
                .number(&packet(&bytes, 100), Time(0))
                .expect("a number");
            let advance = Advance {
                elapsed: 1_000,
                capture: Some(capture),
            };
            rewriter.begin(SECOND, &packet(&bytes, 200), advance);
            let after = rewriter
                .number(&packet(&bytes, 200), Time(0))
                .expect("a number");
            assert_eq!(
                after.timestamp.wrapping_sub(before.timestamp),
                expected,
                "capture {capture}"
            );
        }
    }

    #[test]
    fn a_slot_starts_with_a_low_sequence_number() {
        for seed in 0..200u64 {
            let mut rewriter = Rewriter::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let bytes = vp8(5_000, 9, true);
            rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
            let first = rewriter
                .number(&packet(&bytes, 100), Time(0))
                .expect("a number");
            assert!(first.sequence as u16 <= 0x7fff);
        }
    }
}
