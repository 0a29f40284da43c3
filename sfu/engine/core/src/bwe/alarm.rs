//! What may be the beginning of a queue: acted on at once, until the next feedback tells what it is.

use core::time::Duration;

use super::queue::StandingQueue;
use super::surprise::Surprise;
use crate::time::Time;

/// The mean packet of a feedback alarms when it lies this far above the path's own delay, and this
/// much above the feedback before; less once there is alarm already.
const QUEUE_US: i64 = 30_000;
const GROWTH_US: i64 = 20_000;
const STILL_GROWING_US: i64 = 5_000;
/// A cluster makes a queue of its own, but none so long.
const QUEUE_BESIDE_CLUSTER_US: i64 = 70_000;
/// Fewer packets tell nothing.
const PACKETS: u32 = 4;
/// So much in the last of two feedbacks in a row that alarmed is a queue.
const CERTAIN_US: i64 = 50_000;
/// Feedback that does not come ends an alarm.
const LASTS: Duration = Duration::from_millis(120);

/// The alarm of one path.
#[derive(Debug, Default)]
pub struct Alarm {
    surprise: Surprise,
    since: Option<Time>,
    until: Time,
    /// Feedbacks in a row that alarmed, and how far the last one's mean packet was delayed.
    feedbacks: u32,
    delay_us: i64,
}

impl Alarm {
    /// Take a packet that was lost, or arrived after `one_way_us`, of a feedback that is being read.
    pub fn add(&mut self, sent_us: i64, one_way_us: Option<i64>, bytes: u32, bps: f64) {
        self.surprise.add(sent_us, one_way_us, bytes, bps);
    }

    /// A feedback was read into `queue` as well.
    pub fn judge(&mut self, queue: &mut StandingQueue, beside_cluster: bool, now: Time) {
        let (least_us, least_growth_us) = (
            match beside_cluster {
                true => QUEUE_BESIDE_CLUSTER_US,
                false => QUEUE_US,
            },
            match self.is_on(now) {
                true => STILL_GROWING_US,
                false => GROWTH_US,
            },
        );
        let glimpse = queue.glimpse(PACKETS);
        let surprised = queue
            .base_us()
            .is_some_and(|base_us| self.surprise.judge(base_us));
        let grows = glimpse
            .map(|glimpse| glimpse.delay_us >= least_us && glimpse.growth_us >= least_growth_us);
        self.delay_us = glimpse.map_or(self.delay_us, |glimpse| glimpse.delay_us);
        match grows {
            _ if surprised => self.sound(now),
            Some(true) => self.sound(now),
            Some(false) => self.end(),
            // Too few packets to tell: what was believed holds for its time.
            None if !self.is_on(now) => self.end(),
            None => {}
        }
    }

    /// Whether there is alarm.
    pub fn is_on(&self, now: Time) -> bool {
        now < self.until
    }

    /// Whether one feedback after the other alarmed, and the last one tells of a queue. A path that
    /// became longer alarms once.
    pub fn holds(&self) -> bool {
        self.feedbacks >= 2 && self.delay_us >= CERTAIN_US
    }

    /// How far the mean packet of the last feedback was delayed; 0 without alarm.
    pub fn delay_us(&self) -> i64 {
        match self.since {
            Some(_) => self.delay_us,
            None => 0,
        }
    }

    /// When the first feedback of those in a row came.
    pub fn since(&self) -> Option<Time> {
        self.since
    }

    fn sound(&mut self, now: Time) {
        self.since = self.since.filter(|_| self.is_on(now)).or(Some(now));
        self.feedbacks = match self.is_on(now) {
            true => self.feedbacks + 1,
            false => 1,
        };
        self.until = now + LASTS;
    }

    fn end(&mut self) {
        (self.since, self.until, self.feedbacks) = (None, Time(0), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A feedback of packets that were sent a millisecond apart and took so long.
    fn feed(alarm: &mut Alarm, queue: &mut StandingQueue, at_ms: u64, one_way_ms: &[i64]) {
        for (number, took_ms) in one_way_ms.iter().enumerate() {
            let sent_us = at_ms as i64 * 1_000 - 200_000 + number as i64 * 1_000;
            alarm.add(sent_us, Some(took_ms * 1_000), 100, 1e7);
            queue.add(took_ms * 1_000);
        }
        alarm.judge(queue, false, Time::from_millis(at_ms));
    }

    #[test]
    fn it_holds_when_a_queue_grows_and_not_when_a_path_became_longer() {
        let (mut alarm, mut queue) = (Alarm::default(), StandingQueue::default());
        feed(&mut alarm, &mut queue, 1_000, &[20; 6]);
        assert!(!alarm.is_on(Time::from_millis(1_000)));
        feed(&mut alarm, &mut queue, 1_050, &[60; 6]);
        assert!(alarm.is_on(Time::from_millis(1_050)) && !alarm.holds());
        feed(&mut alarm, &mut queue, 1_100, &[60; 6]);
        assert!(!alarm.is_on(Time::from_millis(1_100)) && !alarm.holds());
        feed(&mut alarm, &mut queue, 1_150, &[90; 6]);
        feed(&mut alarm, &mut queue, 1_200, &[130; 6]);
        assert!(alarm.is_on(Time::from_millis(1_200)) && alarm.holds());
        assert_eq!(alarm.since(), Some(Time::from_millis(1_150)));
    }

    #[test]
    fn it_lasts_over_feedback_that_tells_little_but_not_for_long() {
        let (mut alarm, mut queue) = (Alarm::default(), StandingQueue::default());
        feed(&mut alarm, &mut queue, 1_000, &[20; 6]);
        feed(&mut alarm, &mut queue, 1_050, &[60; 6]);
        feed(&mut alarm, &mut queue, 1_100, &[60]);
        assert!(alarm.is_on(Time::from_millis(1_169)));
        assert!(!alarm.is_on(Time::from_millis(1_170)));
        feed(&mut alarm, &mut queue, 1_200, &[60]);
        assert_eq!(alarm.since(), None);
    }
}
