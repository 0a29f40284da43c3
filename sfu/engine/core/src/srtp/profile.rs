//! Protection profiles and their sizes.

/// The most that sealing adds: SRTCP with AES-GCM, 16 bytes of tag and 4 of index.
pub const MAX_TRAILER_BYTES: usize = 20;

/// A DTLS-SRTP protection profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// SRTP_AES128_CM_HMAC_SHA1_80 (RFC 5764, section 4.1.2).
    Aes128CmSha1_80,
    /// SRTP_AEAD_AES_128_GCM (RFC 7714, section 14.2).
    AeadAes128Gcm,
    /// SRTP_AEAD_AES_256_GCM (RFC 7714, section 14.2).
    AeadAes256Gcm,
}

impl Profile {
    /// The profile of an identifier in DTLS' use_srtp extension, if it is spoken here.
    pub const fn from_id(id: u16) -> Option<Self> {
        match id {
            0x0001 => Some(Self::Aes128CmSha1_80),
            0x0007 => Some(Self::AeadAes128Gcm),
            0x0008 => Some(Self::AeadAes256Gcm),
            _ => None,
        }
    }

    /// The identifier in DTLS' use_srtp extension.
    pub const fn id(self) -> u16 {
        match self {
            Self::Aes128CmSha1_80 => 0x0001,
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
        }
    }

    /// Bytes of the master key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt.
    pub const fn salt_bytes(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Bytes of master key and salt together: what a context is made from.
    pub const fn key_and_salt_bytes(self) -> usize {
        self.key_bytes() + self.salt_bytes()
    }

    /// Bytes of the authentication tag of RTP and RTCP alike.
    pub const fn tag_bytes(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 10,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }
}
