//! RTP headers with their extensions, and SRTP: nothing that is not sealed is opened.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mianshi_engine_core::srtp::{Inbound, Profile};
use mianshi_engine_core::wire::rtp::{HeaderFields, RtpHeader, contributing_sources, write_header};

fuzz_target!(|packet: &[u8]| {
    let Ok(header) = RtpHeader::parse(packet) else {
        return;
    };
    assert!(header.header_bytes <= packet.len());
    contributing_sources(packet, &header).for_each(drop);
    if let Ok(payload) = header.payload(packet) {
        assert!(packet.get(payload).is_some());
    }
    write_back(packet, &header);
    for profile in [Profile::Aes128CmSha1_80, Profile::AeadAes128Gcm] {
        let keys = vec![3; profile.key_and_salt_bytes()];
        let mut inbound = Inbound::new(profile, &keys).expect("keys of the right length");
        let mut sealed = packet.to_vec();
        assert!(inbound.open_rtp(&mut sealed, &header).is_err());
        assert!(inbound.open_rtcp(&mut sealed).is_err());
    }
});

/// What was read can be written and reads the same.
fn write_back(packet: &[u8], header: &RtpHeader) {
    let elements: Vec<(u8, &[u8])> = header.extensions(packet).collect();
    let fields = HeaderFields {
        marker: header.marker,
        payload_type: header.payload_type,
        sequence: header.sequence,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
        padded: header.padded,
    };
    let mut buffer = vec![0; 4 * packet.len() + 64];
    let length = write_header(&mut buffer, &fields, &elements).expect("room");
    let again = RtpHeader::parse(&buffer[..length]).expect("our own header");
    let read: Vec<(u8, &[u8])> = again.extensions(&buffer[..length]).collect();
    assert_eq!(read, elements);
}
