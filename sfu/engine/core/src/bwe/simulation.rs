//! The estimator over a link in virtual time: a sender that spends what it may, a queue, feedback.

mod scenarios;

use core::time::Duration;
use std::collections::VecDeque;

use super::Estimator;
use crate::time::Time;
use crate::wire::twcc::{FeedbackHead, TransportFeedback, write_feedback};

/// A path with one bottleneck.
#[derive(Clone, Copy)]
struct Path {
    capacity_bps: u64,
    /// Longest wait in the bottleneck's queue before it drops.
    queue: Duration,
    one_way: Duration,
    /// Added at random to each packet.
    jitter: Duration,
    /// In percent, in either direction.
    loss: u64,
    feedback_loss: u64,
    /// How often the viewer tells.
    feedback: Duration,
}

const STEADY: Path = Path {
    capacity_bps: 4_000_000,
    queue: Duration::from_millis(400),
    one_way: Duration::from_millis(25),
    jitter: Duration::ZERO,
    loss: 0,
    feedback_loss: 0,
    feedback: Duration::from_millis(50),
};

const FRAME: Duration = Duration::from_millis(33);
const SOUND: Duration = Duration::from_millis(20);
const SOUND_BYTES: usize = 120;
const PACKET_BYTES: usize = 1_150;

/// What the sender does with what is available.
#[derive(Clone, Copy)]
enum Appetite {
    /// Pictures take all of it up to this.
    UpTo(u64),
    /// Pictures take the best of these rates that fits.
    Layers(&'static [u64]),
}

struct World {
    estimator: Estimator,
    path: Path,
    appetite: Appetite,
    now: Time,
    chance: u64,
    /// When the bottleneck is free, and packets under way: arrival and number.
    free: Time,
    under_way: VecDeque<(Time, u64)>,
    arrivals: Vec<Option<Time>>,
    reported: usize,
    feedback_on_way: VecDeque<(Time, Vec<u8>)>,
    next: [Time; 4],
    waiting_bytes: usize,
    budget_bytes: f64,
    sent: u64,
    dropped: u64,
    delivered_bytes: u64,
    picture_bps: u64,
    longest_queue: Duration,
}

impl World {
    fn new(path: Path, appetite: Appetite) -> Self {
        Self {
            estimator: Estimator::default(),
            path,
            appetite,
            now: Time::from_millis(1),
            chance: 7,
            free: Time(0),
            under_way: VecDeque::new(),
            arrivals: Vec::new(),
            reported: 0,
            feedback_on_way: VecDeque::new(),
            next: [Time(0); 4],
            waiting_bytes: 0,
            budget_bytes: 0.0,
            sent: 0,
            dropped: 0,
            delivered_bytes: 0,
            picture_bps: 0,
            longest_queue: Duration::ZERO,
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.chance >> 33) % limit.max(1)
    }

    /// Seconds pass; the part of the capacity that was used and the part of packets dropped.
    fn run(&mut self, seconds: f64) -> (f64, f64) {
        let (sent, dropped, delivered) = (self.sent, self.dropped, self.delivered_bytes);
        self.longest_queue = Duration::ZERO;
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.step();
            self.now += Duration::from_millis(1);
        }
        let bits = (self.delivered_bytes - delivered) as f64 * 8.0;
        let used = bits / seconds / self.path.capacity_bps as f64;
        (
            used,
            (self.dropped - dropped) as f64 / (self.sent - sent) as f64,
        )
    }

    fn due(&mut self, clock: usize, every: Duration) -> bool {
        let due = self.next[clock] <= self.now;
        if due {
            self.next[clock] = self.now + every;
        }
        due
    }

    fn step(&mut self) {
        if self.due(0, SOUND) {
            self.send(SOUND_BYTES);
        }
        if self.due(1, FRAME) {
            self.choose();
            let frame = self.picture_bps as usize * FRAME.as_millis() as usize / 8_000;
            // A picture is skipped rather than sent half a second late.
            if self.waiting_bytes * 8 < self.picture_bps as usize / 2 {
                self.waiting_bytes += frame;
            }
        }
        self.pace();
        if let Some(mut due) = self.estimator.probe_due_bytes(self.now) {
            while due > 0 {
                self.send(280);
                due = due.saturating_sub(280);
            }
        }
        self.receive();
        if self.due(2, Duration::from_millis(100)) {
            let want = match self.appetite {
                Appetite::UpTo(most) => most,
                Appetite::Layers(layers) => layers
                    .iter()
                    .find(|layer| **layer > self.picture_bps)
                    .map_or(0, |layer| layer + 100_000),
            };
            self.estimator.tick(want, self.now);
        }
        if self.due(3, self.path.feedback) {
            self.tell();
        }
    }

    fn choose(&mut self) {
        let sound_bps = SOUND_BYTES as u64 * 8 * 50;
        let available = self.estimator.available_bps(self.now).unwrap_or(0);
        let left = available.saturating_sub(sound_bps);
        self.picture_bps = match self.appetite {
            Appetite::UpTo(most) => left.min(most),
            Appetite::Layers(layers) => layers
                .iter()
                .copied()
                .filter(|layer| *layer <= left)
                .max()
                .unwrap_or(0),
        };
    }

    fn pace(&mut self) {
        let rate = self.estimator.pacing_bps(self.now).unwrap_or(20_000_000) as f64;
        self.budget_bytes = (self.budget_bytes + rate / 8_000.0).min(rate / 8_000.0 * 15.0);
        while self.waiting_bytes > 0 && self.budget_bytes > 0.0 {
            let bytes = self.waiting_bytes.min(PACKET_BYTES);
            self.waiting_bytes -= bytes;
            self.budget_bytes -= bytes as f64;
            self.send(bytes);
        }
    }

    fn send(&mut self, bytes: usize) {
        self.estimator.sent(bytes, self.now);
        let number = self.arrivals.len() as u64;
        self.arrivals.push(None);
        self.sent += 1;
        let waits = self.free.since(self.now);
        if waits > self.path.queue || self.below(100) < self.path.loss {
            self.dropped += 1;
            return;
        }
        self.longest_queue = self.longest_queue.max(waits);
        self.free = self.free.max(self.now)
            + Duration::from_micros(bytes as u64 * 8_000_000 / self.path.capacity_bps);
        let jitter = self.below(self.path.jitter.as_micros() as u64 + 1);
        let at = self.free + self.path.one_way + Duration::from_micros(jitter);
        self.delivered_bytes += bytes as u64;
        self.under_way.push_back((at, number));
    }

    fn receive(&mut self) {
        let now = self.now;
        let arrivals = &mut self.arrivals;
        self.under_way.retain(|(at, number)| {
            if *at <= now {
                arrivals[*number as usize] = Some(*at + Duration::from_secs(5_000));
            }
            *at > now
        });
        while self
            .feedback_on_way
            .front()
            .is_some_and(|(at, _)| *at <= self.now)
        {
            let (_, bytes) = self.feedback_on_way.pop_front().expect("not empty");
            let feedback = TransportFeedback::parse(&bytes).expect("parses");
            let round_trip = 2 * self.path.one_way;
            self.estimator
                .receive(&feedback, round_trip, self.now)
                .expect("honest feedback");
        }
    }

    fn tell(&mut self) {
        let Some(newest) = self.arrivals.iter().rposition(Option::is_some) else {
            return;
        };
        while self.reported <= newest {
            let mut buffer = vec![0; 1_200];
            let head = FeedbackHead {
                sender_ssrc: 1,
                media_ssrc: 2,
                base_sequence: self.reported as u16,
                feedback_count: 0,
            };
            let Ok(written) =
                write_feedback(&mut buffer, &head, &self.arrivals[self.reported..=newest])
            else {
                return;
            };
            buffer.truncate(written.bytes);
            buffer.drain(..4);
            self.reported += written.covered;
            if self.below(100) >= self.path.feedback_loss {
                let at = self.now + self.path.one_way;
                self.feedback_on_way.push_back((at, buffer));
            }
        }
    }

    fn estimate(&self) -> u64 {
        self.estimator.estimate_bps()
    }

    /// Seconds until `reached`, looked at every 20 ms, for at most `most` seconds.
    fn until(&mut self, most: f64, reached: impl Fn(&Self) -> bool) -> Option<f64> {
        let start = self.now;
        while !reached(self) {
            if self.now.since(start).as_secs_f64() > most {
                return None;
            }
            self.run(0.02);
        }
        Some(self.now.since(start).as_secs_f64())
    }
}
