//! Packets that a publisher's layer lacks, and when to ask for each again.

use core::time::Duration;

use crate::time::Time;

/// A gap is believed after this long at the least: packets overtake each other on real paths.
const MIN_TOLERANCE: Duration = Duration::from_millis(10);
/// And after this long at the most, however late packets come by themselves.
const MAX_TOLERANCE: Duration = Duration::from_millis(80);
/// The tolerance goes back to the least by this share at each gap.
const TOLERANCE_DECAY: u32 = 32;
/// The shortest time between two requests for a packet.
const MIN_RETRY: Duration = Duration::from_millis(40);
/// The longest.
const MAX_RETRY: Duration = Duration::from_millis(250);
/// Requests for one packet before it is given up.
const MAX_TRIES: u8 = 10;
/// A packet missing for longer cannot be played any more.
const MAX_AGE: Duration = Duration::from_millis(1_200);
/// Packets missed at once; a longer gap is an outage that needs a keyframe, not retransmissions.
const MAX_MISSING: usize = 256;

/// What `MissingPackets::receive` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The next packet, or one that nobody waited for.
    Expected,
    /// The packet was missing, and had been asked for if `requested`.
    Recovered {
        /// At least one request was sent for it.
        requested: bool,
    },
    /// Packets before this one are missing now.
    Gap,
    /// Too many are missing: all were given up.
    Outage,
}

/// The missing packets of one layer, oldest first.
#[derive(Debug)]
pub struct MissingPackets {
    entries: Vec<Missing>,
    highest: Option<u64>,
    tolerance: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    sequence: u64,
    noticed: Time,
    next_request: Time,
    tries: u8,
}

impl Default for MissingPackets {
    fn default() -> Self {
        Self {
            entries: Vec::with_capacity(MAX_MISSING),
            highest: None,
            tolerance: MIN_TOLERANCE,
        }
    }
}

impl MissingPackets {
    /// Take the extended number of a packet that arrived, `by_itself` or because it was repeated.
    pub fn receive(&mut self, sequence: u64, by_itself: bool, now: Time) -> Arrival {
        let Some(highest) = self.highest.replace(sequence) else {
            return Arrival::Expected;
        };
        if sequence <= highest {
            self.highest = Some(highest);
            return self.recover(sequence, by_itself, now);
        }
        let skipped = sequence - highest - 1;
        if skipped == 0 {
            return Arrival::Expected;
        }
        if skipped as usize + self.entries.len() > MAX_MISSING {
            self.entries.clear();
            return Arrival::Outage;
        }
        self.tolerance -= (self.tolerance - MIN_TOLERANCE) / TOLERANCE_DECAY;
        let next_request = now + self.tolerance;
        self.entries
            .extend((highest + 1..sequence).map(|sequence| Missing {
                sequence,
                noticed: now,
                next_request,
                tries: 0,
            }));
        Arrival::Gap
    }

    /// Give each packet that should be asked for at `now` to `request`, oldest first.
    ///
    /// Returns true if a packet was given up: video needs a keyframe then.
    pub fn due(&mut self, now: Time, round_trip: Duration, mut request: impl FnMut(u16)) -> bool {
        let retry = (round_trip + round_trip / 4).clamp(MIN_RETRY, MAX_RETRY);
        let before = self.entries.len();
        self.entries.retain_mut(|missing| {
            if missing.next_request > now {
                return true;
            }
            if missing.tries >= MAX_TRIES || now.since(missing.noticed) > MAX_AGE {
                return false;
            }
            request(missing.sequence as u16);
            missing.tries += 1;
            missing.next_request = now + retry;
            true
        });
        self.entries.len() < before
    }

    /// When `due` should be called next.
    pub fn deadline(&self) -> Option<Time> {
        self.entries
            .iter()
            .map(|missing| missing.next_request)
            .min()
    }

    /// The stream began anew, or everything missing became meaningless (a keyframe passed it).
    pub fn reset(&mut self) {
        self.entries.clear();
        self.highest = None;
    }

    /// Nothing before `sequence` is worth asking for: a keyframe starts there.
    pub fn forget_before(&mut self, sequence: u64) {
        self.entries.retain(|missing| missing.sequence > sequence);
    }

    fn recover(&mut self, sequence: u64, by_itself: bool, now: Time) -> Arrival {
        match self
            .entries
            .binary_search_by_key(&sequence, |missing| missing.sequence)
        {
            Ok(index) => {
                let missing = self.entries.remove(index);
                if by_itself {
                    let late = now.since(missing.noticed) * 5 / 4;
                    self.tolerance = self.tolerance.max(late).min(MAX_TOLERANCE);
                }
                Arrival::Recovered {
                    requested: missing.tries > 0,
                }
            }
            Err(_) => Arrival::Expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(100);

    fn requests(missing: &mut MissingPackets, now: Time) -> (Vec<u16>, bool) {
        let mut asked = Vec::new();
        let given_up = missing.due(now, ROUND_TRIP, |sequence| asked.push(sequence));
        (asked, given_up)
    }

    #[test]
    fn a_reordered_packet_is_never_asked_for() {
        let mut missing = MissingPackets::default();
        missing.receive(100, true, Time(0));
        assert_eq!(missing.receive(102, true, Time(1_000)), Arrival::Gap);
        assert_eq!(
            missing.receive(101, true, Time(5_000)),
            Arrival::Recovered { requested: false }
        );
        assert_eq!(requests(&mut missing, Time(1_000_000)), (vec![], false));
        assert_eq!(missing.deadline(), None);
    }

    #[test]
    fn a_gap_is_asked_for_after_the_tolerance_and_again_after_a_round_trip() {
        let mut missing = MissingPackets::default();
        missing.receive(65_535, true, Time(0));
        missing.receive(65_538, true, Time(0));
        assert_eq!(missing.deadline(), Some(Time(10_000)));
        assert_eq!(requests(&mut missing, Time(9_999)).0, vec![]);
        assert_eq!(requests(&mut missing, Time(10_000)).0, vec![0, 1]);
        assert_eq!(requests(&mut missing, Time(100_000)).0, vec![]);
        assert_eq!(
            missing.receive(65_537, false, Time(110_000)),
            Arrival::Recovered { requested: true }
        );
        assert_eq!(requests(&mut missing, Time(135_000)).0, vec![0]);
    }

    #[test]
    fn a_packet_that_never_comes_is_given_up_once() {
        let mut missing = MissingPackets::default();
        missing.receive(10, true, Time(0));
        missing.receive(12, true, Time(0));
        let mut asked = 0;
        let mut given_up = 0;
        for tick in 0..400 {
            let (sequences, lost) = requests(&mut missing, Time(tick * 10_000));
            asked += sequences.len();
            given_up += usize::from(lost);
        }
        assert!(asked > 3 && asked <= usize::from(MAX_TRIES), "{asked}");
        assert_eq!(given_up, 1);
    }

    #[test]
    fn an_outage_asks_for_nothing() {
        let mut missing = MissingPackets::default();
        missing.receive(10, true, Time(0));
        missing.receive(20, true, Time(0));
        assert_eq!(
            missing.receive(10 + MAX_MISSING as u64 + 9, true, Time(0)),
            Arrival::Outage
        );
        assert_eq!(requests(&mut missing, Time(50_000)).0, vec![]);
        assert_eq!(
            missing.receive(10 + MAX_MISSING as u64 + 10, true, Time(0)),
            Arrival::Expected
        );
    }

    #[test]
    fn a_keyframe_ends_interest_in_what_was_before() {
        let mut missing = MissingPackets::default();
        missing.receive(10, true, Time(0));
        missing.receive(14, true, Time(0));
        missing.receive(17, true, Time(0));
        missing.forget_before(14);
        assert_eq!(requests(&mut missing, Time(50_000)).0, vec![15, 16]);
    }

    /// When a packet is asked for that is missing from `from_ms` on.
    fn asked_at_ms(missing: &mut MissingPackets, sequence: u64, from_ms: u64) -> u64 {
        missing.receive(sequence + 1, true, Time::from_millis(from_ms));
        let asked = (from_ms..from_ms + 200).find(|at_ms| {
            let (asked, _) = requests(missing, Time::from_millis(*at_ms));
            asked.contains(&(sequence as u16))
        });
        let asked = asked.expect("a request");
        missing.receive(sequence, false, Time::from_millis(from_ms + 150));
        asked - from_ms
    }

    #[test]
    fn a_path_that_reorders_is_given_more_time_and_loses_it_again() {
        let mut missing = MissingPackets::default();
        missing.receive(100, true, Time(0));
        missing.receive(102, true, Time::from_millis(0));
        missing.receive(101, true, Time::from_millis(32));
        assert_eq!(asked_at_ms(&mut missing, 103, 1_000), 40);
        for number in 0..200 {
            asked_at_ms(&mut missing, 105 + 2 * number, 2_000 + 1_000 * number);
        }
        assert_eq!(asked_at_ms(&mut missing, 505, 400_000), 11);
        // However late: no more than the most is waited.
        missing.receive(508, true, Time::from_millis(500_000));
        missing.receive(507, true, Time::from_millis(501_000));
        assert_eq!(asked_at_ms(&mut missing, 509, 600_000), 78);
    }
}
