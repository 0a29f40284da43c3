//! Probe clusters: a short burst at a higher rate shows whether the path carries it.

use core::time::Duration;

use super::history::PacketResult;
use super::{MAX_BPS, START_BPS};
use crate::time::Time;

/// A cluster is topped up this often.
pub const PROBE_TICK: Duration = Duration::from_millis(5);
/// How long a cluster lasts: a few ticks; a longer one would fill the queue that it looks for.
const CLUSTER: Duration = Duration::from_millis(30);
/// Fewer packets measure nothing.
const MIN_PACKETS: u32 = 5;
/// The first clusters, in parts of what is assumed.
const FIRST_FACTORS: [u64; 2] = [3, 6];
/// A cluster whose fate is not known after this says nothing.
const EXPIRES: Duration = Duration::from_secs(2);
/// Between clusters that look for more while the slots could use more.
const INTERVAL: Duration = Duration::from_millis(1_500);
/// The interval doubles while nothing is found, and up to the second while finds do not last.
const MAX_INTERVAL: Duration = Duration::from_secs(3);
const MAX_DOUBTFUL_INTERVAL: Duration = Duration::from_secs(12);
/// A find that overloads the path within this did not last.
const PROVEN_AFTER: Duration = Duration::from_secs(4);
/// A result in this proportion to its target suggests that there is more.
const PROMISING: f64 = 0.7;
/// Arrivals slower than this part of departures mean that the path was full …
const SATURATED: f64 = 0.9;
/// … and then a little less than what came through is believed.
const BELIEVED: f64 = 0.95;
/// Arrivals this much faster than departures were held back and released: no measurement.
const MAX_COMPRESSION: f64 = 3.0;
/// No cluster is faster than this …
const MAX_CLUSTER_BPS: u64 = 12_000_000;
/// … and none slower: its few small packets would measure nothing, and a path that carries less
/// is held up by it for a moment only.
const MIN_CLUSTER_BPS: u64 = 400_000;

/// A cluster that is being sent.
#[derive(Clone, Copy, Debug)]
pub struct Cluster {
    id: u8,
    target_bps: u64,
    started: Time,
}

/// What a cluster showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The rate that came through.
    pub bps: f64,
    /// The path was full: it carries no more than this.
    pub saturated: bool,
}

/// A cluster of which feedback is awaited.
#[derive(Clone, Copy, Debug, Default)]
struct Awaited {
    id: u8,
    target_bps: u64,
    first_sent: Time,
    last_sent: Time,
    sent_bytes: u64,
    /// Without what left at `last_sent`.
    sent_before_last_bytes: u64,
    packets: u32,
    told: u32,
    arrived: u32,
    first_arrived_us: i64,
    line: Line,
}

/// Least squares of arrival over bytes: jitter of single packets hardly moves its slope.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    points: f64,
    bytes: f64,
    times: f64,
    products: f64,
    squares: f64,
    last_bytes: f64,
}

impl Line {
    /// `bytes` more arrived by `time_us`.
    fn add(&mut self, bytes: u32, time_us: f64) {
        self.last_bytes += f64::from(bytes);
        self.points += 1.0;
        self.bytes += self.last_bytes;
        self.times += time_us;
        self.products += self.last_bytes * time_us;
        self.squares += self.last_bytes * self.last_bytes;
    }

    /// Bits per second; nothing when all came at once.
    fn bps(&self) -> Option<f64> {
        let spread = self.points * self.squares - self.bytes * self.bytes;
        let slope = (self.points * self.products - self.bytes * self.times) / spread;
        (slope.is_finite() && slope > 0.0).then(|| 8e6 / slope)
    }
}

/// The path's and the slots' part in the decision to probe.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// The estimate as it is.
    pub estimate_bps: u64,
    /// What the slots could use.
    pub want_bps: u64,
    /// No queue stands, and nothing was cut a moment ago.
    pub calm: bool,
}

/// The clusters of one viewer.
#[derive(Debug, Default)]
pub struct Prober {
    active: Option<Cluster>,
    awaited: Option<Awaited>,
    first_done: usize,
    last_id: u8,
    not_before: Time,
    interval: Option<Duration>,
    /// A better rate may exist: look for it without waiting.
    promising: bool,
    /// When the last find raised the estimate, until it has lasted.
    raised: Option<Time>,
    doubtful: bool,
    was_saturated: bool,
    wanted_bps: u64,
    clusters: u64,
}

impl Prober {
    /// The cluster that what is sent now belongs to; 0: none.
    pub fn cluster(&self) -> u8 {
        self.active.map_or(0, |cluster| cluster.id)
    }

    /// Whether the first clusters were sent and their fate is known, or given up.
    pub fn first_are_done(&self) -> bool {
        self.first_done >= FIRST_FACTORS.len() && self.awaited.is_none()
    }

    /// Whether a cluster is under way, so that delays are its own.
    pub fn disturbs(&self) -> bool {
        self.active.is_some() || self.awaited.is_some()
    }

    /// How many clusters were sent.
    pub fn clusters(&self) -> u64 {
        self.clusters
    }

    /// A packet of the active cluster was sent.
    pub fn sent(&mut self, bytes: usize, now: Time) {
        let Some(awaited) = &mut self.awaited else {
            return;
        };
        if awaited.packets == 0 {
            awaited.first_sent = now;
        }
        if now > awaited.last_sent {
            awaited.last_sent = now;
            awaited.sent_before_last_bytes = awaited.sent_bytes;
        }
        awaited.sent_bytes += bytes as u64;
        awaited.packets += 1;
    }

    /// Begin a cluster if this is an occasion for one.
    pub fn plan(&mut self, occasion: Occasion, now: Time) -> bool {
        self.forget_the_unanswered(now);
        self.trust_what_lasted(now);
        if self.active.is_some() || self.awaited.is_some() {
            return false;
        }
        let Some(target_bps) = self.target(occasion, now) else {
            return false;
        };
        self.last_id = self.last_id % u8::MAX + 1;
        self.active = Some(Cluster {
            id: self.last_id,
            target_bps,
            started: now,
        });
        self.awaited = Some(Awaited {
            id: self.last_id,
            target_bps,
            ..Awaited::default()
        });
        self.clusters += 1;
        true
    }

    fn target(&mut self, occasion: Occasion, now: Time) -> Option<u64> {
        let Occasion {
            estimate_bps,
            want_bps,
            calm,
        } = occasion;
        let more_wanted = want_bps > self.wanted_bps + self.wanted_bps / 8;
        self.wanted_bps = want_bps;
        if let Some(factor) = FIRST_FACTORS.get(self.first_done) {
            self.first_done += 1;
            return Some(START_BPS * factor);
        }
        if want_bps <= estimate_bps + estimate_bps / 20 {
            return None;
        }
        let waited = now >= self.not_before || more_wanted && !self.doubtful;
        if !calm || !(waited || self.promising) {
            return None;
        }
        // Where the last cluster filled the path, the next one is to disturb it less.
        let step_bps = match self.was_saturated {
            true => estimate_bps * 3 / 2,
            false => 2 * estimate_bps,
        };
        self.promising = false;
        let enough_bps = want_bps + want_bps / 5;
        Some(
            step_bps
                .min(enough_bps)
                .max(estimate_bps * 5 / 4)
                .clamp(MIN_CLUSTER_BPS, MAX_CLUSTER_BPS),
        )
    }

    /// How many bytes the active cluster lacks at `now`; nothing when it is over.
    pub fn due_bytes(&mut self, now: Time) -> Option<u64> {
        let cluster = self.active?;
        let elapsed = now.since(cluster.started);
        let packets = self.awaited.map_or(0, |awaited| awaited.packets);
        if elapsed >= CLUSTER && (packets >= MIN_PACKETS || elapsed >= 2 * CLUSTER) {
            self.active = None;
            return None;
        }
        let until_us = (elapsed + PROBE_TICK).as_micros() as u64;
        let sent = self.awaited.map_or(0, |awaited| awaited.sent_bytes);
        Some((cluster.target_bps * until_us / 8_000_000).saturating_sub(sent))
    }

    /// Feedback told the fate of a packet of a cluster.
    pub fn note(&mut self, result: &PacketResult) {
        let Some(awaited) = self.awaited.as_mut().filter(|a| a.id == result.cluster) else {
            return;
        };
        awaited.told += u32::from(!result.was_lost);
        let Some(arrived_us) = result.arrived_us else {
            return;
        };
        if awaited.arrived == 0 {
            awaited.first_arrived_us = arrived_us;
        }
        awaited.arrived += 1;
        let time_us = (arrived_us - awaited.first_arrived_us) as f64;
        awaited.line.add(result.bytes, time_us);
    }

    /// What the awaited cluster showed, once nearly all of it is known. `inherent_loss` is the
    /// share of packets that the path loses whatever is sent.
    pub fn finding(&mut self, inherent_loss: f64, now: Time) -> Option<Finding> {
        let awaited = self.awaited.filter(|_| self.active.is_none())?;
        if awaited.told * 10 < awaited.packets * 9 {
            return None;
        }
        self.awaited = None;
        self.wait(now);
        let finding = awaited.finding(inherent_loss)?;
        self.was_saturated = finding.saturated;
        self.promising = !finding.saturated && finding.bps >= PROMISING * awaited.target_bps as f64;
        // A first cluster that already fills the path makes the second one pointless.
        if !self.promising {
            self.first_done = FIRST_FACTORS.len();
        }
        Some(finding)
    }

    fn wait(&mut self, now: Time) {
        let limit = if self.doubtful {
            MAX_DOUBTFUL_INTERVAL
        } else {
            MAX_INTERVAL
        };
        let interval = self.interval.unwrap_or(INTERVAL);
        self.not_before = now + interval;
        self.interval = Some((interval * 2).min(limit));
    }

    /// A finding raised the estimate.
    pub fn raised(&mut self, finding: Finding, now: Time) {
        self.raised = Some(now).filter(|_| !finding.saturated);
        if !self.doubtful {
            self.interval = None;
        }
    }

    /// The estimate was cut for losses, which say little about the last find: wait for a while.
    pub fn lost(&mut self, now: Time) {
        self.promising = false;
        self.interval = None;
        self.wait(now);
    }

    /// The estimate was cut: wait before looking for more, longer if the last find misled.
    pub fn overloaded(&mut self, now: Time) {
        self.promising = false;
        let misled = self
            .raised
            .take()
            .is_some_and(|at| now.since(at) < PROVEN_AFTER);
        self.doubtful = misled;
        if !misled {
            self.interval = None;
        }
        self.wait(now);
    }

    fn trust_what_lasted(&mut self, now: Time) {
        if self.raised.is_some_and(|at| now.since(at) >= PROVEN_AFTER) {
            self.raised = None;
            self.doubtful = false;
            self.interval = None;
        }
    }

    fn forget_the_unanswered(&mut self, now: Time) {
        let lost = self.active.is_none()
            && self
                .awaited
                .is_some_and(|awaited| now.since(awaited.last_sent) > EXPIRES);
        if lost {
            self.awaited = None;
            self.wait(now);
        }
    }
}

impl Awaited {
    fn finding(&self, inherent_loss: f64) -> Option<Finding> {
        let sent_us = self.last_sent.since(self.first_sent).as_micros() as f64;
        let enough = self.arrived >= MIN_PACKETS && self.arrived * 2 >= self.packets;
        if !enough || sent_us < 5_000.0 {
            return None;
        }
        let lost = 1.0 - f64::from(self.arrived) / f64::from(self.packets);
        let borne = lost.min(inherent_loss).min(0.5);
        let sent_bps = self.sent_before_last_bytes as f64 * 8e6 / sent_us;
        let arrived_bps = self.line.bps()? / (1.0 - borne);
        if arrived_bps > MAX_COMPRESSION * sent_bps {
            return None;
        }
        let saturated = arrived_bps < SATURATED * sent_bps;
        let bps = if saturated {
            BELIEVED * arrived_bps
        } else {
            arrived_bps.min(sent_bps)
        };
        Some(Finding {
            bps: bps.min(MAX_BPS as f64),
            saturated,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANT: Occasion = Occasion {
        estimate_bps: 1_000_000,
        want_bps: 4_000_000,
        calm: true,
    };

    /// Sends the active cluster from `start` on over a path of `capacity_bps`; its finding.
    fn send(prober: &mut Prober, start: Time, capacity_bps: u64) -> Option<Finding> {
        let (mut now, mut free_us) = (start, 0);
        let mut results = Vec::new();
        while let Some(due) = prober.due_bytes(now) {
            for _ in 0..due.div_ceil(280) {
                let cluster = prober.cluster();
                prober.sent(280, now);
                free_us =
                    free_us.max(now.as_micros() as i64) + 280 * 8_000_000 / capacity_bps as i64;
                results.push(PacketResult {
                    sent: now,
                    arrived_us: Some(20_000 + free_us),
                    bytes: 280,
                    cluster,
                    was_lost: false,
                });
            }
            now += PROBE_TICK;
        }
        results.iter().for_each(|result| prober.note(result));
        prober.finding(0.0, now)
    }

    fn past_the_first(prober: &mut Prober) -> Time {
        let mut now = Time::from_millis(100);
        while prober.plan(
            Occasion {
                want_bps: 0,
                ..WANT
            },
            now,
        ) {
            send(prober, now, 100_000_000);
            now += Duration::from_millis(200);
        }
        now + Duration::from_secs(10)
    }

    #[test]
    fn the_first_clusters_are_three_and_six_times_what_is_assumed() {
        let mut prober = Prober::default();
        let mut found = Vec::new();
        let mut now = Time(0);
        while prober.plan(
            Occasion {
                want_bps: 0,
                ..WANT
            },
            now,
        ) {
            found.push(send(&mut prober, now, 100_000_000).expect("a finding").bps);
            now += Duration::from_millis(200);
        }
        assert_eq!(found.len(), 2);
        for (bps, factor) in found.iter().zip(FIRST_FACTORS) {
            let target = (START_BPS * factor) as f64;
            assert!(
                (0.9 * target..1.15 * target).contains(bps),
                "{bps} of {target}"
            );
        }
    }

    #[test]
    fn a_full_path_is_measured_and_ends_the_first_clusters() {
        let mut prober = Prober::default();
        assert!(prober.plan(WANT, Time(0)));
        let finding = send(&mut prober, Time(0), 700_000).expect("a finding");
        assert!(finding.saturated);
        assert!((600_000.0..700_000.0).contains(&finding.bps), "{finding:?}");
        assert!(!prober.plan(WANT, Time::from_millis(200)));
    }

    #[test]
    fn more_is_looked_for_while_more_is_wanted_and_the_path_is_calm() {
        let mut prober = Prober::default();
        let now = past_the_first(&mut prober);
        assert!(!prober.plan(
            Occasion {
                want_bps: 1_000_000,
                ..WANT
            },
            now
        ));
        assert!(!prober.plan(
            Occasion {
                calm: false,
                ..WANT
            },
            now
        ));
        assert!(prober.plan(WANT, now));
        let finding = send(&mut prober, now, 100_000_000).expect("a finding");
        assert!(
            !finding.saturated && finding.bps > 1_800_000.0,
            "{finding:?}"
        );
        let next = now + Duration::from_millis(50);
        let raised = Occasion {
            estimate_bps: finding.bps as u64,
            ..WANT
        };
        assert!(
            prober.plan(raised, next),
            "what promises is followed up at once"
        );
    }

    #[test]
    fn vain_clusters_become_rare_and_misleading_ones_rarer() {
        let mut prober = Prober::default();
        let mut now = past_the_first(&mut prober);
        let mut times = Vec::new();
        let end = now + Duration::from_secs(60);
        while now < end {
            if prober.plan(WANT, now) {
                times.push(now);
                send(&mut prober, now, 1_000_000);
            }
            now += Duration::from_millis(100);
        }
        let gap = times[times.len() - 1].since(times[times.len() - 2]);
        assert!((16..=26).contains(&times.len()) && gap <= Duration::from_millis(3_200));
        let mut misled = 0;
        let end = now + Duration::from_secs(60);
        while now < end {
            if prober.plan(WANT, now) {
                let finding = send(&mut prober, now, 100_000_000).expect("a finding");
                prober.raised(finding, now);
                prober.overloaded(now + Duration::from_millis(500));
                misled += 1;
            }
            now += Duration::from_millis(100);
        }
        assert!((4..=10).contains(&misled), "{misled}");
    }

    #[test]
    fn a_cluster_without_feedback_is_forgotten() {
        let mut prober = Prober::default();
        assert!(prober.plan(WANT, Time(0)));
        let mut now = Time(0);
        while prober.due_bytes(now).is_some() {
            prober.sent(200, now);
            now += PROBE_TICK;
        }
        assert!(!prober.plan(WANT, Time::from_millis(1_000)));
        assert_eq!(prober.finding(0.0, Time::from_millis(1_000)), None);
        assert!(prober.plan(WANT, Time::from_millis(2_500)));
    }
}
