//! A bottleneck: packets wait in line for their turn at a rate that may change under way.

use std::collections::VecDeque;

/// Nanoseconds and billionths of a bit: at whole microseconds a fast link would lose packets'
/// worth of rate to rounding.
const NANOS_PER_MICRO: u64 = 1_000;
const PARTS_PER_BIT: u64 = 1_000_000_000;

#[derive(Debug)]
struct Waiting<T> {
    bytes: u64,
    came_us: u64,
    packet: T,
}

/// A packet that had its turn.
pub(crate) struct Served<T> {
    pub at_us: u64,
    pub waited_us: u64,
    pub bytes: u64,
    pub packet: T,
}

/// First in, first out.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    line: VecDeque<Waiting<T>>,
    waiting_bytes: u64,
    rate_bps: Option<u64>,
    /// What the first in line has still to send, in billionths of a bit, at `since_ns`.
    first_parts: u64,
    since_ns: u64,
}

impl<T> Queue<T> {
    pub(crate) fn new(rate_bps: Option<u64>) -> Self {
        Self {
            line: VecDeque::new(),
            waiting_bytes: 0,
            rate_bps,
            first_parts: 0,
            since_ns: 0,
        }
    }

    pub(crate) const fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    /// How long a packet that came now would wait for its turn; `None` while nothing moves.
    pub(crate) fn delay_us(&self, now_us: u64) -> Option<u64> {
        let Some(first) = self.line.front() else {
            return Some(0);
        };
        let Some(bps) = self.rate_bps else {
            return Some(0);
        };
        let behind = (self.waiting_bytes - first.bytes) * 8 * PARTS_PER_BIT;
        let done = (now_us * NANOS_PER_MICRO).saturating_sub(self.since_ns) as u128 * bps as u128;
        let left = u128::from(self.first_parts + behind).saturating_sub(done);
        let nanos = left.checked_div(u128::from(bps))?;
        Some((nanos / u128::from(NANOS_PER_MICRO)) as u64)
    }

    /// Changes the rate; the first in line keeps what it has sent. Call `serve` up to now first.
    pub(crate) fn set_rate(&mut self, rate_bps: Option<u64>, now_us: u64) {
        let now_ns = now_us * NANOS_PER_MICRO;
        if let (Some(bps), false) = (self.rate_bps, self.line.is_empty()) {
            let sent = u128::from(now_ns.saturating_sub(self.since_ns)) * u128::from(bps);
            self.first_parts = u128::from(self.first_parts).saturating_sub(sent) as u64;
        }
        self.since_ns = self.since_ns.max(now_ns);
        self.rate_bps = rate_bps;
    }

    pub(crate) fn push(&mut self, bytes: u64, packet: T, now_us: u64) {
        if self.line.is_empty() {
            self.since_ns = self.since_ns.max(now_us * NANOS_PER_MICRO);
            self.first_parts = bytes * 8 * PARTS_PER_BIT;
        }
        self.waiting_bytes += bytes;
        self.line.push_back(Waiting {
            bytes,
            came_us: now_us,
            packet,
        });
    }

    /// The next that had its turn by `now_us`.
    pub(crate) fn serve(&mut self, now_us: u64) -> Option<Served<T>> {
        let done_ns = self.first_done_ns()?;
        let at_us = done_ns.div_ceil(NANOS_PER_MICRO);
        if at_us > now_us {
            return None;
        }
        let served = self.line.pop_front()?;
        self.waiting_bytes -= served.bytes;
        self.since_ns = done_ns;
        self.first_parts = self
            .line
            .front()
            .map_or(0, |next| next.bytes * 8 * PARTS_PER_BIT);
        Some(Served {
            at_us,
            waited_us: at_us.saturating_sub(served.came_us),
            bytes: served.bytes,
            packet: served.packet,
        })
    }

    /// When the first in line will have had its turn; `None` if nobody waits or nothing moves.
    pub(crate) fn deadline_us(&self) -> Option<u64> {
        Some(self.first_done_ns()?.div_ceil(NANOS_PER_MICRO))
    }

    /// Everybody in line goes home.
    pub(crate) fn clear(&mut self) -> usize {
        self.waiting_bytes = 0;
        let gone = self.line.len();
        self.line.clear();
        gone
    }

    fn first_done_ns(&self) -> Option<u64> {
        self.line.front()?;
        match self.rate_bps {
            None => Some(self.since_ns),
            Some(0) => None,
            Some(bps) => Some(self.since_ns + self.first_parts.div_ceil(bps)),
        }
    }
}
