//! Microseconds to seal and to open one packet of 1100 bytes, in every profile, and to answer one
//! connectivity check. `cargo bench --package mianshi-engine-core`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mianshi_engine_core::ice::IceTable;
use mianshi_engine_core::outbox::Outbox;
use mianshi_engine_core::srtp::{Inbound, MAX_TRAILER_BYTES, Outbound, Profile};
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::stun::{Class, MessageWriter, attribute, integrity_key};

const PLAIN_BYTES: usize = 1_100;
/// Packets of one batch: sealed together, then opened together, so that each is timed alone.
const BATCH: u16 = 2_000;
const BATCHES: u32 = 40;

const PROFILES: [Profile; 3] = [
    Profile::Aes128CmSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];
const PASSWORD: &str = "0123456789abcdefghijkl";

fn main() {
    for profile in PROFILES {
        let (seal, open) = time_profile(profile);
        println!("{profile:?}: seal {seal:.3} µs, open {open:.3} µs a packet of {PLAIN_BYTES} B");
    }
    println!("connectivity check: {:.3} µs an answer", time_checks());
}

/// The best batch counts: whatever else the machine does only ever adds time.
fn micros_each(best: Duration, count: u32) -> f64 {
    best.as_secs_f64() * 1e6 / f64::from(count)
}

fn time_profile(profile: Profile) -> (f64, f64) {
    let keys = vec![3; profile.key_and_salt_bytes()];
    let mut outbound = Outbound::new(profile, &keys).expect("keys of the right length");
    let mut inbound = Inbound::new(profile, &keys).expect("keys of the right length");
    let mut packets = vec![[0x55u8; PLAIN_BYTES + MAX_TRAILER_BYTES]; usize::from(BATCH)];
    let (mut best_seal, mut best_open) = (Duration::MAX, Duration::MAX);
    let mut sequence = 0u16;
    for _ in 0..BATCHES {
        for packet in &mut packets {
            packet[..2].copy_from_slice(&[0x80, 96]);
            packet[2..4].copy_from_slice(&sequence.to_be_bytes());
            packet[4..12].fill(7);
            sequence = sequence.wrapping_add(1);
        }
        let started = Instant::now();
        for packet in &mut packets {
            let sealed = outbound.seal_rtp(packet, PLAIN_BYTES, 12);
            black_box(sealed.expect("there is room"));
        }
        best_seal = best_seal.min(started.elapsed());
        let sealed_bytes = PLAIN_BYTES + profile.tag_bytes();
        let started = Instant::now();
        for packet in &mut packets {
            let packet = &mut packet[..sealed_bytes];
            let header = RtpHeader::parse(packet).expect("a valid header");
            let opened = inbound.open_rtp(packet, &header);
            black_box(opened.expect("our own packet"));
        }
        best_open = best_open.min(started.elapsed());
    }
    let count = u32::from(BATCH);
    (micros_each(best_seal, count), micros_each(best_open, count))
}

fn time_checks() -> f64 {
    let mut table = IceTable::new(1);
    table.add_peer(1, "abcdefgh", PASSWORD).expect("a new peer");
    let mut buffer = [0; 200];
    let length = write_check(&mut buffer);
    let source = ([127, 0, 0, 1], 9).into();
    let mut outbox = Outbox::new();
    let mut best = Duration::MAX;
    for _ in 0..BATCHES {
        let started = Instant::now();
        for _ in 0..BATCH {
            black_box(table.receive(&buffer[..length], source, Time(0), &mut outbox));
            outbox.clear();
        }
        best = best.min(started.elapsed());
    }
    micros_each(best, u32::from(BATCH))
}

fn write_check(buffer: &mut [u8]) -> usize {
    let mut writer = MessageWriter::new(buffer, Class::Request, [3; 12]).expect("room");
    writer
        .attribute(attribute::USERNAME, b"abcdefgh:theirs")
        .expect("room");
    writer.integrity(&integrity_key(PASSWORD)).expect("room");
    writer.fingerprint().expect("room");
    writer.finish()
}
