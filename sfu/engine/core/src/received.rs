//! Which of the last packets arrived: one bit each, to tell a retransmission that came too late.

const WORDS: usize = 16;
/// Packets remembered.
const WINDOW: u64 = WORDS as u64 * 64;

/// A sliding window of extended sequence numbers.
#[derive(Clone, Debug, Default)]
pub struct ReceivedWindow {
    bits: [u64; WORDS],
    highest: Option<u64>,
}

impl ReceivedWindow {
    /// Note a packet; false if it was noted before or is older than the window.
    pub fn insert(&mut self, sequence: u64) -> bool {
        match self.highest {
            Some(highest) if sequence <= highest => {
                if self.contains(sequence) {
                    return false;
                }
            }
            Some(highest) => self.slide(highest, sequence),
            None => self.highest = Some(sequence),
        }
        self.bits[word(sequence)] |= bit(sequence);
        true
    }

    /// True if a packet was noted, or is older than the window.
    pub fn contains(&self, sequence: u64) -> bool {
        self.highest.is_some_and(|highest| {
            highest.saturating_sub(sequence) >= WINDOW
                || sequence <= highest && self.bits[word(sequence)] & bit(sequence) != 0
        })
    }

    fn slide(&mut self, highest: u64, sequence: u64) {
        if sequence - highest >= WINDOW {
            self.bits = [0; WORDS];
        } else {
            for skipped in highest + 1..=sequence {
                self.bits[word(skipped)] &= !bit(skipped);
            }
        }
        self.highest = Some(sequence);
    }
}

fn word(sequence: u64) -> usize {
    (sequence % WINDOW / 64) as usize
}

fn bit(sequence: u64) -> u64 {
    1 << (sequence % 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn older_than_the_window_counts_as_seen() {
        let mut window = ReceivedWindow::default();
        assert!(window.insert(5_000));
        assert!(window.insert(5_000 - WINDOW + 1));
        assert!(!window.insert(5_000 - WINDOW));
        assert!(window.insert(1_000_000));
        assert!(!window.insert(5_000));
    }

    proptest! {
        #[test]
        fn each_packet_is_new_exactly_once(order in proptest::collection::vec(0u64..900, 1..2_000)) {
            let mut window = ReceivedWindow::default();
            let mut seen = std::collections::HashSet::new();
            for sequence in order {
                prop_assert_eq!(window.insert(sequence + 7_777), seen.insert(sequence));
            }
        }
    }
}
