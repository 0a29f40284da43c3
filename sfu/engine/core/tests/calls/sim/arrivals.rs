//! When the engine's transport-wide numbers arrived, as a browser tells it.

use std::collections::BTreeMap;

use mianshi_engine_core::seqnum::SequenceExtender;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::twcc::{FeedbackHead, write_feedback};

/// A clock that has nothing to do with the engine's.
const CLOCK_OFFSET_US: u64 = 987_654_321;

#[derive(Default)]
pub struct Arrivals {
    extender: SequenceExtender,
    at: BTreeMap<u64, Time>,
    next: Option<u64>,
    count: u8,
    /// Claims that everything arrived as soon as the first.
    pub flatters: bool,
}

impl Arrivals {
    pub fn note(&mut self, number: u16, now: Time) {
        let number = self.extender.extend(number);
        let next = *self.next.get_or_insert(number);
        // Told lost already: told again with the correction, like libwebrtc.
        self.next = Some(next.min(number));
        self.at
            .entry(number)
            .or_insert(Time(now.0 + CLOCK_OFFSET_US));
    }

    /// The next plain feedback packet, if there is anything new to tell.
    pub fn feedback(&mut self) -> Option<Vec<u8>> {
        let first = self.next?;
        let newest = *self
            .at
            .keys()
            .next_back()
            .filter(|newest| **newest >= first)?;
        let arrivals: Vec<Option<Time>> = (first..=newest)
            .map(|number| self.at.get(&number).copied())
            .collect();
        let head = FeedbackHead {
            sender_ssrc: 1,
            media_ssrc: 2,
            base_sequence: first as u16,
            feedback_count: self.count,
        };
        let mut buffer = vec![0; 1_100];
        let written = write_feedback(&mut buffer, &head, &arrivals).expect("something to tell");
        self.count = self.count.wrapping_add(1);
        self.next = Some(first + written.covered as u64);
        let kept = self.at.split_off(&first.saturating_sub(500));
        self.at = kept;
        buffer.truncate(written.bytes);
        Some(buffer)
    }
}
