//! A line between clients and engine that loses, delays, reorders and repeats, by a seed.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use mianshi_engine_core::time::Time;

/// SplitMix64.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// How bad the line is.
#[derive(Clone, Copy)]
pub struct Quality {
    pub loss_percent: u64,
    pub delay: Duration,
    /// Added at random, so that packets overtake each other.
    pub jitter: Duration,
    pub repeat_percent: u64,
}

impl Quality {
    pub const GOOD: Self = Self {
        loss_percent: 0,
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        repeat_percent: 0,
    };

    pub const fn lossy(loss_percent: u64) -> Self {
        Self {
            loss_percent,
            delay: Duration::from_millis(25),
            jitter: Duration::from_millis(6),
            repeat_percent: 1,
        }
    }
}

pub enum Delivery {
    ToEngine { from: SocketAddr, datagram: Vec<u8> },
    ToClient { to: SocketAddr, datagram: Vec<u8> },
}

/// Datagrams under way, by arrival.
pub struct Link {
    pub quality: Quality,
    chance: Chance,
    under_way: BTreeMap<(Time, u64), Delivery>,
    order: u64,
}

impl Link {
    pub fn new(seed: u64) -> Self {
        Self {
            quality: Quality::GOOD,
            chance: Chance::new(seed),
            under_way: BTreeMap::new(),
            order: 0,
        }
    }

    pub fn send(&mut self, now: Time, make: impl Fn() -> Delivery) {
        if self.chance.below(100) < self.quality.loss_percent {
            return;
        }
        let copies = 1 + u64::from(self.chance.below(100) < self.quality.repeat_percent);
        for _ in 0..copies {
            let jitter = self
                .chance
                .below(self.quality.jitter.as_micros() as u64 + 1);
            let at = now + self.quality.delay + Duration::from_micros(jitter);
            self.order += 1;
            self.under_way.insert((at, self.order), make());
        }
    }

    pub fn next_arrival(&self) -> Option<Time> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    pub fn take_arrived(&mut self, now: Time) -> Option<Delivery> {
        let key = *self.under_way.keys().next().filter(|(at, _)| *at <= now)?;
        self.under_way.remove(&key)
    }
}
