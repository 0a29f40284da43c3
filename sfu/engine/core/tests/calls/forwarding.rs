//! What goes in comes out: to whom it should, as it should.

use core::time::Duration;

use mianshi_engine_core::seqnum::timestamp_newer;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::{Command, Event};

use super::sim::World;
use super::sim::client::Received;
use super::sim::description::slot_ssrc;

const SECOND: Duration = Duration::from_secs(1);

/// Numbers go on without gap or repeat, and frames are whole and in order.
pub fn assert_continuous(seen: &[Received]) {
    for pair in seen.windows(2) {
        let [before, after] = pair else {
            unreachable!("windows of two")
        };
        assert_eq!(
            after.sequence,
            before.sequence + 1,
            "sequence after {before:?}"
        );
        let same_frame = (after.mark.source_ssrc, after.mark.frame)
            == (before.mark.source_ssrc, before.mark.frame);
        if same_frame {
            assert_eq!(
                after.timestamp, before.timestamp,
                "one frame, one timestamp: {after:?}"
            );
            assert_eq!(after.picture_id, before.picture_id);
        } else {
            assert!(
                timestamp_newer(after.timestamp, before.timestamp),
                "{before:?} {after:?}"
            );
            if slot_ssrc("v0") == after.ssrc {
                assert_eq!(
                    after.picture_id,
                    (before.picture_id + 1) & 0x7fff,
                    "{before:?} {after:?}"
                );
                assert_eq!(after.tl0, before.tl0.wrapping_add(1));
            }
        }
    }
}

#[test]
fn two_people_see_and_hear_each_other() {
    let mut world = World::new(1);
    world.join(1, false);
    world.join(2, false);
    for (viewer, publisher) in [(1, 2), (2, 1)] {
        world.route(viewer, "a0", Some((publisher, "mic")));
        world.route(viewer, "v0", Some((publisher, "cam")));
    }
    world.run_for(5 * SECOND);
    for (viewer, publisher) in [(1, 2u32), (2, 1)] {
        let sound = world.seen(viewer, "a0");
        assert!(sound.len() > 240, "{} packets of sound", sound.len());
        assert!(
            sound
                .iter()
                .all(|packet| packet.mark.source_ssrc == publisher * 1_000 && packet.mid == "a0")
        );
        assert!(sound[0].marker && !sound[1].marker);
        assert_continuous(&sound);
        let picture = world.seen(viewer, "v0");
        assert!(picture.len() > 350, "{} packets of picture", picture.len());
        assert!(
            picture
                .iter()
                .all(|packet| packet.mark.source_ssrc == publisher * 2_000 && packet.mid == "v0")
        );
        assert!(picture[0].keyframe);
        assert_continuous(&picture);
    }
}

#[test]
fn a_viewers_transport_numbers_count_every_packet_once() {
    let mut world = World::new(2);
    world.join(1, false);
    world.join(2, false);
    world.route(1, "a0", Some((2, "mic")));
    world.route(1, "v0", Some((2, "cam")));
    world.run_for(2 * SECOND);
    let viewer = world.client(1);
    let mut numbers: Vec<u16> = viewer
        .received
        .iter()
        .filter_map(|packet| packet.transport)
        .chain(viewer.padding.iter().copied())
        .collect();
    numbers.sort_unstable();
    let expected: Vec<u16> = (0..numbers.len() as u16).collect();
    assert_eq!(numbers, expected);
    assert!(!viewer.padding.is_empty(), "the path was probed");
}

#[test]
fn eight_viewers_get_one_publisher_each_with_numbers_of_their_own() {
    let mut world = World::new(3);
    for id in 1..=9 {
        world.join(id, false);
    }
    for viewer in 2..=9 {
        world.route(viewer, "v0", Some((1, "cam")));
    }
    world.run_for(3 * SECOND);
    let frames = world.client(1).streams[1].frame;
    for viewer in 2..=9 {
        let seen = world.seen(viewer, "v0");
        assert_continuous(&seen);
        assert!(
            seen.len() as u32 >= (frames - 5) * 3,
            "viewer {viewer}: {}",
            seen.len()
        );
    }
    assert_eq!(world.client(1).received.len(), 0);
}

#[test]
fn a_late_viewer_starts_at_a_keyframe_at_once() {
    let mut world = World::new(4);
    world.join(1, false);
    world.join(2, false);
    world.run_for(10 * SECOND);
    let routed = world.now;
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(SECOND);
    let seen = world.seen(2, "v0");
    assert!(seen[0].keyframe);
    assert!(
        seen[0].at.since(routed) < Duration::from_millis(100),
        "{:?}",
        seen[0].at.since(routed)
    );
    assert_eq!(world.client(1).streams[1].keyframe_requests.len(), 1);
    // The next one shares the first one's keyframe: nobody is asked again.
    world.join(3, false);
    world.client(1).streams[1].keyframe_wanted = true;
    world.run_for(Duration::from_millis(100));
    let routed = world.now;
    world.route(3, "v0", Some((1, "cam")));
    world.run_for(Duration::from_millis(100));
    let seen = world.seen(3, "v0");
    assert!(seen[0].keyframe && seen[0].at.since(routed) <= Duration::from_millis(11));
    assert_continuous(&seen);
    assert_eq!(world.client(1).streams[1].keyframe_requests.len(), 1);
}

#[test]
fn mute_stops_the_source_for_all_and_unmute_begins_with_a_keyframe() {
    let mut world = World::new(5);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "v0", Some((1, "cam")));
    world.route(2, "a0", Some((1, "mic")));
    world.run_for(2 * SECOND);
    for mid in ["cam", "mic"] {
        world.command(Command::SetEnabled {
            peer: 1,
            mid: mid.into(),
            enabled: false,
        });
    }
    world.run_for(Duration::from_millis(50));
    let before = world.client(2).received.len();
    world.run_for(3 * SECOND);
    assert_eq!(world.client(2).received.len(), before);
    for mid in ["cam", "mic"] {
        world.command(Command::SetEnabled {
            peer: 1,
            mid: mid.into(),
            enabled: true,
        });
    }
    world.run_for(2 * SECOND);
    let seen = world.seen(2, "v0");
    assert_continuous(&seen);
    assert_continuous(&world.seen(2, "a0"));
    let resumed = seen
        .windows(2)
        .find(|pair| pair[1].at.since(pair[0].at) > SECOND)
        .expect("a pause");
    assert!(resumed[1].keyframe);
    let ticks = resumed[1].timestamp.wrapping_sub(resumed[0].timestamp);
    let elapsed = resumed[1].at.since(resumed[0].at).as_millis() as u32 * 90;
    assert!(
        ticks.abs_diff(elapsed) < 9_000,
        "{ticks} ticks for {elapsed}"
    );
    assert!(world.dropped("disabled") > 0);
}

#[test]
fn a_publisher_that_leaves_mid_call_disturbs_nobody() {
    let mut world = World::new(6);
    for id in 1..=3 {
        world.join(id, false);
    }
    world.route(3, "v0", Some((1, "cam")));
    world.route(3, "v1", Some((2, "cam")));
    world.run_for(SECOND);
    world.command(Command::RemovePeer { peer: 1 });
    world.run_for(SECOND);
    let gone = world.seen(3, "v0").len();
    world.run_for(SECOND);
    assert_eq!(world.seen(3, "v0").len(), gone);
    assert!(world.seen(3, "v1").len() > 200);
    // Commands that crossed the departure do nothing, and its place may be taken.
    world.route(3, "v0", Some((1, "cam")));
    world.command(Command::RequestKeyframe {
        peer: 1,
        mid: "cam".into(),
    });
    world.clients.retain(|client| client.id != 1);
    world.join(4, false);
    world.route(3, "v0", Some((4, "cam")));
    world.run_for(SECOND);
    let seen = world.seen(3, "v0");
    assert_continuous(&seen);
    assert_eq!(seen.last().expect("packets").mark.source_ssrc, 8_000);
    assert_eq!(world.stats().peers, 3);
}

#[test]
fn events_tell_what_people_care_about_and_nothing_twice() {
    let mut world = World::new(7);
    world.join(1, true);
    world.run_for(SECOND);
    world.client(1).streams[0].level = 110;
    world.run_for(2 * SECOND);
    let told: Vec<String> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::IceConnected { peer, changed, .. } => {
                Some(format!("connected {peer} {changed}"))
            }
            Event::SourceStarted { mid, rid, .. } => Some(format!("started {mid}/{rid}")),
            Event::Speaking { mid, speaking, .. } => Some(format!("speaking {mid} {speaking}")),
            _ => None,
        })
        .collect();
    let mut sorted = told.clone();
    sorted.sort_unstable();
    let expected = [
        "connected 1 false",
        "speaking mic false",
        "speaking mic true",
        "started cam/f",
        "started cam/q",
        "started mic/",
    ];
    assert_eq!(sorted, expected, "{told:?}");
}

#[test]
fn a_silent_peer_is_told_at_each_mark_and_again_after_it_spoke() {
    let mut world = World::new(8);
    world.join(1, false);
    world.run_for(SECOND);
    let client = world.clients.pop().expect("one client");
    let address = client.address;
    world.run_for(40 * SECOND);
    let marks = |world: &World| -> Vec<u32> {
        let silent = world.events.iter().filter_map(|event| match event {
            Event::PeerSilent { silent_ms, .. } => Some(*silent_ms),
            _ => None,
        });
        silent.collect()
    };
    assert_eq!(marks(&world), [2_000, 5_000, 15_000, 30_000]);
    assert_eq!(world.engine.deadline(), None, "an idle peer costs nothing");
    world.inject_from(address, client.stun());
    world.run_for(3 * SECOND);
    assert_eq!(marks(&world), [2_000, 5_000, 15_000, 30_000, 2_000]);
}

#[test]
fn a_peer_that_moves_is_followed_by_its_media() {
    let mut world = World::new(9);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "a0", Some((1, "mic")));
    // No request of the old address is under way any more.
    world.run_for(Duration::from_millis(1_200));
    let moved = std::net::SocketAddr::from(([10, 9, 9, 9], 777));
    let request = world.client(2).stun();
    world.client(2).address = moved;
    world.inject_from(moved, request);
    let before = world.client(2).received.len();
    world.run_for(SECOND);
    assert!(world.client(2).received.len() > before + 40);
    let told = Event::IceConnected {
        peer: 2,
        address: moved,
        changed: true,
    };
    assert!(world.events.contains(&told));
    assert!(world.now > Time(0));
}
