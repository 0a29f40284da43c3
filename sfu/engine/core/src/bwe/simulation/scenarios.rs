//! Paths that stay, paths that change, and paths that lie.

use core::time::Duration;

use super::{Appetite, Path, STEADY, World};

fn queue_now(world: &World) -> Duration {
    world.free.since(world.now)
}

#[test]
fn a_steady_path_is_used_and_not_overrun() {
    for capacity_bps in [500_000, 1_000_000, 2_000_000, 4_000_000] {
        let mut world = World::new(
            Path {
                capacity_bps,
                ..STEADY
            },
            Appetite::UpTo(6_000_000),
        );
        world.run(10.0);
        let (used, dropped) = world.run(60.0);
        assert!(used >= 0.85, "{used} of {capacity_bps}");
        assert!(dropped < 0.01, "{dropped} of {capacity_bps}");
        assert!(
            world.longest_queue < Duration::from_millis(200),
            "{:?}",
            world.longest_queue
        );
    }
}

#[test]
fn a_join_finds_four_megabits_within_a_second() {
    let mut world = World::new(STEADY, Appetite::UpTo(5_000_000));
    let found = world.until(3.0, |world| world.estimate() > 3_200_000);
    assert!(found.is_some_and(|seconds| seconds < 1.0), "{found:?}");
}

const LAYERS: &[u64] = &[200_000, 700_000, 3_000_000];

/// Twenty seconds at 4 Mb/s, twenty at 1.2, and back.
fn drop_and_return(appetite: Appetite, feedback: Duration) {
    let case = format!("feedback every {feedback:?}");
    let mut world = World::new(Path { feedback, ..STEADY }, appetite);
    world.run(20.0);
    assert!(world.estimate() > 3_000_000, "{case}: {}", world.estimate());
    world.path.capacity_bps = 1_200_000;
    let cut = world.until(4.0, |world| world.estimate() < 1_250_000);
    let drained = world.until(4.0, |world| queue_now(world) < Duration::from_millis(150));
    let seconds = cut.unwrap_or(9.0) + drained.unwrap_or(9.0);
    assert!(seconds < 1.5, "{case}: {seconds}");
    world.run(2.0);
    let (used, dropped) = world.run(16.0);
    assert!(dropped < 0.01, "{case}: {dropped}");
    if matches!(appetite, Appetite::UpTo(_)) {
        assert!(used > 0.85, "{case}: {used}");
    }
    assert!(world.longest_queue < Duration::from_millis(200), "{case}");
    assert!(world.estimate() > 900_000, "{case}: {}", world.estimate());
    world.path.capacity_bps = 4_000_000;
    let back = world.until(9.0, |world| world.estimate() > 3_200_000);
    assert!(
        back.is_some_and(|seconds| seconds < 5.0),
        "{case}: {back:?}"
    );
}

#[test]
fn a_sudden_drop_is_followed_and_its_end_found() {
    for feedback_ms in [50, 100, 250] {
        let feedback = Duration::from_millis(feedback_ms);
        drop_and_return(Appetite::UpTo(3_500_000), feedback);
        drop_and_return(Appetite::Layers(LAYERS), feedback);
    }
}

#[test]
fn three_hundred_kilobits_for_half_a_minute_and_back() {
    let mut world = World::new(STEADY, Appetite::Layers(LAYERS));
    world.run(10.0);
    world.path.capacity_bps = 300_000;
    world.run(4.0);
    let (_, dropped) = world.run(26.0);
    assert!(dropped < 0.02, "{dropped}");
    assert!(
        world.longest_queue < Duration::from_millis(300),
        "{:?}",
        world.longest_queue
    );
    world.path.capacity_bps = 4_000_000;
    let back = world.until(12.0, |world| world.picture_bps >= 3_000_000);
    assert!(back.is_some_and(|seconds| seconds < 8.0), "{back:?}");
}

#[test]
fn random_loss_does_not_starve_the_pictures() {
    for (loss, least_bps) in [(5, 2_400_000), (10, 2_000_000), (20, 1_000_000)] {
        let path = Path {
            loss,
            one_way: Duration::from_millis(50),
            ..STEADY
        };
        let mut world = World::new(path, Appetite::UpTo(3_000_000));
        world.run(20.0);
        let (used, _) = world.run(40.0);
        let carried = used * 4_000_000.0;
        assert!(carried > f64::from(least_bps), "{carried} at {loss} %");
    }
}

#[test]
fn jitter_and_reordering_are_not_congestion() {
    let path = Path {
        jitter: Duration::from_millis(30),
        ..STEADY
    };
    let mut world = World::new(path, Appetite::UpTo(2_500_000));
    world.run(10.0);
    let (used, _) = world.run(30.0);
    assert!(used * 4_000_000.0 > 2_200_000.0, "{used}");
}

#[test]
fn half_of_the_feedback_lost_changes_little() {
    let path = Path {
        feedback_loss: 50,
        ..STEADY
    };
    let mut world = World::new(path, Appetite::UpTo(6_000_000));
    world.run(15.0);
    let (used, dropped) = world.run(40.0);
    assert!(used > 0.75 && dropped < 0.02, "{used} {dropped}");
}

#[test]
fn a_black_out_is_survived() {
    let mut world = World::new(STEADY, Appetite::Layers(LAYERS));
    world.run(10.0);
    world.path.loss = 100;
    world.path.feedback_loss = 100;
    world.run(5.0);
    let during = world.estimate();
    world.path = STEADY;
    let back = world.until(10.0, |world| world.picture_bps >= 3_000_000);
    assert!(during < 1_500_000, "{during}");
    assert!(back.is_some_and(|seconds| seconds < 5.0), "{back:?}");
}

#[test]
fn a_viewer_that_never_tells_anything_has_no_limit() {
    let path = Path {
        feedback_loss: 100,
        ..STEADY
    };
    let mut world = World::new(path, Appetite::UpTo(500_000));
    world.run(1.0);
    assert!(world.estimator.available_bps(world.now).is_some());
    world.run(3.0);
    assert_eq!(world.estimator.available_bps(world.now), None);
}

#[test]
fn a_path_that_becomes_longer_is_not_congested() {
    for (loss, one_way, jitter) in [(0, 75, 0), (5, 75, 10), (20, 75, 0), (20, 25, 0)] {
        for layers in [&STEPS[..3], &STEPS[..]] {
            let wide = Path {
                jitter: Duration::from_millis(jitter),
                capacity_bps: 100_000_000,
                one_way: Duration::from_millis(5),
                ..STEADY
            };
            let mut world = World::new(wide, Appetite::Layers(layers));
            world.run(15.0);
            let (before, picture_bps) = (world.estimate(), world.picture_bps);
            world.path = Path {
                one_way: Duration::from_millis(one_way),
                loss,
                feedback_loss: loss,
                ..wide
            };
            let mut least = (before, picture_bps);
            for _ in 0..30 {
                world.run(0.5);
                least = (
                    least.0.min(world.estimate()),
                    least.1.min(world.picture_bps),
                );
            }
            // What is kept back for repairs may cost a layer.
            assert!(
                least.0 * 10 > before * 7,
                "{loss} %: {before} fell to {least:?}"
            );
            assert!(
                least.1 * 2 > picture_bps,
                "{loss} %: {picture_bps} fell to {least:?}"
            );
        }
    }
}

const STEPS: [u64; 7] = [
    120_000, 250_000, 600_000, 900_000, 1_500_000, 2_200_000, 3_400_000,
];
