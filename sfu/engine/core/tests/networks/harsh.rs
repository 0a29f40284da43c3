//! Networks that fail in the middle of a call.

use mianshi_engine_core::Event;
use mianshi_netsim::Scenario;

use crate::rig::{
    Rig, SECOND, clear, freezes, later, latest_ms, longest_gap_ms, scenario, seconds,
};

#[test]
fn after_an_address_change_media_is_back_within_a_second() {
    let mut rig = Rig::pair(5, &scenario("address-change"));
    rig.run_for(20 * SECOND);
    let pictures = rig.pictures(2, 0, 9.0, 20.0);
    let gap_ms = longest_gap_ms(&pictures);
    assert!(gap_ms <= 1_000, "{gap_ms}");
}

#[test]
fn after_a_black_out_sound_is_back_at_once_and_pictures_soon() {
    let mut rig = Rig::pair(6, &scenario("black-out"));
    rig.run_for(25 * SECOND);
    assert!(rig.pictures(2, 0, 10.1, 16.0).is_empty());
    let sound = rig.made_up_sound(2, 0, 16.5, 24.0);
    assert!(sound <= 0.01, "{sound} of the sound made up");
    let back = rig.pictures(2, 0, 16.0, 25.0);
    let first_s = seconds(back.first().expect("pictures").at) - 16.0;
    assert!(first_s <= 3.0, "{first_s} s until the first picture");
}

#[test]
fn a_cap_is_followed_at_once_and_left_soon() {
    let mut rig = Rig::pair(31, &scenario("cap-4-to-1_2"));
    rig.run_for(50 * SECOND);
    let tallest = |from: f64, until: f64| {
        let pictures = rig.pictures(2, 0, from, until);
        pictures.iter().map(|picture| picture.height).max()
    };
    assert_eq!(tallest(13.0, 15.0), Some(1080));
    assert_eq!(tallest(19.0, 35.0), Some(720));
    let queue_ms = rig
        .down(2, 17.0, 35.0)
        .iter()
        .map(|sample| sample.queue_ms)
        .max();
    let around = rig.pictures(2, 0, 14.0, 35.0);
    let sound = (
        rig.made_up_sound(2, 0, 15.0, 17.0),
        rig.made_up_sound(2, 0, 17.0, 35.0),
    );
    let again_s = rig.seconds_until(2, 1080, 35.0);
    assert!(
        queue_ms.is_some_and(|queue_ms| queue_ms <= 150),
        "{queue_ms:?} ms of queue"
    );
    assert!(
        longest_gap_ms(&around) <= 190,
        "{} {:?}",
        longest_gap_ms(&around),
        freezes(&around)
    );
    // The queue that stands before anybody can know costs its length once: 0.24 s of the 20 here,
    // whose earphone does not stretch what it has as a browser's does.
    assert!(sound.0 <= 0.13, "{sound:?} of the sound made up");
    assert_eq!(sound.1, 0.0);
    assert!(
        again_s.is_some_and(|again_s| again_s <= 5.0),
        "{again_s:?} s until 1080 lines"
    );
}

#[test]
fn wherever_in_a_picture_a_cap_falls_nothing_stands_still() {
    for late_ms in (0..360).step_by(45) {
        let mut rig = Rig::pair(31, &later("cap-4-to-1_2", 15, late_ms));
        rig.run_for(18 * SECOND);
        let around = rig.pictures(2, 0, 14.0, 18.0);
        let sound = 3.0 * rig.made_up_sound(2, 0, 15.0, 18.0);
        let gap_ms = longest_gap_ms(&around);
        assert!(gap_ms <= 200, "{late_ms}: {gap_ms} {:?}", freezes(&around));
        assert!(sound <= 0.2, "{late_ms}: {sound} s of the sound made up");
    }
}

#[test]
fn after_a_cap_no_pictures_wait_behind_what_an_encoder_overshot() {
    for late_ms in (0..360).step_by(45) {
        let mut rig = Rig::pair(31, &later("cap-4-to-1_2", 15, late_ms));
        rig.camera_overshoots(1, 115);
        rig.run_for(35 * SECOND);
        let late = latest_ms(&rig.pictures(2, 0, 18.5, 35.0));
        assert!(late <= 270, "{late_ms}: {late} ms later than the promptest");
    }
}

#[test]
fn a_narrow_time_keeps_its_sound() {
    let mut rig = Rig::pair(32, &scenario("cap-300k"));
    rig.run_for(60 * SECOND);
    let sound = (
        rig.made_up_sound(2, 0, 15.0, 45.0),
        rig.made_up_sound(2, 0, 17.0, 45.0),
    );
    let pictures = rig.pictures(2, 0, 20.0, 45.0);
    let again_s = rig.seconds_until(2, 1080, 45.0);
    assert!(pictures.iter().all(|picture| picture.height <= 360));
    assert!(pictures.len() >= 500, "{} pictures in 25 s", pictures.len());
    assert!(sound.0 <= 0.017, "{sound:?} of the sound made up");
    // One packet of 20 ms.
    assert!(sound.1 <= 0.001, "{sound:?} of the sound made up");
    assert!(
        again_s.is_some_and(|again_s| again_s <= 9.0),
        "{again_s:?} s until 1080 lines"
    );
}

#[test]
fn a_good_receiver_does_not_feel_a_bad_one() {
    let mut rig = Rig::new(33);
    rig.join(1, true, 0, &clear(5));
    rig.join(2, false, 1, &clear(25));
    rig.join(3, false, 1, &scenario("two-receivers"));
    rig.watch(2, 0, 1, (1920, 1080));
    rig.watch(3, 0, 1, (1920, 1080));
    rig.run_for(40 * SECOND);
    let (before, during) = (rig.down_bps(2, 5.0, 15.0), rig.down_bps(2, 17.0, 35.0));
    assert!(
        (during / before - 1.0).abs() < 0.05,
        "{before} became {during}"
    );
    let bad_bps = rig.down_bps(3, 18.0, 35.0);
    assert!(bad_bps <= 400_000.0, "{bad_bps}");
    assert!(
        rig.pictures(2, 0, 15.0, 35.0)
            .iter()
            .all(|picture| picture.height == 1080)
    );
}

#[test]
fn who_has_no_room_for_pictures_at_times_does_not_stir_the_camera() {
    let mut rig = Rig::new(35);
    let narrow = "[[step]]\nat_s = 0\nboth = { delay_ms = 25 }\n\n[[step]]\nat_s = 10\n\
        down = { rate_kbps = 300, queue_ms = 300, burst_loss_percent = 5, burst_packets = 4 }\n";
    rig.join(1, true, 0, &clear(5));
    rig.join(2, false, 1, &clear(25));
    rig.join(
        3,
        false,
        1,
        &Scenario::parse(narrow).expect("a valid scenario"),
    );
    rig.watch(2, 0, 1, (1280, 720));
    rig.watch(3, 0, 1, (1280, 720));
    rig.run_for(70 * SECOND);
    let count = |is_one: fn(&Event) -> bool| {
        let late = rig.events.iter().filter(|(at, _)| seconds(*at) > 20.0);
        late.filter(|(_, event)| is_one(event)).count()
    };
    let paused = count(|event| matches!(event, Event::SlotPaused { .. }));
    assert!(paused >= 4, "{paused} times: not what this test is for");
    // Each telling costs the other viewer's layer a second of lower quality.
    let told = count(|event| matches!(event, Event::LayersWanted { .. }));
    assert!(told <= 5, "told {told} times in 50 s");
}

#[test]
fn a_train_ride_is_outlasted() {
    let mut rig = Rig::pair(34, &scenario("train"));
    rig.run_for(300 * SECOND);
    let sound = (rig.made_up_sound(2, 0, 0.0, 146.0) + rig.made_up_sound(2, 0, 153.0, 299.0)) / 2.0;
    assert!(sound <= 0.03, "{sound} of the sound made up");
    let end = rig.pictures(2, 0, 290.0, 300.0);
    assert!(end.iter().all(|picture| picture.height == 1080));
}
