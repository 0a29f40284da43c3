//! What a slot may be given: pictures and frames a second, each step dearer than the one below.

use crate::layer::Layer;
use crate::picture::size_of;
use crate::rate::LayerRate;
use crate::slot::ALL_TEMPORAL;
use crate::source::MAX_LAYERS;

/// Steps of one layer: its temporal layers, and all of them.
const MAX_STEPS: usize = MAX_LAYERS * 3;
/// Bits that a pixel takes in a second while it is not known better (360p: 370 kb/s, 720p:
/// 1.5 Mb/s, 1080p: 3.3 Mb/s).
const NOMINAL_BPS_PER_HUNDRED_PIXELS: u64 = 160;
/// A larger picture at fewer frames than this (in a thousand seconds) is worse than a smaller one.
const LEAST_MILLIFPS: u64 = 14_500;
/// But for the moment until the publisher spends less on it, this is better than to leave it.
const LEAST_BRIDGING_MILLIFPS: u64 = 7_000;
/// No layer is free.
const MIN_BPS: u64 = 10_000;
/// An elastic layer is worth going for, and keeping, with so much of what its size takes.
const WORTH_RISING_PERCENT: u64 = 50;
const WORTH_KEEPING_PERCENT: u64 = 42;
/// There is nothing to fall back to below the lowest.
const LOWEST_PERCENT: u64 = 25;
/// What arrives gets this much smaller before it has to be dealt with otherwise.
const GIVES_WAY_PERCENT: u64 = 80;
/// Once it is as small as it was told to be, it is only that much above it at times.
const SETTLED_PERCENT: u64 = 90;

/// How a layer can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Not at all.
    Absent,
    /// As it is.
    Fixed,
    /// Its only viewer may have it made smaller: the publisher spends less on it when told.
    Elastic(Elastic),
}

/// A layer that can be made smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elastic {
    /// It is being sent.
    pub arrives: bool,
    /// It is the one that the viewer has.
    pub shown: bool,
    /// The publisher keeps to this, whatever was measured.
    pub limit_bps: Option<u64>,
    /// It has had time to become as small as it was told to.
    pub settled: bool,
    /// What the viewer's path carries besides sound.
    pub path_bps: u64,
}

impl Elastic {
    fn worth_percent(&self, lowest: bool) -> u64 {
        match (lowest, self.shown) {
            (true, _) => LOWEST_PERCENT,
            (false, true) => WORTH_KEEPING_PERCENT,
            (false, false) => WORTH_RISING_PERCENT,
        }
    }

    /// All frames of a layer: at what they are worth showing where none arrives, else at what
    /// arrives, less what the publisher saves when told, but never below what they are worth.
    fn whole(&self, layer: usize, rate: &LayerRate, nominal_bps: u64, worth_bps: u64) -> Step {
        let measured_bps = rate.bps_up_to(ALL_TEMPORAL).filter(|_| self.arrives);
        let kept_to_bps = self.limit_bps.unwrap_or(u64::MAX);
        let steady_bps = measured_bps.map_or(worth_bps, |bps| bps.min(kept_to_bps));
        let least_bps = worth_bps.min(steady_bps);
        let gives_way_percent = match self.settled {
            true => SETTLED_PERCENT,
            false => GIVES_WAY_PERCENT,
        };
        Step {
            layer,
            temporal: ALL_TEMPORAL,
            bps: (steady_bps * gives_way_percent / 100).max(least_bps),
            least_bps,
            most_bps: nominal_bps.max(measured_bps.unwrap_or(0)),
        }
    }
}

/// One thing that a slot may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The layer's index in its source.
    pub layer: usize,
    /// The highest temporal layer that is shown.
    pub temporal: u8,
    /// What it costs.
    pub bps: u64,
    /// What it may be made to cost, if the publisher is told.
    pub least_bps: u64,
    /// What it could use.
    pub most_bps: u64,
}

impl Step {
    /// Whether its cost can be chosen.
    pub fn is_elastic(&self) -> bool {
        self.least_bps < self.most_bps
    }
}

/// The steps of one slot, lowest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ladder {
    steps: [Step; MAX_STEPS],
    count: usize,
}

impl Ladder {
    /// The steps up to the layer that is of use.
    pub fn of(layers: &[Layer], useful: usize, offer: impl Fn(usize) -> Offer) -> Self {
        let mut ladder = Self::default();
        for layer in (0..layers.len()).filter(|layer| *layer <= useful) {
            ladder.add_layer(layers, layer, offer(layer));
        }
        ladder
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps[..self.count]
    }

    /// The highest step that is not above this layer and temporal layer, else the lowest.
    pub fn nearest(&self, layer: usize, temporal: u8) -> Option<usize> {
        let below = |step: &Step| (step.layer, step.temporal) <= (layer, temporal);
        let last = self.steps().iter().rposition(below);
        last.or(self.steps().first().map(|_| 0))
    }

    /// The step that shows every frame of the lowest layer.
    pub fn whole_picture(&self) -> usize {
        let lowest = self.steps().first().map_or(0, |step| step.layer);
        let whole = self.steps().iter().rposition(|step| step.layer == lowest);
        whole.unwrap_or(0)
    }

    /// The step that shows every frame of this layer.
    pub fn whole(&self, layer: usize) -> Option<Step> {
        let mut steps = self.steps().iter().rev();
        steps.find(|step| step.layer == layer).copied()
    }

    /// The lowest layer from its base on; the others with enough frames to look better than the
    /// layer below.
    fn add_layer(&mut self, layers: &[Layer], layer: usize, offer: Offer) {
        let rate = &layers[layer].rate;
        let size = size_of(layers, layer);
        let pixels = u64::from(size.width) * u64::from(size.height);
        let nominal_bps = pixels * NOMINAL_BPS_PER_HUNDRED_PIXELS / 100;
        let lowest = self.count == 0;
        match offer {
            Offer::Absent => {}
            Offer::Fixed => {
                self.add_frames(layer, rate, if lowest { 0 } else { LEAST_MILLIFPS });
                let bps = rate.bps_up_to(ALL_TEMPORAL).unwrap_or(nominal_bps);
                self.add(fixed(layer, ALL_TEMPORAL, bps));
            }
            Offer::Elastic(elastic) => {
                let worth_bps = nominal_bps * elastic.worth_percent(lowest) / 100;
                if elastic.arrives {
                    let bridges = elastic.shown && worth_bps <= elastic.path_bps;
                    let least_millifps = match (lowest, bridges) {
                        (true, _) => 0,
                        (false, true) => LEAST_BRIDGING_MILLIFPS,
                        (false, false) => LEAST_MILLIFPS,
                    };
                    self.add_frames(layer, rate, least_millifps);
                }
                self.add(elastic.whole(layer, rate, nominal_bps, worth_bps));
            }
        }
    }

    /// The steps of a layer that leave frames out, as far as there are enough of them.
    fn add_frames(&mut self, layer: usize, rate: &LayerRate, least_millifps: u64) {
        for temporal in 0..rate.highest_temporal() {
            let enough = rate.millifps_up_to(temporal) >= least_millifps;
            if let Some(bps) = rate.bps_up_to(temporal).filter(|_| enough) {
                self.add(fixed(layer, temporal, bps));
            }
        }
    }

    /// What costs no less than this and shows less goes.
    fn add(&mut self, step: Step) {
        let step = Step {
            bps: step.bps.max(MIN_BPS),
            ..step
        };
        while self.count > 0 && self.steps[self.count - 1].bps >= step.bps {
            self.count -= 1;
        }
        if let Some(place) = self.steps.get_mut(self.count) {
            *place = step;
            self.count += 1;
        }
    }
}

fn fixed(layer: usize, temporal: u8, bps: u64) -> Step {
    Step {
        layer,
        temporal,
        bps,
        least_bps: bps,
        most_bps: bps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::MediaKind;
    use crate::time::Time;

    /// A layer of 30 frames a second that sends at this rate in three temporal layers: 40, 20 and
    /// 40 per cent.
    fn layer(rid: &str, bps: u64) -> Layer {
        let mut layer = Layer::new(rid, MediaKind::Video, 1);
        let frame_bytes = |share: u64, fps_tenths: u64| bps * share / 100 / 8 * 10 / fps_tenths;
        for frame in 0..120 {
            let (temporal, bytes) = match frame % 4 {
                0 => (0, frame_bytes(40, 75)),
                2 => (1, frame_bytes(20, 75)),
                _ => (2, frame_bytes(40, 150)),
            };
            let at = Time::from_millis(frame * 100 / 3);
            layer.rate.receive(temporal, bytes as usize, true, at);
        }
        layer
    }

    fn without_lowest(layer: usize) -> Offer {
        match layer {
            0 => Offer::Absent,
            _ => Offer::Fixed,
        }
    }

    fn named(ladder: &Ladder) -> Vec<(usize, u8)> {
        let steps = ladder.steps().iter();
        steps.map(|step| (step.layer, step.temporal)).collect()
    }

    #[test]
    fn frames_come_before_pixels_and_each_step_costs_more() {
        let layers = [
            layer("q", 400_000),
            layer("h", 1_500_000),
            layer("f", 3_000_000),
        ];
        let ladder = Ladder::of(&layers, 2, |_| Offer::Fixed);
        let expected = [(0, 0), (0, 1), (0, 255), (1, 1), (1, 255), (2, 1), (2, 255)];
        assert_eq!(named(&ladder), expected);
        assert!(
            ladder
                .steps()
                .windows(2)
                .all(|pair| pair[0].bps < pair[1].bps)
        );
        assert_eq!(ladder.whole_picture(), 2);
        assert_eq!(
            named(&Ladder::of(&layers, 0, |_| Offer::Fixed)),
            expected[..3]
        );
    }

    #[test]
    fn a_large_picture_at_few_frames_is_not_offered() {
        let mut layers = [layer("q", 400_000), layer("h", 1_500_000)];
        for frame in 0..300 {
            let at = Time::from_millis(10_000 + frame * 40);
            let temporal = [0, 2, 1, 2][frame as usize % 4];
            layers[1].rate.receive(temporal, 7_500, true, at);
        }
        let ladder = Ladder::of(&layers, 1, |_| Offer::Fixed);
        assert_eq!(named(&ladder), [(0, 0), (0, 1), (0, 255), (1, 255)]);
    }

    #[test]
    fn what_is_dearer_and_shows_less_is_left_out() {
        let layers = [layer("q", 400_000), layer("h", 300_000)];
        assert_eq!(
            named(&Ladder::of(&layers, 1, |_| Offer::Fixed)),
            [(0, 0), (1, 1), (1, 255)]
        );
    }

    #[test]
    fn a_layer_that_was_never_seen_costs_what_its_size_does() {
        let layers = [layer("q", 400_000), Layer::new("h", MediaKind::Video, 2)];
        let ladder = Ladder::of(&layers, 1, |_| Offer::Fixed);
        let last = ladder.steps().last().expect("steps");
        assert_eq!((last.layer, last.bps), (1, 1_474_560));
        assert_eq!(named(&Ladder::of(&layers, 1, without_lowest)), [(1, 255)]);
        assert_eq!(named(&Ladder::of(&layers, 1, |_| Offer::Absent)), []);
    }

    #[test]
    fn where_one_stands_is_found_again_on_another_ladder() {
        let layers = [layer("q", 400_000), layer("h", 1_500_000)];
        let ladder = Ladder::of(&layers, 1, |_| Offer::Fixed);
        assert_eq!(ladder.nearest(1, 255), Some(4));
        assert_eq!(ladder.nearest(1, 0), Some(2));
        assert_eq!(ladder.nearest(7, 0), Some(4));
        assert_eq!(
            Ladder::of(&layers, 1, without_lowest).nearest(0, 0),
            Some(0)
        );
        assert_eq!(Ladder::default().nearest(0, 0), None);
    }

    fn elastic(path_bps: u64, shown: usize) -> impl Fn(usize) -> Offer {
        move |layer| {
            Offer::Elastic(Elastic {
                arrives: layer <= shown,
                shown: layer == shown,
                path_bps,
                ..Elastic::default()
            })
        }
    }

    #[test]
    fn a_layer_that_can_be_made_smaller_costs_less_before_it_is() {
        let layers = [
            layer("q", 400_000),
            layer("h", 1_500_000),
            Layer::new("f", MediaKind::Video, 3),
        ];
        let ladder = Ladder::of(&layers, 2, elastic(2_500_000, 1));
        let (h, f) = (ladder.whole(1).expect("h"), ladder.whole(2).expect("f"));
        let near = |bps: u64, expected: u64| bps.abs_diff(expected) < expected / 20;
        assert!(near(h.bps, 1_200_000), "{h:?} gives way at once");
        assert!(
            near(h.least_bps, 619_000) && near(h.most_bps, 1_500_000),
            "{h:?}"
        );
        assert!(
            near(f.bps, 1_659_000) && near(f.most_bps, 3_317_000),
            "{f:?}"
        );
        assert!(h.is_elastic() && f.is_elastic());
        // What is bridged with fewer frames is only worth it if the path carries it in the end.
        let few_frames = |ladder: &Ladder| named(ladder).contains(&(1, 0));
        assert!(few_frames(&ladder));
        assert!(!few_frames(&Ladder::of(&layers, 2, elastic(600_000, 1))));
    }

    #[test]
    fn a_layer_that_keeps_to_its_limit_costs_no_more_whatever_its_keyframe_took() {
        let layers = [layer("q", 400_000), layer("h", 1_500_000)];
        let ladder = Ladder::of(&layers, 1, |_| {
            Offer::Elastic(Elastic {
                arrives: true,
                limit_bps: Some(800_000),
                ..Elastic::default()
            })
        });
        assert!(ladder.whole(1).is_some_and(|whole| whole.bps <= 885_000));
    }
}
