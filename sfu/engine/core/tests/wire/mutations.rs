//! A short deterministic run of what the fuzz targets do: mutated seeds through every parser.

use mianshi_engine_core::ice::IceTable;
use mianshi_engine_core::outbox::Outbox;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtcp::{Packet, packets};
use mianshi_engine_core::wire::rtp::{RtpHeader, contributing_sources};
use mianshi_engine_core::wire::stun::Message;
use mianshi_engine_core::wire::{classify, h264, vp8};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng};

use crate::hex::bytes;

/// Well-formed packets of each protocol, as browsers send them.
const SEEDS: [&str; 8] = [
    // Binding request of RFC 5769, section 2.1.
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e00\
     01ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5\
     b2d3f249c1b571a280280004e57a3bcf",
    // RTP with mid, transport-cc, abs-send-time and audio level; Opus.
    "906f1234000003c0deadbeefbede000410302201003200ff11408100000055aa",
    // RTP with a two-byte extension block; VP8 with every descriptor field.
    "90e0123400000bb8deadbeef100000030101300202000103000090f0923407635042009d012a80026801",
    // RTP with CSRCs and padding; H264 STAP-A.
    "a2e6123400000bb8deadbeef00000001000000027800046742e01f000268ce00000003",
    // SR, SDES and NACK.
    "81c8000c00000001e000000080000000000000640000000a00002710000000022000000100010002000000030000\
     00040000000581ca0003000000010103614062000000 81cd00030000000100000002fffe8001",
    // Transport-wide feedback: run, one-bit and two-bit vectors.
    "8fcd00080000000100000002fff000120000010520 02a001e4000408010200050000 0000",
    // REMB, FIR and PLI.
    "8fce0005000000010000000052454d42010bffff0000000a84ce00040000000100000000000000020700000081ce\
     00020000000100000002",
    // BYE with a reason.
    "81cb000300000001066279652d627900",
];

/// Runs a compound through every iterator that it leads to.
pub fn walk_rtcp(compound: &[u8]) {
    for packet in packets(compound) {
        match packet {
            Ok(Packet::SenderReport { reports, .. } | Packet::ReceiverReport { reports, .. }) => {
                assert!(reports.count() <= 31);
            }
            Ok(Packet::SourceDescription(names)) => assert!(names.cnames().count() <= 31),
            Ok(Packet::Goodbye(streams)) => assert!(streams.count() <= 31),
            Ok(Packet::Nack { lost, .. }) => assert!(lost.count() <= compound.len() * 5),
            Ok(Packet::Fir { requests, .. }) => assert!(requests.count() <= compound.len() / 8),
            Ok(Packet::TransportFeedback(feedback)) => {
                if let Ok(statuses) = feedback.statuses() {
                    assert_eq!(statuses.count(), usize::from(feedback.status_count));
                }
            }
            Ok(Packet::Remb(estimate)) => assert!(estimate.ssrcs().count() <= 255),
            Ok(Packet::Pli { .. } | Packet::Other { .. }) | Err(_) => {}
        }
    }
}

fn walk_rtp(packet: &[u8]) {
    let Ok(header) = RtpHeader::parse(packet) else {
        return;
    };
    assert!(contributing_sources(packet, &header).count() <= 15);
    header.extensions(packet).for_each(drop);
    let Ok(payload) = header.payload(packet) else {
        return;
    };
    let payload = &packet[payload];
    h264::units(payload);
    vp8::keyframe_size(payload);
    if let Ok(descriptor) = vp8::Descriptor::parse(payload) {
        let mut copy = payload.to_vec();
        descriptor.rewrite(&mut copy, 0x7fff, 0xff);
        assert!(descriptor.write(&mut [0; 16]).is_ok());
    }
}

fn walk(datagram: &[u8], table: &mut IceTable, outbox: &mut Outbox) {
    classify(datagram);
    if let Ok(message) = Message::parse(datagram) {
        message.mapped_address();
    }
    let source = ([127, 0, 0, 1], 9).into();
    table.receive(datagram, source, Time(0), outbox);
    walk_rtp(datagram);
    walk_rtcp(datagram);
}

/// Byte changes, cuts, repeats and appended bytes, at seeded places.
fn mutate(seed: &[u8], rng: &mut TestRng) -> Vec<u8> {
    let mut datagram = seed.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..datagram.len().max(1));
        match rng.random_range(0..5) {
            0 => datagram.truncate(at),
            1 => datagram.extend_from_within(at.min(datagram.len())..),
            2 => datagram.extend((0..at % 9).map(|_| rng.random_range(0..=255u8))),
            _ => {
                if let Some(byte) = datagram.get_mut(at) {
                    *byte = match rng.random_range(0..4) {
                        0 => 0,
                        1 => 0xff,
                        2 => *byte ^ 1 << rng.random_range(0..8),
                        _ => rng.random_range(0..=255),
                    };
                }
            }
        }
        datagram.truncate(1_500);
    }
    datagram
}

#[test]
fn seeds_are_well_formed() {
    assert!(Message::parse(&bytes(SEEDS[0])).is_ok());
    for seed in &SEEDS[1..4] {
        let packet = bytes(seed);
        let header = RtpHeader::parse(&packet).expect("a valid header");
        assert!(header.payload(&packet).is_ok(), "{seed}");
    }
    for seed in &SEEDS[4..] {
        let compound = bytes(seed);
        for packet in packets(&compound) {
            let packet = packet.expect("a valid packet");
            if let Packet::TransportFeedback(feedback) = packet {
                assert!(feedback.statuses().is_ok());
            }
        }
    }
}

#[test]
fn mutated_seeds_harm_no_parser() {
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut table = IceTable::new(1);
    table
        .add_peer(1, "evtj", "VOkJxbRl1RmTxUk/WvJxBt")
        .expect("a new peer");
    let mut outbox = Outbox::new();
    for seed in SEEDS {
        let seed = bytes(seed);
        for _ in 0..20_000 {
            walk(&mutate(&seed, &mut rng), &mut table, &mut outbox);
        }
        for length in 0..seed.len() {
            walk(&seed[..length], &mut table, &mut outbox);
        }
    }
    assert_eq!(table.len(), 1);
}

proptest! {
    #![proptest_config(Config::with_cases(2_000))]

    #[test]
    fn arbitrary_bytes_harm_no_parser(datagram in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut table = IceTable::new(1);
        let mut outbox = Outbox::new();
        walk(&datagram, &mut table, &mut outbox);
        prop_assert!(outbox.is_empty());
    }
}
