//! When transport-wide numbers arrived, and the feedback that tells a browser so it can ramp up.

use crate::seqnum::SequenceExtender;
use crate::time::Time;
use crate::wire::twcc::{FeedbackHead, write_feedback};

/// Arrivals remembered; also the most that one feedback covers.
const WINDOW: usize = 512;
/// A packet this late is no longer worth correcting what was reported.
const MAX_LATE: u64 = 256;

/// The arrivals of one peer's packets, retransmissions and probes included.
#[derive(Debug)]
pub struct ArrivalRecorder {
    extender: SequenceExtender,
    arrivals: Box<[Arrival]>,
    /// The first number that the next feedback tells of.
    next_report: u64,
    unreported: usize,
    feedback_count: u8,
    media_ssrc: u32,
    scratch: Vec<Option<Time>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Arrival {
    sequence: u64,
    at: Time,
}

impl Default for ArrivalRecorder {
    fn default() -> Self {
        Self {
            extender: SequenceExtender::default(),
            arrivals: vec![Arrival::default(); WINDOW].into(),
            next_report: 0,
            unreported: 0,
            feedback_count: 0,
            media_ssrc: 0,
            scratch: Vec::with_capacity(WINDOW),
        }
    }
}

impl ArrivalRecorder {
    /// Note a packet that carried a transport-wide number.
    pub fn record(&mut self, sequence: u16, ssrc: u32, now: Time) {
        let first = self.extender.highest().is_none();
        let sequence = self.extender.extend(sequence);
        if first {
            self.next_report = sequence;
        }
        let arrival = &mut self.arrivals[sequence as usize % WINDOW];
        if arrival.sequence >= sequence {
            return;
        }
        if sequence < self.next_report {
            if self.next_report - sequence > MAX_LATE {
                return;
            }
            self.next_report = sequence;
        }
        *arrival = Arrival { sequence, at: now };
        self.unreported += 1;
        self.media_ssrc = ssrc;
    }

    /// Packets that came since the last feedback.
    pub fn unreported(&self) -> usize {
        self.unreported
    }

    /// Write one feedback packet; its length, or nothing when all is told.
    ///
    /// Call until it returns nothing: a feedback covers only so much.
    pub fn write(&mut self, sender_ssrc: u32, buffer: &mut [u8]) -> Option<usize> {
        let highest = self.extender.highest()?;
        if self.unreported == 0 || self.next_report > highest {
            self.unreported = 0;
            return None;
        }
        // A jump larger than the window: what is before it is forgotten, and cannot be told.
        self.next_report = self
            .next_report
            .max((highest + 1).saturating_sub(WINDOW as u64));
        self.gather(highest);
        let head = FeedbackHead {
            sender_ssrc,
            media_ssrc: self.media_ssrc,
            base_sequence: self.next_report as u16,
            feedback_count: self.feedback_count,
        };
        let Ok(written) = write_feedback(buffer, &head, &self.scratch) else {
            self.next_report = highest + 1;
            return None;
        };
        self.feedback_count = self.feedback_count.wrapping_add(1);
        self.next_report += written.covered as u64;
        Some(written.bytes)
    }

    fn gather(&mut self, highest: u64) {
        let arrivals = &self.arrivals;
        self.scratch.clear();
        self.scratch
            .extend((self.next_report..=highest).map(|sequence| {
                let arrival = &arrivals[sequence as usize % WINDOW];
                (arrival.sequence == sequence).then_some(arrival.at)
            }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtcp::{Packet, packets};

    /// Everything the recorder has to tell: sequence number and whether it came.
    fn told(recorder: &mut ArrivalRecorder) -> Vec<(u16, bool)> {
        let mut buffer = [0; 1200];
        let mut told = Vec::new();
        while let Some(bytes) = recorder.write(1, &mut buffer) {
            for packet in packets(&buffer[..bytes]) {
                let Ok(Packet::TransportFeedback(feedback)) = packet else {
                    panic!("{packet:?}")
                };
                let statuses = feedback.statuses().expect("own feedback is well-formed");
                told.extend(
                    statuses.map(|status| (status.sequence, status.arrival_units.is_some())),
                );
            }
        }
        told
    }

    #[test]
    fn every_number_is_told_once_with_its_fate_over_the_wrap() {
        let mut recorder = ArrivalRecorder::default();
        for sequence in [65_534, 65_535, 1, 2] {
            recorder.record(sequence, 9, Time(1_000 * u64::from(sequence)));
        }
        let expected = [
            (65_534, true),
            (65_535, true),
            (0, false),
            (1, true),
            (2, true),
        ];
        assert_eq!(told(&mut recorder), expected);
        assert_eq!(told(&mut recorder), []);
        recorder.record(3, 9, Time(100_000_000));
        assert_eq!(told(&mut recorder), [(3, true)]);
    }

    #[test]
    fn a_late_packet_corrects_what_was_told() {
        let mut recorder = ArrivalRecorder::default();
        recorder.record(10, 9, Time(0));
        recorder.record(12, 9, Time(2_000));
        assert_eq!(told(&mut recorder), [(10, true), (11, false), (12, true)]);
        recorder.record(11, 9, Time(60_000));
        assert_eq!(told(&mut recorder), [(11, true), (12, true)]);
    }

    #[test]
    fn a_jump_over_the_window_is_told_from_its_end() {
        let mut recorder = ArrivalRecorder::default();
        recorder.record(10, 9, Time(0));
        recorder.record(20_000, 9, Time(2_000));
        let told = told(&mut recorder);
        assert_eq!(told.last(), Some(&(20_000, true)));
        assert!(told.len() <= WINDOW);
    }

    #[test]
    fn duplicates_and_ancient_packets_change_nothing() {
        let mut recorder = ArrivalRecorder::default();
        recorder.record(1_000, 9, Time(0));
        recorder.record(1_000, 9, Time(5_000));
        assert_eq!(recorder.unreported(), 1);
        told(&mut recorder);
        recorder.record(500, 9, Time(9_000));
        assert_eq!(told(&mut recorder), []);
    }
}
