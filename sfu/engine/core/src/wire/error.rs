//! What is wrong with bytes from the network.

use core::fmt;

/// Why bytes were refused; nothing of them is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WireError {
    /// A length in the packet points past its end, or the packet is too short for its format.
    Truncated,
    /// The version field is not the protocol's.
    Version,
    /// A field has a value that the format forbids.
    Malformed,
    /// The caller's buffer is too small for what was to be written.
    NoRoom,
}

impl WireError {
    /// A stable name for counters and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Version => "version",
            Self::Malformed => "malformed",
            Self::NoRoom => "no_room",
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl std::error::Error for WireError {}
