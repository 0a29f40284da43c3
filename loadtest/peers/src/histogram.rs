//! Latencies in buckets that grow with the value: within 1/16 of each, in constant memory.

use crate::job::Latency;

const SUB_BUCKETS: u64 = 16;
const BUCKETS: usize = 64 * SUB_BUCKETS as usize;

/// Counts of microseconds.
#[derive(Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            max: 0,
        }
    }

    /// Counts one value.
    pub fn add(&mut self, value: u64) {
        self.counts[bucket(value)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    /// The percentiles; zero when nothing was counted.
    pub fn latency(&self) -> Latency {
        Latency {
            p50: self.percentile(50),
            p95: self.percentile(95),
            p99: self.percentile(99),
            max: self.max,
        }
    }

    /// Upper bounds of the buckets in use, and how many values lie in each.
    pub fn counts(&self) -> Vec<(u64, u64)> {
        let used = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        used.map(|(index, count)| (upper_bound(index), *count))
            .collect()
    }

    fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.total * percent).div_ceil(100);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return upper_bound(index).min(self.max);
            }
        }
        0
    }
}

fn bucket(value: u64) -> usize {
    if value < SUB_BUCKETS {
        return value as usize;
    }
    let shift = value.ilog2() - SUB_BUCKETS.ilog2();
    let sub = (value >> shift) - SUB_BUCKETS;
    ((u64::from(shift) + 1) * SUB_BUCKETS + sub) as usize
}

fn upper_bound(index: usize) -> u64 {
    let (row, sub) = (index as u64 / SUB_BUCKETS, index as u64 % SUB_BUCKETS);
    match row {
        0 => sub,
        _ => ((SUB_BUCKETS + sub + 1) << (row - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_within_a_sixteenth_of_its_bucket() {
        for value in (0..100_000).chain([1 << 40, (1 << 40) + 12_345]) {
            let bound = upper_bound(bucket(value));
            assert!(
                bound >= value && bound - value <= value / 16,
                "{value}: {bound}"
            );
        }
    }

    #[test]
    fn percentiles_are_in_order() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|value| histogram.add(value));
        let latency = histogram.latency();
        assert!((500..=531).contains(&latency.p50));
        assert!((950..=1000).contains(&latency.p95));
        assert!((990..=1000).contains(&latency.p99));
        assert_eq!(latency.max, 1000);
        assert_eq!(Histogram::new().latency().p99, 0);
    }
}
