//! Who gets how much, and when.

use super::*;
use crate::command::MediaKind;
use crate::layer::Layer;

const LAYERS_BPS: [u64; 3] = [200_000, 700_000, 2_500_000];

fn ladder() -> Ladder {
    let layers: Vec<Layer> = ["q", "h", "f"]
        .iter()
        .zip(LAYERS_BPS)
        .map(|(rid, bps)| {
            let mut layer = Layer::new(rid, MediaKind::Video, 1);
            for frame in 0..125 {
                let at = Time::from_millis(frame * 40);
                let bytes = (bps / 8 / 25) as usize;
                layer.rate.receive(frame as u8 % 2, bytes, true, at);
            }
            layer
        })
        .collect();
    Ladder::of(&layers, 2, |_| Offer::Fixed)
}

/// Steps of the ladder above: 0 and 1 are the lowest layer, then one for each layer.
const HALF_Q: usize = 0;
const Q: usize = 1;
const H: usize = 2;
const F: usize = 3;

fn demand(slot: usize, priority: u8, standing: Standing) -> Demand {
    Demand::new(slot, priority, ladder(), standing)
}

fn chosen(demands: &[Demand]) -> Vec<Option<usize>> {
    let mut by_slot: Vec<_> = demands.iter().map(|d| (d.slot, d.chosen)).collect();
    by_slot.sort_unstable();
    by_slot.into_iter().map(|(_, chosen)| chosen).collect()
}

/// What newcomers of these priorities get.
fn first_choice(priorities: &[u8], budget_bps: u64) -> Vec<Option<usize>> {
    let mut demands: Vec<Demand> = priorities
        .iter()
        .enumerate()
        .map(|(slot, priority)| demand(slot, *priority, Standing::New))
        .collect();
    let mut allocation = Allocation::default();
    allocation.choose(&mut demands, budget_bps, Time(0));
    chosen(&demands)
}

#[test]
fn everybody_is_seen_before_anybody_is_seen_well() {
    assert_eq!(first_choice(&[0, 1, 0], 60_000), [None, None, None]);
    assert_eq!(
        first_choice(&[0, 1, 0], 110_000),
        [None, Some(HALF_Q), None]
    );
    assert_eq!(first_choice(&[0, 1, 0], 320_000), [Some(HALF_Q); 3]);
    assert_eq!(
        first_choice(&[0, 1, 0], 430_000),
        [Some(HALF_Q), Some(Q), Some(HALF_Q)]
    );
    assert_eq!(first_choice(&[0, 1, 0], 640_000), [Some(Q); 3]);
    assert_eq!(
        first_choice(&[0, 1, 0], 1_200_000),
        [Some(Q), Some(H), Some(Q)]
    );
    // The most important one goes as far as it can before the others rise.
    assert_eq!(
        first_choice(&[0, 1, 0], 3_100_000),
        [Some(Q), Some(F), Some(Q)]
    );
    assert_eq!(
        first_choice(&[0, 1, 0], 3_600_000),
        [Some(H), Some(F), Some(Q)]
    );
    assert_eq!(first_choice(&[0, 0], 1_500_000), [Some(H), Some(H)]);
    assert_eq!(first_choice(&[0, 0], u64::MAX), [Some(F), Some(F)]);
    assert_eq!(first_choice(&[], 1_500_000), []);
}

/// One slot through budgets over time, asked every 100 ms; each change and when it came.
struct Slot {
    allocation: Allocation,
    standing: Standing,
    now: Time,
}

impl Slot {
    fn at(step: usize) -> Self {
        Self {
            allocation: Allocation::default(),
            standing: Standing::At(step),
            now: Time::from_millis(1_000),
        }
    }

    /// How long until it shows this, if it does within `ms`.
    fn reaches(&mut self, wanted: Option<usize>, budget_bps: u64, ms: u64) -> Option<u64> {
        let start = self.now;
        for _ in 0..=ms / 100 {
            let mut demands = [demand(0, 0, self.standing)];
            self.allocation.choose(&mut demands, budget_bps, self.now);
            self.standing = demands[0].chosen.map_or(Standing::Paused, Standing::At);
            let took = self.now.since(start).as_millis() as u64;
            self.now += Duration::from_millis(100);
            if demands[0].chosen == wanted {
                return Some(took);
            }
        }
        None
    }
}

#[test]
fn less_is_taken_at_once_and_more_after_a_while() {
    let mut slot = Slot::at(F);
    assert_eq!(slot.reaches(Some(H), 1_500_000, 5_000), Some(0));
    assert_eq!(slot.reaches(Some(HALF_Q), 110_000, 5_000), Some(0));
    assert_eq!(slot.reaches(None, 50_000, 5_000), Some(0));
    assert_eq!(slot.reaches(Some(Q), 400_000, 5_000), Some(400));
    assert_eq!(slot.reaches(Some(F), 4_000_000, 5_000), Some(400));
}

#[test]
fn who_falls_lands_on_a_layer_whose_keyframe_is_soon_there() {
    let mut slot = Slot::at(F);
    assert_eq!(slot.reaches(Some(Q), 1_000_000, 5_000), Some(0));
    assert_eq!(slot.reaches(Some(H), 1_000_000, 5_000), Some(300));
    // Below the lowest layer there is nothing to land on.
    assert_eq!(slot.reaches(Some(Q), 210_000, 5_000), Some(0));
}

#[test]
fn room_that_does_not_last_brings_nothing() {
    let mut slot = Slot::at(Q);
    for _ in 0..50 {
        assert_eq!(slot.reaches(Some(H), 1_000_000, 300), None);
        assert_eq!(slot.reaches(Some(H), 500_000, 100), None);
    }
}

#[test]
fn a_rise_that_does_not_hold_comes_later_each_time_and_is_forgiven() {
    let mut slot = Slot::at(Q);
    let mut waits = Vec::new();
    for _ in 0..5 {
        waits.push(slot.reaches(Some(H), 1_000_000, 20_000).expect("a rise"));
        slot.reaches(Some(Q), 400_000, 1_000).expect("a fall");
    }
    assert_eq!(waits, [400, 1_000, 2_000, 4_000, 6_000]);
    assert_eq!(slot.reaches(Some(H), 400_000, 21_000), None);
    assert_eq!(slot.reaches(Some(H), 1_000_000, 20_000), Some(400));
}

#[test]
fn a_layer_that_costs_a_little_more_than_there_is_stays() {
    let mut slot = Slot::at(H);
    assert_eq!(slot.reaches(Some(Q), 690_000, 3_000), None);
    let mut slot = Slot::at(Q);
    assert_eq!(
        slot.reaches(Some(H), 690_000, 3_000),
        None,
        "but does not begin"
    );
}

#[test]
fn who_comes_first_takes_from_who_comes_later_after_a_while() {
    let mut allocation = Allocation::default();
    let standings = [Standing::At(Q), Standing::At(H)];
    for (at_ms, expected) in [(0, [Some(Q), Some(H)]), (400, [Some(H), Some(Q)])] {
        let mut demands = [demand(0, 1, standings[0]), demand(1, 0, standings[1])];
        allocation.choose(&mut demands, 960_000, Time::from_millis(at_ms));
        assert_eq!(chosen(&demands), expected, "at {at_ms} ms");
    }
    // Equals have nothing to take from each other, and nobody takes what would not fit.
    for at_ms in [1_000, 2_000] {
        let mut demands = [demand(0, 0, Standing::At(H)), demand(1, 0, Standing::At(Q))];
        allocation.choose(&mut demands, 960_000, Time::from_millis(at_ms));
        assert_eq!(chosen(&demands), [Some(H), Some(Q)], "at {at_ms} ms");
    }
}

#[test]
fn who_is_patient_is_not_paused() {
    let mut demands = [demand(0, 0, Standing::At(H)), demand(1, 0, Standing::At(H))];
    demands[1].patient = true;
    Allocation::default().choose(&mut demands, 50_000, Time(0));
    assert_eq!(chosen(&demands), [None, Some(HALF_Q)]);
}

#[test]
fn a_slot_whose_use_changed_takes_more_at_once_and_others_do_not() {
    let mut demands = [demand(0, 0, Standing::At(Q)), demand(1, 0, Standing::At(Q))];
    demands[1].eager = true;
    Allocation::default().choose(&mut demands, 9_000_000, Time(0));
    assert_eq!(chosen(&demands), [Some(Q), Some(F)]);
}

#[test]
fn a_slot_without_anything_to_show_costs_nothing() {
    let mut demands = [demand(0, 0, Standing::New), demand(1, 0, Standing::New)];
    demands[0].ladder = Ladder::default();
    Allocation::default().choose(&mut demands, 3_000_000, Time(0));
    assert_eq!(chosen(&demands), [None, Some(F)]);
}

#[test]
fn a_path_that_loses_much_gets_smaller_pictures_until_it_loses_clearly_less() {
    let mut allocation = Allocation::default();
    let ceilings = [0.0, 0.12, 0.2, 0.12, 0.09, 0.12, 0.16].map(|ratio| {
        allocation.note_loss(ratio);
        allocation.ceiling()
    });
    let low = Some(720);
    assert_eq!(ceilings, [None, None, low, low, None, None, low]);
}

/// A ladder whose layers can be made smaller, and are sent.
fn elastic_ladder(shown: usize) -> Ladder {
    let layers: Vec<Layer> = ["q", "h", "f"]
        .iter()
        .map(|rid| Layer::new(rid, MediaKind::Video, 1))
        .collect();
    Ladder::of(&layers, 2, |layer| {
        Offer::Elastic(Elastic {
            shown: layer == shown,
            ..Elastic::default()
        })
    })
}

fn limited(priorities: &[u8], budget_bps: u64) -> Vec<(Option<usize>, Option<u64>)> {
    let demands = priorities
        .iter()
        .enumerate()
        .map(|(slot, priority)| Demand::new(slot, *priority, elastic_ladder(9), Standing::New));
    let mut demands: Vec<Demand> = demands.collect();
    Allocation::default().choose(&mut demands, budget_bps, Time(0));
    limit(&mut demands, budget_bps);
    demands.sort_unstable_by_key(|demand| demand.slot);
    let layer = |demand: &Demand| demand.step().map(|step| step.layer);
    demands
        .iter()
        .map(|demand| (layer(demand), demand.limit_bps))
        .collect()
}

#[test]
fn a_layer_is_limited_to_what_the_path_carries() {
    // 360 lines take 369 kb/s and are worth 92; 720 take 1475 and are worth 885.
    assert_eq!(limited(&[0], 400_000), [(Some(0), None)]);
    assert_eq!(limited(&[0], 200_000), [(Some(0), Some(200_000))]);
    assert_eq!(limited(&[0], 1_000_000), [(Some(1), Some(1_000_000))]);
    assert_eq!(limited(&[0], 3_000_000), [(Some(2), Some(3_000_000))]);
    assert_eq!(limited(&[0], 8_000_000), [(Some(2), None)]);
    assert_eq!(limited(&[], 8_000_000), []);
}

#[test]
fn what_is_left_goes_to_the_first_and_evenly_to_equals() {
    assert_eq!(
        limited(&[0, 1], 1_200_000),
        [(Some(0), Some(92_160)), (Some(1), Some(1_107_840))]
    );
    let even = limited(&[0, 0], 400_000);
    assert_eq!(even, [(Some(0), Some(200_000)); 2]);
}

#[test]
fn fewer_frames_of_what_is_about_to_shrink_are_no_failure() {
    let whole = Elastic {
        arrives: true,
        shown: true,
        path_bps: 2_500_000,
        ..Elastic::default()
    };
    let mut layers = vec![
        Layer::new("q", MediaKind::Video, 1),
        Layer::new("f", MediaKind::Video, 2),
    ];
    for frame in 0..200 {
        let at = Time::from_millis(frame * 33);
        let temporal = [0, 2, 1, 2][frame as usize % 4];
        layers[1].rate.receive(temporal, 13_600, true, at);
    }
    let ladder = Ladder::of(&layers, 1, |layer| match layer {
        0 => Offer::Fixed,
        _ => Offer::Elastic(whole),
    });
    let top = ladder.steps().len() - 1;
    let mut allocation = Allocation::default();
    let mut demands = [Demand::new(0, 0, ladder, Standing::At(top))];
    allocation.raised = Some(Time(0));
    allocation.choose(&mut demands, 2_000_000, Time::from_millis(500));
    let step = demands[0].step().expect("a step");
    assert!(step.layer == 1 && step.temporal < 2, "{step:?}");
    assert_eq!(allocation.hold, FIRST_HOLD);
    // Its frames are back as soon as it has shrunk, without a wait.
    let stands = demands[0].chosen.expect("a step");
    let mut demands = [Demand::new(0, 0, ladder, Standing::At(stands))];
    allocation.choose(&mut demands, 3_000_000, Time::from_millis(600));
    assert_eq!(demands[0].chosen, Some(top));
}
