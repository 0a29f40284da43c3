//! Transport-wide congestion control feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).

mod feedback;
mod writer;

pub use feedback::{Status, Statuses, TransportFeedback};
pub use writer::{FeedbackHead, Written, write_feedback};

/// Microseconds of one receive-delta unit.
pub const DELTA_UNIT_MICROS: u64 = 250;
/// Delta units of one unit of the reference time (64 ms).
const REFERENCE_UNITS: i64 = 256;
/// Packets that one run-length chunk can say.
const MAX_RUN: usize = 0x1fff;
/// Packets in a status vector chunk of either symbol size.
const ONE_BIT_SYMBOLS: usize = 14;
const TWO_BIT_SYMBOLS: usize = 7;

/// What a packet's status symbol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    Lost = 0,
    SmallDelta = 1,
    LargeDelta = 2,
    /// Reserved by the draft; read as received without a time.
    Reserved = 3,
}

impl Symbol {
    const fn from_bits(bits: u16) -> Self {
        match bits & 3 {
            0 => Self::Lost,
            1 => Self::SmallDelta,
            2 => Self::LargeDelta,
            _ => Self::Reserved,
        }
    }
}

const fn delta_bytes(symbol: Symbol) -> usize {
    match symbol {
        Symbol::SmallDelta => 1,
        Symbol::LargeDelta => 2,
        Symbol::Lost | Symbol::Reserved => 0,
    }
}
