//! Redundant sound (RFC 2198): unpacked and mended on the way in, packed for each viewer.

use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::extension::MID_URI;
use mianshi_engine_core::wire::red::{Blocks, write_headers};
use mianshi_engine_core::wire::rtcp::ReportBlock;
use mianshi_engine_core::wire::rtp::HeaderFields;
use mianshi_engine_core::{Codec, Command, Engine, Media, MediaKind};

use super::codecs::{End, engine, fields, join, route};
use super::sim::description::{opus, slot, slot_ssrc, source};
use super::sim::link::Chance;

const MIC: [(u8, &[u8]); 1] = [(1, b"mic")];
const SSRC: u32 = 44;

/// Opus and its redundancy under these payload types.
fn codecs(redundant: Option<u8>, plain: u8) -> Vec<Codec> {
    let plain = Codec {
        payload_type: plain,
        ..opus()
    };
    let redundant = redundant.map(|payload_type| Codec {
        payload_type,
        key: "red/opus".into(),
        ..opus()
    });
    redundant.into_iter().chain([plain]).collect()
}

fn microphone() -> Media {
    Media {
        codecs: codecs(Some(63), 111),
        extensions: vec![(MID_URI.to_owned(), 1)],
        ..source("mic", MediaKind::Audio, &[])
    }
}

fn earphone(redundant: Option<u8>, plain: u8) -> Media {
    Media {
        codecs: codecs(redundant, plain),
        extensions: vec![],
        ..slot("a0", MediaKind::Audio)
    }
}

/// A publisher with redundancy, and a viewer that hears it.
fn call(redundant: Option<u8>, plain: u8) -> (Engine, End, End) {
    let mut engine = engine();
    let publisher = join(&mut engine, 1, vec![microphone()]);
    let viewer = join(&mut engine, 2, vec![earphone(redundant, plain)]);
    route(&mut engine, "a0", "mic");
    (engine, publisher, viewer)
}

/// What packet `number` sounds like.
fn sound(number: u16) -> Vec<u8> {
    vec![number as u8; 40 + usize::from(number % 7)]
}

/// A payload with this packet and the `copies` before it.
fn redundant(number: u16, copies: u16) -> Vec<u8> {
    let earlier: Vec<u16> = (number - copies..number).collect();
    let mut payload = vec![0; 64];
    let headers = earlier
        .iter()
        .map(|earlier| (u32::from(number - earlier) * 960, sound(*earlier).len()));
    let bytes = write_headers(&mut payload, 111, headers).expect("room");
    payload.truncate(bytes);
    earlier
        .iter()
        .chain([&number])
        .for_each(|number| payload.extend(sound(*number)));
    payload
}

fn say(engine: &mut Engine, publisher: &mut End, number: u16, copies: u16) {
    let payload = redundant(number, copies);
    publisher.send(engine, fields(63, number, SSRC), &MIC, &payload);
}

/// One packet as heard: payload type, sequence, timestamp, and the sounds in it, oldest first.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    sounds: Vec<Vec<u8>>,
}

fn hear(engine: &mut Engine, viewer: &mut End, redundant: Option<u8>, plain: u8) -> Vec<Heard> {
    let waiting = viewer.waiting(engine);
    let heard = waiting.into_iter().map(|sealed| {
        let (header, packet) = viewer.open(sealed);
        let payload = &packet[header.header_bytes..];
        let sounds = match Some(header.payload_type) == redundant {
            true => {
                let blocks = Blocks::parse(payload).expect("blocks");
                assert!(blocks.all().iter().all(|block| block.payload_type == plain));
                let sounds = blocks
                    .all()
                    .iter()
                    .map(|block| payload[block.range()].to_vec());
                sounds.collect()
            }
            false => vec![payload.to_vec()],
        };
        Heard {
            payload_type: header.payload_type,
            sequence: header.sequence,
            timestamp: header.timestamp,
            sounds,
        }
    });
    heard.collect()
}

#[test]
fn a_viewer_without_redundancy_hears_plain_packets() {
    let (mut engine, mut publisher, mut viewer) = call(None, 100);
    for number in 10..13 {
        say(&mut engine, &mut publisher, number, 1);
    }
    let heard = hear(&mut engine, &mut viewer, None, 100);
    let sounds: Vec<_> = heard.iter().map(|packet| packet.sounds.clone()).collect();
    assert_eq!(sounds, [[sound(10)], [sound(11)], [sound(12)]]);
    assert!(heard.iter().all(|packet| packet.payload_type == 100));
}

#[test]
fn a_lost_packet_is_mended_from_the_next_in_its_place() {
    let (mut engine, mut publisher, mut viewer) = call(None, 111);
    for number in [10, 12, 15] {
        say(&mut engine, &mut publisher, number, 1);
    }
    let heard = hear(&mut engine, &mut viewer, None, 111);
    let first = &heard[0];
    let places: Vec<_> = heard
        .iter()
        .map(|packet| {
            (
                packet.sequence - first.sequence,
                packet.timestamp.wrapping_sub(first.timestamp),
                packet.sounds[0].clone(),
            )
        })
        .collect();
    let expected = [10, 11, 12, 14, 15].map(|n| (n - 10, u32::from(n - 10) * 960, sound(n)));
    assert_eq!(places, expected);
    // The lost one comes after all: it was heard.
    say(&mut engine, &mut publisher, 14, 1);
    let late = hear(&mut engine, &mut viewer, None, 111);
    assert_eq!(
        late.iter().map(|p| &p.sounds[0]).collect::<Vec<_>>(),
        [&sound(13)]
    );
}

#[test]
fn a_viewer_with_redundancy_gets_copies_under_its_own_payload_types() {
    let (mut engine, mut publisher, mut viewer) = call(Some(120), 109);
    for number in [10, 11, 13] {
        say(&mut engine, &mut publisher, number, 1);
    }
    let heard = hear(&mut engine, &mut viewer, Some(120), 109);
    let types: Vec<_> = heard.iter().map(|packet| packet.payload_type).collect();
    assert_eq!(types, [109, 120, 120, 120]);
    let sounds: Vec<_> = heard.iter().map(|packet| packet.sounds.clone()).collect();
    let expected = [
        vec![sound(10)],
        vec![sound(10), sound(11)],
        vec![sound(11), sound(12)],
        vec![sound(12), sound(13)],
    ];
    assert_eq!(sounds, expected);
}

#[test]
fn a_publisher_without_redundancy_is_repeated_too_and_a_lossy_viewer_gets_more() {
    let (mut engine, mut publisher, mut viewer) = call(Some(63), 111);
    let send = |engine: &mut Engine, publisher: &mut End, number: u16| {
        publisher.send(engine, fields(111, number, SSRC), &MIC, &sound(number));
    };
    for number in 10..13 {
        send(&mut engine, &mut publisher, number);
    }
    let heard = hear(&mut engine, &mut viewer, Some(63), 111);
    assert_eq!(heard[2].sounds, [sound(11), sound(12)]);
    lose(&mut engine, &mut viewer, 51);
    send(&mut engine, &mut publisher, 13);
    let heard = hear(&mut engine, &mut viewer, Some(63), 111);
    assert_eq!(heard[0].sounds, [sound(11), sound(12), sound(13)]);
}

/// The viewer reports this loss, of 256.
fn lose(engine: &mut Engine, viewer: &mut End, fraction_lost: u8) {
    let block = ReportBlock {
        ssrc: slot_ssrc("a0"),
        fraction_lost,
        ..ReportBlock::default()
    };
    viewer.report(engine, Time::from_millis(20), |writer| {
        writer.receiver_report(1, &[block]).expect("room");
    });
}

#[test]
fn nothing_from_before_a_route_or_a_mute_is_repeated() {
    let (mut engine, mut publisher, mut viewer) = call(Some(63), 111);
    let enable = |engine: &mut Engine, enabled: bool| {
        let (peer, mid) = (1, "mic".to_owned());
        engine.command(
            Command::SetEnabled { peer, mid, enabled },
            Time::from_millis(20),
        );
    };
    say(&mut engine, &mut publisher, 10, 1);
    enable(&mut engine, false);
    say(&mut engine, &mut publisher, 11, 1);
    assert_eq!(hear(&mut engine, &mut viewer, Some(63), 111).len(), 1);
    enable(&mut engine, true);
    say(&mut engine, &mut publisher, 12, 1);
    let heard = hear(&mut engine, &mut viewer, Some(63), 111);
    assert_eq!(heard[0].sounds, [sound(12)]);

    let mut late = join(&mut engine, 3, vec![earphone(Some(63), 111)]);
    engine.command(
        Command::Route {
            viewer: 3,
            slot: "a0".into(),
            source: Some((1, "mic".into())),
        },
        Time::from_millis(20),
    );
    say(&mut engine, &mut publisher, 13, 1);
    let heard = hear(&mut engine, &mut late, Some(63), 111);
    assert_eq!(heard[0].sounds, [sound(13)]);
}

#[test]
fn lies_about_blocks_are_dropped() {
    let (mut engine, mut publisher, viewer) = call(None, 111);
    let good = redundant(10, 1);
    let mut foreign = good.clone();
    foreign[0] = 0x80 | 77;
    let mut nested = good.clone();
    nested[4] = 63;
    let endless = vec![0xff; 80];
    let too_long = [&[0x80 | 111, 0, 0x0f, 0xff, 111][..], &[1; 20]].concat();
    let lies: [&[u8]; 6] = [
        &foreign,
        &nested,
        &endless,
        &too_long,
        &[0x80 | 111],
        &[0xef, 0],
    ];
    for (number, lie) in (10..).zip(lies) {
        publisher.send(&mut engine, fields(63, number, SSRC), &MIC, lie);
    }
    assert_eq!(viewer.waiting(&mut engine).len(), 0);
    // A block of no length and a block of no age say nothing.
    let idle = [
        &[0x80 | 111, 0x0f, 0, 0, 0x80 | 111, 0, 0, 2, 111][..],
        &[7; 9],
    ]
    .concat();
    publisher.send(&mut engine, fields(63, 30, SSRC), &MIC, &sound(30));
    publisher.send(&mut engine, fields(63, 40, SSRC), &MIC, &idle);
    assert_eq!(viewer.waiting(&mut engine).len(), 1);
}

#[test]
fn damaged_redundancy_harms_nothing() {
    let (mut engine, mut publisher, mut viewer) = call(Some(63), 111);
    let mut chance = Chance::new(71);
    for number in 10..20_000u16 {
        let mut payload = redundant(number, chance.below(4) as u16);
        for _ in 0..chance.below(4) {
            let at = chance.below(payload.len() as u64) as usize;
            match chance.below(3) {
                0 => payload.truncate(at),
                1 => payload[at.min(8)] = chance.next() as u8,
                _ => payload[at] ^= 1 << chance.below(8),
            }
            if payload.is_empty() {
                payload.push(0);
            }
        }
        let number = number.wrapping_sub(chance.below(3) as u16);
        let header = HeaderFields {
            timestamp: chance.next() as u32,
            ..fields(63, number, SSRC)
        };
        publisher.send(&mut engine, header, &MIC, &payload);
        for sealed in viewer.waiting(&mut engine) {
            let (header, packet) = viewer.open(sealed);
            if header.payload_type == 63 {
                assert!(Blocks::parse(&packet[header.header_bytes..]).is_ok());
            }
        }
    }
}

/// The share of sound that a viewer lacks, in thousandths, when each way loses so much.
fn lacking(loss_percent: u64, redundant: Option<u8>) -> usize {
    let (mut engine, mut publisher, mut viewer) = call(redundant, 111);
    let mut chance = Chance::new(72);
    let mut heard = std::collections::BTreeSet::new();
    let packets = 20_000u16;
    for number in 10..10 + packets {
        if number % 100 == 0 {
            lose(&mut engine, &mut viewer, (loss_percent * 256 / 100) as u8);
        }
        let payload = self::redundant(number, 1);
        if chance.below(100) < loss_percent {
            continue;
        }
        publisher.send(&mut engine, fields(63, number, SSRC), &MIC, &payload);
        for sealed in viewer.waiting(&mut engine) {
            if chance.below(100) < loss_percent {
                continue;
            }
            let (header, packet) = viewer.open(sealed);
            let payload = &packet[header.header_bytes..];
            if header.payload_type == 111 {
                heard.insert(header.timestamp);
                continue;
            }
            let blocks = Blocks::parse(payload).expect("blocks");
            for block in blocks.all() {
                heard.insert(header.timestamp.wrapping_sub(block.timestamp_offset));
            }
        }
    }
    1_000 - heard.len() * 1_000 / usize::from(packets)
}

#[test]
fn random_loss_on_both_ways_costs_little_sound() {
    // Without asking for anything again: loss squared on the way in, and on the way out squared
    // or cubed. Without redundancy to the viewer what the way out loses is missing.
    assert!(lacking(5, Some(63)) <= 6);
    assert!(lacking(10, Some(63)) <= 14);
    assert!(lacking(20, Some(63)) <= 52);
    assert!(lacking(20, None) >= 200);
}

#[test]
fn sound_that_no_copy_mended_is_asked_for_again() {
    let nack = |codecs: Vec<Codec>| -> Vec<Codec> {
        let each = codecs.into_iter().map(|codec| Codec {
            nack: codec.key == "opus",
            ..codec
        });
        each.collect()
    };
    let mut engine = engine();
    let theirs = Media {
        codecs: nack(codecs(Some(63), 111)),
        ..microphone()
    };
    let mut publisher = join(&mut engine, 1, vec![theirs]);
    let mut viewer = join(&mut engine, 2, vec![earphone(None, 111)]);
    route(&mut engine, "a0", "mic");
    for number in [10, 13] {
        say(&mut engine, &mut publisher, number, 1);
    }
    viewer.waiting(&mut engine);
    engine.tick(Time::from_millis(40));
    // 12 came as a copy.
    assert_eq!(publisher.nacked(&mut engine), [11]);
    publisher.send(&mut engine, fields(111, 11, SSRC), &MIC, &sound(11));
    let heard = hear(&mut engine, &mut viewer, None, 111);
    assert_eq!(heard[0].sounds, [sound(11)]);
}
