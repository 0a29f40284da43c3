//! Pictures that follow a viewer's bandwidth and the size of their slot, and a publisher that is told
//! what nobody watches.

use core::time::Duration;

use mianshi_engine_core::command::Tuning;

use super::sim::client::Received;
use super::sim::description::slot_ssrc;
use super::sim::link::Quality;
use super::sim::watched::{
    Call, F, H, H_KBPS, HALF_Q_KBPS, MILLISECOND, NOTHING_KBPS, PLENTY_KBPS, Q, Q_KBPS, SECOND,
    assert_seamless,
};

#[test]
fn bandwidth_decides_on_pixels_then_on_frames_then_on_pictures_at_all() {
    let mut call = Call::watched(61, 1);
    call.run(3_000);
    assert_eq!(call.shows(2), Some((F, 2)));
    for (kbps, shown) in [
        (H_KBPS, Some((H, 2))),
        (Q_KBPS, Some((Q, 2))),
        (HALF_Q_KBPS, Some((Q, 1))),
        (NOTHING_KBPS, None),
        (PLENTY_KBPS, Some((F, 2))),
    ] {
        call.has(2, kbps);
        call.run(4_000);
        assert_eq!(call.shows(2), shown, "at {kbps} kb/s");
    }
    assert_eq!(call.paused, [(2, true), (2, false)]);
    assert_seamless(&call.seen(2));
    assert_eq!(call.world.client(2).empty, []);
    let sound = call.world.seen(2, "a0");
    assert!(
        sound
            .windows(2)
            .all(|pair| pair[1].at.since(pair[0].at) <= 21 * MILLISECOND)
    );
}

#[test]
fn sound_takes_nothing_of_an_estimate_of_the_pictures_alone() {
    let (sound, pictures) = (slot_ssrc("a0"), slot_ssrc("v0"));
    for (ssrcs, shown) in [
        (&[pictures][..], Some((Q, 2))),
        (&[sound, pictures], Some((Q, 1))),
    ] {
        let mut call = Call::watched(62, 1);
        call.run(3_000);
        call.has_for(2, HALF_Q_KBPS, ssrcs);
        call.run(4_000);
        assert_eq!(call.shows(2), shown, "of {ssrcs:?}");
    }
}

#[test]
fn a_viewer_whose_estimates_ended_with_the_pictures_is_tried_again() {
    let mut call = Call::watched(63, 1);
    call.run(5_000);
    call.has(2, NOTHING_KBPS);
    call.run(4_000);
    assert_eq!(call.paused, [(2, true)]);
    call.run(3_000);
    assert_eq!(call.paused, [(2, true), (2, false)]);
    assert!(call.shows(2).is_some());
}

#[test]
fn a_lower_layer_comes_soon_and_the_picture_never_stands_still() {
    for seed in 0..20 {
        let mut call = Call::watched(100 + seed, 1);
        call.world.link.quality.delay = Duration::from_millis(25);
        call.run(5_000 + seed * 13);
        let since = call.world.now;
        call.has(2, H_KBPS);
        call.run(1_500);
        // 50 ms to the publisher and back, a frame, the allocator's pace.
        let lower = [Q, H]
            .into_iter()
            .filter_map(|layer| call.switch(2, layer, since));
        let lower = lower.min().expect("a lower layer");
        assert!(lower <= Duration::from_millis(50 + 250), "{lower:?}");
        let freeze = call.longest_freeze(2, since);
        assert!(freeze <= Duration::from_millis(150), "{freeze:?}");
        let bridged: Vec<u8> = call
            .seen(2)
            .iter()
            .filter(|packet| packet.at.since(since) > Duration::from_millis(180))
            .filter(|packet| packet.mark.source_ssrc == F)
            .map(|packet| packet.temporal)
            .collect();
        assert!(bridged.iter().all(|temporal| *temporal == 0), "{bridged:?}");
        call.run(3_000);
        assert_eq!(call.shows(2), Some((H, 2)));
        assert_seamless(&call.seen(2));
    }
}

#[test]
fn a_layer_that_is_far_too_much_is_dropped_before_the_lower_one_comes() {
    let mut call = Call::watched(62, 1);
    call.run(3_000);
    call.world.link.quality.delay = Duration::from_millis(200);
    call.run(1_000);
    let since = call.world.now;
    call.has(2, HALF_Q_KBPS);
    call.run(300);
    let still = call.seen(2);
    let still = still
        .iter()
        .filter(|packet| packet.at.since(since) > 350 * MILLISECOND);
    assert_eq!(
        still.count(),
        0,
        "nothing that the path cannot hold is sent"
    );
    // By then it is plain that this publisher spends what it likes.
    call.run(3_000);
    assert_eq!(call.shows(2), Some((Q, 1)));
    assert_seamless(&call.seen(2));
}

#[test]
fn a_higher_layer_comes_as_soon_as_there_was_room_for_it() {
    for seed in 0..20 {
        let mut call = Call::watched(200 + seed, 1);
        call.world.link.quality.delay = Duration::from_millis(25);
        call.has(2, Q_KBPS);
        call.run(6_000 + seed * 17);
        assert_eq!((call.shows(2), call.last_told()), (Some((Q, 2)), vec!["q"]));
        let since = call.world.now;
        call.has(2, PLENTY_KBPS);
        call.run(2_000);
        let asked = call
            .told
            .iter()
            .find(|(at, rids)| *at >= since && rids.len() > 1);
        let asked = asked.expect("the layer was asked for").0;
        assert!(
            asked.since(since) <= Duration::from_millis(700),
            "{:?}",
            asked.since(since)
        );
        let taken = call.switch(2, F, asked).expect("the layer");
        assert!(taken <= Duration::from_millis(50 + 250), "{taken:?}");
        assert!(call.longest_freeze(2, since) <= Duration::from_millis(120));
        assert_seamless(&call.seen(2));
    }
}

#[test]
fn what_nobody_watches_is_paused_within_a_second_and_comes_back_at_once() {
    let mut call = Call::watched(63, 2);
    call.run(5_000);
    assert_eq!(call.last_told(), ["q", "f"], "nobody watches the middle");
    let since = call.world.now;
    call.draw(2, 320, 180);
    call.draw(3, 640, 360);
    call.run(2_000);
    assert_eq!(call.last_told(), ["q"]);
    let told = call.told.last().expect("told").0.since(since);
    assert!(told <= SECOND, "{told:?}");
    assert_eq!((call.shows(2), call.shows(3)), (Some((Q, 2)), Some((Q, 2))));
    let since = call.world.now;
    call.draw(3, 1920, 1080);
    call.run(1_000);
    assert_eq!(call.last_told(), ["q", "f"]);
    assert!(call.told.last().expect("told").0.since(since) <= 10 * MILLISECOND);
    // 20 ms of path and 30 ms of publisher are in it.
    let back = call.switch(3, F, since).expect("the layer");
    assert!(back <= Duration::from_millis(300), "{back:?}");
    assert_eq!(call.shows(2), Some((Q, 2)));
    for viewer in [2, 3] {
        assert_seamless(&call.seen(viewer));
    }
}

#[test]
fn a_camera_that_nobody_sees_is_paused_whole() {
    let mut call = Call::new(64, 1);
    call.run(2_000);
    assert_eq!(call.last_told(), Vec::<&str>::new());
    assert_eq!(call.told.len(), 1);
    let since = call.world.now;
    call.has(2, PLENTY_KBPS);
    call.world.route(2, "v0", Some((1, "cam")));
    call.run(1_000);
    assert_eq!(call.shows(2).map(|shown| shown.0), Some(F));
    let seen = call.seen(2);
    let first = seen.first().expect("a picture").at.since(since);
    assert!(first <= Duration::from_millis(300), "{first:?}");
    call.draw(2, 0, 0);
    let hidden = call.world.now;
    call.run(2_000);
    assert_eq!(call.last_told(), Vec::<&str>::new());
    let seen = call.seen(2);
    assert!(
        seen.iter()
            .all(|packet| packet.at.since(hidden) <= 20 * MILLISECOND)
    );
    assert_eq!(call.paused, [], "who does not look misses nothing");
    call.draw(2, 1280, 720);
    call.run(1_000);
    assert_eq!(call.shows(2), Some((H, 2)));
    assert_seamless(&call.seen(2));
}

#[test]
fn a_hand_over_pauses_nothing() {
    let mut call = Call::watched(65, 2);
    call.run(3_000);
    let told = call.told.len();
    for turn in 0..6 {
        for viewer in [2, 3] {
            call.world.route(viewer, "v0", None);
        }
        call.run(400);
        call.world.route(2 + turn % 2, "v0", Some((1, "cam")));
        call.run(1_000);
    }
    // Of the middle layer it was said meanwhile that nobody watches it.
    assert!(call.told.len() <= told + 1, "{:?}", call.told);
    assert!(
        call.told
            .iter()
            .all(|(_, rids)| rids.contains(&"f".to_owned()))
    );
}

#[test]
fn a_layer_that_stops_while_its_keyframe_is_awaited_is_left_alone() {
    let mut call = Call::watched(79, 1);
    call.publisher_delay = Duration::from_secs(3_600);
    call.run(3_000);
    call.world.client(1).streams[3].paused = true;
    let pli = call.world.client(2).pli(slot_ssrc("v0"));
    call.world.inject(2, pli);
    let first = call.world.client(1).streams[3].keyframe_requests.len();
    call.run(1_000);
    let requests = call.world.client(1).streams[3].keyframe_requests.len();
    assert!(requests > first, "it may only have paused for a moment");
    call.run(10_000);
    let more = call.world.client(1).streams[3].keyframe_requests.len() - requests;
    assert_eq!(more, 0, "others would pay for keyframes that cannot come");
    assert_eq!(call.shows(2), Some((H, 2)));
}

#[test]
fn a_layer_that_the_publisher_cannot_send_is_neither_awaited_nor_forgotten() {
    let mut call = Call::watched(66, 1);
    call.publisher_delay = Duration::from_secs(3_600);
    call.run(3_000);
    // Its own path is too narrow for the best layer.
    call.world.client(1).streams[3].paused = true;
    let since = call.world.now;
    call.run(6_000);
    assert_eq!(call.shows(2), Some((H, 2)));
    assert!(call.longest_freeze(2, since) <= Duration::from_millis(700));
    assert!(
        call.last_told().contains(&"f"),
        "it may come back: {:?}",
        call.told
    );
    let requests = call.world.client(1).streams[3].keyframe_requests.len();
    call.run(20_000);
    let more = call.world.client(1).streams[3].keyframe_requests.len() - requests;
    assert_eq!(
        more, 0,
        "a layer that is not sent is not asked for keyframes"
    );
    call.world.client(1).streams[3].paused = false;
    call.run(2_000);
    assert_eq!(call.shows(2), Some((F, 2)));
    assert_seamless(&call.seen(2));
}

#[test]
fn a_bad_path_is_its_viewers_alone() {
    let mut call = Call::watched(67, 2);
    call.run(5_000);
    let since = call.world.now;
    for turn in 0..40 {
        call.has(3, [NOTHING_KBPS, Q_KBPS, H_KBPS, 1_500][turn % 4]);
        call.run(250);
    }
    let seen = call.seen(2);
    let good: Vec<&Received> = seen.iter().filter(|packet| packet.at >= since).collect();
    assert!(good.iter().all(|packet| packet.mark.source_ssrc == F));
    let expected = 10_000 / 33 * 10;
    assert!(
        good.len().abs_diff(expected) < expected / 50,
        "{} packets",
        good.len()
    );
    assert_seamless(&seen);
}

#[test]
fn who_comes_back_on_a_small_layer_asks_for_no_keyframe_of_a_large_one() {
    let mut call = Call::watched(72, 2);
    call.run(5_000);
    let requests = |call: &mut Call| {
        [1, 3].map(|layer| call.world.client(1).streams[layer].keyframe_requests.len())
    };
    let [small, large] = requests(&mut call);
    for _ in 0..5 {
        call.has(3, NOTHING_KBPS);
        call.run(3_000);
        assert_eq!(call.shows(3), None);
        call.has(3, 2 * Q_KBPS);
        call.run(3_000);
        assert_eq!(call.shows(3), Some((Q, 2)));
    }
    let [more_small, more_large] = requests(&mut call);
    assert!(more_small >= small + 5, "{more_small} after {small}");
    assert_eq!(more_large, large);
}

#[test]
fn the_limit_of_a_viewer_holds_whatever_there_is() {
    let mut call = Call::watched(68, 1);
    for (max_height, shown) in [
        (Some(720), Some((H, 2))),
        (Some(360), Some((Q, 2))),
        (Some(0), None),
        (None, Some((F, 2))),
    ] {
        let tuning = Tuning {
            max_height,
            ..Tuning::default()
        };
        call.tune(2, "v0", tuning);
        call.run(3_000);
        assert_eq!(call.shows(2), shown, "{max_height:?}");
    }
    assert_eq!(call.paused, []);
}

#[test]
fn the_speaker_is_seen_well_first() {
    let mut call = Call::watched(69, 1);
    let tuned = |priority| Tuning {
        priority,
        ..Tuning::default()
    };
    call.world.route(2, "v1", Some((1, "cam")));
    call.has(2, H_KBPS);
    call.tune(2, "v1", tuned(1));
    call.run(6_000);
    let both = |call: &mut Call| (call.shows_in(2, "v0"), call.shows_in(2, "v1"));
    let (other, speaker) = both(&mut call);
    assert!(other.is_some() && other < speaker, "{other:?} {speaker:?}");
    call.tune(2, "v1", tuned(0));
    call.tune(2, "v0", tuned(1));
    call.run(6_000);
    let (speaker, other) = both(&mut call);
    assert!(other.is_some() && other < speaker, "{other:?} {speaker:?}");
}

#[test]
fn loss_both_ways_leaves_no_gap_where_frames_are_left_out() {
    let mut call = Call::watched(70, 1);
    call.run(1_000);
    call.world.link.quality = Quality::lossy(5);
    for turn in 0..20 {
        call.has(2, [HALF_Q_KBPS, Q_KBPS, 330, H_KBPS, 700][turn % 5]);
        call.run(1_500);
    }
    call.world.link.quality = Quality::GOOD;
    call.has(2, HALF_Q_KBPS);
    call.run(3_000);
    let mut numbers: Vec<u64> = call.seen(2).iter().map(|packet| packet.sequence).collect();
    let ssrc = super::sim::description::slot_ssrc("v0");
    let empty = call.world.client(2).empty.clone();
    numbers.extend(
        empty
            .iter()
            .filter(|(of, _)| *of == ssrc)
            .map(|(_, number)| number),
    );
    numbers.sort_unstable();
    numbers.dedup();
    let missing = numbers
        .windows(2)
        .map(|pair| pair[1] - pair[0] - 1)
        .sum::<u64>();
    // What an older layer still owed is not asked for behind the next keyframe.
    assert!(
        missing * 1_000 <= numbers.len() as u64 * 15,
        "{missing} of {}",
        numbers.len()
    );
    assert!(numbers.len() > 800, "{}", numbers.len());
}

#[test]
fn nonsense_about_slots_does_nothing_and_a_storm_of_sizes_stays_small() {
    let mut call = Call::watched(71, 1);
    call.run(2_000);
    for (viewer, slot) in [
        (2, "a0"),
        (2, "nowhere"),
        (1, "cam"),
        (1, "mic"),
        (99, "v0"),
    ] {
        let tuning = Tuning {
            drawn: Some((0, 0)),
            max_height: Some(0),
            priority: 255,
        };
        call.tune(viewer, slot, tuning);
    }
    call.run(2_000);
    assert_eq!(call.shows(2), Some((F, 2)));
    let told = call.told.len();
    let requests = call.world.client(1).streams[1].keyframe_requests.len();
    for turn in 0..400 {
        call.draw(2, [0, u16::MAX][turn % 2], [1, u16::MAX][turn / 2 % 2]);
        call.run(5);
    }
    assert!(call.told.len() - told <= 4, "{:?}", &call.told[told..]);
    let more = call.world.client(1).streams[1].keyframe_requests.len() - requests;
    assert!(more <= 20, "{more} keyframes in 2 s");
}
