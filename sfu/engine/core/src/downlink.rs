//! What may be spent on one viewer, what waits for it, and what its slots could use.

use core::time::Duration;

use crate::bwe::{Estimator, MAX_BPS, MIN_BPS};
use crate::pacer::Pacer;
use crate::time::Time;
use crate::wire::WireError;
use crate::wire::twcc::TransportFeedback;

/// A path on which nothing was sent for this long is not looked after; nor does an estimate hold
/// that its receiver did not tell again for so long.
const IDLE_AFTER: Duration = Duration::from_secs(5);

/// Pictures that wait longer than this are not the rest of a keyframe.
const CROWDED_AFTER: Duration = Duration::from_millis(80);

/// How long the pace is tight after that.
const CROWDED_FOR: Duration = Duration::from_secs(2);

/// Once pictures wait for so long, the publisher makes fewer bits of them …
const BEHIND_AFTER: Duration = Duration::from_millis(150);
/// … until they wait no longer than this …
const CAUGHT_UP_BELOW: Duration = Duration::from_millis(60);
/// … namely this part of what there is. One step each way: every limit that is told sets an encoder
/// up anew.
const BESIDE_WAITING: f64 = 0.82;

/// While a queue drains, retransmissions take no more than this part of what may be spent: on a
/// path that is overrun each of them pushes out another packet.
const REPAIR_PERCENT: u64 = 25;
/// What they may take at once, as time at that rate.
const REPAIR_BURST: Duration = Duration::from_millis(150);

/// The path to one viewer.
#[derive(Debug, Default)]
pub struct Downlink {
    /// What the viewer's transport-wide feedback tells; nothing unless it was negotiated.
    estimator: Option<Box<Estimator>>,
    /// The receiver's own estimate (draft-alvestrand-rmcat-remb-03), once it told one.
    remb_bps: Option<u64>,
    /// When it told that.
    remb_at: Time,
    /// What the slots could use next.
    wanted_bps: u64,
    /// What of the pictures must wait.
    pub pacer: Pacer,
    /// The slot's number that a probe sends again next, once it began with the newest.
    pub probe_cursor: Option<u64>,
    /// When the retransmissions sent so far are paid for.
    repaired_at: Time,
    /// Until when pictures leave no faster than the path carries them.
    crowded_until: Time,
    /// Whether those that wait have to leave before as many are made again.
    is_behind: bool,
}

/// What is known of a path, for statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PathReport {
    /// What may be spent.
    pub available_bps: u64,
    /// What arrived lately.
    pub acknowledged_bps: u64,
    /// What stands in the queue of the path.
    pub queue_delay: Duration,
    /// The share of packets lost.
    pub loss_ratio: f64,
    /// Probe clusters sent.
    pub probe_clusters: u64,
}

impl Downlink {
    /// Whether the viewer will send transport-wide feedback; what was learned is kept.
    pub fn negotiate(&mut self, feedback: bool, now: Time) {
        match feedback {
            true if self.estimator.is_none() => self.estimator = Some(Box::default()),
            true => {}
            false => self.estimator = None,
        }
        self.set_pace(now);
    }

    /// What may be spent on the viewer altogether: sound, video and retransmissions.
    ///
    /// Nothing while no limit is known, because the viewer gives no feedback on the path.
    pub fn available_bps(&self, now: Time) -> Option<u64> {
        let estimated = self
            .estimator
            .as_ref()
            .and_then(|estimator| estimator.available_bps(now));
        estimated.or(self.remb_bps)
    }

    /// Likewise once a queue that stands now is drained.
    pub fn steady_bps(&self, now: Time) -> Option<u64> {
        let estimated = self
            .estimator
            .as_ref()
            .and_then(|estimator| estimator.steady_bps(now));
        estimated.or(self.remb_bps)
    }

    /// Of what there is, as much as new pictures should take so that those which wait leave soon.
    ///
    /// An encoder that makes just what the path carries never lets what waits become less: every
    /// picture would come as late as the first that had to wait.
    pub fn beside_waiting(&self, bps: u64) -> u64 {
        match self.is_behind {
            true => (bps as f64 * BESIDE_WAITING) as u64,
            false => bps,
        }
    }

    /// Whether the viewer ever told anything of the path; before that a start is assumed.
    pub fn is_measured(&self) -> bool {
        let estimator = self.estimator.as_ref();
        self.remb_bps.is_some() || estimator.is_some_and(|estimator| estimator.is_measured())
    }

    /// The share of packets that the path loses, 0 while that is not told.
    pub fn loss_ratio(&self) -> f64 {
        self.estimator.as_ref().map_or(0.0, |e| e.loss_ratio())
    }

    /// The slots could use `bps` altogether from now on: the path is probed for it.
    pub fn want_bps(&mut self, bps: u64) {
        self.wanted_bps = bps;
    }

    /// The viewer told its own estimate.
    pub fn receive_remb(&mut self, bitrate_bps: u64, now: Time) {
        self.remb_bps = Some(bitrate_bps.clamp(MIN_BPS, MAX_BPS));
        self.remb_at = now;
        self.set_pace(now);
    }

    /// The transport-wide number of the next packet.
    pub fn next_number(&self) -> u16 {
        self.estimator
            .as_ref()
            .map_or(0, |estimator| estimator.next_number())
    }

    /// A packet with that number was sent.
    pub fn sent(&mut self, bytes: usize, now: Time) {
        if let Some(estimator) = &mut self.estimator {
            estimator.sent(bytes, now);
        }
    }

    /// The viewer told which packets arrived; `round_trip` is as its reports say.
    ///
    /// # Errors
    /// The feedback is not well-formed, or lies about what was sent.
    pub fn receive_feedback(
        &mut self,
        feedback: &TransportFeedback<'_>,
        round_trip: Duration,
        now: Time,
    ) -> Result<(), WireError> {
        if let Some(estimator) = &mut self.estimator {
            estimator.receive(feedback, round_trip, now)?;
            self.set_pace(now);
        }
        Ok(())
    }

    /// Time passed. True if a probe cluster began.
    pub fn tick(&mut self, now: Time) -> bool {
        let Some(estimator) = &mut self.estimator else {
            return false;
        };
        // Pictures that wait could use more, whoever chose them.
        let waits = now < self.crowded_until;
        let needed_bps = if waits {
            2 * estimator.estimate_bps()
        } else {
            0
        };
        let began = estimator.tick(self.wanted_bps.max(needed_bps), now);
        if began {
            self.probe_cursor = None;
        }
        self.set_pace(now);
        began
    }

    /// Whether pictures may be sent again now.
    pub fn may_repair(&self, now: Time) -> bool {
        self.repaired_at <= now + REPAIR_BURST || !self.is_overrun()
    }

    /// Pictures were sent again.
    pub fn repaired(&mut self, bytes: usize, now: Time) {
        let available_bps = self.available_bps(now).filter(|_| self.is_overrun());
        let Some(available_bps) = available_bps else {
            return;
        };
        let repair_bps = (available_bps * REPAIR_PERCENT / 100).max(1);
        let micros = bytes as u64 * 8_000_000 / repair_bps;
        self.repaired_at = Time(self.repaired_at.max(now).0 + micros);
    }

    fn is_overrun(&self) -> bool {
        self.estimator.as_ref().is_some_and(|e| e.is_draining())
    }

    /// Whether there is anything to look after at `now`.
    pub fn is_active(&self, now: Time) -> bool {
        self.estimator.as_ref().is_some_and(|estimator| {
            !estimator.knows_the_start()
                || estimator
                    .last_sent()
                    .is_some_and(|last| now.since(last) < IDLE_AFTER)
        })
    }

    /// Whether nothing is learned any more of a path that is only known by its feedback.
    pub fn is_stale(&self, now: Time) -> bool {
        match self.estimator {
            Some(_) => !self.is_active(now),
            None => self.remb_bps.is_some() && now.since(self.remb_at) >= IDLE_AFTER,
        }
    }

    /// Bytes that a probe cluster lacks now; nothing when none is being sent.
    pub fn probe_due_bytes(&mut self, now: Time) -> Option<u64> {
        self.estimator.as_mut()?.probe_due_bytes(now)
    }

    /// The viewer is somewhere else: delays of the old path mean nothing.
    pub fn moved(&mut self) {
        if let Some(estimator) = &mut self.estimator {
            estimator.path_changed();
        }
    }

    /// What is known, once anything is.
    pub fn report(&self, now: Time) -> Option<PathReport> {
        let available_bps = self.available_bps(now)?;
        let estimator = self.estimator.as_ref();
        Some(PathReport {
            available_bps,
            acknowledged_bps: estimator.and_then(|e| e.acknowledged_bps()).unwrap_or(0),
            queue_delay: estimator.map_or(Duration::ZERO, |e| e.queue_delay()),
            loss_ratio: self.loss_ratio(),
            probe_clusters: estimator.map_or(0, |e| e.probe_clusters()),
        })
    }

    /// A viewer that gave no feedback yet is not slowed down: its first picture matters most,
    /// and the layer choice keeps to what is assumed.
    fn set_pace(&mut self, now: Time) {
        let estimated = self.estimator.as_ref().and_then(|e| e.pacing_bps(now));
        let loose = estimated.or(self.remb_bps.map(|bps| bps * 5 / 2));
        // More than a burst waits: more is sent than the path carries, so a loose pace would
        // only move the queue into the path, where sound stands behind it.
        let waits = self.pacer.delay(now);
        if waits > CROWDED_AFTER {
            self.crowded_until = now + CROWDED_FOR;
        }
        self.is_behind = waits > BEHIND_AFTER || self.is_behind && waits > CAUGHT_UP_BELOW;
        let crowded = now < self.crowded_until;
        let tight = self.available_bps(now).filter(|_| crowded);
        self.pacer
            .set_rate(loose.map(|loose| tight.map_or(loose, |tight| tight.min(loose))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::{Numbers, Origin};

    #[test]
    fn no_limit_is_known_until_the_viewer_tells_one() {
        let mut downlink = Downlink::default();
        assert_eq!(downlink.available_bps(Time(0)), None);
        assert_eq!(downlink.report(Time(0)), None);
        downlink.receive_remb(800_000, Time(0));
        assert_eq!(downlink.available_bps(Time(0)), Some(800_000));
    }

    #[test]
    fn new_pictures_make_room_for_those_that_wait() {
        const ORIGIN: Origin = Origin {
            peer: 0,
            source: 0,
            layer: 0,
            stream: 1,
        };
        const NUMBERS: Numbers = Numbers {
            sequence: 1,
            timestamp: 0,
            picture_id: 0,
            tl0_picture_index: 0,
        };
        let mut downlink = Downlink::default();
        let beside = |downlink: &mut Downlink, ms| {
            downlink.receive_remb(1_000_000, Time::from_millis(ms));
            downlink.beside_waiting(1_000)
        };
        assert_eq!(beside(&mut downlink, 0), 1_000);
        downlink.pacer.push(0, ORIGIN, 1, NUMBERS, Time(0));
        assert_eq!(beside(&mut downlink, 150), 1_000, "the rest of a keyframe");
        assert_eq!(beside(&mut downlink, 151), 820);
        downlink.pacer.abandon(0);
        downlink
            .pacer
            .push(0, ORIGIN, 2, NUMBERS, Time::from_millis(300));
        assert_eq!(beside(&mut downlink, 361), 820);
        assert_eq!(beside(&mut downlink, 360), 1_000);
        assert_eq!(beside(&mut downlink, 440), 1_000);
    }

    #[test]
    fn absurd_claims_are_bounded() {
        let mut downlink = Downlink::default();
        downlink.receive_remb(0, Time(0));
        assert_eq!(downlink.available_bps(Time(0)), Some(MIN_BPS));
        downlink.receive_remb(u64::MAX, Time(0));
        assert_eq!(downlink.available_bps(Time(0)), Some(MAX_BPS));
    }

    #[test]
    fn an_estimate_lasts_over_a_new_description_and_a_viewer_without_feedback_has_none() {
        let mut downlink = Downlink::default();
        downlink.negotiate(true, Time(0));
        downlink.sent(1_000, Time(0));
        let number = downlink.next_number();
        downlink.negotiate(true, Time(0));
        assert_eq!(downlink.next_number(), number);
        assert!(downlink.available_bps(Time(0)).is_some());
        downlink.negotiate(false, Time(0));
        assert_eq!(downlink.available_bps(Time(0)), None);
        assert!(!downlink.is_active(Time(0)));
    }
}
