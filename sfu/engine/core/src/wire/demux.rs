//! Which protocol a datagram of the one port belongs to (RFC 7983, RFC 5761).

/// The protocols that share a WebRTC port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatagramKind {
    /// STUN (RFC 8489): first byte 0 to 3.
    Stun,
    /// DTLS (RFC 6347, RFC 9147): first byte 20 to 63.
    Dtls,
    /// SRTP (RFC 3711): version 2 and a payload type outside 64 to 95.
    Rtp,
    /// SRTCP: version 2 and a packet type of 192 to 223 (RFC 5761, section 4).
    Rtcp,
    /// Nothing that is spoken here.
    Unknown,
}

/// Tells a datagram's protocol by its first two bytes.
pub fn classify(datagram: &[u8]) -> DatagramKind {
    match datagram {
        [0..=3, ..] => DatagramKind::Stun,
        [20..=63, ..] => DatagramKind::Dtls,
        [128..=191, 192..=223, ..] => DatagramKind::Rtcp,
        [128..=191, _, ..] => DatagramKind::Rtp,
        _ => DatagramKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_ranges_of_rfc_7983() {
        for (first, kind) in [
            (0, DatagramKind::Stun),
            (3, DatagramKind::Stun),
            (4, DatagramKind::Unknown),
            (19, DatagramKind::Unknown),
            (20, DatagramKind::Dtls),
            (63, DatagramKind::Dtls),
            (64, DatagramKind::Unknown),
            (127, DatagramKind::Unknown),
            (128, DatagramKind::Rtp),
            (191, DatagramKind::Rtp),
            (192, DatagramKind::Unknown),
            (255, DatagramKind::Unknown),
        ] {
            assert_eq!(classify(&[first, 96]), kind, "first byte {first}");
        }
    }

    #[test]
    fn tells_rtcp_from_rtp_by_the_packet_type() {
        assert_eq!(classify(&[0x80, 191]), DatagramKind::Rtp);
        assert_eq!(classify(&[0x80, 192]), DatagramKind::Rtcp);
        assert_eq!(classify(&[0x81, 200]), DatagramKind::Rtcp);
        assert_eq!(classify(&[0x8f, 205]), DatagramKind::Rtcp);
        assert_eq!(classify(&[0x80, 223]), DatagramKind::Rtcp);
        assert_eq!(classify(&[0x80, 224]), DatagramKind::Rtp);
    }

    #[test]
    fn an_empty_or_one_byte_datagram_is_no_media() {
        assert_eq!(classify(&[]), DatagramKind::Unknown);
        assert_eq!(classify(&[0x80]), DatagramKind::Unknown);
    }
}
