//! The path to a viewer: estimated, probed, and not overrun; pictures wait, sound does not.

use core::time::Duration;

use mianshi_engine_core::srtp::MAX_TRAILER_BYTES;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::{DownlinkStats, PeerId, StreamStats};
use mianshi_netsim::Direction;

use super::forwarding::assert_continuous;
use super::sim::World;

const SECOND: Duration = Duration::from_secs(1);

fn steady(rate_kbps: u32) -> String {
    format!(
        "[[step]]\nat_s = 0\nboth = {{ delay_ms = 25 }}\n\
         down = {{ rate_kbps = {rate_kbps}, queue_ms = 400 }}"
    )
}

/// A publisher whose camera sends this many packets of 0.77 kB for each of 25 pictures a second,
/// and a viewer behind a network.
fn call(seed: u64, packets_per_frame: u8, scenario: &str) -> World {
    let mut world = World::new(seed);
    world.join(1, false);
    world.join(2, false);
    world.client(2).streams.clear();
    world.client(1).streams[1].packets_per_frame = packets_per_frame;
    world.behind(2, scenario);
    world.route(2, "a0", Some((1, "mic")));
    world.route(2, "v0", Some((1, "cam")));
    world
}

fn downlink(world: &mut World, viewer: PeerId) -> DownlinkStats {
    let found = world
        .stats()
        .downlinks
        .into_iter()
        .find(|path| path.peer == viewer);
    found.expect("a viewer with feedback")
}

/// Sound packets of the last `span`, and the longest that one was under way.
fn sound(world: &mut World, span: Duration) -> (usize, Duration) {
    let since = world.now - span;
    let seen = world.seen(2, "a0");
    let lately: Vec<_> = seen.iter().filter(|packet| packet.at >= since).collect();
    let longest = lately
        .iter()
        .map(|packet| packet.at.since(packet.mark.sent))
        .max();
    (lately.len(), longest.unwrap_or_default())
}

#[test]
fn a_viewer_that_just_joined_is_known_to_have_room() {
    let mut world = call(71, 3, &steady(4_000));
    world.run_for(SECOND);
    let path = downlink(&mut world, 2);
    assert!(
        (2_500_000..4_000_000).contains(&path.available_bps),
        "{path:?}"
    );
    assert_eq!(path.probe_clusters, 2);
    world.run_for(20 * SECOND);
    let path = downlink(&mut world, 2);
    assert!(path.queue_ms < 20.0 && path.loss_ratio < 0.001, "{path:?}");
    assert_eq!(path.probe_clusters, 2, "nobody wants more");
}

#[test]
fn a_picture_that_is_too_much_is_held_back_and_sound_is_not() {
    // 14 packets a picture are 2.2 Mb/s.
    let mut world = call(72, 14, &steady(1_000));
    world.run_for(3 * SECOND);
    world
        .network(2)
        .link_mut(Direction::Down)
        .take_peak_wait_us();
    world.run_for(20 * SECOND);
    let path = downlink(&mut world, 2);
    let peak_us = world
        .network(2)
        .link_mut(Direction::Down)
        .take_peak_wait_us();
    let (packets, longest) = sound(&mut world, 10 * SECOND);
    assert!(packets >= 490, "{packets}");
    assert!(longest < Duration::from_millis(150), "{longest:?}");
    assert!(peak_us < 150_000, "{peak_us}");
    assert!(
        path.paced_packets > 1_000 && path.queue_ms < 100.0,
        "{path:?}"
    );
    assert!(path.available_bps > 600_000, "{path:?}");
    // What was left out is left out of the numbers too: nothing is asked for in vain.
    let lost = world
        .network(2)
        .link(Direction::Down)
        .counters()
        .queue_drops;
    let resent = slot(&mut world, 2).retransmitted_packets;
    assert!(resent <= lost, "{resent} were sent again, {lost} were lost");
}

fn slot(world: &mut World, viewer: PeerId) -> StreamStats {
    let stats = world.stats();
    let mut streams = stats.streams.into_iter();
    streams
        .find(|stream| stream.peer == viewer && stream.mid == "v0")
        .expect("a slot in use")
}

#[test]
fn a_large_keyframe_is_spread_over_the_path_and_arrives_whole() {
    let mut world = call(73, 3, &steady(2_000));
    world.run_for(4 * SECOND);
    world
        .network(2)
        .link_mut(Direction::Down)
        .take_peak_wait_us();
    world.client(1).streams[1].packets_per_keyframe = 80;
    world.client(1).streams[1].keyframe_wanted = true;
    world.run_for(SECOND);
    // 62 kB take 250 ms on this path: what does not wait here waits there.
    let peak_us = world
        .network(2)
        .link_mut(Direction::Down)
        .take_peak_wait_us();
    assert!(peak_us < 200_000, "{peak_us}");
    assert!(downlink(&mut world, 2).paced_packets > 30);
    let (packets, longest) = sound(&mut world, SECOND);
    assert!(
        packets >= 48 && longest < Duration::from_millis(250),
        "{packets} {longest:?}"
    );
    let seen = world.seen(2, "v0");
    assert_continuous(&seen);
    let keyframe: Vec<_> = seen
        .iter()
        .filter(|packet| packet.at > Time::from_millis(4_000))
        .collect();
    assert!(keyframe.len() >= 80, "{}", keyframe.len());
}

#[test]
fn one_bad_receiver_takes_nothing_from_the_other() {
    let mut world = call(74, 8, &steady(20_000));
    world.join(3, false);
    world.client(3).streams.clear();
    world.behind(3, &steady(20_000));
    world.route(3, "v0", Some((1, "cam")));
    world.run_for(5 * SECOND);
    let bytes = |world: &mut World, span| {
        let before = world.client(3).received_bytes;
        world.run_for(span);
        world.client(3).received_bytes - before
    };
    let good = bytes(&mut world, 10 * SECOND);
    world.behind(2, &steady(400));
    let beside_bad = bytes(&mut world, 10 * SECOND);
    assert!(
        beside_bad.abs_diff(good) * 20 < good,
        "{good} and then {beside_bad}"
    );
}

#[test]
fn a_route_away_from_a_crowded_slot_begins_at_once_and_leaves_no_gap() {
    let mut world = call(75, 14, &steady(800));
    world.join(3, false);
    // Not so long that the camera, which has nothing smaller to offer, is given up.
    let crowded = (0..40).any(|_| {
        world.run_for(SECOND / 10);
        downlink(&mut world, 2).pacer_queue_ms > 0.0
    });
    assert!(crowded);
    world.client(3).streams[1].packets_per_frame = 2;
    world.route(2, "v0", Some((3, "cam")));
    let routed = world.now;
    world.run_for(2 * SECOND);
    let seen = world.seen(2, "v0");
    let next = seen
        .iter()
        .position(|packet| packet.mark.source_ssrc == 6_000);
    let next = next.expect("the other camera");
    assert!(
        seen[next].at.since(routed) < Duration::from_millis(300),
        "{:?}",
        seen[next].at
    );
    assert!(seen[next].keyframe);
    assert_eq!(seen[next].sequence, seen[next - 1].sequence + 1);
}

#[test]
fn feedback_that_lies_changes_nothing_and_is_counted() {
    let mut world = call(76, 3, &steady(4_000));
    world.run_for(3 * SECOND);
    world.client(2).tells_arrivals = false;
    let before = downlink(&mut world, 2);
    let dropped = world.dropped("malformed");
    for (base, count) in [(30_000, 50), (60_000, 400), (0, 9_000), (10_000, 65_535)] {
        for chunk in [0x2000u16, 0x1fff, 0xffff, 0x8000, 0x0000] {
            let packet = lie(base, count, chunk);
            let client = world.client(2);
            let plain_bytes = packet.len();
            let mut sealed = packet;
            sealed.resize(plain_bytes + MAX_TRAILER_BYTES, 0);
            let bytes = client
                .outbound
                .seal_rtcp(&mut sealed, plain_bytes)
                .expect("seals");
            sealed.truncate(bytes);
            world.inject(2, sealed);
        }
    }
    let after = downlink(&mut world, 2);
    assert_eq!(after.available_bps, before.available_bps);
    assert_eq!(after.loss_ratio, before.loss_ratio);
    assert!(world.dropped("malformed") > dropped);
}

/// Feedback about `count` packets from `base` on, all with the same chunk.
fn lie(base: u16, count: u16, chunk: u16) -> Vec<u8> {
    let mut packet = vec![0x8f, 205, 0, 0];
    packet.extend([0, 0, 0, 1, 0, 0, 0, 2]);
    packet.extend(base.to_be_bytes());
    packet.extend(count.to_be_bytes());
    packet.extend([0x12, 0x34, 0x56, 7]);
    (0..8).for_each(|_| packet.extend(chunk.to_be_bytes()));
    packet.resize(1_100, 1);
    let words = (packet.len() / 4 - 1) as u16;
    packet[2..4].copy_from_slice(&words.to_be_bytes());
    packet
}

#[test]
fn a_viewer_that_claims_to_get_everything_at_once_is_sent_no_flood() {
    let mut world = call(77, 3, &steady(600));
    world.client(2).arrivals.flatters = true;
    world.run_for(20 * SECOND);
    let path = downlink(&mut world, 2);
    assert!(path.available_bps <= 30_000_000, "{path:?}");
    assert!(path.probe_clusters <= 10, "{path:?}");
    let sent = world
        .network(2)
        .link(Direction::Down)
        .counters()
        .pushed_bytes;
    assert!(sent < 20 * 600_000 / 8 * 11 / 10, "{sent} bytes");
}
