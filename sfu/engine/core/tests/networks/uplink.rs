//! A crude sender-side estimate from the engine's feedback: enough to react as a browser does,
//! which probes upwards as soon as more is asked of it.

use core::time::Duration;
use std::collections::BTreeMap;

use mianshi_engine_core::seqnum::SequenceExtender;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::twcc::TransportFeedback;

const LEAST_BPS: u64 = 100_000;
const MOST_BPS: u64 = 8_000_000;
/// Waiting beyond this in the uplink's queue is too much.
const MOST_QUEUE_UNITS: i64 = 4 * 60;
const JUDGE_EVERY: Duration = Duration::from_millis(200);

pub struct Uplink {
    pub target_bps: u64,
    extender: SequenceExtender,
    sent: BTreeMap<u64, (Time, usize)>,
    /// Least transit seen, in units of 250 us.
    base_units: Option<i64>,
    queue_units: i64,
    arrived: usize,
    lost: usize,
    arrived_bytes: usize,
    judged: Time,
    told: BTreeMap<u64, bool>,
}

impl Uplink {
    pub fn new(target_bps: u64) -> Self {
        Self {
            target_bps,
            extender: SequenceExtender::default(),
            sent: BTreeMap::new(),
            base_units: None,
            queue_units: 0,
            arrived: 0,
            lost: 0,
            arrived_bytes: 0,
            judged: Time(0),
            told: BTreeMap::new(),
        }
    }

    pub fn sent(&mut self, number: u16, bytes: usize, now: Time) {
        let number = self.extender.extend(number);
        self.sent.insert(number, (now, bytes));
        if number > 4_000 {
            self.sent = self.sent.split_off(&(number - 4_000));
            self.told = self.told.split_off(&(number - 4_000));
        }
    }

    pub fn receive(&mut self, feedback: &TransportFeedback<'_>, now: Time) {
        for status in feedback
            .statuses()
            .expect("the engine writes valid feedback")
        {
            let number = self.extender.peek(status.sequence);
            let Some((at, bytes)) = self.sent.get(&number) else {
                continue;
            };
            match status.arrival_units {
                Some(units) if self.told.insert(number, true) != Some(true) => {
                    let transit = units - at.as_micros() as i64 / 250;
                    let base = *self.base_units.get_or_insert(transit).min(&mut { transit });
                    self.base_units = Some(base);
                    self.queue_units = transit - base;
                    self.arrived += 1;
                    self.arrived_bytes += bytes;
                }
                None if self.told.insert(number, false).is_none() => self.lost += 1,
                _ => {}
            }
        }
        self.judge(now);
    }

    fn judge(&mut self, now: Time) {
        let span = now.since(self.judged);
        if span < JUDGE_EVERY || self.arrived + self.lost == 0 {
            return;
        }
        let arrived_bps = self.arrived_bytes as u64 * 8_000 / span.as_millis() as u64;
        let lost_percent = self.lost * 100 / (self.arrived + self.lost);
        self.target_bps = match () {
            () if self.queue_units > MOST_QUEUE_UNITS => arrived_bps * 85 / 100,
            () if lost_percent > 25 => self.target_bps * 3 / 4,
            () => (self.target_bps * 112 / 100).min(arrived_bps * 3 / 2 + 500_000),
        }
        .clamp(LEAST_BPS, MOST_BPS);
        (self.arrived, self.lost, self.arrived_bytes) = (0, 0, 0);
        self.judged = now;
    }
}
