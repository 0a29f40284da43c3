//! A slot's numbering: sequence numbers, timestamps and VP8 indices that go on without a break
//! while the packets come from one source, layer or restarted stream after another.

mod segment;
#[cfg(test)]
mod tests;

use crate::packet::Packet;
use crate::seqnum::{near, timestamp_newer};
use crate::time::Time;
use segment::Segment;

pub use segment::LONGEST_REPLAY;

/// Stretches of one stream that are remembered for retransmissions: four seconds of a slot that
/// leaves out every other frame.
const SEGMENTS: usize = 64;
/// Room for them that every slot has from the start: most never leave anything out.
const FIRST_SEGMENTS: usize = 8;
/// Frames that are remembered as left out: longer ago nothing comes late.
const REMEMBERED_FRAMES: usize = 16;
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
    /// Ticks from the packet that begins to the newest of those that follow it at once.
    pub replayed: u32,
}

/// Ticks in which a viewer's first stream catches up with what it replays.
const FIRST_CATCH_UP: u32 = 1_800;
/// Replayed frames are never closer than by this factor: two never share a timestamp.
const MAX_SQUEEZE: u32 = 500;

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

/// The numbering of one slot.
#[derive(Debug)]
pub struct Rewriter {
    segments: Vec<Segment>,
    /// Frames that were left out, by the source's timestamp, the newest first.
    skipped: [Option<u32>; REMEMBERED_FRAMES],
    highest: Option<u64>,
    next_sequence: u64,
    /// The slot's first number.
    first: u64,
    /// The lowest number above all that packets have left with.
    unsent: u64,
    /// Picture id and TL0PICIDX of the newest packet that left.
    left_picture: (u16, u8),
    last_timestamp: u32,
    /// Ticks by which the stream's timestamps lie ahead of its capture: it began too close behind
    /// the last one. The next stream does without them.
    ahead: u32,
    last_sent: Time,
    last_picture_id: u16,
    last_tl0: u8,
}

impl Rewriter {
    /// A numbering that starts at numbers taken from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            segments: Vec::with_capacity(FIRST_SEGMENTS),
            skipped: [None; REMEMBERED_FRAMES],
            highest: None,
            next_sequence: COUNTER_BASE + (seed & INITIAL_MASK),
            first: COUNTER_BASE + (seed & INITIAL_MASK),
            unsent: COUNTER_BASE + (seed & INITIAL_MASK),
            left_picture: (
                (seed >> 48) as u16 & INITIAL_MASK as u16,
                (seed >> 40) as u8,
            ),
            last_timestamp: (seed >> 16) as u32,
            ahead: 0,
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
        let (newest, squeeze) = self.place(advance);
        let replayed_until = packet.header.timestamp.wrapping_add(advance.replayed);
        self.append(Segment {
            origin,
            first_source: packet.sequence,
            first_own: self.next_sequence,
            timestamp_offset: newest.wrapping_sub(replayed_until),
            replayed_until,
            squeeze,
            picture: None,
            tl0_offset: None,
            skipped: None,
        });
        self.skipped = [None; REMEMBERED_FRAMES];
    }

    /// Number a packet of the current stream; nothing if it is older than the stream's beginning,
    /// or belongs to a frame that was left out.
    pub fn number(&mut self, packet: &Packet<'_>, now: Time) -> Option<Numbers> {
        self.close_long_pause(packet.sequence);
        let (at, sequence) = self.place_of(packet.sequence)?;
        let (picture_id, tl0) = (self.last_picture_id, self.last_tl0);
        let numbers = self.segments[at].number(packet, sequence, picture_id, tl0);
        if self.highest.is_none_or(|highest| sequence > highest) {
            self.highest = Some(sequence);
            self.next_sequence = self.next_sequence.max(sequence + 1);
            self.last_sent = now;
        }
        self.follow(packet, numbers);
        Some(numbers)
    }

    /// A packet with this number left: it can never be given to another.
    pub fn left(&mut self, numbers: Numbers) {
        if numbers.sequence >= self.unsent {
            self.unsent = numbers.sequence + 1;
            self.left_picture = (numbers.picture_id, numbers.tl0_picture_index);
        }
    }

    /// Numbers that were given but not used are given again, to the next stream that begins.
    pub fn take_back_unsent(&mut self) {
        if self.unsent < self.next_sequence {
            self.next_sequence = self.unsent;
            self.highest = self.newest_left();
            (self.last_picture_id, self.last_tl0) = self.left_picture;
        }
    }

    /// The newest number that left, if any.
    pub fn newest_left(&self) -> Option<u64> {
        (self.unsent > self.first).then(|| self.unsent - 1)
    }

    /// Leave out a packet of the current stream: what follows closes the gap.
    ///
    /// A packet that comes late may have a number already, between those of others, and is not
    /// left out: its number is returned.
    pub fn skip(&mut self, packet: &Packet<'_>, now: Time) -> Option<Numbers> {
        self.close_long_pause(packet.sequence);
        let (at, own) = self.place_of(packet.sequence)?;
        if own < self.next_sequence {
            return self.number(packet, now);
        }
        self.note_skipped(packet.header.timestamp);
        let last = self.segments[at];
        let unused = last.skipped.is_some() && last.first_own == self.next_sequence;
        // What is missing between two packets of one frame is of that frame too.
        let same_frame = last.skipped == Some(packet.header.timestamp);
        let first_own = if unused && same_frame {
            last.first_own
        } else {
            own
        };
        let next = last.behind(packet, first_own, self.last_picture_id);
        match unused && first_own == last.first_own {
            true => self.segments[at] = next,
            false => self.append(next),
        }
        self.next_sequence = first_own;
        None
    }

    /// Whether a frame was left out lately: the rest of it is of no use to the viewer, who only
    /// waits for its numbers.
    pub fn has_skipped(&self, timestamp: u32) -> bool {
        self.skipped.contains(&Some(timestamp))
    }

    fn note_skipped(&mut self, timestamp: u32) {
        if self.skipped[0] != Some(timestamp) {
            self.skipped.rotate_right(1);
            self.skipped[0] = Some(timestamp);
        }
    }

    /// The segment of a packet of the current stream, and the packet's own number.
    fn place_of(&self, source_sequence: u64) -> Option<(usize, u64)> {
        let mut end = u64::MAX;
        for (at, segment) in self.segments.iter().enumerate().rev() {
            if let Some(own) = segment.own(source_sequence) {
                return (own < end).then_some((at, own));
            }
            segment.skipped?;
            end = segment.first_own;
        }
        None
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
            skipped: None,
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
            .map(|segment| segment.timestamp(source))
    }

    /// Place a stream that begins: the timestamp of the newest packet that follows at once, and by
    /// how much those before it move together.
    ///
    /// A viewer shows pictures as far apart as their timestamps are: replayed ones must lie
    /// between the last picture and now, or everything after them is shown late.
    fn place(&mut self, advance: Advance) -> (u32, u32) {
        debug_assert!(advance.replayed <= LONGEST_REPLAY);
        if self.highest.is_none() {
            let squeeze = squeeze(advance.replayed, FIRST_CATCH_UP);
            return (
                self.last_timestamp.wrapping_add(advance.replayed / squeeze),
                squeeze,
            );
        }
        let wanted = self.timestamp_by_clock(advance);
        let room = wanted.wrapping_sub(self.last_timestamp) as i32;
        let squeeze = squeeze(advance.replayed, room.max(1) as u32);
        let earliest = self
            .last_timestamp
            .wrapping_add(1 + advance.replayed / squeeze);
        match timestamp_newer(wanted, earliest) {
            true => {
                self.ahead = 0;
                (wanted, squeeze)
            }
            false => {
                self.ahead = earliest.wrapping_sub(wanted);
                (earliest, squeeze)
            }
        }
    }

    fn timestamp_by_clock(&self, advance: Advance) -> u32 {
        let elapsed = self.last_timestamp.wrapping_add(advance.elapsed);
        let capture = advance.capture.zip(self.segments.last());
        capture
            .map(|(first, last)| {
                let newest = first.wrapping_add(advance.replayed);
                last.timestamp_of_live(newest).wrapping_sub(self.ahead)
            })
            .filter(|capture| {
                (capture.wrapping_sub(elapsed) as i32).unsigned_abs() < MAX_CAPTURE_DIFFERENCE
            })
            .unwrap_or(elapsed)
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

/// By how much packets that span `replayed` ticks move together to fit into `room`.
fn squeeze(replayed: u32, room: u32) -> u32 {
    replayed.div_ceil(room).clamp(1, MAX_SQUEEZE)
}
