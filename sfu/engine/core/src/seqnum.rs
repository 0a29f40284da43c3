//! Wrapping arithmetic: 16-bit sequence numbers and 32-bit timestamps on endless counters.

/// Where extended counters start, so that a late packet before the first stays positive.
const BASE: u64 = 1 << 32;

/// Extends 16-bit sequence numbers to 64 bits, following the highest seen (RFC 3550, A.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct SequenceExtender {
    highest: Option<u64>,
}

impl SequenceExtender {
    /// The extended number of `sequence`; the highest moves if this is newer.
    pub fn extend(&mut self, sequence: u16) -> u64 {
        let extended = self.peek(sequence);
        if self.highest.is_none_or(|highest| extended > highest) {
            self.highest = Some(extended);
        }
        extended
    }

    /// The extended number of `sequence` without moving the highest.
    pub fn peek(&self, sequence: u16) -> u64 {
        match self.highest {
            None => BASE + u64::from(sequence),
            Some(highest) => near(highest, sequence),
        }
    }

    /// The highest number seen.
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

/// The counter nearest to `reference` whose low 16 bits are `sequence`.
///
/// `reference` must be at least 2^15, which every counter that began at an extender is.
pub fn near(reference: u64, sequence: u16) -> u64 {
    let ahead = sequence.wrapping_sub(reference as u16) as i16;
    reference.saturating_add_signed(i64::from(ahead))
}

/// True if `a` is newer than `b` on a 32-bit circle.
pub fn timestamp_newer(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wrap_continues_upwards_and_a_late_packet_does_not_move_the_highest() {
        let mut extender = SequenceExtender::default();
        let before = extender.extend(65_534);
        assert_eq!(extender.extend(1), before + 3);
        assert_eq!(extender.extend(65_535), before + 1);
        assert_eq!(extender.highest(), Some(before + 3));
        assert_eq!(extender.peek(2), before + 4);
    }

    #[test]
    fn a_packet_before_the_first_stays_below_it() {
        let mut extender = SequenceExtender::default();
        let first = extender.extend(0);
        assert_eq!(extender.extend(65_535), first - 1);
    }

    #[test]
    fn timestamps_compare_over_the_wrap() {
        assert!(timestamp_newer(5, u32::MAX - 5));
        assert!(!timestamp_newer(u32::MAX - 5, 5));
        assert!(!timestamp_newer(9, 9));
    }

    proptest! {
        #[test]
        fn near_inverts_truncation(reference in (1u64 << 32)..(1 << 48), delta in -32_767i64..=32_767) {
            let actual = reference.saturating_add_signed(delta);
            prop_assert_eq!(near(reference, actual as u16), actual);
        }
    }
}
