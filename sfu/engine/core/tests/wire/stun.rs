use std::net::SocketAddr;

use mianshi_engine_core::wire::WireError;
use mianshi_engine_core::wire::stun::{
    BINDING, Class, MAX_MESSAGE_BYTES, Message, MessageWriter, attribute, integrity_key,
};
use proptest::prelude::*;

use crate::hex::bytes;

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

/// RFC 5769, section 2.1.
fn sample_request() -> Vec<u8> {
    bytes(
        "00010058 2112a442 b7e7a701bc34d686fa87dfae
         80220010 5354554e207465737420636c69656e74
         00240004 6e0001ff
         80290008 932ff9b151263b36
         00060009 6576746a3a68367659202020
         00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
         80280004 e57a3bcf",
    )
}

/// RFC 5769, section 2.2.
fn sample_ipv4_response() -> Vec<u8> {
    bytes(
        "0101003c 2112a442 b7e7a701bc34d686fa87dfae
         8022000b 7465737420766563746f7220
         00200008 0001a147e112a643
         00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
         80280004 c07d4c96",
    )
}

/// RFC 5769, section 2.3.
fn sample_ipv6_response() -> Vec<u8> {
    bytes(
        "01010048 2112a442 b7e7a701bc34d686fa87dfae
         8022000b 7465737420766563746f7220
         00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
         00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
         80280004 c8fb0b4c",
    )
}

#[test]
fn reads_the_request_of_rfc_5769() {
    let datagram = sample_request();
    let request = Message::parse(&datagram).expect("a valid request");
    assert_eq!(request.class, Class::Request);
    assert_eq!(request.method, BINDING);
    assert_eq!(request.username, Some(&b"evtj:h6vY"[..]));
    assert_eq!(request.priority, Some(0x6e00_01ff));
    assert_eq!(request.controlled, Some(0x932f_f9b1_5126_3b36));
    assert_eq!(request.controlling, None);
    assert!(!request.use_candidate);
    assert!(request.has_fingerprint());
    assert!(request.has_integrity_of(&integrity_key(PASSWORD)));
    assert!(!request.has_integrity_of(&integrity_key("VOkJxbRl1RmTxUk/WvJxBu")));
}

#[test]
fn reads_the_responses_of_rfc_5769() {
    for (datagram, address) in [
        (sample_ipv4_response(), "192.0.2.1:32853"),
        (
            sample_ipv6_response(),
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
        ),
    ] {
        let response = Message::parse(&datagram).expect("a valid response");
        assert_eq!(response.class, Class::Success);
        assert!(response.has_integrity_of(&integrity_key(PASSWORD)));
        assert_eq!(
            response.mapped_address(),
            Some(address.parse().expect("an address"))
        );
    }
}

#[test]
fn refuses_every_truncation_of_a_message() {
    let datagram = sample_request();
    for length in 0..datagram.len() {
        assert!(Message::parse(&datagram[..length]).is_err(), "{length}");
    }
    let longer = [datagram, vec![0; 4]].concat();
    assert_eq!(Message::parse(&longer).unwrap_err(), WireError::Truncated);
}

#[test]
fn refuses_a_changed_byte_anywhere() {
    let datagram = sample_request();
    let key = integrity_key(PASSWORD);
    // Without its type the fingerprint is an unknown attribute behind the integrity: ignored.
    let fingerprint_type = datagram.len() - 8..datagram.len() - 6;
    for at in (0..datagram.len()).filter(|at| !fingerprint_type.contains(at)) {
        let mut changed = datagram.clone();
        changed[at] ^= 0x01;
        let passes = Message::parse(&changed).is_ok_and(|message| message.has_integrity_of(&key));
        assert!(!passes, "byte {at}");
    }
}

#[test]
fn refuses_anything_behind_the_fingerprint() {
    let mut datagram = sample_request();
    datagram.extend(bytes("80220000"));
    datagram[3] += 4;
    assert_eq!(Message::parse(&datagram).unwrap_err(), WireError::Malformed);
}

#[test]
fn ignores_attributes_between_integrity_and_fingerprint() {
    let key = integrity_key(PASSWORD);
    let mut buffer = [0; 200];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [7; 12]).expect("room");
    writer
        .attribute(attribute::USERNAME, b"ours:theirs")
        .expect("room");
    writer.integrity(&key).expect("room");
    writer
        .attribute(attribute::USE_CANDIDATE, &[])
        .expect("room");
    writer.fingerprint().expect("room");
    let length = writer.finish();
    let message = Message::parse(&buffer[..length]).expect("a valid message");
    assert!(message.has_integrity_of(&key));
    assert!(!message.use_candidate);
}

#[test]
fn lists_unknown_required_attributes_within_a_bound() {
    let mut buffer = [0; 400];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [7; 12]).expect("room");
    for kind in 0x7f00..0x7f20 {
        writer.attribute(kind, &[1, 2, 3]).expect("room");
    }
    writer.attribute(0xc057, &[1, 2, 3, 4]).expect("room");
    let length = writer.finish();
    let message = Message::parse(&buffer[..length]).expect("a valid message");
    let first: Vec<u16> = (0x7f00..0x7f08).collect();
    assert_eq!(message.unknown.types(), first);
}

#[test]
fn refuses_attributes_of_wrong_lengths() {
    for (kind, value) in [
        (attribute::PRIORITY, &[1, 2, 3][..]),
        (attribute::MESSAGE_INTEGRITY, &[0; 19]),
        (attribute::ICE_CONTROLLING, &[0; 4]),
        (attribute::ICE_CONTROLLED, &[]),
        (attribute::FINGERPRINT, &[0; 5]),
        (attribute::ERROR_CODE, &[0, 0, 4]),
    ] {
        let mut buffer = [0; 100];
        let mut writer = MessageWriter::new(&mut buffer, Class::Request, [7; 12]).expect("room");
        writer.attribute(kind, value).expect("room");
        let length = writer.finish();
        assert_eq!(
            Message::parse(&buffer[..length]).unwrap_err(),
            WireError::Malformed,
            "attribute {kind:#x}"
        );
    }
}

#[test]
fn refuses_an_oversized_message() {
    let mut buffer = vec![0; 2_000];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [7; 12]).expect("room");
    writer.attribute(0x8022, &[b'x'; 1_300]).expect("room");
    let length = writer.finish();
    assert!(length > MAX_MESSAGE_BYTES);
    assert!(Message::parse(&buffer[..length]).is_err());
}

#[test]
fn says_when_the_buffer_is_too_small() {
    let mut tiny = [0; 19];
    assert!(MessageWriter::new(&mut tiny, Class::Success, [0; 12]).is_err());
    let mut small = [0; 30];
    let mut writer = MessageWriter::new(&mut small, Class::Success, [0; 12]).expect("room");
    assert_eq!(
        writer.integrity(&integrity_key(PASSWORD)),
        Err(WireError::NoRoom)
    );
    assert_eq!(writer.finish(), 20);
}

fn any_address() -> impl Strategy<Value = SocketAddr> {
    (any::<std::net::IpAddr>(), any::<u16>()).prop_map(SocketAddr::from)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        transaction: [u8; 12],
        address in any_address(),
        username in "[a-zA-Z0-9+/]{4,32}:[a-zA-Z0-9+/]{4,32}",
        code in 300u16..700,
    ) {
        let key = integrity_key(PASSWORD);
        let mut buffer = [0; 400];
        let mut writer = MessageWriter::new(&mut buffer, Class::Error, transaction).expect("room");
        writer.attribute(attribute::USERNAME, username.as_bytes()).expect("room");
        writer.mapped_address(address).expect("room");
        writer.error(code, "why").expect("room");
        writer.integrity(&key).expect("room");
        writer.fingerprint().expect("room");
        let length = writer.finish();
        let message = Message::parse(&buffer[..length]).expect("a valid message");
        prop_assert_eq!(message.class, Class::Error);
        prop_assert_eq!(message.transaction, transaction);
        prop_assert_eq!(message.username, Some(username.as_bytes()));
        prop_assert_eq!(message.mapped_address(), Some(address));
        prop_assert_eq!(message.error_code, Some(code));
        prop_assert!(message.has_integrity_of(&key));
        prop_assert!(message.has_fingerprint());
    }

    #[test]
    fn no_bytes_make_it_panic(datagram in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = Message::parse(&datagram) {
            message.has_integrity_of(&integrity_key(PASSWORD));
            message.mapped_address();
        }
    }
}
