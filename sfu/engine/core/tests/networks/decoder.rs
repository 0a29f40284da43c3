//! A slot's pictures put together and decoded, strictly in order; jumps only to a keyframe.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::vp8;

/// A gap this old is given up and a keyframe asked for.
const GIVE_UP: Duration = Duration::from_millis(500);
const ASK_EVERY: Duration = Duration::from_millis(300);

struct Piece {
    timestamp: u32,
    starts: bool,
    marker: bool,
    keyframe: bool,
    height: Option<u16>,
    /// It only fills the place of what was left out.
    empty: bool,
}

/// Pictures of which the buffer knows how late they came: ten seconds.
const REMEMBERED: usize = 250;

/// A decoded picture.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// When it could be decoded.
    pub at: Time,
    /// When it was shown: as browsers do, one waits as long as 49 of 50 lately needed.
    pub shown: Time,
    /// Arrival less timestamp: by how much more than at another time it came late.
    pub transit_us: i64,
    pub height: u16,
}

/// Evens out how late pictures come, by their timestamps.
#[derive(Default)]
struct Playout {
    timestamps: TimestampExtender,
    late_us: VecDeque<i64>,
    shown: Time,
}

#[derive(Default)]
struct TimestampExtender(Option<i64>);

impl TimestampExtender {
    fn extend(&mut self, timestamp: u32) -> i64 {
        let last = self.0.unwrap_or(i64::from(timestamp));
        let step = timestamp.wrapping_sub(last as u32) as i32;
        *self.0.insert(last + i64::from(step))
    }
}

impl Playout {
    /// When it is shown, and arrival less timestamp.
    fn show(&mut self, timestamp: u32, now: Time) -> (Time, i64) {
        let media_us = self.timestamps.extend(timestamp) * 100 / 9;
        let transit_us = now.as_micros() as i64 - media_us;
        self.late_us.push_back(transit_us);
        if self.late_us.len() > REMEMBERED {
            self.late_us.pop_front();
        }
        let mut sorted: Vec<i64> = self.late_us.iter().copied().collect();
        sorted.sort_unstable();
        let due_us = media_us + sorted[(sorted.len() - 1) * 49 / 50];
        self.shown = self.shown.max(now).max(Time(due_us.max(0) as u64));
        (self.shown, transit_us)
    }
}

#[derive(Default)]
pub struct Decoder {
    pieces: BTreeMap<u64, Piece>,
    next: Option<u64>,
    height: u16,
    stuck_since: Option<Time>,
    asked: Time,
    playout: Playout,
    pub pictures: Vec<Picture>,
    pub keyframe_requests: usize,
}

impl Decoder {
    /// A packet of the slot, in any order.
    pub fn receive(
        &mut self,
        sequence: u64,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
        now: Time,
    ) {
        if self.next.is_some_and(|next| sequence < next) {
            return;
        }
        let descriptor =
            (!payload.is_empty()).then(|| vp8::Descriptor::parse(payload).expect("VP8"));
        let piece = Piece {
            timestamp,
            starts: descriptor.is_some_and(|d| d.starts_partition && d.partition == 0),
            marker,
            keyframe: descriptor.is_some_and(|d| d.starts_keyframe(payload)),
            height: vp8::keyframe_size(payload).map(|(_, height)| height),
            empty: payload.is_empty(),
        };
        self.pieces.insert(sequence, piece);
        while self.decode_next(now) {}
    }

    /// Whether a keyframe must be asked for now.
    pub fn needs_keyframe(&mut self, now: Time) -> bool {
        let stuck = self
            .stuck_since
            .is_some_and(|since| now.since(since) > GIVE_UP);
        let ask = stuck && now.since(self.asked) > ASK_EVERY;
        if ask {
            self.asked = now;
            self.keyframe_requests += 1;
        }
        ask
    }

    fn decode_next(&mut self, now: Time) -> bool {
        let empty = |next: &u64| self.pieces.get(next).is_some_and(|piece| piece.empty);
        if let Some(next) = self.next.filter(empty) {
            self.pieces.remove(&next);
            self.next = Some(next + 1);
            return true;
        }
        let in_order = self.next.and_then(|next| self.whole_frame(next));
        let Some((first, last)) = in_order.or_else(|| self.whole_keyframe()) else {
            let waits = self.pieces.keys().next_back() > self.next.as_ref();
            self.stuck_since = match waits {
                true => self.stuck_since.or(Some(now)),
                false => None,
            };
            return false;
        };
        let piece = &self.pieces[&first];
        self.height = piece.height.unwrap_or(self.height);
        let (shown, transit_us) = self.playout.show(piece.timestamp, now);
        self.pictures.push(Picture {
            at: now,
            shown,
            transit_us,
            height: self.height,
        });
        self.pieces = self.pieces.split_off(&(last + 1));
        self.next = Some(last + 1);
        self.stuck_since = None;
        true
    }

    fn whole_keyframe(&self) -> Option<(u64, u64)> {
        let keyframes = self.pieces.iter().filter(|(_, piece)| piece.keyframe);
        keyframes
            .filter_map(|(first, _)| self.whole_frame(*first))
            .next()
    }

    fn whole_frame(&self, first: u64) -> Option<(u64, u64)> {
        let start = self.pieces.get(&first).filter(|piece| piece.starts)?;
        let timestamp = start.timestamp;
        let mut sequence = first;
        loop {
            let piece = self.pieces.get(&sequence)?;
            if piece.timestamp != timestamp {
                return None;
            }
            if piece.marker {
                return Some((first, sequence));
            }
            sequence += 1;
        }
    }
}
