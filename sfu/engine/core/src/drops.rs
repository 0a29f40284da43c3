//! Datagrams that went nowhere, counted by reason.

/// Why a datagram was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Neither STUN, DTLS, RTP nor RTCP.
    UnknownProtocol,
    /// STUN that is no valid request of a known peer.
    StunUnauthenticated,
    /// STUN that does not parse.
    StunMalformed,
    /// STUN other than a Binding request.
    StunNotRequest,
    /// STUN from a source that failed too often.
    StunOverBudget,
    /// STUN from an address that another peer uses.
    StunAddressTaken,
    /// From an address that no STUN request validated.
    UnknownAddress,
    /// Media before the DTLS handshake was done.
    NoKeys,
    /// The authentication tag does not match.
    SrtpAuth,
    /// Came before, or is older than the replay window.
    SrtpReplay,
    /// SRTP refused it for another reason.
    SrtpOther,
    /// Lengths or fields that lie.
    Malformed,
    /// An SSRC that belongs to no source.
    UnknownSsrc,
    /// A payload type that was not negotiated.
    UnknownPayload,
    /// A source that is muted by the server.
    Disabled,
    /// A packet that came before, by retransmission or otherwise.
    Duplicate,
    /// More DTLS than any handshake needs.
    DtlsOverBudget,
    /// A DTLS datagram for a peer without an address.
    NoDestination,
}

const REASONS: [(DropReason, &str); 18] = [
    (DropReason::UnknownProtocol, "unknown_protocol"),
    (DropReason::StunUnauthenticated, "stun_unauthenticated"),
    (DropReason::StunMalformed, "stun_malformed"),
    (DropReason::StunNotRequest, "stun_not_request"),
    (DropReason::StunOverBudget, "stun_over_budget"),
    (DropReason::StunAddressTaken, "stun_address_taken"),
    (DropReason::UnknownAddress, "unknown_address"),
    (DropReason::NoKeys, "no_keys"),
    (DropReason::SrtpAuth, "srtp_auth"),
    (DropReason::SrtpReplay, "srtp_replay"),
    (DropReason::SrtpOther, "srtp_other"),
    (DropReason::Malformed, "malformed"),
    (DropReason::UnknownSsrc, "unknown_ssrc"),
    (DropReason::UnknownPayload, "unknown_payload"),
    (DropReason::Disabled, "disabled"),
    (DropReason::Duplicate, "duplicate"),
    (DropReason::DtlsOverBudget, "dtls_over_budget"),
    (DropReason::NoDestination, "no_destination"),
];

/// Counts by reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct DropCounts([u64; REASONS.len()]);

impl DropCounts {
    /// Count one.
    pub fn count(&mut self, reason: DropReason) {
        self.0[reason as usize] += 1;
    }

    /// The count of one reason.
    pub fn get(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// Every reason with its stable name and count, zeros included.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        REASONS
            .iter()
            .map(|(reason, name)| (*name, self.get(*reason)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_at_its_place() {
        for (index, (reason, _)) in REASONS.iter().enumerate() {
            assert_eq!(*reason as usize, index);
        }
        let mut counts = DropCounts::default();
        counts.count(DropReason::SrtpReplay);
        assert!(counts.all().contains(&("srtp_replay", 1)));
        assert_eq!(counts.all().iter().map(|(_, count)| count).sum::<u64>(), 1);
    }
}
