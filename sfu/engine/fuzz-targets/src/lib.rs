//! What must hold of the engine's parsers for any bytes. Each target panics when it does not.
//!
//! The coverage-guided fuzzer (`../fuzz`, nightly compiler) and the seeded mutations of
//! the tests (stable compiler) run the same functions over the same seeds (`../fuzz/seeds`).

mod formats;
mod peer;
mod stun;

pub use formats::{framing, payload, red, rtcp, rtp};
pub use peer::peer;
pub use stun::stun;

/// A target: any bytes in.
pub type Target = fn(&[u8]);

/// Every target by the name of its seeds and of its fuzzing binary.
pub const TARGETS: [(&str, Target); 7] = [
    ("framing", framing),
    ("payload", payload),
    ("peer", peer),
    ("red", red),
    ("rtcp", rtcp),
    ("rtp", rtp),
    ("stun", stun),
];
