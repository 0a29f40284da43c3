//! How much work strangers may cause: one token bucket per group of sources.

use core::net::IpAddr;

use crate::time::Time;

/// Buckets; sources that fall into one share it, so that memory is bounded and no source can
/// refill its bucket by making others appear.
const BUCKETS: usize = 4_096;
/// Failed checks that a quiet source may make at once. A browser's own wrong checks (a stale
/// password after a restart) come every 50 ms.
const BURST: u32 = 40;
/// Failed checks a second after that.
const REFILL_PER_SECOND: u64 = 20;
const MICROS_PER_TOKEN: u64 = 1_000_000 / REFILL_PER_SECOND;

/// Budgets for requests that fail authentication.
pub(super) struct SourceBudgets {
    seed: u64,
    buckets: Box<[Bucket]>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: u32,
    refilled: Time,
}

impl SourceBudgets {
    /// `seed` keeps an attacker from choosing whom to share a bucket with.
    pub(super) fn new(seed: u64) -> Self {
        let full = Bucket {
            tokens: BURST,
            refilled: Time(0),
        };
        Self {
            seed,
            buckets: vec![full; BUCKETS].into_boxed_slice(),
        }
    }

    /// Whether `source` may try once more; `spend` takes the token when the try has failed.
    pub(super) fn allows(&mut self, source: IpAddr, now: Time) -> bool {
        let bucket = self.bucket(source);
        bucket.refill(now);
        bucket.tokens > 0
    }

    /// Takes a token of `source`.
    pub(super) fn spend(&mut self, source: IpAddr) {
        let bucket = self.bucket(source);
        bucket.tokens = bucket.tokens.saturating_sub(1);
    }

    fn bucket(&mut self, source: IpAddr) -> &mut Bucket {
        let mixed = mix(network_of(source) ^ self.seed);
        &mut self.buckets[(mixed % BUCKETS as u64) as usize]
    }
}

impl Bucket {
    fn refill(&mut self, now: Time) {
        let tokens = now.since(self.refilled).as_micros() as u64 / MICROS_PER_TOKEN;
        if tokens == 0 {
            return;
        }
        let filled = u64::from(self.tokens) + tokens;
        self.tokens = filled.min(u64::from(BURST)) as u32;
        self.refilled = match self.tokens {
            BURST => now,
            _ => Time(self.refilled.0 + tokens * MICROS_PER_TOKEN),
        };
    }
}

/// An IPv4 address, or the /64 that one IPv6 host can have to itself.
fn network_of(source: IpAddr) -> u64 {
    match source.to_canonical() {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => (u128::from(ip) >> 64) as u64,
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators, 2014).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};

    fn source(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
    }

    fn exhaust(budgets: &mut SourceBudgets, source: IpAddr, now: Time) -> u32 {
        let mut tries = 0;
        while budgets.allows(source, now) {
            budgets.spend(source);
            tries += 1;
        }
        tries
    }

    #[test]
    fn a_source_has_a_burst_and_then_a_rate() {
        let mut budgets = SourceBudgets::new(1);
        assert_eq!(exhaust(&mut budgets, source(1), Time(0)), BURST);
        let later = Time::from_millis(500);
        assert_eq!(
            u64::from(exhaust(&mut budgets, source(1), later)),
            REFILL_PER_SECOND / 2
        );
        let much_later = Time::from_millis(3_600_000);
        assert_eq!(exhaust(&mut budgets, source(1), much_later), BURST);
    }

    #[test]
    fn sources_do_not_spend_each_others_tokens() {
        let mut budgets = SourceBudgets::new(1);
        exhaust(&mut budgets, source(1), Time(0));
        assert_eq!(exhaust(&mut budgets, source(2), Time(0)), BURST);
    }

    #[test]
    fn a_v6_network_is_one_source() {
        let mut budgets = SourceBudgets::new(1);
        let host = |last| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));
        exhaust(&mut budgets, host(1), Time(0));
        assert!(!budgets.allows(host(2), Time(0)));
    }
}
