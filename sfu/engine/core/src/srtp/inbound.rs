//! Opening what a peer sends.

use core::fmt;

use super::index::{MAX_INDEX, estimate};
use super::replay::ReplayWindow;
use super::session::{ENCRYPTED, Session};
use super::streams::Streams;
use super::{Profile, SrtpError};
use crate::wire::read_u32;
use crate::wire::rtp::RtpHeader;

/// The receiving context of one peer.
///
/// State per stream appears only once a packet of it was authenticated.
pub struct Inbound {
    session: Session,
    rtp_streams: Streams<ReplayWindow>,
    rtcp_streams: Streams<ReplayWindow>,
}

impl Inbound {
    /// Derives the session keys from the peer's master key followed by its master salt.
    ///
    /// # Errors
    /// `KeyLength` unless `key_and_salt` has `profile.key_and_salt_bytes()`.
    pub fn new(profile: Profile, key_and_salt: &[u8]) -> Result<Self, SrtpError> {
        Ok(Self {
            session: Session::new(profile, key_and_salt)?,
            rtp_streams: Streams::new(),
            rtcp_streams: Streams::new(),
        })
    }

    /// Opens an SRTP packet in place, `header` being its parsed header; returns the length of
    /// the plain packet at the head of `packet`. On an error the content is arbitrary.
    ///
    /// # Errors
    /// `Malformed` (no room for a tag), `Auth`, `Replay`, `TooManyStreams`, `KeyExhausted`.
    pub fn open_rtp(&mut self, packet: &mut [u8], header: &RtpHeader) -> Result<usize, SrtpError> {
        let place = self.rtp_streams.find(header.ssrc)?;
        let window = self.rtp_streams.get(place);
        let index = estimate(window.and_then(ReplayWindow::highest), header.sequence);
        if index >= MAX_INDEX {
            return Err(SrtpError::KeyExhausted);
        }
        if window.is_some_and(|window| !window.admits(index)) {
            return Err(SrtpError::Replay);
        }
        let plain_bytes =
            self.session
                .rtp
                .open_rtp(packet, header.header_bytes, header.ssrc, index)?;
        self.rtp_streams
            .enter(place, header.ssrc, ReplayWindow::new)
            .accept(index);
        Ok(plain_bytes)
    }

    /// Opens an SRTCP packet in place; returns the length of the plain compound at its head.
    ///
    /// # Errors
    /// As for [`Inbound::open_rtp`]; an unencrypted packet is `Malformed`.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let index_word = self.session.rtcp.index_word(packet)?;
        if index_word & ENCRYPTED == 0 {
            return Err(SrtpError::Malformed);
        }
        let ssrc = read_u32(packet, 4).ok_or(SrtpError::Malformed)?;
        let index = u64::from(index_word & !ENCRYPTED);
        let place = self.rtcp_streams.find(ssrc)?;
        let window = self.rtcp_streams.get(place);
        if window.is_some_and(|window| !window.admits(index)) {
            return Err(SrtpError::Replay);
        }
        let plain_bytes = self.session.rtcp.open_rtcp(packet, ssrc, index_word)?;
        self.rtcp_streams
            .enter(place, ssrc, ReplayWindow::new)
            .accept(index);
        Ok(plain_bytes)
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Inbound(keys hidden)")
    }
}
