//! Key derivation with the AES-CM pseudo-random function (RFC 3711, section 4.3.3; RFC 6188 for
//! 256-bit keys). The key derivation rate is zero, as in DTLS-SRTP: derived once.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};

use super::SrtpError;

/// What a derived key is for (RFC 3711, section 4.3.1 and 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    RtpKey = 0,
    RtpAuth = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuth = 4,
    RtcpSalt = 5,
}

/// Where the label stands in the 112 bits of `key_id`.
const LABEL_OFFSET: usize = 7;

/// An AES key in counter mode, 128 or 256 bits by its length.
pub(super) fn counter_key(key: &[u8]) -> Result<EncryptingKey, SrtpError> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(SrtpError::KeyLength),
    };
    UnboundCipherKey::new(algorithm, key)
        .and_then(EncryptingKey::ctr)
        .map_err(|_| SrtpError::KeyLength)
}

/// XORs the key stream from `initial_counter` on into `bytes`.
pub(super) fn apply_key_stream(
    key: &EncryptingKey,
    initial_counter: [u8; 16],
    bytes: &mut [u8],
) -> Result<(), SrtpError> {
    let context = EncryptionContext::Iv128(initial_counter.into());
    key.less_safe_encrypt(bytes, context)
        .map(drop)
        .map_err(|_| SrtpError::Malformed)
}

/// A master key with its salt, from which session keys are derived.
pub(super) struct Master {
    key: EncryptingKey,
    salt: [u8; 14],
}

impl Master {
    /// A salt of 12 bytes counts as multiplied by 2^16 (RFC 7714, section 11).
    pub(super) fn new(key: &[u8], salt: &[u8]) -> Result<Self, SrtpError> {
        let mut padded = [0; 14];
        padded
            .get_mut(..salt.len())
            .ok_or(SrtpError::KeyLength)?
            .copy_from_slice(salt);
        Ok(Self {
            key: counter_key(key)?,
            salt: padded,
        })
    }

    /// The session key, authentication key or salt of `label`, `N` bytes long.
    pub(super) fn derive<const N: usize>(&self, label: Label) -> Result<[u8; N], SrtpError> {
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&self.salt);
        counter[LABEL_OFFSET] ^= label as u8;
        let mut derived = [0; N];
        apply_key_stream(&self.key, counter, &mut derived)?;
        Ok(derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
            .collect()
    }

    /// RFC 3711, appendix B.2: the AES-CM key stream, first and last blocks.
    #[test]
    fn key_stream_of_rfc_3711_b2() {
        let key = counter_key(&bytes("2B7E151628AED2A6ABF7158809CF4F3C")).expect("16 bytes");
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
        let mut stream = vec![0; 16 * 0xff02];
        apply_key_stream(&key, counter, &mut stream).expect("a key stream");
        for (block, expected) in [
            (0, "E03EAD0935C95E80E166B16DD92B4EB4"),
            (1, "D23513162B02D0F72A43A2FE4A5F97AB"),
            (2, "41E95B3BB0A2E8DD477901E4FCA894C0"),
            (0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
            (0xff00, "362B7C3C6773516318A077D7FC5073AE"),
            (0xff01, "6A2CC3787889374FBEB4C81B17BA6C44"),
        ] {
            assert_eq!(
                stream[16 * block..][..16],
                bytes(expected),
                "block {block:x}"
            );
        }
    }

    /// RFC 3711, appendix B.3: derived key, salt and authentication key.
    #[test]
    fn derivation_of_rfc_3711_b3() {
        let master = Master::new(
            &bytes("E1F97A0D3E018BE0D64FA32C06DE4139"),
            &bytes("0EC675AD498AFEEBB6960B3AABE6"),
        )
        .expect("a master key");
        let key: [u8; 16] = master.derive(Label::RtpKey).expect("a key");
        assert_eq!(key[..], bytes("C61E7A93744F39EE10734AFE3FF7A087"));
        let salt: [u8; 14] = master.derive(Label::RtpSalt).expect("a salt");
        assert_eq!(salt[..], bytes("30CBBC08863D8C85D49DB34A9AE1"));
        let auth: [u8; 94] = master.derive(Label::RtpAuth).expect("a key");
        let expected = "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE\
                        E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25\
                        6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2";
        assert_eq!(auth[..], bytes(expected));
    }

    /// RFC 6188, section 7.4: derivation with a 256-bit master key.
    #[test]
    fn derivation_of_rfc_6188() {
        let master = Master::new(
            &bytes("F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6"),
            &bytes("3B04803DE51EE7C96423AB5B78D2"),
        )
        .expect("a master key");
        let key: [u8; 32] = master.derive(Label::RtpKey).expect("a key");
        assert_eq!(
            key[..],
            bytes("5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4")
        );
        let salt: [u8; 14] = master.derive(Label::RtpSalt).expect("a salt");
        assert_eq!(salt[..], bytes("FA31791685CA444A9E07C6C64E93"));
    }

    #[test]
    fn refuses_odd_key_lengths() {
        assert!(Master::new(&[0; 15], &[0; 14]).is_err());
        assert!(Master::new(&[0; 16], &[0; 15]).is_err());
    }
}
