//! What one direction of a network is like at a moment.

/// When a queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLimit {
    /// When what waits would take longer than this to send at the present rate.
    Microseconds(u64),
    /// When more than this waits.
    Bytes(u64),
}

/// Losses in a row (Gilbert-Elliott, every packet of the bad state lost).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Share of all packets that is lost, 0 to below 1.
    pub share: f64,
    /// Mean number of packets lost in a row, at least 1.
    pub mean_packets: f64,
}

/// One direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// What passes in a second, IP headers included; `None` is no limit.
    pub rate_bps: Option<u64>,
    /// How much may wait for that; what comes to a full queue is dropped.
    pub queue: QueueLimit,
    /// Time under way, behind the queue.
    pub delay_us: u64,
    /// Further time, even between 0 and this; order is kept.
    pub jitter_us: u64,
    /// Probability that a packet is lost behind the queue: it has used its share of the rate.
    pub loss: f64,
    /// Losses in a row, besides those.
    pub burst: Burst,
    /// Probability that a packet is overtaken by those that follow within `reorder_us`.
    pub reorder: f64,
    /// How long an overtaken packet is held.
    pub reorder_us: u64,
    /// Probability that a packet arrives twice.
    pub duplicate: f64,
    /// Nothing passes, and nothing is sent later.
    pub dark: bool,
}

impl Condition {
    /// No limit, no delay, no fault.
    pub const PERFECT: Self = Self {
        rate_bps: None,
        queue: QueueLimit::Microseconds(200_000),
        delay_us: 0,
        jitter_us: 0,
        loss: 0.0,
        burst: Burst {
            share: 0.0,
            mean_packets: 1.0,
        },
        reorder: 0.0,
        reorder_us: 10_000,
        duplicate: 0.0,
        dark: false,
    };

    /// How many bytes may wait.
    pub(crate) fn queue_bytes(&self) -> u64 {
        match (self.queue, self.rate_bps) {
            (QueueLimit::Bytes(bytes), _) => bytes,
            (QueueLimit::Microseconds(_), None) => u64::MAX,
            (QueueLimit::Microseconds(us), Some(bps)) => {
                u64::try_from(u128::from(us) * u128::from(bps) / 8_000_000).unwrap_or(u64::MAX)
            }
        }
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::PERFECT
    }
}
