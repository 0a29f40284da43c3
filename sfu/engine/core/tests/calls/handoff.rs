//! A slot that changes its source goes on as one stream.

use core::time::Duration;

use super::forwarding::assert_continuous;
use super::sim::World;
use super::sim::description::visit;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_slot_goes_from_one_to_another_and_back_without_a_break() {
    let mut world = World::new(21);
    for id in 1..=3 {
        world.join(id, false);
    }
    let mut expected = Vec::new();
    for publisher in [1, 2, 1] {
        world.route(3, "v0", Some((publisher, "cam")));
        world.route(3, "a0", Some((publisher, "mic")));
        world.run_for(2 * SECOND);
        expected.push(publisher as u32 * 2_000);
    }
    let seen = world.seen(3, "v0");
    assert_continuous(&seen);
    assert_continuous(&world.seen(3, "a0"));
    let mut order: Vec<u32> = seen.iter().map(|packet| packet.mark.source_ssrc).collect();
    order.dedup();
    assert_eq!(order, expected);
    for pair in seen
        .windows(2)
        .filter(|pair| pair[0].mark.source_ssrc != pair[1].mark.source_ssrc)
    {
        assert!(pair[1].keyframe, "a source begins at a keyframe");
        assert!(
            pair[1].at.since(pair[0].at) < Duration::from_millis(120),
            "{pair:?}"
        );
        let ticks = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!(ticks.abs_diff(pair[1].at.since(pair[0].at).as_millis() as u32 * 90) < 9_000);
    }
}

#[test]
fn an_empty_while_keeps_the_timestamps_in_step_with_time() {
    let mut world = World::new(22);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "a0", Some((1, "mic")));
    world.run_for(SECOND);
    world.route(2, "a0", None);
    world.run_for(7 * SECOND);
    world.route(2, "a0", Some((1, "mic")));
    world.run_for(SECOND);
    let seen = world.seen(2, "a0");
    assert_continuous(&seen);
    let pause = seen
        .windows(2)
        .find(|pair| pair[1].at.since(pair[0].at) > SECOND)
        .expect("a pause");
    let ticks = pause[1].timestamp.wrapping_sub(pause[0].timestamp);
    assert!(
        ticks.abs_diff(pause[1].at.since(pause[0].at).as_millis() as u32 * 48) < 960,
        "{ticks}"
    );
    assert!(pause[1].marker, "sound begins anew");
}

#[test]
fn handoffs_over_a_bad_line_stay_continuous() {
    let mut world = World::new(23);
    world.link.quality = super::sim::link::Quality::lossy(5);
    for id in 1..=3 {
        world.join(id, false);
    }
    for turn in 0..12 {
        world.route(3, "v0", Some((1 + turn % 2, "cam")));
        world.run_for(SECOND);
    }
    world.link.quality = super::sim::link::Quality::GOOD;
    world.run_for(2 * SECOND);
    let seen = world.seen(3, "v0");
    // What was lost at the end of one source's turn is not asked for behind the next keyframe.
    let whole = seen
        .windows(2)
        .filter(|pair| pair[1].sequence == pair[0].sequence + 1)
        .count();
    assert!(
        whole * 1_000 >= seen.len() * 985,
        "{whole} of {}",
        seen.len()
    );
    for pair in seen
        .windows(2)
        .filter(|pair| pair[0].mark.source_ssrc == pair[1].mark.source_ssrc)
    {
        let frames = pair[1].mark.frame - pair[0].mark.frame;
        assert_eq!(
            u32::from(pair[1].picture_id.wrapping_sub(pair[0].picture_id) & 0x7fff),
            frames
        );
    }
}

#[test]
fn a_source_that_begins_anew_under_another_ssrc_continues_in_the_slot() {
    let mut world = World::new(24);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(SECOND);
    let stream = &mut world.client(1).streams[1];
    (
        stream.ssrc,
        stream.rtx_ssrc,
        stream.sequence,
        stream.timestamp,
    ) = (77_777, 77_778, 40_000, 5);
    stream.keyframe_wanted = false;
    world.run_for(2 * SECOND);
    let seen = world.seen(2, "v0");
    assert_continuous(&seen);
    assert_eq!(seen.last().expect("packets").mark.source_ssrc, 77_777);
}

#[test]
fn a_leap_of_the_publishers_sequence_is_no_leap_for_the_viewer() {
    let mut world = World::new(25);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(SECOND);
    let stream = &mut world.client(1).streams[1];
    stream.sequence = stream.sequence.wrapping_add(20_000);
    world.run_for(2 * SECOND);
    let seen = world.seen(2, "v0");
    assert_continuous(&seen);
    assert!(seen.len() > 200, "{}", seen.len());
}

#[test]
fn whose_handshake_ends_after_all_was_routed_begins_with_a_picture_at_once() {
    let mut world = World::new(27);
    world.join(1, false);
    world.run_for(SECOND);
    world.announce(2, visit(false, 1));
    world.route(2, "v0", Some((1, "cam")));
    world.route(2, "a0", Some((1, "mic")));
    world.run_for(SECOND);
    world.give_keys(2);
    let connected = world.now;
    world.run_for(SECOND);
    let seen = world.seen(2, "v0");
    assert!(seen[0].keyframe, "{:?}", seen[0]);
    let waited = seen[0].at.since(connected);
    assert!(waited < Duration::from_millis(100), "{waited:?}");
    assert_continuous(&seen);
}
