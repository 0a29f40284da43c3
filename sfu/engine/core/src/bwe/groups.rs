//! Packets that left together are one group; delays are compared between groups.

/// Packets sent within this belong together: less is the sender's own burst.
const GROUP_US: i64 = 5_000;
/// A burst that a link held back and released arrives within this.
const BURST_US: i64 = 5_000;
/// A gap of the viewer's clock beyond this is a leap, not a delay.
const MAX_LEAP_US: i64 = 3_000_000;

/// How two neighbouring groups differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Time between their last departures.
    pub sent_us: i64,
    /// Time between their last arrivals.
    pub arrived_us: i64,
    /// The last arrival, on the viewer's clock.
    pub at_us: i64,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent_us: i64,
    last_sent_us: i64,
    first_arrived_us: i64,
    last_arrived_us: i64,
}

/// The groups of one viewer's packets.
#[derive(Debug, Default)]
pub struct Groups {
    previous: Option<Group>,
    current: Option<Group>,
}

impl Groups {
    /// Take a packet that arrived; a difference when it begins the third group or a later one.
    pub fn add(&mut self, sent_us: i64, arrived_us: i64) -> Option<Delta> {
        let fresh = Group {
            first_sent_us: sent_us,
            last_sent_us: sent_us,
            first_arrived_us: arrived_us,
            last_arrived_us: arrived_us,
        };
        let Some(current) = &mut self.current else {
            self.current = Some(fresh);
            return None;
        };
        if (arrived_us - current.last_arrived_us).abs() > MAX_LEAP_US {
            *self = Self {
                previous: None,
                current: Some(fresh),
            };
            return None;
        }
        // An overtaken packet of an earlier group says nothing about the queue now.
        if sent_us < current.first_sent_us {
            return None;
        }
        if current.takes(sent_us, arrived_us) {
            current.last_sent_us = current.last_sent_us.max(sent_us);
            current.last_arrived_us = current.last_arrived_us.max(arrived_us);
            return None;
        }
        let complete = *current;
        self.current = Some(fresh);
        let previous = self.previous.replace(complete)?;
        let arrived_us = complete.last_arrived_us - previous.last_arrived_us;
        // Groups that swapped places on the way are no measurement.
        (arrived_us >= 0).then_some(Delta {
            sent_us: complete.last_sent_us - previous.last_sent_us,
            arrived_us,
            at_us: complete.last_arrived_us,
        })
    }
}

impl Group {
    fn takes(&self, sent_us: i64, arrived_us: i64) -> bool {
        if sent_us - self.first_sent_us <= GROUP_US {
            return true;
        }
        let departed = sent_us - self.last_sent_us;
        let arrived = arrived_us - self.last_arrived_us;
        arrived < departed
            && (0..=BURST_US).contains(&arrived)
            && arrived_us - self.first_arrived_us < 100_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_between_whole_groups() {
        let mut groups = Groups::default();
        let mut found = Vec::new();
        for frame in 0..4 {
            for packet in 0..3 {
                let sent = frame * 33_000 + packet * 500;
                found.extend(groups.add(sent, 70_000 + sent + frame * 2_000 + packet * 1_000));
            }
        }
        let expected = |at_us| Delta {
            sent_us: 33_000,
            arrived_us: 35_000,
            at_us,
        };
        assert_eq!(
            found,
            [
                expected(70_000 + 36_500 + 1_500),
                expected(70_000 + 71_500 + 1_500)
            ]
        );
    }

    #[test]
    fn overtaken_packets_and_leaps_give_no_difference() {
        let mut groups = Groups::default();
        for (sent, arrived) in [(0, 0), (20_000, 20_000), (10_000, 21_000)] {
            assert_eq!(groups.add(sent, arrived), None);
        }
        assert_eq!(groups.add(40_000, 9_000_000), None);
        assert_eq!(groups.add(60_000, 9_020_000), None);
        assert!(groups.add(80_000, 9_040_000).is_some());
    }
}
