//! AES-GCM (RFC 7714).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::SrtpError;

/// Bytes of the tag.
pub(super) const TAG_BYTES: usize = 16;

/// Session key and salt of one direction and protocol.
pub(super) struct Aead {
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Aead {
    /// AES-128 or AES-256 by the key's length.
    pub(super) fn new(key: &[u8], salt: [u8; 12]) -> Result<Self, SrtpError> {
        let algorithm = match key.len() {
            16 => &AES_128_GCM,
            _ => &AES_256_GCM,
        };
        let key = UnboundKey::new(algorithm, key).map_err(|_| SrtpError::KeyLength)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            salt,
        })
    }

    /// Two zero bytes, SSRC and 48-bit index, masked by the salt. RTP's index is the roll-over
    /// counter and the sequence number (section 8.1), RTCP's its 31-bit index (section 9.1).
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut nonce = self.salt;
        for (byte, mask) in nonce[2..6].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= mask;
        }
        for (byte, mask) in nonce[6..].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= mask;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// Encrypts `plain` in place and returns the tag.
    pub(super) fn seal(
        &self,
        ssrc: u32,
        index: u64,
        associated: &[u8],
        plain: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], SrtpError> {
        let tag = self
            .key
            .seal_in_place_separate_tag(self.nonce(ssrc, index), Aad::from(associated), plain)
            .map_err(|_| SrtpError::Malformed)?;
        Ok(*tag.as_ref().first_chunk().expect("GCM tags have 16 bytes"))
    }

    /// Decrypts `sealed`, ciphertext and tag, in place; the caller knows the plain length.
    pub(super) fn open(
        &self,
        ssrc: u32,
        index: u64,
        associated: &[u8],
        sealed: &mut [u8],
    ) -> Result<(), SrtpError> {
        self.key
            .open_in_place(self.nonce(ssrc, index), Aad::from(associated), sealed)
            .map(drop)
            .map_err(|_| SrtpError::Auth)
    }
}
