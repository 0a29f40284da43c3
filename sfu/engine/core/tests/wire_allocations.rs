//! What runs for every packet must not allocate, nor must what any stranger can cause.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use mianshi_engine_core::ice::{IceTable, StunOutcome};
use mianshi_engine_core::outbox::Outbox;
use mianshi_engine_core::srtp::{Inbound, MAX_TRAILER_BYTES, Outbound, Profile};
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::stun::{Class, MessageWriter, attribute, integrity_key};

thread_local! {
    /// Per thread, so that the test harness's own threads do not count.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(pointer, layout, new_bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

const PROFILES: [Profile; 3] = [
    Profile::Aes128CmSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];
const PLAIN_BYTES: usize = 1_100;

fn write_plain(packet: &mut [u8], sequence: u16) {
    packet[..PLAIN_BYTES].fill(0x55);
    packet[..2].copy_from_slice(&[0x80, 96]);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..12].fill(7);
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations_of(|| drop(vec![0u8; 100])), 1);
}

#[test]
fn opening_and_sealing_known_streams_allocates_nothing() {
    for profile in PROFILES {
        let keys = vec![3; profile.key_and_salt_bytes()];
        let mut outbound = Outbound::new(profile, &keys).expect("keys");
        let mut inbound = Inbound::new(profile, &keys).expect("keys");
        let mut outbox = Outbox::new();
        let destination = ([127, 0, 0, 1], 9).into();
        let mut forward = |sequence: u16| {
            let buffer = outbox.begin(destination, PLAIN_BYTES + MAX_TRAILER_BYTES);
            write_plain(buffer, sequence);
            let sealed = outbound.seal_rtp(buffer, PLAIN_BYTES, 12).expect("sealed");
            let header = RtpHeader::parse(&buffer[..sealed]).expect("a valid header");
            let opened = inbound.open_rtp(&mut buffer[..sealed], &header);
            assert_eq!(opened, Ok(PLAIN_BYTES));
            outbox.commit(sealed);
            outbox.clear();
            let buffer = outbox.begin(destination, 100);
            buffer[..8].copy_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, 9]);
            let sealed = outbound.seal_rtcp(buffer, 8).expect("sealed");
            assert_eq!(inbound.open_rtcp(&mut buffer[..sealed]), Ok(8));
            outbox.clear();
        };
        forward(0);
        let allocations = allocations_of(|| (1..2_000).for_each(&mut forward));
        assert_eq!(allocations, 0, "{profile:?}");
    }
}

#[test]
fn refusing_forged_packets_allocates_nothing() {
    for profile in PROFILES {
        let keys = vec![3; profile.key_and_salt_bytes()];
        let mut inbound = Inbound::new(profile, &keys).expect("keys");
        let mut packet = [0; PLAIN_BYTES + MAX_TRAILER_BYTES];
        let allocations = allocations_of(|| {
            for sequence in 0..1_000 {
                write_plain(&mut packet, sequence);
                packet[8..12].copy_from_slice(&u32::from(sequence).to_be_bytes());
                let header = RtpHeader::parse(&packet).expect("a valid header");
                assert!(inbound.open_rtp(&mut packet, &header).is_err());
                assert!(inbound.open_rtcp(&mut packet).is_err());
            }
        });
        assert_eq!(allocations, 0, "{profile:?}");
    }
}

fn check(password: &str) -> ([u8; 200], usize) {
    let mut buffer = [0; 200];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [3; 12]).expect("room");
    writer
        .attribute(attribute::USERNAME, b"abcdefgh:theirs")
        .expect("room");
    writer.integrity(&integrity_key(password)).expect("room");
    writer.fingerprint().expect("room");
    let length = writer.finish();
    (buffer, length)
}

#[test]
fn checks_from_strangers_and_from_known_addresses_allocate_nothing() {
    let password = "0123456789abcdefghijkl";
    let mut table = IceTable::new(1);
    table.add_peer(1, "abcdefgh", password).expect("a new peer");
    let mut outbox = Outbox::new();
    let (right, right_bytes) = check(password);
    let (wrong, wrong_bytes) = check("lkjihgfedcba9876543210");
    let known = ([127, 0, 0, 1], 9).into();
    table.receive(&right[..right_bytes], known, Time(0), &mut outbox);
    let allocations = allocations_of(|| {
        for port in 10..1_000 {
            outbox.clear();
            let stranger = ([127, 0, 0, 1], port).into();
            let outcome = table.receive(&wrong[..wrong_bytes], stranger, Time(0), &mut outbox);
            assert!(matches!(outcome, StunOutcome::Ignored(_)));
            let outcome = table.receive(&right[..right_bytes], known, Time(0), &mut outbox);
            assert!(matches!(outcome, StunOutcome::Reply { .. }));
        }
    });
    assert_eq!(allocations, 0);
}
