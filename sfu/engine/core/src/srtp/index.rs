//! Packet indices: the roll-over counter of RFC 3711, section 3.3.1, in one number.

/// Indices have 48 bits; the last is never used.
pub(super) const MAX_INDEX: u64 = (1 << 48) - 1;

const HALF: u64 = 1 << 15;
const CYCLE: u64 = 1 << 16;

/// The index of a packet with `sequence`, given the `highest` index so far: the one nearest to it.
///
/// The first packet of a stream is taken to be in cycle zero, which is why senders begin in the
/// lower half of the sequence space.
pub(super) const fn estimate(highest: Option<u64>, sequence: u16) -> u64 {
    let Some(highest) = highest else {
        return sequence as u64;
    };
    let same_cycle = highest & !(CYCLE - 1) | sequence as u64;
    if same_cycle + HALF < highest {
        same_cycle + CYCLE
    } else if same_cycle > highest + HALF && same_cycle >= CYCLE {
        same_cycle - CYCLE
    } else {
        same_cycle
    }
}

/// The roll-over counter of an index.
pub(super) const fn rollover(index: u64) -> u32 {
    (index >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn follows_the_sequence_over_a_wrap_and_back() {
        assert_eq!(estimate(None, 65_535), 65_535);
        assert_eq!(estimate(Some(65_535), 0), 65_536);
        assert_eq!(estimate(Some(65_536), 65_535), 65_535);
        assert_eq!(estimate(Some(65_536), 0), 65_536);
        assert_eq!(estimate(Some(131_072 + 5), 65_530), 131_072 - 6);
    }

    #[test]
    fn never_goes_below_cycle_zero() {
        assert_eq!(estimate(Some(3), 65_535), 65_535);
    }

    proptest! {
        #[test]
        fn finds_any_index_within_half_a_cycle(highest in CYCLE..MAX_INDEX - CYCLE, offset in -32_767i64..=32_767) {
            let index = highest.checked_add_signed(offset).expect("above a cycle");
            prop_assert_eq!(estimate(Some(highest), index as u16), index);
        }
    }
}
