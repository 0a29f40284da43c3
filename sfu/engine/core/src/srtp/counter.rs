//! AES in counter mode with HMAC-SHA1 (RFC 3711, sections 4.1.1 and 4.2.1).

use aws_lc_rs::cipher::EncryptingKey;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};

use super::SrtpError;
use super::kdf::{apply_key_stream, counter_key};

/// Bytes of the truncated tag.
pub(super) const TAG_BYTES: usize = 10;

/// Session keys of one direction and protocol.
pub(super) struct CounterMode {
    key: EncryptingKey,
    salt: [u8; 14],
    auth: Key,
}

impl CounterMode {
    pub(super) fn new(key: &[u8; 16], salt: [u8; 14], auth: &[u8; 20]) -> Result<Self, SrtpError> {
        Ok(Self {
            key: counter_key(key)?,
            salt,
            auth: Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth),
        })
    }

    /// Encrypts or decrypts: the same operation.
    pub(super) fn apply(&self, ssrc: u32, index: u64, bytes: &mut [u8]) -> Result<(), SrtpError> {
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&self.salt);
        for (byte, mask) in counter[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= mask;
        }
        for (byte, mask) in counter[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= mask;
        }
        apply_key_stream(&self.key, counter, bytes)
    }

    /// The tag over `packet` and `suffix`: the roll-over counter for RTP, the index word for RTCP.
    pub(super) fn tag(&self, packet: &[u8], suffix: u32) -> [u8; TAG_BYTES] {
        let mut context = Context::with_key(&self.auth);
        context.update(packet);
        context.update(&suffix.to_be_bytes());
        let full = context.sign();
        *full
            .as_ref()
            .first_chunk()
            .expect("SHA-1 has 20 bytes, more than the tag")
    }

    /// Checks a tag in constant time.
    pub(super) fn verify(&self, packet: &[u8], suffix: u32, tag: &[u8]) -> Result<(), SrtpError> {
        verify_slices_are_equal(&self.tag(packet, suffix), tag).map_err(|_| SrtpError::Auth)
    }
}
