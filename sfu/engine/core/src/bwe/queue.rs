//! The standing queue: how far one-way delays lie above the smallest one seen lately.

use core::time::Duration;

use crate::time::Time;

/// How long a smallest delay is believed: clocks drift, paths change.
const BASE_WINDOW: Duration = Duration::from_secs(10);
/// One sample is the smallest delay of this time, so that jitter does not count …
const SAMPLE_AFTER: Duration = Duration::from_millis(60);
/// … and of at least this many packets, unless they come too slowly for that.
const SAMPLE_PACKETS: u32 = 4;
const SAMPLE_AT_LAST: Duration = Duration::from_millis(250);

/// Less growth from one sample to the next is jitter.
const GROWS_US: i64 = 1_500;

/// A queue as measured over a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueSample {
    /// What waits before the bottleneck.
    pub delay_us: i64,
    /// How much it grew since the sample before.
    pub growth_us: i64,
}

/// The queue on the path to one viewer.
#[derive(Debug, Default)]
pub struct StandingQueue {
    /// Smallest one-way delays of this window and the one before; the clocks' offset included.
    base_us: [Option<i64>; 2],
    window_started: Time,
    smallest_us: Option<i64>,
    packets: u32,
    sample_started: Time,
    last: QueueSample,
    /// Likewise of the feedback that is being read, and of the one before.
    glimpsed_us: i64,
    glimpsed_packets: u32,
    last_glimpse: Option<QueueSample>,
    /// Samples in a row in which it grew.
    grew: u32,
}

impl StandingQueue {
    /// Take a packet that arrived.
    pub fn add(&mut self, one_way_us: i64) {
        let smaller = |known: Option<i64>| Some(known.map_or(one_way_us, |us| us.min(one_way_us)));
        self.smallest_us = smaller(self.smallest_us);
        self.base_us[0] = smaller(self.base_us[0]);
        self.packets += 1;
        self.glimpsed_us += one_way_us;
        self.glimpsed_packets += 1;
    }

    /// The smallest one-way delay lately, once there was one.
    pub fn base_us(&self) -> Option<i64> {
        self.base_us.iter().flatten().min().copied()
    }

    /// A feedback was read: the mean delay in it, if it told of so many packets.
    pub fn glimpse(&mut self, packets: u32) -> Option<QueueSample> {
        if self.glimpsed_packets < packets {
            return None;
        }
        let mean_us = self.glimpsed_us / i64::from(self.glimpsed_packets);
        (self.glimpsed_us, self.glimpsed_packets) = (0, 0);
        let delay_us = mean_us - self.base_us()?;
        let before_us = self.last_glimpse.map_or(delay_us, |before| before.delay_us);
        let glimpse = QueueSample {
            delay_us,
            growth_us: delay_us - before_us,
        };
        self.last_glimpse = Some(glimpse);
        Some(glimpse)
    }

    /// A feedback was read: a sample, when enough packets came for one.
    pub fn sample(&mut self, now: Time) -> Option<QueueSample> {
        if now.since(self.window_started) >= BASE_WINDOW {
            self.window_started = now;
            self.base_us = [None, self.base_us[0]];
            self.base_us[0] = self.smallest_us;
        }
        let waited = now.since(self.sample_started);
        let ripe = waited >= SAMPLE_AFTER && self.packets >= SAMPLE_PACKETS;
        if !ripe && waited < SAMPLE_AT_LAST {
            return None;
        }
        let smallest_us = self.smallest_us.take()?;
        self.packets = 0;
        self.sample_started = now;
        let delay_us = smallest_us - self.base_us()?;
        let growth_us = delay_us - self.last.delay_us;
        self.last = QueueSample {
            delay_us,
            growth_us,
        };
        self.grew = match growth_us >= GROWS_US {
            true => self.grew + 1,
            false => 0,
        };
        Some(self.last)
    }

    /// Whether it grows from sample to sample. A path that became longer jumps once: whatever is
    /// sent, its delay stays.
    pub fn keeps_growing(&self) -> bool {
        self.grew >= 2
    }

    /// The last sample's delay.
    pub fn delay_us(&self) -> i64 {
        self.last.delay_us
    }

    /// The delay as it is now is the path's own: it did not go away when less was sent.
    pub fn rebase(&mut self) {
        *self = Self {
            sample_started: self.sample_started,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(queue: &mut StandingQueue, from_ms: u64, to_ms: u64, delay_us: impl Fn(u64) -> i64) {
        for at_ms in (from_ms..to_ms).step_by(10) {
            queue.add(-5_000_000 + delay_us(at_ms));
            queue.sample(Time::from_millis(at_ms));
        }
    }

    #[test]
    fn jitter_is_no_queue_and_growth_is_one() {
        let mut queue = StandingQueue::default();
        run(&mut queue, 0, 5_000, |at| {
            20_000 + (at as i64 * 7_919) % 30_000
        });
        assert!(queue.delay_us() < 15_000, "{}", queue.delay_us());
        run(&mut queue, 5_000, 5_500, |at| {
            20_000 + (at as i64 - 5_000) * 400
        });
        assert!(queue.delay_us() > 130_000, "{}", queue.delay_us());
        assert!(queue.last.growth_us > 15_000);
    }

    #[test]
    fn a_longer_path_becomes_the_base_in_time() {
        let mut queue = StandingQueue::default();
        run(&mut queue, 0, 5_000, |_| 20_000);
        run(&mut queue, 5_000, 6_000, |_| 90_000);
        assert_eq!(queue.delay_us(), 70_000);
        run(&mut queue, 6_000, 40_000, |_| 90_000);
        assert_eq!(queue.delay_us(), 0);
        run(&mut queue, 40_000, 41_000, |_| 120_000);
        queue.rebase();
        run(&mut queue, 41_000, 42_000, |_| 120_000);
        assert_eq!(queue.delay_us(), 0);
    }
}
