//! One direction: a queue in front of a line with delay and faults.

use std::collections::BTreeMap;

use crate::UDP_IP_OVERHEAD_BYTES;
use crate::chance::Chance;
use crate::condition::Condition;
use crate::loss::Losses;
use crate::queue::{Queue, Served};

/// What became of the packets so far. Bytes include IP and UDP headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets pushed.
    pub pushed: u64,
    /// Bytes pushed.
    pub pushed_bytes: u64,
    /// Packets that passed the bottleneck, lost afterwards or not.
    pub sent: u64,
    /// Bytes that passed the bottleneck: what the link was used for.
    pub sent_bytes: u64,
    /// Packets handed out, duplicates not counted.
    pub arrived: u64,
    /// Dropped because the queue was full.
    pub queue_drops: u64,
    /// Lost at random or in a burst.
    pub lost: u64,
    /// Lost in the dark.
    pub dark: u64,
    /// Handed out a second time.
    pub duplicated: u64,
    /// Held so that others overtook them.
    pub reordered: u64,
}

/// One direction of a network, for packets of the user's own kind.
#[derive(Debug)]
pub struct Link<T> {
    condition: Condition,
    chance: Chance,
    losses: Losses,
    queue: Queue<T>,
    /// By arrival, then by order.
    under_way: BTreeMap<(u64, u64), (T, bool)>,
    order: u64,
    latest_arrival_us: u64,
    counters: Counters,
    peak_wait_us: u64,
}

impl<T: Clone> Link<T> {
    /// An idle link.
    pub fn new(condition: Condition, seed: u64) -> Self {
        Self {
            condition,
            chance: Chance::new(seed),
            losses: Losses::default(),
            queue: Queue::new(condition.rate_bps),
            under_way: BTreeMap::new(),
            order: 0,
            latest_arrival_us: 0,
            counters: Counters::default(),
            peak_wait_us: 0,
        }
    }

    /// What it is like now.
    pub const fn condition(&self) -> &Condition {
        &self.condition
    }

    /// What became of the packets so far.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// What waits for the bottleneck, headers included.
    pub const fn waiting_bytes(&self) -> u64 {
        self.queue.waiting_bytes()
    }

    /// How long a packet pushed now would wait for the bottleneck; `None` while nothing moves.
    pub fn queue_delay_us(&mut self, now_us: u64) -> Option<u64> {
        self.advance(now_us);
        self.queue.delay_us(now_us)
    }

    /// The longest wait of a packet that passed the bottleneck since this was last asked.
    pub fn take_peak_wait_us(&mut self) -> u64 {
        core::mem::take(&mut self.peak_wait_us)
    }

    /// From now on it is like this. What waits is sent at the new rate; in the dark it is lost.
    pub fn set(&mut self, condition: Condition, now_us: u64) {
        self.advance(now_us);
        self.queue.set_rate(condition.rate_bps, now_us);
        self.condition = condition;
        if condition.dark {
            self.counters.dark += self.queue.clear() as u64;
        }
    }

    /// A datagram of `payload_bytes` (UDP payload) enters.
    pub fn push(&mut self, payload_bytes: usize, packet: T, now_us: u64) {
        self.advance(now_us);
        let bytes = (payload_bytes + UDP_IP_OVERHEAD_BYTES) as u64;
        self.counters.pushed += 1;
        self.counters.pushed_bytes += bytes;
        if self.condition.dark {
            self.counters.dark += 1;
            return;
        }
        let waiting = self.queue.waiting_bytes();
        if waiting > 0 && waiting + bytes > self.condition.queue_bytes() {
            self.counters.queue_drops += 1;
            return;
        }
        self.queue.push(bytes, packet, now_us);
        self.advance(now_us);
    }

    /// The next packet that has arrived by `now_us`.
    pub fn poll(&mut self, now_us: u64) -> Option<T> {
        self.advance(now_us);
        let arrival = *self.under_way.keys().next().filter(|key| key.0 <= now_us)?;
        let (packet, is_copy) = self.under_way.remove(&arrival)?;
        match is_copy {
            true => self.counters.duplicated += 1,
            false => self.counters.arrived += 1,
        }
        Some(packet)
    }

    /// When the next packet arrives that has left the queue by `now_us`.
    pub fn next_arrival_us(&mut self, now_us: u64) -> Option<u64> {
        self.advance(now_us);
        self.under_way.keys().next().map(|key| key.0)
    }

    /// When to poll next: something arrives or leaves the queue.
    pub fn deadline(&self) -> Option<u64> {
        let arrival = self.under_way.keys().next().map(|key| key.0);
        [arrival, self.queue.deadline_us()]
            .into_iter()
            .flatten()
            .min()
    }

    fn advance(&mut self, now_us: u64) {
        while let Some(served) = self.queue.serve(now_us) {
            self.counters.sent += 1;
            self.counters.sent_bytes += served.bytes;
            self.peak_wait_us = self.peak_wait_us.max(served.waited_us);
            if self.losses.takes(&self.condition, &mut self.chance) {
                self.counters.lost += 1;
            } else {
                self.send(served);
            }
        }
    }

    fn send(&mut self, served: Served<T>) {
        let Condition {
            delay_us,
            jitter_us,
            reorder,
            reorder_us,
            duplicate,
            ..
        } = self.condition;
        let mut at_us = served.at_us + delay_us + self.chance.up_to(jitter_us);
        if self.chance.happens(reorder) {
            self.counters.reordered += 1;
            at_us += reorder_us;
        } else {
            at_us = at_us.max(self.latest_arrival_us);
            self.latest_arrival_us = at_us;
        }
        if self.chance.happens(duplicate) {
            self.place(at_us, served.packet.clone(), false);
            self.place(at_us, served.packet, true);
        } else {
            self.place(at_us, served.packet, false);
        }
    }

    fn place(&mut self, at_us: u64, packet: T, is_copy: bool) {
        self.order += 1;
        self.under_way
            .insert((at_us, self.order), (packet, is_copy));
    }
}
