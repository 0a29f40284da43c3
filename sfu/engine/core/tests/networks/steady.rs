//! Networks that stay as they are: what fits is used, and no more.

use crate::rig::{Rig, SECOND, clear, frozen_share, scenario};

#[test]
fn on_a_good_line_everything_arrives_at_full_size() {
    let mut rig = Rig::pair(1, &clear(25));
    rig.run_for(20 * SECOND);
    let pictures = rig.pictures(2, 0, 10.0, 20.0);
    assert!(pictures.iter().all(|picture| picture.height == 1080));
    assert!(pictures.len() >= 248, "{} pictures in 10 s", pictures.len());
    assert_eq!(frozen_share(&pictures), 0.0);
    assert_eq!(rig.made_up_sound(2, 0, 2.0, 19.0), 0.0);
    let down_bps = rig.down_bps(2, 10.0, 20.0);
    assert!((2.6e6..3.1e6).contains(&down_bps), "{down_bps}");
    let samples = rig.down(2, 10.0, 20.0);
    assert!(samples.iter().all(|sample| sample.queue_ms == 0));
}

/// Random loss both ways; the shares of sound missed, of time frozen, and pictures a second.
fn with_loss(name: &str, seed: u8) -> (f64, f64, f64) {
    let mut rig = Rig::pair(seed, &scenario(name));
    rig.run_for(40 * SECOND);
    let pictures = rig.pictures(2, 0, 10.0, 40.0);
    (
        rig.made_up_sound(2, 0, 10.0, 39.0),
        frozen_share(&pictures),
        pictures.len() as f64 / 30.0,
    )
}

#[test]
fn sound_and_pictures_outlast_random_loss() {
    let limits = [
        ("loss-5", 0.005, 0.01),
        ("loss-10", 0.01, 0.02),
        ("loss-20", 0.03, 0.05),
    ];
    for (name, most_missing, most_frozen) in limits {
        let runs: Vec<(f64, f64, f64)> = (21..26).map(|seed| with_loss(name, seed)).collect();
        let worst = |of: fn(&(f64, f64, f64)) -> f64| runs.iter().map(of).fold(0.0, f64::max);
        let mut frozen: Vec<f64> = runs.iter().map(|run| run.1).collect();
        frozen.sort_by(f64::total_cmp);
        assert!(worst(|run| run.0) <= most_missing, "{name}: {runs:?}");
        assert!(frozen[2] <= most_frozen * 0.8, "{name}: {runs:?}");
        assert!(worst(|run| run.1) <= most_frozen * 2.0, "{name}: {runs:?}");
        assert!(runs.iter().all(|run| run.2 >= 15.0), "{name}: {runs:?}");
    }
}

/// Two cameras, the first drawn large; the share of the capacity that was used, the share of
/// packets that the queue dropped, and the heights that were seen.
fn on_a_steady_line(name: &str, seed: u8) -> (f64, f64, [Vec<u16>; 2]) {
    let mut rig = Rig::new(seed);
    rig.join(1, true, 0, &clear(5));
    rig.join(3, true, 0, &clear(5));
    rig.join(2, false, 2, &scenario(name));
    rig.watch(2, 0, 1, (1920, 1080));
    rig.watch(2, 1, 3, (640, 360));
    rig.run_for(40 * SECOND);
    let samples = rig.down(2, 15.0, 40.0);
    let (first, last) = (samples[0].counters, samples[samples.len() - 1].counters);
    let dropped =
        (last.queue_drops - first.queue_drops) as f64 / (last.pushed - first.pushed) as f64;
    let capacity_bps = scenario(name).steps()[0].down.rate_bps.expect("a capacity") as f64;
    let heights = [0, 1].map(|slot| {
        let mut heights: Vec<u16> = rig
            .pictures(2, slot, 15.0, 40.0)
            .iter()
            .map(|picture| picture.height)
            .collect();
        heights.sort_unstable();
        heights.dedup();
        heights
    });
    (rig.down_bps(2, 15.0, 40.0) / capacity_bps, dropped, heights)
}

#[test]
fn a_steady_line_is_used_without_loss() {
    let lines = [
        ("steady-0_5", 11, 0.92),
        ("steady-1", 12, 0.92),
        ("steady-2", 13, 0.88),
        // All that the layers can take is 0.87 of it.
        ("steady-4", 14, 0.80),
    ];
    for (name, seed, least) in lines {
        let (used, dropped, heights) = on_a_steady_line(name, seed);
        assert!(dropped < 0.01, "{name}: {dropped}");
        assert!(used >= least, "{name}: {used} of the capacity, {heights:?}");
    }
}
