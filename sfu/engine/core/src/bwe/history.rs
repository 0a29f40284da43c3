//! What was sent under which transport-wide number, until feedback tells its fate.

use crate::seqnum::near;
use crate::time::Time;
use crate::wire::WireError;
use crate::wire::twcc::{DELTA_UNIT_MICROS, TransportFeedback};

/// Packets remembered, a power of two: three seconds of a 4 Mb/s viewer.
pub const REMEMBERED: usize = 2_048;
/// Where numbers start, so that a look back stays positive.
const BASE: u64 = 1 << 32;
/// Units of 250 µs in one unit of a feedback's reference time.
const REFERENCE_UNITS: i64 = 256;

/// A packet's fate, as told by feedback for the first time or in correction of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketResult {
    /// When it was sent.
    pub sent: Time,
    /// When it arrived, on the viewer's clock in microseconds; nothing when lost.
    pub arrived_us: Option<i64>,
    /// Its size on the wire, less UDP and IP.
    pub bytes: u32,
    /// The probe cluster that it belonged to; 0: none.
    pub cluster: u8,
    /// It was told lost before.
    pub was_lost: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Unknown,
    Lost,
    Arrived,
}

/// Eight bytes, because every packet to every viewer writes one.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    /// The low half of the time: feedback comes within an hour.
    at_us: u32,
    bytes: u16,
    cluster: u8,
    fate: Fate,
}

/// The sent packets of one viewer.
#[derive(Debug)]
pub struct SendHistory {
    sent: Box<[Sent]>,
    /// The extended number of the next packet.
    next: u64,
    last_sent: Option<Time>,
    reference: Option<Reference>,
}

/// The viewer's clock, unwrapped.
#[derive(Clone, Copy, Debug)]
struct Reference {
    raw: i32,
    unwrapped: i64,
}

impl Default for SendHistory {
    fn default() -> Self {
        Self {
            sent: vec![Sent::default(); REMEMBERED].into(),
            next: BASE,
            last_sent: None,
            reference: None,
        }
    }
}

impl SendHistory {
    /// The number of the next packet.
    pub fn next_number(&self) -> u16 {
        self.next as u16
    }

    /// The packet with the next number was sent, of the probe cluster `cluster` unless 0.
    pub fn push(&mut self, bytes: usize, cluster: u8, now: Time) {
        self.sent[self.next as usize % REMEMBERED] = Sent {
            at_us: now.as_micros() as u32,
            bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
            cluster,
            fate: Fate::Unknown,
        };
        self.next += 1;
        self.last_sent = Some(now);
    }

    /// When a packet was sent last.
    pub fn last_sent(&self) -> Option<Time> {
        self.last_sent
    }

    /// Put what a feedback tells anew into `results`, in the order of sending.
    ///
    /// # Errors
    /// `Malformed` when it tells of packets that were never sent, or of more than are
    /// remembered; `Truncated` when its chunks or deltas lie. Nothing changes then.
    pub fn resolve(
        &mut self,
        feedback: &TransportFeedback<'_>,
        now: Time,
        results: &mut Vec<PacketResult>,
    ) -> Result<(), WireError> {
        results.clear();
        let count = u64::from(feedback.status_count);
        let first = near(self.next, feedback.base_sequence);
        if count > REMEMBERED as u64 || first + count > self.next {
            return Err(WireError::Malformed);
        }
        let statuses = feedback.statuses()?;
        let shift_units = self.unwrap_reference(feedback.reference_time);
        for (sequence, status) in (first..).zip(statuses) {
            if sequence < BASE || sequence + (REMEMBERED as u64) < self.next {
                continue;
            }
            let sent = &mut self.sent[sequence as usize % REMEMBERED];
            let fate = match status.arrival_units {
                Some(_) => Fate::Arrived,
                None => Fate::Lost,
            };
            if sent.fate == Fate::Arrived || sent.fate == fate {
                continue;
            }
            let arrived_us = status
                .arrival_units
                .map(|units| (units + shift_units) * DELTA_UNIT_MICROS as i64);
            let age_us = (now.as_micros() as u32).wrapping_sub(sent.at_us);
            results.push(PacketResult {
                sent: Time(now.as_micros().saturating_sub(u64::from(age_us))),
                arrived_us,
                bytes: u32::from(sent.bytes),
                cluster: sent.cluster,
                was_lost: sent.fate == Fate::Lost,
            });
            sent.fate = fate;
        }
        Ok(())
    }

    /// What the units of a feedback lack to the viewer's clock without wraps (24 bits of 64 ms).
    fn unwrap_reference(&mut self, raw: i32) -> i64 {
        let unwrapped = self.reference.map_or(i64::from(raw), |last| {
            let step = (raw.wrapping_sub(last.raw) << 8) >> 8;
            last.unwrapped + i64::from(step)
        });
        self.reference = Some(Reference { raw, unwrapped });
        (unwrapped - i64::from(raw)) * REFERENCE_UNITS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::twcc::{FeedbackHead, write_feedback};

    fn feedback_bytes(base: u16, arrivals: &[Option<Time>]) -> Vec<u8> {
        let mut buffer = vec![0; 4_096];
        let head = FeedbackHead {
            sender_ssrc: 1,
            media_ssrc: 2,
            base_sequence: base,
            feedback_count: 0,
        };
        let written = write_feedback(&mut buffer, &head, arrivals).expect("fits");
        assert_eq!(written.covered, arrivals.len());
        buffer.truncate(written.bytes);
        buffer.drain(..4);
        buffer
    }

    fn resolve(
        history: &mut SendHistory,
        base: u16,
        arrivals: &[Option<Time>],
        now: Time,
    ) -> Result<Vec<PacketResult>, WireError> {
        let bytes = feedback_bytes(base, arrivals);
        let feedback = TransportFeedback::parse(&bytes).expect("parses");
        let mut results = Vec::new();
        history
            .resolve(&feedback, now, &mut results)
            .map(|()| results)
    }

    fn with_packets(count: u64) -> SendHistory {
        let mut history = SendHistory::default();
        for at in 0..count {
            history.push(1_000 + at as usize % 7, 0, Time(at * 1_000));
        }
        history
    }

    #[test]
    fn a_fate_is_told_once_and_a_late_arrival_corrects_a_loss() {
        let mut history = with_packets(4);
        let arrivals = [Some(Time(64_000)), None, Some(Time(66_000))];
        let told = resolve(&mut history, 0, &arrivals, Time(50_000)).expect("valid");
        assert_eq!(told.len(), 3);
        assert_eq!((told[0].sent, told[0].arrived_us), (Time(0), Some(64_000)));
        assert_eq!((told[1].arrived_us, told[1].was_lost), (None, false));
        assert_eq!((told[2].sent, told[2].bytes), (Time(2_000), 1_002));
        let again = resolve(&mut history, 0, &arrivals, Time(51_000)).expect("valid");
        assert_eq!(again, []);
        let late = resolve(&mut history, 1, &[Some(Time(70_000))], Time(60_000)).expect("valid");
        assert_eq!((late.len(), late[0].was_lost), (1, true));
    }

    #[test]
    fn packets_that_were_never_sent_are_refused() {
        let mut history = with_packets(4);
        for (base, count) in [(0, 5), (4, 1), (100, 3), (40_000, 9)] {
            let arrivals = vec![Some(Time(64_000)); count];
            let result = resolve(&mut history, base, &arrivals, Time(50_000));
            let harmless = result.as_ref().is_ok_and(Vec::is_empty);
            assert!(result == Err(WireError::Malformed) || harmless, "{base}");
        }
        assert_eq!(
            resolve(&mut history, 0, &[Some(Time(64_000)); 4], Time(50_000)).map(|all| all.len()),
            Ok(4)
        );
    }

    #[test]
    fn more_than_is_remembered_is_refused_and_the_forgotten_is_skipped() {
        let mut history = with_packets(10_000);
        let many = vec![Some(Time(64_000)); REMEMBERED + 1];
        let result = resolve(&mut history, 5_000, &many, Time(20_000_000));
        assert_eq!(result, Err(WireError::Malformed));
        let old = resolve(&mut history, 5_000, &[Some(Time(64_000))], Time(20_000_000));
        assert_eq!(old, Ok(vec![]));
    }

    #[test]
    fn the_viewers_clock_goes_on_over_the_wrap_of_its_reference() {
        let mut history = with_packets(2);
        let wrap_us = (1u64 << 24) * 64_000;
        let before = resolve(
            &mut history,
            0,
            &[Some(Time(wrap_us / 2 - 64_000))],
            Time(9_000),
        );
        let after = resolve(
            &mut history,
            1,
            &[Some(Time(wrap_us / 2 + 64_000))],
            Time(9_000),
        );
        let (before, after) = (before.expect("valid"), after.expect("valid"));
        let step = after[0].arrived_us.expect("came") - before[0].arrived_us.expect("came");
        assert_eq!(step, 128_000);
    }

    #[test]
    fn send_times_survive_the_wrap_of_their_low_half() {
        let mut history = SendHistory::default();
        let sent = Time((1 << 32) - 500);
        history.push(100, 3, sent);
        let told = resolve(
            &mut history,
            0,
            &[Some(Time(64_000))],
            Time((1 << 32) + 700),
        );
        let told = told.expect("valid");
        assert_eq!((told[0].sent, told[0].cluster), (sent, 3));
    }
}
