//! How late the packets of a stream arrive at best, by their own timestamps.

use core::time::Duration;

use crate::time::Time;

/// The best of the last one to two of these is known.
const WINDOW: Duration = Duration::from_secs(2);

/// The least difference between arrival, in ticks of the stream's clock, and timestamp.
///
/// Only differences between two streams mean anything: they tell how far apart the zeros of the
/// clocks are, whatever a single packet was held up by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transit {
    began: Time,
    least: Option<u32>,
    least_before: Option<u32>,
}

impl Transit {
    /// A packet with this timestamp arrived.
    pub fn receive(&mut self, timestamp: u32, clock_rate: u32, now: Time) {
        let arrival = (now.0.wrapping_mul(u64::from(clock_rate)) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(timestamp);
        if now.since(self.began) >= WINDOW {
            self.least_before = self.least.take();
            self.began = now;
        }
        self.least = Some(lesser(self.least, transit));
    }

    /// The least of late, once a packet arrived.
    pub fn least(&self) -> Option<u32> {
        match (self.least, self.least_before) {
            (Some(least), before) => Some(lesser(before, least)),
            (None, before) => before,
        }
    }
}

/// The lesser of two that wrap around.
fn lesser(known: Option<u32>, other: u32) -> u32 {
    known.map_or(other, |known| {
        match (other.wrapping_sub(known) as i32) < 0 {
            true => other,
            false => known,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_packet_counts_until_it_is_old() {
        let mut transit = Transit::default();
        assert_eq!(transit.least(), None);
        // Timestamps that wrap; the third packet is held up least.
        for (frame, late_ms) in [40u32, 30, 10, 70].into_iter().enumerate() {
            let frame = frame as u32;
            let timestamp = (u32::MAX - 4_000).wrapping_add(frame * 3_000);
            let at = Time::from_millis(u64::from(5_000 + frame * 100 / 3 + late_ms));
            transit.receive(timestamp, 90_000, at);
        }
        let least = transit.least().expect("packets came");
        let expected = (5_010 * 90u32).wrapping_sub(u32::MAX - 4_000);
        assert!(
            (least.wrapping_sub(expected) as i32).unsigned_abs() < 200,
            "{least}"
        );
        for second in 6..12u32 {
            let timestamp = (u32::MAX - 4_000).wrapping_add((second - 5) * 90_000);
            transit.receive(
                timestamp,
                90_000,
                Time::from_millis(u64::from(second * 1_000 + 50)),
            );
        }
        let later = transit.least().expect("packets came");
        assert!((later.wrapping_sub(least) as i32 - 3_600).unsigned_abs() < 200);
    }
}
