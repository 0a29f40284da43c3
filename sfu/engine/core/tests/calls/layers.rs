//! Simulcast: the best layer that arrives, and keyframes asked for no more than needed.

use core::time::Duration;

use super::forwarding::assert_continuous;
use super::sim::World;

const SECOND: Duration = Duration::from_secs(1);
const LOW: u32 = 2_000;
const HIGH: u32 = 2_500;

fn layers_in_order(world: &mut World) -> Vec<u32> {
    let mut order: Vec<u32> = world
        .seen(2, "v0")
        .iter()
        .map(|packet| packet.mark.source_ssrc)
        .collect();
    order.dedup();
    order
}

#[test]
fn the_best_layer_is_shown_falls_back_when_it_stops_and_comes_back() {
    let mut world = World::new(31);
    world.join(1, true);
    world.join(2, false);
    world.client(1).streams[2].paused = true;
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(2 * SECOND);
    assert_eq!(layers_in_order(&mut world), [LOW]);
    world.client(1).streams[2].paused = false;
    world.client(1).streams[2].keyframe_wanted = false;
    world.run_for(2 * SECOND);
    assert_eq!(layers_in_order(&mut world), [LOW, HIGH]);
    let requests = world.client(1).streams[2].keyframe_requests.len();
    assert!((1..=2).contains(&requests), "{requests}");
    world.client(1).streams[2].paused = true;
    world.run_for(2 * SECOND);
    assert_eq!(layers_in_order(&mut world), [LOW, HIGH, LOW]);
    let seen = world.seen(2, "v0");
    assert_continuous(&seen);
    let fallback = seen
        .windows(2)
        .find(|pair| pair[0].mark.source_ssrc == HIGH && pair[1].mark.source_ssrc == LOW);
    let fallback = fallback.expect("a fallback");
    assert!(fallback[1].keyframe);
    assert!(fallback[1].at.since(fallback[0].at) < Duration::from_millis(800));
}

#[test]
fn between_layers_the_publishers_clock_keeps_time() {
    let mut world = World::new(32);
    world.join(1, true);
    world.join(2, false);
    world.client(1).streams[2].paused = true;
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(2 * SECOND);
    world.client(1).streams[2].paused = false;
    world.client(1).streams[2].keyframe_wanted = false;
    world.run_for(2 * SECOND);
    // One more keyframe of the low layer after both reports came: down and up again.
    world.client(1).streams[2].paused = true;
    world.run_for(2 * SECOND);
    let seen = world.seen(2, "v0");
    assert_continuous(&seen);
    let switches: Vec<_> = seen
        .windows(2)
        .filter(|p| p[0].mark.source_ssrc != p[1].mark.source_ssrc)
        .collect();
    let last = switches.last().expect("a fallback");
    let captured = last[1].mark.sent.since(last[0].mark.sent).as_micros() as u32 * 9 / 100;
    let ticks = last[1].timestamp.wrapping_sub(last[0].timestamp);
    assert!(
        ticks.abs_diff(captured) <= 90,
        "{ticks} ticks for {captured}"
    );
}

#[test]
fn keyframe_requests_are_throttled_however_many_ask() {
    let mut world = World::new(33);
    world.join(1, false);
    for viewer in 2..=9 {
        world.join_with(viewer, super::sim::description::visit(false, 1));
        world.route(viewer, "v0", Some((1, "cam")));
    }
    world.run_for(SECOND);
    world.client(1).streams[1].keyframe_requests.clear();
    let ssrc = super::sim::description::slot_ssrc("v0");
    for _ in 0..30 {
        for viewer in 2..=9 {
            let pli = world.client(viewer).pli(ssrc);
            world.inject(viewer, pli);
        }
        world.run_for(Duration::from_millis(100));
    }
    let requests = world.client(1).streams[1].keyframe_requests.len();
    assert!((5..=7).contains(&requests), "{requests} requests in 3 s");
}

#[test]
fn an_unanswered_keyframe_request_is_repeated() {
    let mut world = World::new(34);
    world.join(1, false);
    world.join(2, false);
    world.run_for(5 * SECOND);
    world.link.quality.loss_percent = 100;
    world.route(2, "v0", Some((1, "cam")));
    world.run_for(Duration::from_millis(1));
    world.link.quality.loss_percent = 0;
    world.run_for(SECOND);
    let seen = world.seen(2, "v0");
    assert!(seen[0].keyframe && seen.len() > 20, "{}", seen.len());
}
