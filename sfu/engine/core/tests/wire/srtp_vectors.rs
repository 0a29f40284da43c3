use mianshi_engine_core::srtp::{Inbound, Outbound, Profile};
use mianshi_engine_core::wire::rtp::RtpHeader;

use crate::hex::bytes;

const RTP: &str = "800f1234decafbadcafebabe abababababababababababababababab";

struct Vector {
    profile: Profile,
    key_and_salt: &'static str,
    sealed_rtp: &'static str,
}

/// What libsrtp's own driver expects for the same packet.
const VECTORS: [Vector; 2] = [
    Vector {
        profile: Profile::Aes128CmSha1_80,
        key_and_salt: "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
        sealed_rtp: "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb",
    },
    Vector {
        profile: Profile::AeadAes128Gcm,
        key_and_salt: "000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab",
        sealed_rtp: "800f1234decafbadcafebabe c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392",
    },
];

#[test]
fn seals_and_opens_as_libsrtp_does() {
    for vector in VECTORS {
        let key_and_salt = bytes(vector.key_and_salt);
        let plain = bytes(RTP);
        let mut buffer = [plain.clone(), vec![0; 20]].concat();
        let mut outbound = Outbound::new(vector.profile, &key_and_salt).expect("keys");
        let sealed = outbound
            .seal_rtp(&mut buffer, plain.len(), 12)
            .expect("sealed");
        assert_eq!(buffer[..sealed], bytes(vector.sealed_rtp));
        let header = RtpHeader::parse(&buffer).expect("a valid header");
        let mut inbound = Inbound::new(vector.profile, &key_and_salt).expect("keys");
        let opened = inbound.open_rtp(&mut buffer[..sealed], &header);
        assert_eq!(opened, Ok(plain.len()));
        assert_eq!(buffer[..plain.len()], plain);
    }
}
