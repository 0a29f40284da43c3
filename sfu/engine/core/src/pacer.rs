//! Pictures that must wait: references into the publishers' packet caches, not copies.
//!
//! A packet leaves at once while a token bucket at the pacing rate allows, which is one
//! comparison. Behind a burst, a keyframe mostly, packets wait in order; a timer sends them.

use core::time::Duration;
use std::collections::VecDeque;

use crate::rewrite::{Numbers, Origin};
use crate::time::Time;

/// How often waiting packets are looked at.
pub const PACE_TICK: Duration = Duration::from_millis(5);
/// What may leave at once: an ordinary picture and a bit.
const BURST: Duration = Duration::from_millis(20);
/// Older pictures are not worth sending: the viewer goes on with a keyframe.
const MAX_WAIT: Duration = Duration::from_millis(500);
/// No more packets than this wait.
const MAX_WAITING: usize = 1_024;

/// A packet that waits.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// The slot's index in the viewer.
    pub slot: usize,
    /// Where the packet came from.
    pub origin: Origin,
    /// Its extended number there.
    pub source_sequence: u64,
    /// The slot's numbers for it.
    pub numbers: Numbers,
    since: Time,
}

/// The bucket and the queue of one viewer.
#[derive(Debug, Default)]
pub struct Pacer {
    waiting: VecDeque<Waiting>,
    /// When all that was sent will have left at the pacing rate.
    drained_at: Time,
    /// What a byte takes at the pacing rate; 0: no limit.
    nanos_per_byte: u64,
    delayed: u64,
}

impl Pacer {
    /// Packets leave at this rate from now on; nothing: no limit.
    pub fn set_rate(&mut self, bps: Option<u64>) {
        self.nanos_per_byte = bps.map_or(0, |bps| 8_000_000_000 / bps.max(1));
    }

    /// Whether a packet may leave at once.
    pub fn admits(&self, now: Time) -> bool {
        self.drained_at <= now + BURST && self.waiting.is_empty()
    }

    /// A packet of pictures left.
    pub fn spend(&mut self, bytes: usize, now: Time) {
        let micros = bytes as u64 * self.nanos_per_byte / 1_000;
        self.drained_at = Time(self.drained_at.max(now).0 + micros);
    }

    /// A packet has to wait. False if so much waits already that all of it should be abandoned.
    pub fn push(
        &mut self,
        slot: usize,
        origin: Origin,
        source_sequence: u64,
        numbers: Numbers,
        now: Time,
    ) -> bool {
        let oldest = self.waiting.front().map_or(now, |waiting| waiting.since);
        if self.waiting.len() >= MAX_WAITING || now.since(oldest) > MAX_WAIT {
            return false;
        }
        self.delayed += 1;
        self.waiting.push_back(Waiting {
            slot,
            origin,
            source_sequence,
            numbers,
            since: now,
        });
        true
    }

    /// The next packet that may leave at `now`.
    pub fn pop(&mut self, now: Time) -> Option<Waiting> {
        if self.drained_at > now + PACE_TICK {
            return None;
        }
        self.waiting.pop_front()
    }

    /// The next packet, whatever the pace.
    pub fn pop_early(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    /// Drop what waits for a slot; true if anything did.
    pub fn abandon(&mut self, slot: usize) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.slot != slot);
        self.waiting.len() < before
    }

    /// The slot of the oldest packet.
    pub fn next_slot(&self) -> Option<usize> {
        self.waiting.front().map(|waiting| waiting.slot)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How long the oldest packet has waited.
    pub fn delay(&self, now: Time) -> Duration {
        self.waiting
            .front()
            .map_or(Duration::ZERO, |waiting| now.since(waiting.since))
    }

    /// Packets that had to wait since the beginning.
    pub fn delayed(&self) -> u64 {
        self.delayed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin {
        peer: 0,
        source: 0,
        layer: 0,
        stream: 1,
    };
    const NUMBERS: Numbers = Numbers {
        sequence: 1,
        timestamp: 0,
        picture_id: 0,
        tl0_picture_index: 0,
    };

    fn push(pacer: &mut Pacer, slot: usize, sequence: u64, now: Time) -> bool {
        pacer.push(slot, ORIGIN, sequence, NUMBERS, now)
    }

    #[test]
    fn without_a_rate_everything_leaves_at_once() {
        let mut pacer = Pacer::default();
        for _ in 0..1_000 {
            assert!(pacer.admits(Time(0)));
            pacer.spend(1_200, Time(0));
        }
    }

    #[test]
    fn a_burst_leaves_at_once_and_the_rest_at_the_rate_and_in_order() {
        let mut pacer = Pacer::default();
        pacer.set_rate(Some(4_000_000));
        let mut at_once = 0;
        for sequence in 0..50 {
            if pacer.admits(Time(0)) {
                pacer.spend(1_000, Time(0));
                at_once += 1;
            } else {
                assert!(push(&mut pacer, 3, sequence, Time(0)));
            }
        }
        assert_eq!(at_once, 11);
        let mut left = Vec::new();
        let mut now = Time(0);
        while !pacer.is_empty() {
            now += PACE_TICK;
            while let Some(waiting) = pacer.pop(now) {
                pacer.spend(1_000, now);
                left.push(waiting.source_sequence);
            }
        }
        assert_eq!(left, (11..50).collect::<Vec<_>>());
        assert!((85..=105).contains(&now.as_millis()), "{now:?}");
        assert_eq!(pacer.delayed(), 39);
    }

    #[test]
    fn what_waits_is_bounded_in_time_and_number() {
        let mut pacer = Pacer::default();
        pacer.set_rate(Some(100_000));
        pacer.spend(100_000, Time(0));
        let taken = (0..5_000)
            .take_while(|at| push(&mut pacer, 0, *at, Time(0)))
            .count();
        assert_eq!(taken, MAX_WAITING);
        assert!(pacer.abandon(0) && pacer.is_empty());
        assert!(push(&mut pacer, 0, 1, Time(0)));
        assert!(push(&mut pacer, 1, 2, Time::from_millis(400)));
        assert!(!push(&mut pacer, 0, 3, Time::from_millis(700)));
        assert!(pacer.abandon(0) && !pacer.abandon(0));
        assert_eq!(pacer.next_slot(), Some(1));
        assert_eq!(
            pacer.delay(Time::from_millis(700)),
            Duration::from_millis(300)
        );
    }
}
