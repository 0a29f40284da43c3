//! One number from all signs.

use core::time::Duration;

use super::alarm::Alarm;
use super::groups::Groups;
use super::history::{PacketResult, SendHistory};
use super::loss::{LossController, Rates};
use super::probe::{Finding, Occasion, Prober};
use super::queue::{QueueSample, StandingQueue};
use super::throughput::Throughput;
use super::trendline::{Trendline, Usage};
use super::{MAX_BPS, MIN_BPS, START_BPS};
use crate::time::Time;
use crate::wire::WireError;
use crate::wire::twcc::TransportFeedback;

/// A cut goes to this part of what was acknowledged.
const CUT_TO: f64 = 0.85;
/// … or to this, while hardly anything stands in the queue: then the path is just full.
const CUT_LITTLE_TO: f64 = 0.93;
/// A growing trend counts when at least this stands in the queue: less is jitter.
const TREND_QUEUE_US: i64 = 25_000;
/// A queue this long that grows this fast counts without waiting for the trend.
const SUDDEN_QUEUE_US: i64 = 60_000;
const SUDDEN_GROWTH_US: i64 = 15_000;
/// A jump this high is a queue, and not a path that became longer.
const CERTAIN_QUEUE_US: i64 = 100_000;
/// A queue this long is drained, to this length.
const DRAIN_ABOVE_US: i64 = 50_000;
const DRAINED_US: i64 = 20_000;
/// A queue that still is as long after draining for this and eight times its length is the path's
/// own delay: the path is left a third of itself to drain.
const MAX_DRAIN: Duration = Duration::from_millis(700);
const DRAIN_PER_DELAY: u32 = 8;
/// How much is held back while a queue of 200 ms or more drains.
const DRAIN_SHARE: f64 = 0.4;
const DRAIN_FULL_US: f64 = 200_000.0;
/// A queue below this while a cluster is under way is the cluster's own.
const CLUSTER_QUEUE_US: i64 = 150_000;
/// Windows of the acknowledged rate: since an alarm, right after another change, and otherwise.
const ALARMED_WINDOW: Duration = Duration::from_millis(96);
const SHORT_WINDOW: Duration = Duration::from_millis(160);
const LONG_WINDOW: Duration = Duration::from_millis(500);
/// The effect of a cut shows after a round trip, a feedback interval and this.
const CUT_SETTLES: Duration = Duration::from_millis(150);
/// Before that, less acknowledged than this part of the estimate is another fall, or shows that the
/// window of the cut reached back to better times.
const FURTHER_FALL: f64 = 0.85;
/// Growth per second while the path is known to be far from full, and near the last limit.
const FAR_GROWTH: f64 = 0.08;
const NEAR_GROWTH: f64 = 0.03;
/// The estimate grows only while at least this part of it is used: otherwise nothing proves it.
const USED_SHARE: f64 = 0.8;
/// … and never beyond this multiple of what is acknowledged.
const MAX_OVER_ACKNOWLEDGED: f64 = 1.5;
/// Feedback missing for this long while packets are sent halves the trust, again and again.
const SILENCE: Duration = Duration::from_millis(1_000);
const SILENCE_STEP: Duration = Duration::from_millis(500);
const SILENCE_FACTOR: f64 = 0.75;
const SILENT_MIN_BPS: f64 = 150_000.0;
/// A viewer that negotiated feedback and sends none for this long has none to send.
const NO_FEEDBACK_AT_ALL: Duration = Duration::from_secs(3);
/// Loss below this needs nothing kept back for retransmissions.
const NEGLIGIBLE_LOSS: f64 = 0.02;
const MAX_KEPT_BACK: f64 = 0.3;
/// No probe so soon after a cut.
const CALM_AFTER_CUT: Duration = Duration::from_millis(1_200);
/// Pacing in parts of the estimate: loose, and while a queue drains, when sound goes besides.
const PACE: f64 = 2.5;
/// … near what the path is known to carry, where a burst would only stand in its queue,
const PACE_NEAR: f64 = 1.1;
const PACE_DRAINING: f64 = 0.9;
/// … and while it is not known whether there is one.
const PACE_ALARMED: f64 = 0.1;

/// The estimate for one viewer.
#[derive(Debug)]
pub struct Estimator {
    history: SendHistory,
    results: Vec<PacketResult>,
    acknowledged: Throughput,
    sent: Throughput,
    groups: Groups,
    trend: Trendline,
    queue: StandingQueue,
    alarm: Alarm,
    loss: LossController,
    prober: Prober,
    bps: f64,
    /// What the path carried when it was last overloaded.
    limit_bps: Option<f64>,
    draining_since: Option<Time>,
    cut_at: Option<Time>,
    cut_not_before: Time,
    updated: Option<Time>,
    first_sent: Option<Time>,
    last_feedback: Option<Time>,
    /// When the newest packet whose fate is known was sent.
    newest_sent: Option<Time>,
    silence_cut: Time,
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            history: SendHistory::default(),
            results: Vec::new(),
            acknowledged: Throughput::default(),
            sent: Throughput::default(),
            groups: Groups::default(),
            trend: Trendline::default(),
            queue: StandingQueue::default(),
            alarm: Alarm::default(),
            loss: LossController::default(),
            prober: Prober::default(),
            bps: START_BPS as f64,
            limit_bps: None,
            draining_since: None,
            cut_at: None,
            cut_not_before: Time(0),
            updated: None,
            first_sent: None,
            last_feedback: None,
            newest_sent: None,
            silence_cut: Time(0),
        }
    }
}

impl Estimator {
    /// The transport-wide number of the next packet.
    pub fn next_number(&self) -> u16 {
        self.history.next_number()
    }

    /// The packet with that number was sent.
    pub fn sent(&mut self, bytes: usize, now: Time) {
        let cluster = self.prober.cluster();
        if cluster > 0 {
            self.prober.sent(bytes, now);
        }
        self.history.push(bytes, cluster, now);
    }

    /// Take a feedback; `round_trip` is the path's by its reports.
    ///
    /// # Errors
    /// The feedback lies about what was sent, or is not well-formed. It changed nothing then.
    pub fn receive(
        &mut self,
        feedback: &TransportFeedback<'_>,
        round_trip: Duration,
        now: Time,
    ) -> Result<(), WireError> {
        let mut results = core::mem::take(&mut self.results);
        let outcome = self.history.resolve(feedback, now, &mut results);
        if outcome.is_ok() && !results.is_empty() {
            self.learn(&results);
            let beside_cluster = self.prober.disturbs();
            self.alarm.judge(&mut self.queue, beside_cluster, now);
            self.decide(round_trip, now);
        }
        self.results = results;
        outcome
    }

    fn learn(&mut self, results: &[PacketResult]) {
        let (mut arrived, mut lost, mut corrected) = (0, 0, 0);
        for result in results {
            let sent_us = result.sent.as_micros() as i64;
            self.newest_sent = self.newest_sent.max(Some(result.sent));
            if result.cluster > 0 {
                self.prober.note(result);
            }
            if result.was_lost {
                corrected += 1;
            } else {
                self.sent.add(sent_us, result.bytes);
            }
            let one_way_us = result.arrived_us.map(|arrived_us| arrived_us - sent_us);
            self.alarm.add(sent_us, one_way_us, result.bytes, self.bps);
            let Some(arrived_us) = result.arrived_us else {
                lost += 1;
                continue;
            };
            arrived += 1;
            self.acknowledged.add(arrived_us, result.bytes);
            self.queue.add(arrived_us - sent_us);
            if let Some(delta) = self.groups.add(sent_us, arrived_us) {
                self.trend.add(delta);
            }
        }
        self.loss.count(arrived, lost, corrected);
    }

    fn decide(&mut self, round_trip: Duration, now: Time) {
        let first = self.last_feedback.replace(now).is_none();
        if first {
            self.updated = Some(now);
        }
        let sample = self.queue.sample(now);
        if self.is_overloaded(sample) {
            self.cut(round_trip, now);
        } else if self.trend.usage() == Usage::Normal {
            self.grow(now);
        }
        self.updated = Some(now);
        self.drain(now);
        self.judge_loss(now);
        if let Some(finding) = self.prober.finding(self.loss.inherent(), now) {
            self.believe(finding, now);
        }
        self.bps = self.bps.clamp(MIN_BPS as f64, MAX_BPS as f64);
    }

    fn is_overloaded(&self, sample: Option<QueueSample>) -> bool {
        let sudden = sample.is_some_and(|sample| {
            sample.delay_us >= SUDDEN_QUEUE_US && sample.growth_us >= SUDDEN_GROWTH_US
        });
        let delay_us = self.queue.delay_us();
        let growing = self.trend.usage() == Usage::Over && delay_us >= TREND_QUEUE_US;
        let own = self.prober.disturbs() && delay_us < CLUSTER_QUEUE_US;
        let proven = self.queue.keeps_growing() || delay_us >= CERTAIN_QUEUE_US;
        self.alarm.holds() || ((sudden || growing) && proven && !own)
    }

    fn cut(&mut self, round_trip: Duration, now: Time) {
        // While a queue stands the path is busy: the longer, the surer what it carries.
        let busy = self
            .draining_since
            .map_or(Duration::ZERO, |since| now.since(since));
        let shortest = match self.alarm.since() {
            Some(_) => ALARMED_WINDOW,
            None => SHORT_WINDOW,
        };
        let window = busy.clamp(shortest, LONG_WINDOW);
        let acknowledged = self.acknowledged.bps(window);
        let measured_bps = acknowledged.map_or(self.bps * 0.8, |bps| bps as f64);
        let showed = self.newest_sent > self.cut_at && now >= self.cut_not_before;
        if !showed && measured_bps > FURTHER_FALL * self.bps {
            return;
        }
        self.cut_at = Some(now);
        self.cut_not_before = now + round_trip.min(Duration::from_millis(300)) + CUT_SETTLES;
        self.limit_bps = Some(measured_bps);
        let share = match self.standing_us() > DRAIN_ABOVE_US {
            true => CUT_TO,
            false => CUT_LITTLE_TO,
        };
        self.bps = self.bps.min(share * measured_bps);
        self.draining_since.get_or_insert(now);
        self.prober.overloaded(now);
    }

    fn grow(&mut self, now: Time) {
        if self.draining_since.is_some() {
            return;
        }
        let passed = self
            .updated
            .map_or(Duration::ZERO, |before| now.since(before));
        let sent_bps = self.sent.bps(LONG_WINDOW).unwrap_or(0) as f64;
        if sent_bps < USED_SHARE * self.bps {
            return;
        }
        let near = self.limit_bps.is_some_and(|limit| self.bps > 0.8 * limit);
        if self.limit_bps.is_some_and(|limit| self.bps > 1.15 * limit) {
            self.limit_bps = None;
        }
        let rate = if near { NEAR_GROWTH } else { FAR_GROWTH };
        let grown = self.bps * (1.0 + rate * passed.as_secs_f64().min(0.5));
        let acknowledged = self.acknowledged.bps(LONG_WINDOW).unwrap_or(0) as f64;
        let most = MAX_OVER_ACKNOWLEDGED * acknowledged + 10_000.0;
        self.bps = grown.min(most).max(self.bps);
    }

    fn drain(&mut self, now: Time) {
        let delay_us = self.standing_us();
        match self.draining_since {
            None if delay_us > DRAIN_ABOVE_US => self.draining_since = Some(now),
            Some(_) if delay_us < DRAINED_US => self.draining_since = None,
            Some(since) if now.since(since) > MAX_DRAIN + DRAIN_PER_DELAY * self.queue_delay() => {
                self.draining_since = None;
                self.queue.rebase();
            }
            _ => {}
        }
    }

    fn judge_loss(&mut self, now: Time) {
        let (sent, acknowledged) = (
            self.sent.bps(LONG_WINDOW),
            self.acknowledged.bps(LONG_WINDOW),
        );
        let (Some(sent), Some(acknowledged)) = (sent, acknowledged) else {
            return;
        };
        let rates = Rates {
            estimate_bps: self.bps,
            sent_bps: sent as f64,
            acknowledged_bps: acknowledged as f64,
        };
        if let Some(lower_bps) = self.loss.judge(rates, now) {
            self.bps = lower_bps;
            self.cut_at = Some(now);
            self.prober.lost(now);
        }
    }

    fn believe(&mut self, finding: Finding, now: Time) {
        // The cluster's delays are no trend.
        self.groups = Groups::default();
        self.trend.restart();
        if self.draining_since.is_some() {
            return;
        }
        if finding.bps > self.bps {
            self.bps = finding.bps;
            self.limit_bps = finding.saturated.then_some(finding.bps);
            self.prober.raised(finding, now);
        } else if finding.saturated {
            let acknowledged = self.acknowledged.bps(LONG_WINDOW).unwrap_or(0) as f64;
            self.bps = finding.bps.max(acknowledged).min(self.bps);
        }
    }

    /// Time passed: distrust a path that gives no feedback any more, and probe if there is
    /// an occasion. True if a cluster began.
    pub fn tick(&mut self, want_bps: u64, now: Time) -> bool {
        self.notice_silence(now);
        let settled = self.cut_at.is_none_or(|at| now.since(at) >= CALM_AFTER_CUT);
        let heard = self
            .last_feedback
            .is_none_or(|at| now.since(at) < SILENCE_STEP);
        let occasion = Occasion {
            estimate_bps: self.bps as u64,
            want_bps,
            calm: settled && heard && self.draining_since.is_none(),
        };
        self.prober.plan(occasion, now)
    }

    fn notice_silence(&mut self, now: Time) {
        self.first_sent = self.first_sent.or(self.history.last_sent());
        let sending = self
            .history
            .last_sent()
            .is_some_and(|last| now.since(last) < SILENCE);
        let silent = self
            .last_feedback
            .is_some_and(|last| now.since(last) >= SILENCE);
        if sending && silent && now.since(self.silence_cut) >= SILENCE_STEP {
            self.silence_cut = now;
            self.bps = (self.bps * SILENCE_FACTOR).max(SILENT_MIN_BPS.min(self.bps));
        }
    }

    /// Bytes that a probe cluster lacks now; nothing when none is being sent.
    pub fn probe_due_bytes(&mut self, now: Time) -> Option<u64> {
        self.prober.due_bytes(now)
    }

    /// What may be spent on the path now; nothing if the viewer gives no feedback at all.
    pub fn available_bps(&self, now: Time) -> Option<u64> {
        let steady_bps = self.steady_bps(now)? as f64;
        Some((steady_bps * self.drain_factor()) as u64)
    }

    /// Likewise, had no queue to be drained.
    pub fn steady_bps(&self, now: Time) -> Option<u64> {
        let waited = self
            .first_sent
            .map_or(Duration::ZERO, |first| now.since(first));
        if self.last_feedback.is_none() && waited >= NO_FEEDBACK_AT_ALL {
            return None;
        }
        let lost = self.loss.ratio();
        let kept_back = if lost > NEGLIGIBLE_LOSS {
            lost.min(MAX_KEPT_BACK)
        } else {
            0.0
        };
        Some((self.bps * (1.0 - kept_back)) as u64)
    }

    /// Whether any feedback came.
    pub fn is_measured(&self) -> bool {
        self.last_feedback.is_some()
    }

    /// Pictures may leave at this rate; nothing before the first feedback.
    pub fn pacing_bps(&self, now: Time) -> Option<u64> {
        self.last_feedback?;
        let unanswered = self.alarm.is_on(now) && self.cut_at < self.alarm.since();
        let factor = match self.draining_since {
            _ if unanswered => PACE_ALARMED,
            Some(_) => PACE_DRAINING * self.drain_factor(),
            None if self.limit_bps.is_some_and(|limit| self.bps > 0.8 * limit) => PACE_NEAR,
            None => PACE,
        };
        Some((self.bps * factor) as u64)
    }

    /// What stands in the queue: a sample takes longer than the feedback that alarms.
    fn standing_us(&self) -> i64 {
        self.queue.delay_us().max(self.alarm.delay_us())
    }

    fn drain_factor(&self) -> f64 {
        match self.draining_since {
            Some(_) => {
                let depth = self.standing_us().max(0) as f64 / DRAIN_FULL_US;
                1.0 - DRAIN_SHARE * depth.min(1.0)
            }
            None => 1.0,
        }
    }

    /// Whether more was sent than the path carries, and the queue is being drained.
    pub fn is_draining(&self) -> bool {
        self.draining_since.is_some()
    }

    /// Whether the first clusters were sent: nothing more is learned without traffic.
    pub fn knows_the_start(&self) -> bool {
        self.prober.first_are_done()
    }

    /// When a packet was sent last.
    pub fn last_sent(&self) -> Option<Time> {
        self.history.last_sent()
    }

    /// The viewer is reached by another path: its delays are not comparable.
    pub fn path_changed(&mut self) {
        self.queue.rebase();
        self.trend.restart();
        self.groups = Groups::default();
        self.draining_since = None;
    }

    /// The estimate itself.
    pub fn estimate_bps(&self) -> u64 {
        self.bps as u64
    }

    /// What arrived over the last half second, if enough was told.
    pub fn acknowledged_bps(&self) -> Option<u64> {
        self.acknowledged.bps(LONG_WINDOW)
    }

    /// What stands in the queue of the path.
    pub fn queue_delay(&self) -> Duration {
        Duration::from_micros(self.queue.delay_us().max(0) as u64)
    }

    /// The share of packets that is lost.
    pub fn loss_ratio(&self) -> f64 {
        self.loss.ratio()
    }

    /// How many probe clusters were sent.
    pub fn probe_clusters(&self) -> u64 {
        self.prober.clusters()
    }
}
