//! Bytes per time over short windows: what was sent, what was acknowledged.

use core::time::Duration;

const BUCKET_US: i64 = 16_000;
/// A little more than a second.
const BUCKETS: usize = 64;

/// A rate meter over one clock, in microseconds.
#[derive(Debug, Default)]
pub struct Throughput {
    bytes: Buckets,
    /// The first and the newest bucket with anything in it.
    span: Option<(i64, i64)>,
}

#[derive(Debug)]
struct Buckets([u32; BUCKETS]);

impl Default for Buckets {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Throughput {
    /// `bytes` passed at `at_us`; what lies before the window is ignored.
    pub fn add(&mut self, at_us: i64, bytes: u32) {
        let bucket = at_us.div_euclid(BUCKET_US);
        let (first, newest) = match self.span {
            Some((_, newest)) if bucket <= newest - BUCKETS as i64 => return,
            Some((first, newest)) if bucket <= newest + BUCKETS as i64 => (first, newest),
            _ => {
                self.bytes = Buckets::default();
                (bucket, bucket)
            }
        };
        for passed in newest + 1..=bucket {
            self.bytes.0[place(passed)] = 0;
        }
        let total = &mut self.bytes.0[place(bucket)];
        *total = total.saturating_add(bytes);
        self.span = Some((first.min(bucket), newest.max(bucket)));
    }

    /// Bits per second over the last `window`, up to a second; nothing before that much was seen.
    pub fn bps(&self, window: Duration) -> Option<u64> {
        let wanted = (window.as_micros() as i64 / BUCKET_US).clamp(1, BUCKETS as i64 - 1);
        let (first, newest) = self.span?;
        // The newest bucket is not full yet.
        if newest - first < wanted {
            return None;
        }
        let bytes: u64 = (newest - wanted..newest)
            .map(|bucket| u64::from(self.bytes.0[place(bucket)]))
            .sum();
        Some(bytes * 8 * 1_000_000 / (wanted * BUCKET_US) as u64)
    }
}

fn place(bucket: i64) -> usize {
    bucket.rem_euclid(BUCKETS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(measured: Option<u64>, expected: u64, percent: u64) -> bool {
        measured.is_some_and(|bps| bps.abs_diff(expected) * 100 <= expected * percent)
    }

    #[test]
    fn a_steady_stream_is_measured_and_a_change_shows_in_the_short_window_first() {
        let mut rate = Throughput::default();
        (0..1_000).for_each(|at| rate.add(-500_000 + at * 1_000, 250));
        assert!(within(rate.bps(Duration::from_millis(500)), 2_000_000, 2));
        (0..160).for_each(|at| rate.add(500_000 + at * 1_000, 100));
        assert!(within(rate.bps(Duration::from_millis(128)), 800_000, 3));
        assert!(
            rate.bps(Duration::from_millis(500))
                .is_some_and(|bps| bps > 1_400_000)
        );
    }

    #[test]
    fn too_little_is_no_measurement() {
        let mut rate = Throughput::default();
        assert_eq!(rate.bps(Duration::from_millis(100)), None);
        rate.add(0, 1_000);
        rate.add(50_000, 1_000);
        assert_eq!(rate.bps(Duration::from_millis(100)), None);
    }

    #[test]
    fn leaps_of_the_clock_either_way_leave_no_absurd_rate() {
        let mut rate = Throughput::default();
        (0..500).for_each(|at| rate.add(at * 1_000, 250));
        rate.add(i64::MAX / 2, 250);
        assert_eq!(rate.bps(Duration::from_millis(100)), None);
        rate.add(0, u32::MAX);
        rate.add(i64::MAX / 2 + 100, u32::MAX);
        rate.add(i64::MAX / 2 + 200_000, u32::MAX);
        assert!(
            rate.bps(Duration::from_millis(100))
                .is_some_and(|bps| bps < 1 << 40)
        );
    }
}
