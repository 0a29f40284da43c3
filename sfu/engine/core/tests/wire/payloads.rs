use mianshi_engine_core::wire::WireError;
use mianshi_engine_core::wire::h264;
use mianshi_engine_core::wire::red::{self, Blocks};
use mianshi_engine_core::wire::vp8::{
    Descriptor, MAX_DESCRIPTOR_BYTES, PictureId, TemporalLayer, Tl0PictureIndex, keyframe_size,
};
use proptest::prelude::*;

use crate::hex::bytes;

#[test]
fn reads_the_descriptor_that_chromium_sends() {
    // X and S; I, L, T and K; 15-bit id 0x1234, TL0PICIDX 7, TID 1 with sync, KEYIDX 3.
    let payload = bytes("90 f0 9234 07 63 01aabb");
    let descriptor = Descriptor::parse(&payload).expect("a valid descriptor");
    assert_eq!(
        descriptor.picture_id,
        Some(PictureId {
            value: 0x1234,
            wide: true,
            offset: 2
        })
    );
    assert_eq!(
        descriptor.tl0_picture_index,
        Some(Tl0PictureIndex {
            value: 7,
            offset: 4
        })
    );
    assert_eq!(
        descriptor.temporal,
        Some(TemporalLayer {
            index: 1,
            sync: true
        })
    );
    assert_eq!(descriptor.key_index, Some(3));
    assert_eq!(descriptor.bytes, 6);
    assert!(descriptor.starts_frame());
    assert!(!descriptor.starts_keyframe(&payload));
}

#[test]
fn finds_key_frames_by_the_frame_tag() {
    for (payload, is_key) in [
        ("10 50", true),
        ("10 51", false),
        ("90 80 05 50", true),
        // A later partition or a later packet of the frame.
        ("11 50", false),
        ("00 50", false),
    ] {
        let payload = bytes(payload);
        let descriptor = Descriptor::parse(&payload).expect("a valid descriptor");
        assert_eq!(descriptor.starts_keyframe(&payload), is_key);
    }
}

#[test]
fn reads_the_size_of_a_key_frame() {
    let payload = bytes("90 80 05 50 42 00 9d012a 8002 6801 00");
    assert_eq!(keyframe_size(&payload), Some((640, 360)));
    assert_eq!(keyframe_size(&payload[..11]), None);
    let scaled = bytes("10 50 42 00 9d012a 8042 6881 00");
    assert_eq!(keyframe_size(&scaled), Some((640, 360)));
    let no_start_code = bytes("10 50 42 00 9d012b 8002 6801 00");
    assert_eq!(keyframe_size(&no_start_code), None);
}

#[test]
fn rewrites_both_widths_in_place() {
    let mut wide = bytes("90 c0 9234 07 50");
    let descriptor = Descriptor::parse(&wide).expect("a valid descriptor");
    descriptor.rewrite(&mut wide, 0x7fff, 0xff);
    assert_eq!(wide, bytes("90 c0 ffff ff 50"));
    let mut narrow = bytes("90 c0 12 07 50");
    let descriptor = Descriptor::parse(&narrow).expect("a valid descriptor");
    descriptor.rewrite(&mut narrow, 0x7fff, 0x01);
    assert_eq!(narrow, bytes("90 c0 7f 01 50"));
    let mut bare = bytes("10 50");
    let descriptor = Descriptor::parse(&bare).expect("a valid descriptor");
    descriptor.rewrite(&mut bare, 5, 5);
    assert_eq!(bare, bytes("10 50"));
}

#[test]
fn every_truncation_of_a_descriptor_is_refused() {
    let payload = bytes("90 f0 9234 07 63 01");
    for length in 0..payload.len() {
        assert_eq!(
            Descriptor::parse(&payload[..length]),
            Err(WireError::Truncated),
            "{length}"
        );
    }
}

#[test]
fn finds_h264_key_frames_in_every_packetization() {
    for (payload, is_key) in [
        ("67 42e01f", true),
        ("65 88", true),
        ("61 88", false),
        ("68 ce", false),
        // STAP-A: SPS and PPS; then only a PPS and a slice.
        ("78 0004 6742e01f 0002 68ce", true),
        ("78 0002 68ce 0002 6188", false),
        // FU-A: the start of an IDR, its middle, the start of another slice.
        ("7c 85 aa", true),
        ("7c 05 aa", false),
        ("7c 81 aa", false),
        ("", false),
        ("7c", false),
        ("78", false),
    ] {
        assert_eq!(h264::starts_keyframe(&bytes(payload)), is_key, "{payload}");
    }
    let units = h264::units(&bytes("78 0004 6742e01f 0002 68ce 0002 6588"));
    assert!(units.sequence_parameters && units.picture_parameters && units.instant_refresh);
}

#[test]
fn a_lying_aggregate_ends_the_look() {
    assert!(!h264::starts_keyframe(&bytes("78 ffff 6742")));
    assert!(!h264::starts_keyframe(&bytes("78 0000 0000 00")));
    assert!(h264::starts_keyframe(&bytes("78 0001 67 ffff 65")));
}

fn any_descriptor() -> impl Strategy<Value = Descriptor> {
    (
        any::<(bool, bool)>(),
        0u8..8,
        prop::option::of(0u16..0x8000),
        any::<Option<u8>>(),
        prop::option::of((0u8..4, any::<bool>())),
        prop::option::of(0u8..32),
    )
        .prop_map(
            |(flags, partition, id, tl0, temporal, key_index)| Descriptor {
                starts_partition: flags.0,
                non_reference: flags.1,
                partition,
                picture_id: id.map(|value| PictureId {
                    value,
                    wide: true,
                    offset: 2,
                }),
                tl0_picture_index: tl0.map(|value| Tl0PictureIndex {
                    value,
                    offset: if id.is_some() { 4 } else { 2 },
                }),
                temporal: temporal.map(|(index, sync)| TemporalLayer { index, sync }),
                key_index,
                bytes: 0,
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(mut descriptor in any_descriptor()) {
        let mut payload = [0; MAX_DESCRIPTOR_BYTES + 1];
        descriptor.bytes = descriptor.write(&mut payload).expect("room");
        prop_assert_eq!(Descriptor::parse(&payload), Ok(descriptor));
        prop_assert_eq!(
            descriptor.write(&mut payload[..descriptor.bytes - 1]),
            Err(WireError::NoRoom)
        );
    }

    #[test]
    fn rewriting_changes_the_ids_alone(mut payload in prop::collection::vec(any::<u8>(), 0..20), id: u16, tl0: u8) {
        let before = payload.clone();
        if let Ok(descriptor) = Descriptor::parse(&payload) {
            descriptor.rewrite(&mut payload, id, tl0);
            let after = Descriptor::parse(&payload).expect("as valid as before");
            if let Some(field) = after.picture_id {
                prop_assert_eq!(field.value, id & field.mask());
            }
            if let Some(field) = after.tl0_picture_index {
                prop_assert_eq!(field.value, tl0);
            }
            prop_assert_eq!(after.temporal, descriptor.temporal);
            prop_assert_eq!(&payload[descriptor.bytes..], &before[descriptor.bytes..]);
        }
        keyframe_size(&payload);
        h264::units(&payload);
    }
}

#[test]
fn finds_the_blocks_of_redundant_sound() {
    // 20 ms and 40 ms back, 2 and 3 bytes long, then the newest.
    let payload = bytes("ef 1e0003 ef 0f0002 6f aaaaaa bbbb cccccccc");
    let blocks = Blocks::parse(&payload).expect("blocks");
    assert!(blocks.all().iter().all(|block| block.payload_type == 111));
    let seen: Vec<_> = blocks
        .all()
        .iter()
        .map(|block| (block.timestamp_offset, &payload[block.range()]))
        .collect();
    assert_eq!(
        seen,
        [
            (1_920, &bytes("aaaaaa")[..]),
            (960, &bytes("bbbb")[..]),
            (0, &bytes("cccccccc")[..])
        ]
    );
    assert_eq!(
        (blocks.earlier().len(), blocks.newest().range()),
        (2, 14..18)
    );
    let mut written = [0; 9];
    let headers = [(1_920, 3), (960, 2)].into_iter();
    assert_eq!(red::write_headers(&mut written, 111, headers), Ok(9));
    assert_eq!(written, payload[..9]);
}

#[test]
fn refuses_redundant_sound_that_lies() {
    for (payload, error) in [
        ("", WireError::Truncated),
        ("ef 1e00", WireError::Truncated),
        ("ef 1e0003", WireError::Truncated),
        // The earlier block reaches past the end.
        ("ef 1e0003 6f aabb", WireError::Truncated),
    ] {
        assert_eq!(
            Blocks::parse(&bytes(payload)).err(),
            Some(error),
            "{payload}"
        );
    }
    let many = [[0xef, 0, 4, 0]; 10].concat();
    assert_eq!(Blocks::parse(&many).err(), Some(WireError::Malformed));
    for earlier in [
        (red::MAX_TIMESTAMP_OFFSET + 1, 1),
        (1, red::MAX_BLOCK_BYTES + 1),
    ] {
        let written = red::write_headers(&mut [0; 9], 111, [earlier].into_iter());
        assert_eq!(written, Err(WireError::Malformed));
    }
    let written = red::write_headers(&mut [0; 4], 111, [(1, 1)].into_iter());
    assert_eq!(written, Err(WireError::NoRoom));
}

proptest! {
    #[test]
    fn blocks_stay_within_any_payload(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(blocks) = Blocks::parse(&payload) {
            let mut end = blocks.all()[0].range().start;
            for block in blocks.all() {
                prop_assert_eq!(block.range().start, end);
                end = block.range().end;
            }
            prop_assert_eq!(end, payload.len());
        }
    }
}
