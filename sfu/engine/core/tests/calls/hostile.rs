//! What a stranger or a malicious client sends has no effect on others.

use core::time::Duration;
use std::net::SocketAddr;

use mianshi_engine_core::srtp::{MAX_TRAILER_BYTES, Outbound};
use mianshi_engine_core::wire::rtp::{HeaderFields, write_header};

use super::forwarding::assert_continuous;
use super::sim::World;
use super::sim::description::{MID, RID, slot_ssrc};
use super::sim::link::Chance;
use super::sim::sealing::PROFILE;
use super::sim::stream::Stream;

const SECOND: Duration = Duration::from_secs(1);

/// Peers 1 and 2 in a call; peer 3 is connected and hostile.
fn call_with_an_intruder(seed: u64) -> World {
    let mut world = World::new(seed);
    for id in 1..=3 {
        world.join(id, false);
    }
    world.route(2, "v0", Some((1, "cam")));
    world.route(2, "a0", Some((1, "mic")));
    world.run_for(SECOND);
    world
}

fn assert_undisturbed(world: &mut World) {
    world.run_for(SECOND);
    for slot in ["v0", "a0"] {
        let seen = world.seen(2, slot);
        assert_continuous(&seen);
        let last = seen.last().expect("packets");
        assert!(
            world.now.since(last.at) < Duration::from_millis(100),
            "{slot} goes on"
        );
    }
}

/// A packet as the client's own keys seal it.
fn sealed(
    world: &mut World,
    id: u64,
    ssrc: u32,
    sequence: u16,
    elements: &[(u8, &[u8])],
    payload: &[u8],
) -> Vec<u8> {
    let fields = HeaderFields {
        marker: false,
        payload_type: 96,
        sequence,
        timestamp: 9,
        ssrc,
        padded: false,
    };
    let mut packet = vec![0; 2_000];
    let header_bytes = write_header(&mut packet, &fields, elements).expect("room");
    packet.truncate(header_bytes);
    packet.extend_from_slice(payload);
    world.client(id).seal(packet)
}

#[test]
fn forged_packets_of_a_validated_address_are_counted_and_dropped() {
    let mut world = call_with_an_intruder(61);
    let mut stream = Stream::video("cam", None, 2_000);
    // Ahead of the true stream, where the replay window has nothing to say.
    stream.sequence = stream.sequence.wrapping_add(1_000);
    let mut forger = Outbound::new(PROFILE, &[9; 28]).expect("keys fit");
    let address = world.client(1).address;
    for mut packet in stream.frame_packets(world.now, &mut 0) {
        let plain = packet.len();
        packet.resize(plain + MAX_TRAILER_BYTES, 0);
        let header = mianshi_engine_core::wire::rtp::RtpHeader::parse(&packet).expect("own header");
        let bytes = forger
            .seal_rtp(&mut packet, plain, header.header_bytes)
            .expect("seals");
        packet.truncate(bytes);
        world.inject_from(address, packet);
    }
    assert_eq!(world.dropped("srtp_auth"), 3);
    assert_undisturbed(&mut world);
}

#[test]
fn replays_are_dropped() {
    let mut world = call_with_an_intruder(62);
    let now = world.now;
    let packets = world.client(1).streams[1].frame_packets(now, &mut 0);
    for packet in packets {
        let sealed = world.client(1).seal(packet);
        for _ in 0..5 {
            world.inject(1, sealed.clone());
        }
    }
    assert_eq!(world.dropped("srtp_replay"), 12);
    assert_undisturbed(&mut world);
}

#[test]
fn of_unknown_addresses_only_sealed_media_counts() {
    let mut world = call_with_an_intruder(63);
    let nowhere = SocketAddr::from(([192, 0, 2, 1], 9));
    let now = world.now;
    let packet = world.client(1).streams[1]
        .frame_packets(now, &mut 0)
        .remove(0);
    let sealed = world.client(1).seal(packet);
    let events = world.events.len();
    let mut forged = sealed.clone();
    forged[20] ^= 1;
    world.inject_from(nowhere, forged);
    assert_eq!(world.dropped("srtp_auth"), 1);
    world.inject_from(nowhere, sealed);
    assert!(!world.engine.is_validated(nowhere));
    world.inject_from(nowhere, vec![22, 254, 253, 0, 0]);
    world.inject_from(nowhere, vec![0x81, 201, 0, 1, 0, 0, 0, 1]);
    assert_eq!(world.dropped("unknown_address"), 2);
    assert!(
        world.events[events..]
            .iter()
            .all(|event| matches!(event, mianshi_engine_core::Event::Stats(_)))
    );
}

#[test]
fn a_flood_of_unknown_streams_changes_nothing() {
    let mut world = call_with_an_intruder(64);
    for number in 0..5_000u32 {
        let rid = format!("x{number}");
        let elements: [(u8, &[u8]); 2] = [(MID, b"nothing"), (RID, rid.as_bytes())];
        let packet = sealed(
            &mut world,
            3,
            900_000 + number % 60,
            number as u16,
            &elements,
            &[0; 40],
        );
        world.inject(3, packet);
    }
    let dropped = world.dropped("unknown_ssrc") + world.dropped("srtp_other");
    assert!(dropped >= 4_900, "{dropped}");
    assert_undisturbed(&mut world);
}

#[test]
fn a_publisher_cannot_speak_for_another() {
    let mut world = call_with_an_intruder(65);
    // The SSRC and mid of peer 1's camera, sealed by peer 3: they mean peer 3's own camera.
    for number in 0..50u16 {
        let payload = [0x90, 0xe0, 0x80, 1, 1, 0, 0, 1, 2, 3];
        let packet = sealed(&mut world, 3, 2_000, number, &[(MID, b"cam")], &payload);
        world.inject(3, packet);
    }
    assert_undisturbed(&mut world);
    assert!(
        world
            .seen(2, "v0")
            .iter()
            .all(|packet| packet.mark.source_ssrc == 2_000)
    );
}

#[test]
fn lying_extensions_and_payloads_are_survived() {
    let mut world = call_with_an_intruder(66);
    world.route(2, "v1", Some((3, "cam")));
    let mut chance = Chance::new(66);
    for number in 0..3_000u16 {
        let bytes = chance.below(60) as usize;
        let mut packet = vec![0u8; 12 + bytes];
        packet
            .iter_mut()
            .for_each(|byte| *byte = chance.next() as u8);
        packet[0] = 0x80 | (chance.below(4) as u8) << 4;
        packet[1] = [96, 97, 111, 20][chance.below(4) as usize];
        packet[2..4].copy_from_slice(&number.to_be_bytes());
        packet[8..12].copy_from_slice(&(6_000 + chance.below(3) as u32).to_be_bytes());
        if packet[0] & 0x10 != 0 && packet.len() >= 16 {
            packet[12..16].copy_from_slice(&[0xBE, 0xDE, 0, chance.below(20) as u8]);
        }
        if mianshi_engine_core::wire::rtp::RtpHeader::parse(&packet).is_ok() {
            let sealed = world.client(3).seal(packet);
            world.inject(3, sealed);
        }
    }
    let stats = world.stats();
    assert!(
        stats
            .datagrams_dropped
            .iter()
            .any(|(name, count)| *name == "malformed" && *count > 0)
    );
    for slot in ["v0", "a0"] {
        assert_continuous(&world.seen(2, slot));
    }
}

#[test]
fn lying_reports_and_requests_are_survived() {
    let mut world = call_with_an_intruder(67);
    let mut chance = Chance::new(67);
    for _ in 0..2_000 {
        let words = 1 + chance.below(20) as usize;
        let mut body: Vec<u8> = (0..4 * words).map(|_| chance.next() as u8).collect();
        body[0] = 0x80 | body[0] & 0x3f;
        body[1] = 200 + chance.below(8) as u8;
        if chance.below(2) == 0 {
            let length = (words as u16 - 1).to_be_bytes();
            body[2..4].copy_from_slice(&length);
        }
        body.resize(body.len().max(8), 0);
        let plain_bytes = body.len();
        body.resize(plain_bytes + MAX_TRAILER_BYTES, 0);
        let sealed = world
            .client(2)
            .outbound
            .seal_rtcp(&mut body, plain_bytes)
            .expect("seals");
        body.truncate(sealed);
        world.inject(2, body);
    }
    assert_undisturbed(&mut world);
}

#[test]
fn sender_reports_with_absurd_clocks_harm_only_their_own_stream() {
    let mut world = call_with_an_intruder(68);
    for ntp in [0, u64::MAX, 1 << 63, 12_345] {
        let report = world.client(3).rtcp(|writer| {
            let info = mianshi_engine_core::wire::rtcp::SenderInfo {
                ntp: mianshi_engine_core::time::NtpTime(ntp),
                rtp_timestamp: 7,
                packets: 1,
                bytes: 1,
            };
            writer.sender_report(6_000, &info, &[]).expect("room");
        });
        world.inject(3, report.expect("a report"));
        world.run_for(Duration::from_millis(300));
    }
    world.route(2, "v0", Some((3, "cam")));
    world.run_for(SECOND);
    world.route(2, "v0", Some((1, "cam")));
    assert_undisturbed(&mut world);
}

#[test]
fn a_nack_flood_is_answered_within_bounds() {
    let mut world = call_with_an_intruder(69);
    world.run_for(SECOND);
    let sent_before = world.stats().datagrams_sent;
    let all: Vec<u16> = (0..=u16::MAX).step_by(17).collect();
    for part in all.chunks(200) {
        let nack = world.client(2).rtcp(|writer| {
            writer.nack(1, slot_ssrc("v0"), part).expect("room");
        });
        world.inject(2, nack.expect("a NACK"));
    }
    let sent = world.stats().datagrams_sent - sent_before;
    assert!(sent < 200, "{sent} datagrams for one flood");
    assert_undisturbed(&mut world);
}

#[test]
fn an_address_that_sends_media_cannot_be_claimed_by_another_peer() {
    let mut world = call_with_an_intruder(70);
    // From here on media alone keeps the address.
    world.client(1).next_reports = mianshi_engine_core::time::Time(u64::MAX);
    world.run_for(5 * SECOND);
    let (address, claim) = (world.client(1).address, world.client(3).stun());
    world.inject_from(address, claim);
    assert_eq!(world.dropped("stun_address_taken"), 1);
    assert_undisturbed(&mut world);
}
