//! Why a packet was not opened or sealed.

use core::fmt;

/// Why SRTP refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpError {
    /// Too short, or a length or flag that the format forbids.
    Malformed,
    /// The authentication tag does not match.
    Auth,
    /// Seen before, or older than the replay window.
    Replay,
    /// The peer uses more streams than are remembered.
    TooManyStreams,
    /// Master key and salt do not have the profile's length.
    KeyLength,
    /// The index space of the key is used up (RFC 3711, section 9.2).
    KeyExhausted,
    /// The caller's buffer has no room for the trailer.
    NoRoom,
}

impl SrtpError {
    /// A stable name for counters and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "srtp_malformed",
            Self::Auth => "srtp_auth",
            Self::Replay => "srtp_replay",
            Self::TooManyStreams => "srtp_streams",
            Self::KeyLength => "srtp_key_length",
            Self::KeyExhausted => "srtp_key_exhausted",
            Self::NoRoom => "srtp_no_room",
        }
    }
}

impl fmt::Display for SrtpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl std::error::Error for SrtpError {}
