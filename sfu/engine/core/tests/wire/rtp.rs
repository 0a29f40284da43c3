use mianshi_engine_core::wire::WireError;
use mianshi_engine_core::wire::rtp::{
    HeaderFields, RtpHeader, contributing_sources, rtx_original_sequence, write_header,
};
use proptest::prelude::*;

use crate::hex::bytes;

fn elements(packet: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let header = RtpHeader::parse(packet).expect("a valid header");
    header
        .extensions(packet)
        .map(|(id, value)| (id, value.to_vec()))
        .collect()
}

fn header_with_extension(block: &str) -> Vec<u8> {
    [bytes("90e0 0001 00000002 00000003"), bytes(block)].concat()
}

const FIELDS: HeaderFields = HeaderFields {
    marker: true,
    payload_type: 96,
    sequence: 0xfffe,
    timestamp: 0x1234_5678,
    ssrc: 0xcafe_babe,
    padded: false,
};

#[test]
fn reads_fixed_fields_csrcs_and_payload() {
    let packet = bytes("82e0 fffe 12345678 cafebabe 00000001 00000002 aabbcc");
    let header = RtpHeader::parse(&packet).expect("a valid header");
    assert!(header.marker);
    assert_eq!(header.payload_type, 96);
    assert_eq!(header.sequence, 0xfffe);
    assert_eq!(header.timestamp, 0x1234_5678);
    assert_eq!(header.ssrc, 0xcafe_babe);
    assert_eq!(header.header_bytes, 20);
    assert_eq!(
        contributing_sources(&packet, &header).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(header.payload(&packet), Ok(20..23));
}

#[test]
fn refuses_other_versions_and_every_truncation() {
    let packet = bytes("92e0 0001 00000002 00000003 00000001 00000002 bede0001 10ff0000");
    assert!(RtpHeader::parse(&packet).is_ok());
    for length in 0..packet.len() {
        assert_eq!(
            RtpHeader::parse(&packet[..length]),
            Err(WireError::Truncated),
            "{length}"
        );
    }
    for version in [0x00, 0x40, 0xc0] {
        let mut other = packet.clone();
        other[0] = version | other[0] & 0x3f;
        assert_eq!(RtpHeader::parse(&other), Err(WireError::Version));
    }
}

#[test]
fn an_extension_that_claims_more_than_the_packet_is_refused() {
    let packet = header_with_extension("bedeffff 10ff0000");
    assert_eq!(RtpHeader::parse(&packet), Err(WireError::Truncated));
}

#[test]
fn reads_one_byte_elements_with_padding_between() {
    let packet = header_with_extension("bede0003 10aa0000 22bbccdd 00300e00");
    assert_eq!(
        elements(&packet),
        [
            (1, vec![0xaa]),
            (2, vec![0xbb, 0xcc, 0xdd]),
            (3, vec![0x0e])
        ]
    );
}

#[test]
fn reserved_ids_end_the_one_byte_form() {
    for reserved in ["f0", "05"] {
        let packet = header_with_extension(&format!("bede0003 10aa{reserved}bb 20cc0000 00000000"));
        assert_eq!(elements(&packet), [(1, vec![0xaa])], "{reserved}");
    }
}

#[test]
fn reads_two_byte_elements_with_any_application_bits() {
    for profile in ["1000", "1007", "100f"] {
        let packet = header_with_extension(&format!("{profile}0003 0100 0202aabb 00 ff03010203"));
        let expected = [(1, vec![]), (2, vec![0xaa, 0xbb]), (255, vec![1, 2, 3])];
        assert_eq!(elements(&packet), expected);
    }
}

#[test]
fn an_element_that_passes_the_block_ends_it() {
    // The lying element would reach into the payload.
    let mut packet = header_with_extension("bede0001 10aa2f01");
    packet.extend([0x55; 64]);
    assert_eq!(elements(&packet), [(1, vec![0xaa])]);
    let mut packet = header_with_extension("10000001 0101aa02");
    packet.extend([0x55; 64]);
    assert_eq!(elements(&packet), [(1, vec![0xaa])]);
}

#[test]
fn an_unknown_profile_has_no_elements() {
    assert_eq!(elements(&header_with_extension("abcd0001 10aa0000")), []);
}

#[test]
fn padding_is_taken_off_and_checked() {
    let packet = bytes("a0e0 0001 00000002 00000003 aabb 000003");
    let header = RtpHeader::parse(&packet).expect("a valid header");
    assert_eq!(header.payload(&packet), Ok(12..14));
    let pure = bytes("a0e0 0001 00000002 00000003 00000004");
    assert_eq!(header.payload(&pure), Ok(12..12));
    for lie in ["00", "05", "ff"] {
        let packet = bytes(&format!("a0e0 0001 00000002 00000003 000000{lie}"));
        assert_eq!(header.payload(&packet), Err(WireError::Malformed), "{lie}");
    }
    let empty = bytes("a0e0 0001 00000002 00000003");
    assert_eq!(header.payload(&empty), Err(WireError::Malformed));
}

#[test]
fn chooses_the_short_form_unless_an_element_forbids_it() {
    let mut buffer = [0; 400];
    let profile = |buffer: &mut [u8], elements: &[(u8, &[u8])]| {
        let length = write_header(buffer, &FIELDS, elements).expect("room");
        assert_eq!(length % 4, 0);
        (buffer[12], buffer[13])
    };
    assert_eq!(profile(&mut buffer, &[(14, &[0; 16])]), (0xbe, 0xde));
    assert_eq!(profile(&mut buffer, &[(15, &[1])]), (0x10, 0x00));
    assert_eq!(profile(&mut buffer, &[(1, &[0; 17])]), (0x10, 0x00));
    assert_eq!(profile(&mut buffer, &[(1, &[])]), (0x10, 0x00));
    assert_eq!(write_header(&mut buffer, &FIELDS, &[]), Ok(12));
}

#[test]
fn refuses_what_cannot_be_written() {
    let mut buffer = [0; 400];
    for element in [(0, &[1][..]), (1, &[0; 256])] {
        assert_eq!(
            write_header(&mut buffer, &FIELDS, &[element]),
            Err(WireError::Malformed)
        );
    }
    let one: &[(u8, &[u8])] = &[(1, &[1])];
    for room in 0..20 {
        assert_eq!(
            write_header(&mut buffer[..room], &FIELDS, one),
            Err(WireError::NoRoom)
        );
    }
    assert_eq!(write_header(&mut buffer[..20], &FIELDS, one), Ok(20));
}

#[test]
fn the_original_sequence_of_a_retransmission_needs_two_bytes() {
    assert_eq!(rtx_original_sequence(&[0x12, 0x34, 0xff]), Ok(0x1234));
    assert_eq!(rtx_original_sequence(&[0x12]), Err(WireError::Truncated));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        marker: bool,
        payload_type in 0u8..128,
        sequence: u16,
        timestamp: u32,
        ssrc: u32,
        padded: bool,
        values in prop::collection::vec((1u8.., prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        payload in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let fields = HeaderFields { marker, payload_type, sequence, timestamp, ssrc, padded };
        let borrowed: Vec<(u8, &[u8])> =
            values.iter().map(|(id, value)| (*id, value.as_slice())).collect();
        let mut packet = vec![0xee; 600];
        let length = write_header(&mut packet, &fields, &borrowed).expect("room");
        packet.truncate(length);
        packet.extend(&payload);
        let header = RtpHeader::parse(&packet).expect("a valid header");
        prop_assert_eq!(header.header_bytes, length);
        prop_assert_eq!(
            (header.marker, header.payload_type, header.sequence, header.timestamp),
            (marker, payload_type, sequence, timestamp)
        );
        prop_assert_eq!((header.ssrc, header.padded, header.csrc_count), (ssrc, padded, 0));
        prop_assert_eq!(elements(&packet), values);
    }

    #[test]
    fn no_bytes_make_it_panic(mut packet in prop::collection::vec(any::<u8>(), 0..120), keep: bool) {
        if let Some(first) = packet.first_mut().filter(|_| keep) {
            *first = 0x80 | *first & 0x3f;
        }
        if let Ok(header) = RtpHeader::parse(&packet) {
            prop_assert!(header.header_bytes <= packet.len());
            for (_, value) in header.extensions(&packet) {
                prop_assert!(value.len() <= 255);
            }
            if let Ok(payload) = header.payload(&packet) {
                prop_assert!(payload.start <= payload.end && payload.end <= packet.len());
            }
        }
    }
}
