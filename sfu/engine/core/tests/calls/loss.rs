//! Loss on both ways is repaired by NACK and RTX.

use core::time::Duration;

use super::sim::World;
use super::sim::link::Quality;

const SECOND: Duration = Duration::from_secs(1);

/// Twenty seconds of one camera over a bad line, then a good end; the share that arrived in
/// thousandths, and how much the viewer got by retransmission.
fn watch(seed: u64, loss_percent: u64) -> (usize, usize, World) {
    let mut world = World::new(seed);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(SECOND);
    world.link.quality = Quality::lossy(loss_percent);
    world.run_for(20 * SECOND);
    world.link.quality = Quality::GOOD;
    world.run_for(3 * SECOND);
    let seen = world.seen(2, "v0");
    let span = seen.last().expect("packets").sequence - seen[0].sequence + 1;
    let repaired = world
        .client(2)
        .received
        .iter()
        .filter(|packet| packet.repaired)
        .count();
    (seen.len() * 1_000 / span as usize, repaired, world)
}

#[test]
fn five_percent_loss_is_repaired_completely() {
    let (arrived, repaired, _) = watch(41, 5);
    assert_eq!(arrived, 1_000);
    assert!(repaired > 50, "{repaired}");
}

#[test]
fn ten_percent_loss_is_repaired_completely() {
    let (arrived, repaired, _) = watch(42, 10);
    assert!(arrived >= 999, "{arrived}");
    assert!(repaired > 100, "{repaired}");
}

#[test]
fn twenty_percent_loss_is_repaired_nearly_completely() {
    let (arrived, repaired, mut world) = watch(43, 20);
    assert!(arrived >= 990, "{arrived}");
    assert!(repaired > 200, "{repaired}");
    let stats = world.stats();
    let received = stats
        .streams
        .iter()
        .find(|stream| stream.peer == 1 && stream.mid == "cam")
        .expect("a stream");
    assert!(
        received.nack_count > 0 && received.retransmitted_packets > 100,
        "{received:?}"
    );
    assert!(received.packets_lost > 200, "{received:?}");
    let sent = stats
        .streams
        .iter()
        .find(|stream| stream.peer == 2 && stream.mid == "v0")
        .expect("a slot");
    assert!(
        sent.nack_count > 0 && sent.retransmitted_packets > 100,
        "{sent:?}"
    );
}

#[test]
fn repaired_packets_are_the_lost_ones() {
    let (_, _, mut world) = watch(44, 10);
    let seen = world.seen(2, "v0");
    for pair in seen
        .windows(2)
        .filter(|pair| pair[1].sequence == pair[0].sequence + 1)
    {
        let [before, after] = pair else {
            unreachable!("windows of two")
        };
        match after.mark.frame - before.mark.frame {
            0 => assert_eq!(
                (after.mark.index, after.timestamp),
                (before.mark.index + 1, before.timestamp)
            ),
            1 => assert_eq!((after.mark.index, before.marker), (0, true)),
            // The publisher's own packets between were given up: a keyframe goes on.
            _ => assert!(after.sequence > before.sequence),
        }
    }
}

#[test]
fn retransmission_works_over_the_wrap_of_every_counter() {
    let mut world = World::new(45);
    world.join(1, false);
    world.join(2, false);
    world.client(1).streams[1].sequence = 65_400;
    world.client(1).streams[1].rtx_sequence = 65_530;
    world.client(1).streams[1].timestamp = u32::MAX - 90_000;
    world.client(1).streams[1].picture_id = 0x7ff0;
    world.client(1).streams[1].tl0 = 250;
    world.link.quality = Quality::lossy(10);
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(8 * SECOND);
    world.link.quality = Quality::GOOD;
    world.run_for(2 * SECOND);
    assert!(
        world.client(1).streams[1].sequence < 10_000,
        "the sequence wrapped"
    );
    let seen = world.seen(2, "v0");
    super::forwarding::assert_continuous(&seen);
    assert!(seen.iter().any(|packet| packet.repaired));
}

#[test]
fn a_slots_sequence_wraps_with_its_roll_over_counter() {
    let mut world = World::new(46);
    world.join(1, false);
    world.join(2, false);
    for stream in &mut world.client(1).streams {
        stream.packets_per_frame = 40;
    }
    world.route(2, "v0", Some((1, "cam")));
    // A slot begins below 2^15: 70 s of 1000 packets a second pass 2^16 in any case.
    world.run_for(70 * SECOND);
    let seen = world.seen(2, "v0");
    assert!(
        seen[0].sequence >> 16 < seen[seen.len() - 1].sequence >> 16,
        "the sequence wrapped"
    );
    super::forwarding::assert_continuous(&seen);
}

#[test]
fn a_viewer_cannot_have_a_packet_more_than_a_few_times() {
    let mut world = World::new(47);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(2 * SECOND);
    world.client(1).streams[1].paused = true;
    world.run_for(Duration::from_millis(200));
    let last = world.seen(2, "v0").last().expect("packets").sequence as u16;
    let before = world.client(2).received.len();
    let ssrc = super::sim::description::slot_ssrc("v0");
    for _ in 0..50 {
        let nack = world.client(2).rtcp(|writer| {
            writer.nack(1, ssrc, &[last]).expect("room");
        });
        world.inject(2, nack.expect("a NACK"));
        world.run_for(Duration::from_millis(20));
    }
    let sent = world.client(2).received[before..]
        .iter()
        .filter(|packet| packet.repaired)
        .count();
    // Five answers, of which all but the first are sent twice.
    assert!((3..=9).contains(&sent), "{sent}");
}
