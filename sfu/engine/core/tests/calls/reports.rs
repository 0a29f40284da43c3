//! Reports and feedback say what is true.

use core::time::Duration;

use mianshi_engine_core::time::{NtpTime, Time};

use super::sim::description::slot_ssrc;
use super::sim::link::Quality;
use super::sim::{EPOCH, World};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn feedback_tells_every_transport_number_and_its_fate() {
    let mut world = World::new(51);
    world.join(1, true);
    world.link.quality = Quality {
        loss_percent: 10,
        ..Quality::GOOD
    };
    world.run_for(5 * SECOND);
    world.link.quality = Quality::GOOD;
    world.run_for(SECOND);
    let client = world.client(1);
    let sent = client.transport.wrapping_sub(65_000);
    let told = client.feedback.len() as u16;
    // One feedback in ten was lost, too.
    assert!(told > sent * 8 / 10, "{told} told of {sent}");
    let came = client.feedback.values().filter(|came| **came).count();
    let lost = client.feedback.len() - came;
    assert!(
        lost * 100 / came >= 6 && lost * 100 / came <= 15,
        "{lost} lost, {came} came"
    );
}

#[test]
fn receiver_reports_count_loss_and_know_the_last_sender_report() {
    let mut world = World::new(52);
    world.join(1, false);
    world.link.quality = Quality {
        loss_percent: 10,
        ..Quality::GOOD
    };
    world.run_for(20 * SECOND);
    let blocks: Vec<_> = world
        .client(1)
        .blocks
        .iter()
        .filter(|block| block.ssrc == 2_000)
        .copied()
        .collect();
    // One report a second, of which the line loses some.
    assert!((12..=21).contains(&blocks.len()), "{}", blocks.len());
    let last = blocks.last().expect("reports");
    let sent = world.client(1).streams[1].frame * 3;
    let lost = last.cumulative_lost as u32;
    assert!(
        lost * 100 / sent >= 6 && lost * 100 / sent <= 14,
        "{lost} of {sent}"
    );
    let mean: u32 = blocks
        .iter()
        .map(|block| u32::from(block.fraction_lost))
        .sum::<u32>()
        / blocks.len() as u32;
    assert!((13..=38).contains(&mean), "fraction {mean}/256");
    let sender_clock = world.now.to_ntp(world.client(1).epoch).middle();
    let age = sender_clock.wrapping_sub(last.last_sender_report);
    assert!(age < 3 << 16, "the report it knows is {age}/65536 s old");
    assert!(last.delay_since_last <= age);
}

/// The capture time of a packet by the slot's last sender report, on our clock.
fn captured(world: &mut World, slot: &str, clock_rate: i64) -> (Time, i64) {
    let ssrc = slot_ssrc(slot);
    let packet = world.seen(2, slot).last().expect("packets").clone();
    let reports = &world.client(2).sender_reports;
    let info = reports
        .iter()
        .rev()
        .find(|(other, _)| *other == ssrc)
        .expect("a report")
        .1;
    let ticks = i64::from(packet.timestamp.wrapping_sub(info.rtp_timestamp) as i32);
    let micros = info.ntp.micros_since(NtpTime(EPOCH)) + ticks * 1_000_000 / clock_rate;
    (packet.mark.sent, micros)
}

#[test]
fn sound_and_picture_of_one_publisher_share_one_clock() {
    let mut world = World::new(53);
    world.join(1, false);
    world.join(2, false);
    world.link.quality = Quality {
        jitter: Duration::from_millis(8),
        ..Quality::GOOD
    };
    world.route(2, "a0", Some((1, "mic")));
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(10 * SECOND);
    let (sound_sent, sound) = captured(&mut world, "a0", 48_000);
    let (picture_sent, picture) = captured(&mut world, "v0", 90_000);
    let sound_offset = sound - sound_sent.as_micros() as i64;
    let picture_offset = picture - picture_sent.as_micros() as i64;
    // The estimate of the publisher's clock moves a little between two reports; both follow.
    assert!(
        (sound_offset - picture_offset).abs() < 2_000,
        "{sound_offset} µs and {picture_offset} µs"
    );
    // Its error is at most the way to us.
    assert!((0..25_000).contains(&sound_offset), "{sound_offset}");
}

#[test]
fn lips_stay_in_sync_after_a_handoff() {
    let mut world = World::new(54);
    for id in 1..=3 {
        world.join(id, false);
    }
    for publisher in [1, 3] {
        world.route(2, "a0", Some((publisher, "mic")));
        world.route(2, "v0", Some((publisher, "cam")));
        world.run_for(5 * SECOND);
        let (sound_sent, sound) = captured(&mut world, "a0", 48_000);
        let (picture_sent, picture) = captured(&mut world, "v0", 90_000);
        let difference =
            (sound - sound_sent.as_micros() as i64) - (picture - picture_sent.as_micros() as i64);
        assert!(difference.abs() < 2_000, "{difference} µs apart");
    }
}

#[test]
fn round_trips_are_measured_and_told() {
    let mut world = World::new(55);
    world.join(1, false);
    world.join(2, false);
    world.link.quality = Quality {
        delay: Duration::from_millis(40),
        ..Quality::GOOD
    };
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(6 * SECOND);
    let stats = world.stats();
    let slot = stats
        .streams
        .iter()
        .find(|stream| stream.peer == 2 && stream.mid == "v0")
        .expect("a slot");
    assert!(
        (slot.round_trip_time_ms - 80.0).abs() < 5.0,
        "{}",
        slot.round_trip_time_ms
    );
    assert_eq!(slot.ssrc, slot_ssrc("v0"));
    assert_eq!(slot.key_frames, 1);
    let path = &stats.paths[1];
    assert_eq!(path.peer, 2);
    assert!(path.silent_ms < 1_500, "{path:?}");
    let told = path.round_trip_time_ms.expect("reports came");
    assert!((told - 80.0).abs() < 5.0, "{path:?}");
    assert_eq!(stats.token, 7);
    assert!(stats.datagrams_received > 0 && stats.datagrams_sent > 0);
}
