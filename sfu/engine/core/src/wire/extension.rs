//! Header extensions by name: their URIs and the values of the ones that the engine reads.

/// Media identification (RFC 8843, section 15): the mid of the m-section, as text.
pub const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// RTP stream id (RFC 8852): the simulcast layer's rid, as text.
pub const RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// Repaired RTP stream id (RFC 8852): the rid that a retransmission repairs, as text.
pub const REPAIRED_RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
/// Transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-extensions-01).
pub const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// Absolute send time, 24 bits of 6.18 seconds.
pub const ABS_SEND_TIME_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
/// Client-to-mixer audio level (RFC 6464).
pub const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// Coordination of video orientation (3GPP TS 26.114, section 7.4.5).
pub const VIDEO_ORIENTATION_URI: &str = "urn:3gpp:video-orientation";

/// Longest mid, rid or rrid that is looked at; RFC 8852 says 16 suffice.
pub const MAX_IDENTIFIER_BYTES: usize = 32;

/// A level of RFC 6464.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the sender believes that this is voice.
    pub voice: bool,
    /// Level below overload in dB: 0 is loudest, 127 silence; the level in dBov is its negative.
    pub below_overload_db: u8,
}

impl AudioLevel {
    /// Reads a value; one byte, or two in the two-byte form's padded spelling.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let byte = *value.first()?;
        (value.len() <= 2).then_some(Self {
            voice: byte & 0x80 != 0,
            below_overload_db: byte & 0x7f,
        })
    }

    /// The value's byte.
    pub const fn to_byte(self) -> u8 {
        (self.voice as u8) << 7 | self.below_overload_db & 0x7f
    }
}

/// A mid, rid or rrid: short printable ASCII, else nothing.
pub fn identifier(value: &[u8]) -> Option<&str> {
    let sane =
        (1..=MAX_IDENTIFIER_BYTES).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    if sane {
        core::str::from_utf8(value).ok()
    } else {
        None
    }
}

/// A transport-wide sequence number (the first two bytes; version 2 of the extension has more).
pub fn transport_sequence(value: &[u8]) -> Option<u16> {
    super::read_u16(value, 0)
}

/// An absolute send time: 24 bits of seconds in 6.18 fixed point.
pub fn abs_send_time(value: &[u8]) -> Option<u32> {
    (value.len() == 3).then(|| super::read_u24(value, 0))?
}

/// The three bytes of an absolute send time (see `Time::abs_send_time`).
pub const fn abs_send_time_bytes(time: u32) -> [u8; 3] {
    let [_, a, b, c] = time.to_be_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_levels_round_trip() {
        for byte in 0..=255 {
            let level = AudioLevel::parse(&[byte]).expect("one byte is a level");
            assert_eq!(level.to_byte(), byte);
        }
        assert_eq!(AudioLevel::parse(&[]), None);
        assert_eq!(AudioLevel::parse(&[1, 2, 3]), None);
    }

    #[test]
    fn identifiers_are_short_printable_ascii() {
        assert_eq!(identifier(b"q"), Some("q"));
        assert_eq!(identifier(b""), None);
        assert_eq!(identifier(b"a b"), None);
        assert_eq!(identifier("面".as_bytes()), None);
        assert_eq!(identifier(&[b'a'; MAX_IDENTIFIER_BYTES + 1]), None);
    }

    #[test]
    fn wrong_lengths_are_refused_quietly() {
        assert_eq!(transport_sequence(&[1]), None);
        assert_eq!(transport_sequence(&[1, 2, 3, 4]), Some(0x0102));
        assert_eq!(abs_send_time(&[1, 2]), None);
        assert_eq!(abs_send_time(&[1, 2, 3, 4]), None);
        assert_eq!(
            abs_send_time(&abs_send_time_bytes(0x0a_0b0c)),
            Some(0x0a_0b0c)
        );
    }
}
