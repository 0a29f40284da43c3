//! What a slot may be given: pictures and frames a second, each step dearer than the one below.

use crate::layer::Layer;
use crate::picture::size_of;
use crate::slot::ALL_TEMPORAL;
use crate::source::MAX_LAYERS;

/// Steps of one layer: its temporal layers, and all of them.
const MAX_STEPS: usize = MAX_LAYERS * 3;
/// Bits that a pixel takes in a second while it is not known better (360p: 370 kb/s, 720p:
/// 1.5 Mb/s, 1080p: 3.3 Mb/s).
const NOMINAL_BPS_PER_HUNDRED_PIXELS: u64 = 160;
/// A larger picture at fewer frames than this (in a thousand seconds) is worse than a smaller one.
const LEAST_MILLIFPS: u64 = 14_500;
/// No layer is free.
const MIN_BPS: u64 = 10_000;

/// One thing that a slot may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The layer's index in its source.
    pub layer: usize,
    /// The highest temporal layer that is shown.
    pub temporal: u8,
    /// What it costs.
    pub bps: u64,
}

/// The steps of one slot, lowest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ladder {
    steps: [Step; MAX_STEPS],
    count: usize,
}

impl Ladder {
    /// The steps up to the layer that is of use, less the layers for which `absent` is true.
    pub fn of(layers: &[Layer], useful: usize, absent: impl Fn(usize) -> bool) -> Self {
        let mut ladder = Self::default();
        for layer in (0..layers.len()).filter(|layer| *layer <= useful && !absent(*layer)) {
            ladder.add_layer(layers, layer);
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

    /// The lowest layer from its base on; the others with enough frames to look better than the
    /// layer below.
    fn add_layer(&mut self, layers: &[Layer], layer: usize) {
        let rate = &layers[layer].rate;
        let Some(whole_bps) = rate.bps_up_to(ALL_TEMPORAL) else {
            let size = size_of(layers, layer);
            let pixels = u64::from(size.width) * u64::from(size.height);
            return self.add(
                layer,
                ALL_TEMPORAL,
                pixels * NOMINAL_BPS_PER_HUNDRED_PIXELS / 100,
            );
        };
        let lowest = self.count == 0;
        for temporal in 0..rate.highest_temporal() {
            if !lowest && rate.millifps_up_to(temporal) < LEAST_MILLIFPS {
                continue;
            }
            self.add(
                layer,
                temporal,
                rate.bps_up_to(temporal).unwrap_or(whole_bps),
            );
        }
        self.add(layer, ALL_TEMPORAL, whole_bps);
    }

    /// What costs no less than this and shows less goes.
    fn add(&mut self, layer: usize, temporal: u8, bps: u64) {
        let bps = bps.max(MIN_BPS);
        while self.count > 0 && self.steps[self.count - 1].bps >= bps {
            self.count -= 1;
        }
        if let Some(place) = self.steps.get_mut(self.count) {
            *place = Step {
                layer,
                temporal,
                bps,
            };
            self.count += 1;
        }
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
        let ladder = Ladder::of(&layers, 2, |_| false);
        let expected = [(0, 0), (0, 1), (0, 255), (1, 1), (1, 255), (2, 1), (2, 255)];
        assert_eq!(named(&ladder), expected);
        assert!(
            ladder
                .steps()
                .windows(2)
                .all(|pair| pair[0].bps < pair[1].bps)
        );
        assert_eq!(ladder.whole_picture(), 2);
        assert_eq!(named(&Ladder::of(&layers, 0, |_| false)), expected[..3]);
    }

    #[test]
    fn a_large_picture_at_few_frames_is_not_offered() {
        let mut layers = [layer("q", 400_000), layer("h", 1_500_000)];
        for frame in 0..300 {
            let at = Time::from_millis(10_000 + frame * 40);
            let temporal = [0, 2, 1, 2][frame as usize % 4];
            layers[1].rate.receive(temporal, 7_500, true, at);
        }
        let ladder = Ladder::of(&layers, 1, |_| false);
        assert_eq!(named(&ladder), [(0, 0), (0, 1), (0, 255), (1, 255)]);
    }

    #[test]
    fn what_is_dearer_and_shows_less_is_left_out() {
        let layers = [layer("q", 400_000), layer("h", 300_000)];
        assert_eq!(
            named(&Ladder::of(&layers, 1, |_| false)),
            [(0, 0), (1, 1), (1, 255)]
        );
    }

    #[test]
    fn a_layer_that_was_never_seen_costs_what_its_size_does() {
        let layers = [layer("q", 400_000), Layer::new("h", MediaKind::Video, 2)];
        let ladder = Ladder::of(&layers, 1, |_| false);
        let last = ladder.steps().last().expect("steps");
        assert_eq!((last.layer, last.bps), (1, 1_474_560));
        assert_eq!(
            named(&Ladder::of(&layers, 1, |layer| layer == 0)),
            [(1, 255)]
        );
        assert_eq!(named(&Ladder::of(&layers, 1, |_| true)), []);
    }

    #[test]
    fn where_one_stands_is_found_again_on_another_ladder() {
        let layers = [layer("q", 400_000), layer("h", 1_500_000)];
        let ladder = Ladder::of(&layers, 1, |_| false);
        assert_eq!(ladder.nearest(1, 255), Some(4));
        assert_eq!(ladder.nearest(1, 0), Some(2));
        assert_eq!(ladder.nearest(7, 0), Some(4));
        assert_eq!(Ladder::of(&layers, 1, |l| l == 0).nearest(0, 0), Some(0));
        assert_eq!(Ladder::default().nearest(0, 0), None);
    }
}
