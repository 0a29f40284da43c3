//! The session keys of one direction, and the layout of protected packets.

use super::aead::{self, Aead};
use super::counter::{self, CounterMode};
use super::index::rollover;
use super::kdf::{Label, Master};
use super::{Profile, SrtpError};

/// RTCP's header and sender SSRC stay in the clear.
pub(super) const RTCP_CLEAR_BYTES: usize = 8;
/// The E bit and the 31-bit index behind an SRTCP packet.
pub(super) const INDEX_WORD_BYTES: usize = 4;
/// Set in the index word when the packet is encrypted, as it always is here.
pub(super) const ENCRYPTED: u32 = 1 << 31;

/// Keys for RTP and RTCP.
pub(super) struct Session {
    pub(super) rtp: Cipher,
    pub(super) rtcp: Cipher,
}

/// A keyed transform.
pub(super) enum Cipher {
    CounterMode(Box<CounterMode>),
    Aead(Aead),
}

impl Session {
    /// Derives the session keys from a master key followed by its salt.
    pub(super) fn new(profile: Profile, key_and_salt: &[u8]) -> Result<Self, SrtpError> {
        if key_and_salt.len() != profile.key_and_salt_bytes() {
            return Err(SrtpError::KeyLength);
        }
        let (key, salt) = key_and_salt.split_at(profile.key_bytes());
        let master = Master::new(key, salt)?;
        let cipher = |key, auth, salt| Cipher::derive(profile, &master, key, auth, salt);
        Ok(Self {
            rtp: cipher(Label::RtpKey, Label::RtpAuth, Label::RtpSalt)?,
            rtcp: cipher(Label::RtcpKey, Label::RtcpAuth, Label::RtcpSalt)?,
        })
    }
}

impl Cipher {
    fn derive(
        profile: Profile,
        master: &Master,
        key: Label,
        auth: Label,
        salt: Label,
    ) -> Result<Self, SrtpError> {
        Ok(match profile {
            Profile::Aes128CmSha1_80 => Self::CounterMode(Box::new(CounterMode::new(
                &master.derive(key)?,
                master.derive(salt)?,
                &master.derive(auth)?,
            )?)),
            Profile::AeadAes128Gcm => {
                Self::Aead(Aead::new(&master.derive::<16>(key)?, master.derive(salt)?)?)
            }
            Profile::AeadAes256Gcm => {
                Self::Aead(Aead::new(&master.derive::<32>(key)?, master.derive(salt)?)?)
            }
        })
    }

    /// Bytes of the tag.
    pub(super) const fn tag_bytes(&self) -> usize {
        match self {
            Self::CounterMode(_) => counter::TAG_BYTES,
            Self::Aead(_) => aead::TAG_BYTES,
        }
    }

    /// Opens an RTP packet in place; returns the plain length. On an error the packet's content
    /// is arbitrary.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_bytes: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, SrtpError> {
        let plain_bytes = packet
            .len()
            .checked_sub(self.tag_bytes())
            .filter(|plain_bytes| *plain_bytes >= header_bytes)
            .ok_or(SrtpError::Malformed)?;
        match self {
            Self::CounterMode(keys) => {
                let (plain, tag) = packet.split_at_mut(plain_bytes);
                keys.verify(plain, rollover(index), tag)?;
                keys.apply(ssrc, index, &mut plain[header_bytes..])?;
            }
            Self::Aead(keys) => {
                let (header, sealed) = packet.split_at_mut(header_bytes);
                keys.open(ssrc, index, header, sealed)?;
            }
        }
        Ok(plain_bytes)
    }

    /// Seals the plain RTP packet at the head of `buffer`; returns the sealed length.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        plain_bytes: usize,
        header_bytes: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, SrtpError> {
        let sealed_bytes = plain_bytes + self.tag_bytes();
        let packet = buffer.get_mut(..sealed_bytes).ok_or(SrtpError::NoRoom)?;
        let (plain, tag) = packet.split_at_mut(plain_bytes);
        match self {
            Self::CounterMode(keys) => {
                keys.apply(ssrc, index, &mut plain[header_bytes..])?;
                tag.copy_from_slice(&keys.tag(plain, rollover(index)));
            }
            Self::Aead(keys) => {
                let (header, payload) = plain.split_at_mut(header_bytes);
                tag.copy_from_slice(&keys.seal(ssrc, index, header, payload)?);
            }
        }
        Ok(sealed_bytes)
    }

    /// The index word of an SRTCP packet: before the tag in counter mode (RFC 3711, section 3.4),
    /// last in AES-GCM (RFC 7714, section 9.2).
    pub(super) fn index_word(&self, packet: &[u8]) -> Result<u32, SrtpError> {
        let behind = match self {
            Self::CounterMode(_) => counter::TAG_BYTES,
            Self::Aead(_) => 0,
        };
        let least = RTCP_CLEAR_BYTES + INDEX_WORD_BYTES + self.tag_bytes();
        if packet.len() < least {
            return Err(SrtpError::Malformed);
        }
        packet[..packet.len() - behind]
            .last_chunk()
            .map(|word| u32::from_be_bytes(*word))
            .ok_or(SrtpError::Malformed)
    }

    /// Opens an SRTCP packet whose index word was read; returns the plain length.
    pub(super) fn open_rtcp(
        &self,
        packet: &mut [u8],
        ssrc: u32,
        index_word: u32,
    ) -> Result<usize, SrtpError> {
        let index = u64::from(index_word & !ENCRYPTED);
        let plain_bytes = packet.len() - INDEX_WORD_BYTES - self.tag_bytes();
        match self {
            Self::CounterMode(keys) => {
                let (plain, trailer) = packet.split_at_mut(plain_bytes);
                keys.verify(plain, index_word, &trailer[INDEX_WORD_BYTES..])?;
                keys.apply(ssrc, index, &mut plain[RTCP_CLEAR_BYTES..])?;
            }
            Self::Aead(keys) => {
                let end = packet.len() - INDEX_WORD_BYTES;
                let (clear, sealed) = packet[..end].split_at_mut(RTCP_CLEAR_BYTES);
                let associated = rtcp_associated(clear, index_word);
                keys.open(ssrc, index, &associated, sealed)?;
            }
        }
        Ok(plain_bytes)
    }

    /// Seals the plain RTCP packet at the head of `buffer`; returns the sealed length.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        plain_bytes: usize,
        ssrc: u32,
        index: u32,
    ) -> Result<usize, SrtpError> {
        let index_word = index | ENCRYPTED;
        let sealed_bytes = plain_bytes + INDEX_WORD_BYTES + self.tag_bytes();
        let packet = buffer.get_mut(..sealed_bytes).ok_or(SrtpError::NoRoom)?;
        let (plain, trailer) = packet.split_at_mut(plain_bytes);
        let (clear, payload) = plain.split_at_mut(RTCP_CLEAR_BYTES);
        match self {
            Self::CounterMode(keys) => {
                keys.apply(ssrc, u64::from(index), payload)?;
                let (word, tag) = trailer.split_at_mut(INDEX_WORD_BYTES);
                word.copy_from_slice(&index_word.to_be_bytes());
                tag.copy_from_slice(&keys.tag(plain, index_word));
            }
            Self::Aead(keys) => {
                let associated = rtcp_associated(clear, index_word);
                let tag = keys.seal(ssrc, u64::from(index), &associated, payload)?;
                trailer[..aead::TAG_BYTES].copy_from_slice(&tag);
                trailer[aead::TAG_BYTES..].copy_from_slice(&index_word.to_be_bytes());
            }
        }
        Ok(sealed_bytes)
    }
}

/// The clear header followed by the index word (RFC 7714, section 9.2).
fn rtcp_associated(clear: &[u8], index_word: u32) -> [u8; RTCP_CLEAR_BYTES + INDEX_WORD_BYTES] {
    let mut associated = [0; RTCP_CLEAR_BYTES + INDEX_WORD_BYTES];
    associated[..RTCP_CLEAR_BYTES].copy_from_slice(clear);
    associated[RTCP_CLEAR_BYTES..].copy_from_slice(&index_word.to_be_bytes());
    associated
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 12] = *b"Quid pro quo";
    const RTP_HEADER: &str = "8040f17b8041f8d35501a0b2";
    const RTP_TEXT: &[u8] = b"Gallia est omnis divisa in partes tres";
    const RTCP: &str = "81c8000d4d6172734e545031 4e545032525450200000042a0000e930\
                        4c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

    fn bytes(hex: &str) -> Vec<u8> {
        let hex = hex.replace(' ', "");
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
            .collect()
    }

    fn aead(key_bytes: u8) -> Cipher {
        let key: Vec<u8> = (0..key_bytes).collect();
        Cipher::Aead(Aead::new(&key, SALT).expect("a key of the right length"))
    }

    /// RFC 7714, sections 16.1.1 and 16.2.1.
    #[test]
    fn rtp_of_rfc_7714() {
        for (key_bytes, sealed) in [
            (
                16,
                "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
                 899d7f27beb16a9152cf765ee4390cce",
            ),
            (
                32,
                "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
                 7aa3db36dfffd6b0f9bb7878d7a76c13",
            ),
        ] {
            let cipher = aead(key_bytes);
            let plain = [&bytes(RTP_HEADER)[..], RTP_TEXT].concat();
            let mut packet = [&plain[..], &[0; 16]].concat();
            // Roll-over counter zero, so the index is the sequence number.
            let (ssrc, index) = (0x5501_a0b2, 0xf17b);
            let sealed_bytes = cipher.seal_rtp(&mut packet, plain.len(), 12, ssrc, index);
            assert_eq!(sealed_bytes, Ok(packet.len()));
            assert_eq!(packet[12..], bytes(sealed));
            let opened = cipher.open_rtp(&mut packet, 12, ssrc, index);
            assert_eq!(opened, Ok(plain.len()));
            assert_eq!(packet[..plain.len()], plain);
        }
    }

    /// RFC 7714, section 17.1.
    #[test]
    fn rtcp_of_rfc_7714() {
        let cipher = aead(16);
        let plain = bytes(RTCP);
        let mut packet = [&plain[..], &[0; 20]].concat();
        let (ssrc, index) = (0x4d61_7273, 0x5d4);
        let sealed_bytes = cipher.seal_rtcp(&mut packet, plain.len(), ssrc, index);
        assert_eq!(sealed_bytes, Ok(packet.len()));
        assert_eq!(
            packet[8..],
            bytes(
                "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda\
                 4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"
            )
        );
        let word = cipher.index_word(&packet).expect("an index word");
        assert_eq!(word, ENCRYPTED | index);
        assert_eq!(cipher.open_rtcp(&mut packet, ssrc, word), Ok(plain.len()));
        assert_eq!(packet[..plain.len()], plain);
    }
}
