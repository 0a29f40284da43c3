//! The replay window (RFC 3711, section 3.3.2).

/// Indices that are told apart behind the highest one: as many as libsrtp's default in browsers,
/// so that late retransmissions at a high packet rate are still taken.
pub(super) const WINDOW: u64 = 1024;

const WORDS: usize = (WINDOW / 64) as usize;

/// Which of the last indices have been accepted.
#[derive(Clone, Debug)]
pub(super) struct ReplayWindow {
    highest: Option<u64>,
    /// A ring of bits, by index modulo `WINDOW`.
    seen: [u64; WORDS],
}

impl ReplayWindow {
    pub(super) const fn new() -> Self {
        Self {
            highest: None,
            seen: [0; WORDS],
        }
    }

    /// The highest index accepted so far.
    pub(super) const fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether `index` is new enough and not seen; changes nothing, so it is asked before the
    /// packet is authenticated.
    pub(super) fn admits(&self, index: u64) -> bool {
        match self.highest {
            Some(highest) if index <= highest => {
                highest - index < WINDOW && self.seen[word(index)] & bit(index) == 0
            }
            _ => true,
        }
    }

    /// Remembers an index that was admitted and has been authenticated.
    pub(super) fn accept(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {}
            Some(highest) if index - highest < WINDOW => {
                for skipped in highest + 1..index {
                    self.seen[word(skipped)] &= !bit(skipped);
                }
                self.highest = Some(index);
            }
            _ => {
                self.seen = [0; WORDS];
                self.highest = Some(index);
            }
        }
        self.seen[word(index)] |= bit(index);
    }
}

const fn word(index: u64) -> usize {
    ((index % WINDOW) / 64) as usize
}

const fn bit(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn admits_each_index_once_in_any_order() {
        let mut window = ReplayWindow::new();
        for index in [5, 3, 4, 1_000, 999, 6] {
            assert!(window.admits(index));
            window.accept(index);
            assert!(!window.admits(index));
        }
    }

    #[test]
    fn refuses_what_is_older_than_the_window() {
        let mut window = ReplayWindow::new();
        window.accept(WINDOW + 10);
        assert!(window.admits(11));
        assert!(!window.admits(10));
    }

    #[test]
    fn forgets_everything_on_a_jump() {
        let mut window = ReplayWindow::new();
        window.accept(1);
        window.accept(1 + 3 * WINDOW);
        assert!(window.admits(3 * WINDOW));
        assert!(!window.admits(1));
    }

    proptest! {
        /// Against the obvious model: a set of all accepted indices and their maximum.
        #[test]
        fn agrees_with_a_set(indices in prop::collection::vec(0u64..5_000, 1..400)) {
            let mut window = ReplayWindow::new();
            let mut seen = HashSet::new();
            let mut highest = 0;
            for index in indices {
                let expected = !seen.contains(&index) && index + WINDOW > highest;
                prop_assert_eq!(window.admits(index), expected, "index {}", index);
                if expected {
                    window.accept(index);
                    seen.insert(index);
                    highest = highest.max(index);
                }
            }
        }
    }
}
