//! Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03): a PSFB message.

use super::{WireError, read_u32};

/// A parsed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remb<'a> {
    /// SSRC of who sends the estimate.
    pub sender_ssrc: u32,
    /// The estimate; saturates at `u64::MAX`.
    pub bitrate_bps: u64,
    ssrcs: &'a [u8],
}

const MANTISSA_BITS: u32 = 18;
const HEAD_BYTES: usize = 16;

impl<'a> Remb<'a> {
    /// Parses the body of a PSFB packet with format 15, from the sender's SSRC on; nothing when
    /// it is another application-layer message.
    ///
    /// # Errors
    /// `Truncated` when the list of SSRCs passes the end.
    pub fn parse(body: &'a [u8]) -> Result<Option<Self>, WireError> {
        if body.get(8..12) != Some(b"REMB") {
            return Ok(None);
        }
        let sender_ssrc = read_u32(body, 0).ok_or(WireError::Truncated)?;
        let packed = read_u32(body, 12).ok_or(WireError::Truncated)?;
        let count = (packed >> 24) as usize;
        let exponent = (packed >> MANTISSA_BITS) & 0x3f;
        let mantissa = u64::from(packed & ((1 << MANTISSA_BITS) - 1));
        let bitrate_bps = match mantissa.leading_zeros() >= exponent {
            true => mantissa << exponent,
            false => u64::MAX,
        };
        let ssrcs = body
            .get(HEAD_BYTES..HEAD_BYTES + 4 * count)
            .ok_or(WireError::Truncated)?;
        Ok(Some(Self {
            sender_ssrc,
            bitrate_bps,
            ssrcs,
        }))
    }

    /// The streams that the estimate covers.
    pub fn ssrcs(&self) -> impl ExactSizeIterator<Item = u32> + 'a {
        self.ssrcs
            .chunks_exact(4)
            .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
    }
}

/// The exponent and mantissa word for an estimate, the count of SSRCs included.
pub(crate) const fn pack(bitrate_bps: u64, count: u8) -> u32 {
    let significant = u64::BITS - bitrate_bps.leading_zeros();
    let exponent = significant.saturating_sub(MANTISSA_BITS);
    (count as u32) << 24 | exponent << MANTISSA_BITS | (bitrate_bps >> exponent) as u32
}
