//! Each target over its seeds and over many of their mutations: short, seeded, on any compiler.

use std::fs;
use std::path::{Path, PathBuf};

use mianshi_engine_core::wire::framing::Deframer;
use mianshi_engine_core::wire::red::Blocks;
use mianshi_engine_core::wire::rtcp::packets;
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::stun::Message;
use mianshi_engine_fuzz_targets::{TARGETS, Target};

const MUTATIONS_PER_SEED: usize = 8_000;
const MAX_INPUT_BYTES: usize = 1_500;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target);
    let entries = fs::read_dir(&folder).expect("a folder of seeds");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a seed"))
        .collect()
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Byte changes, cuts, repeats, appended bytes, and pieces of another seed.
fn mutate(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len());
        match chance.below(8) {
            0 => bytes.truncate(at),
            1 => bytes.extend_from_within(at.min(bytes.len())..),
            2 => bytes.extend((0..at % 9).map(|_| chance.next() as u8)),
            3 => {
                bytes.truncate(at);
                bytes.extend_from_slice(&other[chance.below(other.len())..]);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = match chance.below(4) {
                        0 => 0,
                        1 => 0xff,
                        2 => *byte ^ 1 << chance.below(8),
                        _ => chance.next() as u8,
                    };
                }
            }
        }
        bytes.truncate(MAX_INPUT_BYTES);
    }
    bytes
}

fn run(name: &str) {
    let (_, target): (_, Target) = *TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a known target");
    let seeds = seeds(name);
    assert!(seeds.len() > 1, "{name} has seeds");
    let mut chance = Chance(0x6d69_616e);
    target(&[]);
    for seed in &seeds {
        (0..=seed.len()).for_each(|cut| target(&seed[..cut]));
        for _ in 0..MUTATIONS_PER_SEED {
            let other = &seeds[chance.below(seeds.len())];
            target(&mutate(seed, other, &mut chance));
        }
    }
}

#[test]
fn framing() {
    run("framing");
}

#[test]
fn payload() {
    run("payload");
}

#[test]
fn peer() {
    run("peer");
}

#[test]
fn red() {
    run("red");
}

#[test]
fn rtcp() {
    run("rtcp");
}

#[test]
fn rtp() {
    run("rtp");
}

#[test]
fn stun() {
    run("stun");
}

#[test]
fn seeds_are_well_formed() {
    assert!(
        seeds("stun")
            .iter()
            .all(|seed| Message::parse(seed).is_ok())
    );
    assert!(seeds("red").iter().all(|seed| Blocks::parse(seed).is_ok()));
    for seed in seeds("rtp") {
        let header = RtpHeader::parse(&seed).expect("a header");
        assert!(header.payload(&seed).is_ok());
    }
    for seed in seeds("rtcp") {
        assert!(packets(&seed).all(|packet| packet.is_ok()));
    }
    let packets_in = |mut stream: Vec<u8>| {
        let mut packets = 0;
        let _ = Deframer::default().feed(&mut stream[1..], |_| packets += 1);
        packets
    };
    let framed: Vec<usize> = seeds("framing").into_iter().map(packets_in).collect();
    assert_eq!(framed, [0, 2, 1]);
}
