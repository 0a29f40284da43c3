//! Whether queues grow: the slope of accumulated delay against an adaptive threshold.
//!
//! Source: Carlucci et al. 2016, sections 3.2 and 3.3; draft-ietf-rmcat-gcc-02, section 5.

use super::groups::Delta;

/// Groups that the slope is fitted over.
const WINDOW: usize = 20;
/// Weight of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// Makes slopes comparable with a threshold in milliseconds.
const GAIN: f64 = 4.0;
/// More groups than this do not make a slope weigh more.
const MAX_WEIGHT: u32 = 60;
const START_THRESHOLD_MS: f64 = 12.5;
const MIN_THRESHOLD_MS: f64 = 6.0;
const MAX_THRESHOLD_MS: f64 = 600.0;
/// How fast the threshold rises above and falls below the trend, per millisecond.
const THRESHOLD_UP: f64 = 0.0087;
const THRESHOLD_DOWN: f64 = 0.039;
/// A trend this far beyond the threshold is an event that should not train it.
const MAX_TRAINING_MS: f64 = 15.0;
/// A trend must hold this long before it counts.
const OVERUSE_AFTER_MS: f64 = 10.0;

/// What the path is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// Queues shrink.
    Under,
    /// Queues stay.
    #[default]
    Normal,
    /// Queues grow.
    Over,
}

/// The detector.
#[derive(Debug)]
pub struct Trendline {
    /// Arrival in milliseconds since the first, and smoothed delay: a ring.
    points: [(f64, f64); WINDOW],
    count: u32,
    first_arrival_us: i64,
    accumulated_ms: f64,
    smoothed_ms: f64,
    threshold_ms: f64,
    trained_at_ms: f64,
    over_for_ms: f64,
    over_times: u32,
    previous_trend: f64,
    usage: Usage,
}

impl Default for Trendline {
    fn default() -> Self {
        Self {
            points: [(0.0, 0.0); WINDOW],
            count: 0,
            first_arrival_us: 0,
            accumulated_ms: 0.0,
            smoothed_ms: 0.0,
            threshold_ms: START_THRESHOLD_MS,
            trained_at_ms: 0.0,
            over_for_ms: 0.0,
            over_times: 0,
            previous_trend: 0.0,
            usage: Usage::Normal,
        }
    }
}

impl Trendline {
    /// Take the next difference.
    pub fn add(&mut self, delta: Delta) {
        if self.count == 0 {
            self.first_arrival_us = delta.at_us;
        }
        let at_ms = (delta.at_us - self.first_arrival_us) as f64 / 1_000.0;
        self.accumulated_ms += (delta.arrived_us - delta.sent_us) as f64 / 1_000.0;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.accumulated_ms;
        self.points[self.count as usize % WINDOW] = (at_ms, self.smoothed_ms);
        self.count = self.count.saturating_add(1);
        let slope = self.slope().unwrap_or(self.previous_trend);
        self.judge(slope, delta.sent_us as f64 / 1_000.0, at_ms);
    }

    /// Forget the delays; the threshold stays.
    pub fn restart(&mut self) {
        *self = Self {
            threshold_ms: self.threshold_ms,
            ..Self::default()
        };
    }

    /// What the path is doing, as of the last difference.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Least squares over a full window.
    fn slope(&self) -> Option<f64> {
        if (self.count as usize) < WINDOW {
            return None;
        }
        let sums = |pick: fn(&(f64, f64)) -> f64| self.points.iter().map(pick).sum::<f64>();
        let mean_at = sums(|point| point.0) / WINDOW as f64;
        let mean_delay = sums(|point| point.1) / WINDOW as f64;
        let (mut above, mut below) = (0.0, 0.0);
        for (at, delay) in &self.points {
            above += (at - mean_at) * (delay - mean_delay);
            below += (at - mean_at) * (at - mean_at);
        }
        (below > 0.0).then(|| above / below)
    }

    fn judge(&mut self, trend: f64, sent_ms: f64, at_ms: f64) {
        if self.count < 2 {
            return;
        }
        let modified = f64::from(self.count.min(MAX_WEIGHT)) * trend * GAIN;
        if modified > self.threshold_ms {
            self.over_for_ms += if self.over_times == 0 {
                sent_ms / 2.0
            } else {
                sent_ms
            };
            self.over_times += 1;
            let holds = self.over_for_ms > OVERUSE_AFTER_MS && self.over_times > 1;
            if holds && trend >= self.previous_trend {
                self.over_for_ms = 0.0;
                self.over_times = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_for_ms = 0.0;
            self.over_times = 0;
            self.usage = match modified < -self.threshold_ms {
                true => Usage::Under,
                false => Usage::Normal,
            };
        }
        self.previous_trend = trend;
        self.train(modified, at_ms);
    }

    fn train(&mut self, modified: f64, at_ms: f64) {
        let passed_ms = (at_ms - self.trained_at_ms).clamp(0.0, 100.0);
        self.trained_at_ms = at_ms;
        if modified.abs() > self.threshold_ms + MAX_TRAINING_MS {
            return;
        }
        let speed = match modified.abs() < self.threshold_ms {
            true => THRESHOLD_DOWN,
            false => THRESHOLD_UP,
        };
        self.threshold_ms += speed * (modified.abs() - self.threshold_ms) * passed_ms;
        self.threshold_ms = self.threshold_ms.clamp(MIN_THRESHOLD_MS, MAX_THRESHOLD_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds groups 10 ms apart whose delay changes by `step_us(group)`.
    fn feed(trend: &mut Trendline, from: i64, groups: i64, step_us: impl Fn(i64) -> i64) -> usize {
        let mut over = 0;
        for group in from..from + groups {
            let arrived_us = 10_000 + step_us(group);
            trend.add(Delta {
                sent_us: 10_000,
                arrived_us,
                at_us: group * 10_000,
            });
            over += usize::from(trend.usage() == Usage::Over);
        }
        over
    }

    #[test]
    fn a_growing_queue_is_seen_soon_and_a_steady_one_is_not() {
        let mut trend = Trendline::default();
        assert_eq!(feed(&mut trend, 0, 200, |_| 0), 0);
        assert!(feed(&mut trend, 200, 30, |_| 2_000) > 0);
        feed(&mut trend, 230, 60, |_| -1_500);
        assert_eq!(trend.usage(), Usage::Under);
        feed(&mut trend, 290, 100, |_| 0);
        assert_eq!(trend.usage(), Usage::Normal);
    }

    #[test]
    fn jitter_around_a_steady_delay_trains_the_threshold() {
        let mut trend = Trendline::default();
        let jitter = |group: i64| [4_000, -7_000, 6_000, -3_000][group as usize % 4];
        feed(&mut trend, 0, 400, jitter);
        assert_eq!(feed(&mut trend, 400, 400, jitter), 0);
    }
}
