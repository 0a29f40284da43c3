//! Losses: cut the estimate for those that congestion causes, bear those that the path has anyway.
//!
//! Random loss (radio) stays when less is sent, congestive loss does not. So a cut that less
//! loss does not follow, although less was sent, proves that the path itself loses that much;
//! from then on only what exceeds it counts.

use core::time::Duration;

use crate::time::Time;

/// Loss beyond what the path has anyway that cuts the estimate.
const CUT_ABOVE: f64 = 0.10;
/// A window is judged after this …
const WINDOW: Duration = Duration::from_millis(600);
/// … when it has so many packets, or after that long with a few.
const WINDOW_PACKETS: u32 = 40;
const WINDOW_AT_LAST: Duration = Duration::from_secs(3);
const WINDOW_AT_LEAST: u32 = 10;
/// At most one cut in this time: its effect must show first.
const CUT_INTERVAL: Duration = Duration::from_secs(1);
/// Less was sent if it is below this part of before; less was lost likewise.
const SENT_LESS: f64 = 0.95;
const LOST_LESS: f64 = 0.8;
/// Nor can a path that is used so little of what it carried be full: probes tell if it became so.
const LITTLE_USED: f64 = 0.6;
/// No usable path loses more than this by itself.
const MAX_INHERENT: f64 = 0.4;
/// Standard deviations by which a short window may be off.
const NOISE: f64 = 1.0;

/// The rates that go with a window.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// The estimate as it is.
    pub estimate_bps: f64,
    /// What was sent.
    pub sent_bps: f64,
    /// What arrived of it: no cut goes below.
    pub acknowledged_bps: f64,
}

/// The loss of one viewer.
#[derive(Debug, Default)]
pub struct LossController {
    arrived: u32,
    lost: u32,
    window_started: Option<Time>,
    /// Loss of the last windows, smoothed.
    ratio: f64,
    /// Loss that the path has whatever is sent.
    inherent: f64,
    last_cut: Option<Cut>,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at: Time,
    ratio: f64,
    sent_bps: f64,
}

impl LossController {
    /// Count fates; `corrected` packets arrived after they were told lost.
    pub fn count(&mut self, arrived: u32, lost: u32, corrected: u32) {
        self.arrived += arrived;
        self.lost = (self.lost + lost).saturating_sub(corrected);
    }

    /// The smoothed share of lost packets.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// The share that is lost whatever is sent.
    pub fn inherent(&self) -> f64 {
        self.inherent
    }

    /// Judge the window if it is full: the lower estimate, if congestion lost packets.
    pub fn judge(&mut self, rates: Rates, now: Time) -> Option<f64> {
        let started = *self.window_started.get_or_insert(now);
        let (waited, packets) = (now.since(started), self.arrived + self.lost);
        let full = waited >= WINDOW && packets >= WINDOW_PACKETS;
        let late = waited >= WINDOW_AT_LAST && packets >= WINDOW_AT_LEAST;
        if !full && !late {
            return None;
        }
        let ratio = f64::from(self.lost) / f64::from(packets);
        (self.arrived, self.lost) = (0, 0);
        self.window_started = Some(now);
        self.ratio = (self.ratio + ratio) / 2.0;
        if ratio < self.inherent {
            self.inherent = 0.7 * self.inherent + 0.3 * ratio;
        }
        let noise = NOISE * (ratio * (1.0 - ratio) / f64::from(packets)).sqrt();
        let excess = ratio - self.inherent;
        if excess <= CUT_ABOVE + noise {
            return None;
        }
        self.cut_or_bear(ratio, excess, rates, now)
    }

    fn cut_or_bear(&mut self, ratio: f64, excess: f64, rates: Rates, now: Time) -> Option<f64> {
        if let Some(cut) = self.last_cut {
            let sent_less = rates.sent_bps < SENT_LESS * cut.sent_bps
                || rates.sent_bps < LITTLE_USED * rates.estimate_bps;
            if sent_less && ratio > LOST_LESS * cut.ratio && ratio < MAX_INHERENT {
                self.inherent = ratio;
                self.last_cut = None;
                return None;
            }
            if now.since(cut.at) < CUT_INTERVAL {
                return None;
            }
        }
        self.last_cut = Some(Cut {
            at: now,
            ratio,
            sent_bps: rates.sent_bps,
        });
        let cut_bps = rates.estimate_bps * (1.0 - 0.5 * excess);
        Some(cut_bps.max(rates.acknowledged_bps).min(rates.estimate_bps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds over a path that carries `capacity_bps` and loses `random` besides; the estimates.
    fn run(seconds: u64, capacity_bps: f64, random: f64) -> (LossController, Vec<f64>) {
        let mut loss = LossController::default();
        let mut estimate_bps = 3_000_000.0;
        let mut estimates = Vec::new();
        for tick in 0..seconds * 10 {
            let carried = capacity_bps.min(estimate_bps) / estimate_bps * (1.0 - random);
            let packets = (estimate_bps / 8.0 / 1_200.0 / 10.0) as u32 + 5;
            let arrived = (f64::from(packets) * carried).round() as u32;
            loss.count(arrived, packets - arrived, 0);
            let rates = Rates {
                estimate_bps,
                sent_bps: estimate_bps,
                acknowledged_bps: estimate_bps * carried,
            };
            let cut = loss.judge(rates, Time::from_millis(tick * 100));
            estimate_bps = cut.unwrap_or(estimate_bps);
            estimates.push(estimate_bps);
        }
        (loss, estimates)
    }

    #[test]
    fn congestive_loss_brings_the_estimate_to_the_capacity() {
        for capacity_bps in [300_000.0, 1_000_000.0, 2_000_000.0] {
            let (_, estimates) = run(20, capacity_bps, 0.0);
            let last = estimates[estimates.len() - 1];
            assert!(
                (capacity_bps..1.25 * capacity_bps).contains(&last),
                "{last} of {capacity_bps}"
            );
        }
    }

    #[test]
    fn random_loss_does_not_collapse_the_estimate() {
        for (random, at_least) in [
            (0.05, 3_000_000.0),
            (0.10, 2_900_000.0),
            (0.20, 2_300_000.0),
        ] {
            let (loss, estimates) = run(60, 10_000_000.0, random);
            let last = estimates[estimates.len() - 1];
            assert!(last >= at_least, "{last} at {random}");
            assert!((loss.ratio() - random).abs() < 0.03);
        }
    }

    #[test]
    fn congestion_on_a_lossy_path_still_counts() {
        let (mut loss, _) = run(20, 10_000_000.0, 0.20);
        assert!(loss.inherent() > 0.15, "{}", loss.inherent());
        let rates = Rates {
            estimate_bps: 2_000_000.0,
            sent_bps: 2_000_000.0,
            acknowledged_bps: 1_000_000.0,
        };
        loss.count(50, 50, 0);
        let cut = loss.judge(rates, Time::from_millis(60_000));
        assert!(cut.is_some_and(|bps| bps < 1_900_000.0), "{cut:?}");
    }

    #[test]
    fn corrections_take_losses_back_and_few_packets_prove_nothing() {
        let mut loss = LossController::default();
        loss.count(30, 30, 30);
        let rates = Rates {
            estimate_bps: 1e6,
            sent_bps: 1e6,
            acknowledged_bps: 1e6,
        };
        assert_eq!(loss.judge(rates, Time(0)), None);
        loss.count(2, 3, 0);
        assert_eq!(loss.judge(rates, Time::from_millis(700)), None);
        assert_eq!(loss.judge(rates, Time::from_millis(3_100)), None);
        assert!(loss.ratio() < 0.05);
    }
}
