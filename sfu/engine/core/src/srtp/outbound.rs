//! Sealing what is sent to a peer.

use core::fmt;

use super::index::{MAX_INDEX, estimate};
use super::session::{ENCRYPTED, RTCP_CLEAR_BYTES, Session};
use super::streams::Streams;
use super::{Profile, SrtpError};
use crate::wire::{read_u16, read_u32};

const RTP_FIXED_HEADER_BYTES: usize = 12;

/// The sending context of one peer.
pub struct Outbound {
    session: Session,
    /// The highest index sent, per stream.
    rtp_streams: Streams<u64>,
    /// One counter for all streams: an index need only rise within each (RFC 3711, 3.4).
    next_rtcp_index: u32,
}

impl Outbound {
    /// Derives the session keys from our master key followed by its master salt.
    ///
    /// # Errors
    /// `KeyLength` unless `key_and_salt` has `profile.key_and_salt_bytes()`.
    pub fn new(profile: Profile, key_and_salt: &[u8]) -> Result<Self, SrtpError> {
        Ok(Self {
            session: Session::new(profile, key_and_salt)?,
            rtp_streams: Streams::new(),
            next_rtcp_index: 0,
        })
    }

    /// Seals the plain RTP packet of `plain_bytes` at the head of `buffer`, which has room for
    /// [`super::MAX_TRAILER_BYTES`] more; returns the sealed length.
    ///
    /// Packets of a stream may come in any order within 2^15 of the newest. Begin a stream below
    /// sequence number 2^15, so that the receiver's roll-over counter starts right even if the
    /// first packets are lost. A sequence number may be sealed again only for a packet that is
    /// equal to the first in every bit: another packet under the same number would let an
    /// observer of both learn AES-GCM's authentication key (RFC 7714, section 13.2).
    ///
    /// # Errors
    /// `Malformed` when the lengths contradict each other; `NoRoom`; `TooManyStreams`;
    /// `KeyExhausted`.
    pub fn seal_rtp(
        &mut self,
        buffer: &mut [u8],
        plain_bytes: usize,
        header_bytes: usize,
    ) -> Result<usize, SrtpError> {
        if header_bytes < RTP_FIXED_HEADER_BYTES || plain_bytes < header_bytes {
            return Err(SrtpError::Malformed);
        }
        let sequence = read_u16(buffer, 2).ok_or(SrtpError::Malformed)?;
        let ssrc = read_u32(buffer, 8).ok_or(SrtpError::Malformed)?;
        let place = self.rtp_streams.find(ssrc)?;
        let highest = self.rtp_streams.get(place).copied();
        let index = estimate(highest, sequence);
        if index >= MAX_INDEX {
            return Err(SrtpError::KeyExhausted);
        }
        let sealed_bytes =
            self.session
                .rtp
                .seal_rtp(buffer, plain_bytes, header_bytes, ssrc, index)?;
        let newest = self.rtp_streams.enter(place, ssrc, || index);
        *newest = index.max(*newest);
        Ok(sealed_bytes)
    }

    /// Seals the plain RTCP compound of `plain_bytes` at the head of `buffer`; returns the
    /// sealed length.
    ///
    /// # Errors
    /// `Malformed` for less than a header with an SSRC; `NoRoom`; `KeyExhausted`.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], plain_bytes: usize) -> Result<usize, SrtpError> {
        if plain_bytes < RTCP_CLEAR_BYTES {
            return Err(SrtpError::Malformed);
        }
        if self.next_rtcp_index >= ENCRYPTED {
            return Err(SrtpError::KeyExhausted);
        }
        let ssrc = read_u32(buffer, 4).ok_or(SrtpError::NoRoom)?;
        let sealed_bytes =
            self.session
                .rtcp
                .seal_rtcp(buffer, plain_bytes, ssrc, self.next_rtcp_index)?;
        self.next_rtcp_index += 1;
        Ok(sealed_bytes)
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Outbound(keys hidden)")
    }
}
