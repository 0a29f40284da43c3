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
    assert_eq!(rig.missing_sound(2, 0, 2.0, 19.0), 0.0);
    let down_bps = rig.down_bps(2, 10.0, 20.0);
    assert!((3.0e6..3.6e6).contains(&down_bps), "{down_bps}");
    let samples = rig.down(2, 10.0, 20.0);
    assert!(samples.iter().all(|sample| sample.queue_ms == 0));
}

/// Random loss both ways; the shares of sound missed, of time frozen, and pictures a second.
fn with_loss(name: &str, seed: u8) -> (f64, f64, f64) {
    let mut rig = Rig::pair(seed, &scenario(name));
    rig.run_for(40 * SECOND);
    let pictures = rig.pictures(2, 0, 10.0, 40.0);
    (
        rig.missing_sound(2, 0, 10.0, 39.0),
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
