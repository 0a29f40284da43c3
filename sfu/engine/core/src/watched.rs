//! Which layers of a source somebody watches: the publisher may pause the others.

use core::time::Duration;

use crate::encoder_yield::EncoderYield;
use crate::source::{LayerSet, MAX_LAYERS};
use crate::time::Time;

/// A layer that nobody watches is wanted for this much longer: a viewer that changes its mind, a
/// hand-over and a brief dip of bandwidth cost no restart of an encoder.
const LINGER: Duration = Duration::from_millis(700);
/// A layer that is wanted and has not come for so long is not sent: the camera is too small, or
/// the publisher's own path or processor too weak.
const OVERDUE_AFTER: Duration = Duration::from_secs(2);
/// Limits are told no more often than this, and only when they changed by this much.
const LIMIT_INTERVAL: Duration = Duration::from_millis(250);
const LOWER_PERCENT: u64 = 95;
const HIGHER_PERCENT: u64 = 108;
const MUCH_BPS: u64 = 15_000;
/// Smaller changes wait until nothing was told for so long. Left alone they would be a good part of
/// a narrow path; but each telling is a message and sets up a browser's encoders anew.
const LITTLE_HIGHER_PERCENT: u64 = 103;
const LITTLE_INTERVAL: Duration = Duration::from_secs(2);
/// While somebody goes for another layer of the source, each telling costs that one too: Chromium
/// then aims 17 % lower with all layers for a second (its EncoderBitrateAdjuster begins anew). So
/// only what changed a lot is told, and seldom; until then frames are left out on the way.
const SHARED_LOWER_PERCENT: u64 = 75;
const SHARED_HIGHER_PERCENT: u64 = 150;
const SHARED_INTERVAL: Duration = Duration::from_secs(4);
/// A limit below this part of the one before is a new one, which an encoder needs time to follow.
const TIGHTER_PERCENT: u64 = 80;
/// A publisher that sends this much more than its limit for so long, which is more than a keyframe
/// or two, does not heed limits, and is not given any for a while.
const OVER_PERCENT: u64 = 130;
const OVER_BPS: u64 = 60_000;
const HEEDED_AFTER: Duration = Duration::from_millis(2_000);
const HEEDLESS_FOR: Duration = Duration::from_secs(30);
/// An encoder that runs follows a lower limit after this; one that starts keeps to it at once.
const FOLLOWED_AFTER: Duration = Duration::from_millis(400);
/// What it sends is measured over about a second.
const MEASURED_AFTER: Duration = Duration::from_millis(1_000);

/// For each layer what of it is of use at most; nothing: all.
pub type Limits = [Option<u64>; MAX_LAYERS];

/// What the publisher was told about the layers of a source, of which it sends all at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatchedLayers {
    told: Option<LayerSet>,
    shared: bool,
    wanted_since: [Option<Time>; MAX_LAYERS],
    idle_since: [Option<Time>; MAX_LAYERS],
    limits: Limits,
    told_limits: Limits,
    yields: [EncoderYield; MAX_LAYERS],
    limited: Time,
    tightened: [Time; MAX_LAYERS],
    lowered: [Time; MAX_LAYERS],
    over_since: [Option<Time>; MAX_LAYERS],
    heedless_until: [Time; MAX_LAYERS],
}

/// What follows from who watches now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What to tell the publisher, if that changed.
    pub tell: Option<LayerSet>,
    /// When to look again.
    pub look_again: Option<Time>,
}

impl WatchedLayers {
    /// Whether viewers go for several layers, so that to tell one's limit costs the others.
    pub fn set_shared(&mut self, shared: bool) {
        self.shared = shared;
    }

    /// Of the `count` layers these are watched now, and of no more use than `limits`.
    pub fn update(&mut self, watched: LayerSet, limits: Limits, count: usize, now: Time) -> Change {
        let before = self.told.unwrap_or_else(|| LayerSet::first(count));
        let mut wanted = LayerSet::default();
        let mut look_again: Option<Time> = None;
        for layer in 0..count.min(MAX_LAYERS) {
            if watched.has(layer) {
                self.idle_since[layer] = None;
            } else if !before.has(layer) {
                continue;
            } else {
                let until = *self.idle_since[layer].get_or_insert(now) + LINGER;
                if until <= now {
                    continue;
                }
                look_again = Some(look_again.map_or(until, |sooner| sooner.min(until)));
            }
            wanted = wanted.with(layer);
        }
        self.note(before, wanted, now);
        let next = (0..count.min(MAX_LAYERS))
            .filter(|layer| wanted.has(*layer))
            .filter_map(|layer| {
                let limit = self.corrected(layer, limits[layer]);
                self.told_after(self.told_limits[layer], limit)
            })
            .min()
            .map(|interval| self.limited + interval);
        let tell = wanted != before || next.is_some_and(|next| next <= now);
        if tell {
            self.take_limits(before, wanted, limits, now);
        } else {
            look_again = look_again.into_iter().chain(next).min();
        }
        Change {
            tell: tell.then_some(wanted),
            look_again,
        }
    }

    /// What the publisher was told for a layer, so that it keeps to the limit.
    pub fn told_limit(&self, layer: usize) -> Option<u64> {
        self.told_limits.get(layer).copied().flatten()
    }

    /// What the publisher should spend on a layer at most, as told last.
    pub fn limit(&self, layer: usize) -> Option<u64> {
        self.limits.get(layer).copied().flatten()
    }

    /// The limit that a layer is believed to keep to, whatever its first keyframe took. Later it
    /// is seen whether it does.
    pub fn followed_limit(&self, layer: usize, now: Time) -> Option<u64> {
        self.limit(layer).filter(|_| {
            now.since(self.lowered[layer]) >= FOLLOWED_AFTER
                && now.since(self.tightened[layer]) < HEEDED_AFTER
        })
    }

    /// Whether a layer has had time to get to its limit.
    pub fn is_settled(&self, layer: usize, now: Time) -> bool {
        self.limit(layer).is_some() && now.since(self.tightened[layer]) >= HEEDED_AFTER
    }

    /// How long after the last telling a new limit is told; nothing if it is hardly new.
    fn told_after(&self, told: Option<u64>, limit: Option<u64>) -> Option<Duration> {
        let (Some(told), Some(limit)) = (told, limit) else {
            return (told != limit).then_some(LIMIT_INTERVAL);
        };
        let percent = limit.saturating_mul(100) / told.max(1);
        if self.shared {
            let much = !(SHARED_LOWER_PERCENT..=SHARED_HIGHER_PERCENT).contains(&percent);
            return much.then_some(SHARED_INTERVAL);
        }
        let lower = percent < LOWER_PERCENT;
        if (lower || percent > HIGHER_PERCENT) && limit.abs_diff(told) >= MUCH_BPS {
            return Some(LIMIT_INTERVAL);
        }
        (lower || percent > LITTLE_HIGHER_PERCENT).then_some(LITTLE_INTERVAL)
    }

    fn corrected(&self, layer: usize, limit: Option<u64>) -> Option<u64> {
        limit.map(|limit| self.yields[layer].limit_for(limit))
    }

    /// A layer arrives at this rate: whether the publisher heeds the limit, if it was told one, and
    /// what it makes of it.
    pub fn judge(&mut self, layer: usize, bps: u64, now: Time) {
        if let Some(told_bps) = self.told_limit(layer) {
            if self.is_settled(layer, now) && now.since(self.limited) >= MEASURED_AFTER {
                self.yields[layer].note(bps, told_bps, now);
            }
        }
        let most_bps = self
            .limit(layer)
            .map(|limit| limit * OVER_PERCENT / 100 + OVER_BPS);
        if most_bps.is_none_or(|most_bps| bps <= most_bps) {
            self.over_since[layer] = None;
            return;
        }
        let since = *self.over_since[layer].get_or_insert(now);
        if now.since(since) >= HEEDED_AFTER && self.is_settled(layer, now) {
            self.heedless_until[layer] = now + HEEDLESS_FOR;
        }
    }

    /// Whether it is of use to tell limits for a layer.
    pub fn heeds_limits(&self, layer: usize, now: Time) -> bool {
        self.heedless_until
            .get(layer)
            .is_some_and(|until| *until <= now)
    }

    fn take_limits(&mut self, before: LayerSet, wanted: LayerSet, limits: Limits, now: Time) {
        self.limited = now;
        for (layer, limit) in limits.into_iter().enumerate() {
            let limit = limit.filter(|_| wanted.has(layer));
            let tighter = limit.is_some_and(|limit| {
                let old = self.limits[layer];
                old.is_none_or(|old| limit * 100 < old * TIGHTER_PERCENT)
            });
            if tighter {
                self.tightened[layer] = now;
            }
            if tighter && before.has(layer) {
                self.lowered[layer] = now;
            }
            self.limits[layer] = limit;
            self.told_limits[layer] = self.corrected(layer, limit);
        }
    }

    /// True if a layer was asked for long ago; whether it came is for the caller to know.
    pub fn is_overdue(&self, layer: usize, now: Time) -> bool {
        self.wanted_since
            .get(layer)
            .copied()
            .flatten()
            .is_some_and(|since| now.since(since) >= OVERDUE_AFTER)
    }

    fn note(&mut self, before: LayerSet, wanted: LayerSet, now: Time) {
        for (layer, since) in self.wanted_since.iter_mut().enumerate() {
            if !wanted.has(layer) {
                *since = None;
            } else if !before.has(layer) || since.is_none() {
                *since = Some(now);
            }
        }
        self.told = Some(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Limits = [None; MAX_LAYERS];
    const NONE: LayerSet = LayerSet::first(0);
    const Q: LayerSet = LayerSet::first(1);
    const QH: LayerSet = LayerSet::first(2);
    const ALL: LayerSet = LayerSet::first(3);

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn a_layer_is_wanted_at_once_and_given_up_after_a_while() {
        let mut layers = WatchedLayers::default();
        let quiet = Change {
            tell: None,
            look_again: None,
        };
        assert_eq!(
            layers.update(ALL, ANY, 3, at(0)),
            quiet,
            "all are sent at first"
        );
        let lingering = Change {
            tell: None,
            look_again: Some(at(800)),
        };
        assert_eq!(layers.update(Q, ANY, 3, at(100)), lingering);
        assert_eq!(layers.update(Q, ANY, 3, at(799)), lingering);
        assert_eq!(layers.update(Q, ANY, 3, at(800)).tell, Some(Q));
        assert_eq!(layers.update(Q, ANY, 3, at(801)), quiet);
        assert_eq!(layers.update(QH, ANY, 3, at(900)).tell, Some(QH));
        assert_eq!(layers.update(NONE, ANY, 3, at(1_000)).tell, None);
        assert_eq!(layers.update(NONE, ANY, 3, at(1_700)).tell, Some(NONE));
        assert_eq!(layers.update(Q, ANY, 3, at(1_701)).tell, Some(Q));
    }

    #[test]
    fn who_comes_back_in_time_changes_nothing() {
        let mut layers = WatchedLayers::default();
        for round in 0..20 {
            assert_eq!(layers.update(NONE, ANY, 3, at(round * 1_000)).tell, None);
            assert_eq!(
                layers.update(ALL, ANY, 3, at(round * 1_000 + 600)).tell,
                None
            );
        }
    }

    #[test]
    fn a_layer_is_overdue_only_while_it_is_wanted() {
        let mut layers = WatchedLayers::default();
        assert!(!layers.is_overdue(0, at(60_000)));
        layers.update(ALL, ANY, 3, at(0));
        assert!(!layers.is_overdue(2, at(1_999)));
        assert!(layers.is_overdue(2, at(2_000)));
        layers.update(Q, ANY, 3, at(3_000));
        layers.update(Q, ANY, 3, at(4_000));
        assert!(!layers.is_overdue(2, at(9_000)));
        layers.update(ALL, ANY, 3, at(10_000));
        assert!(!layers.is_overdue(2, at(11_000)));
        assert!(layers.is_overdue(2, at(12_000)));
        assert!(!layers.is_overdue(99, at(12_000)));
    }

    fn only_h(limit_bps: u64) -> Limits {
        [None, Some(limit_bps), None, None]
    }

    #[test]
    fn limits_are_told_when_they_changed_and_not_too_often() {
        let mut layers = WatchedLayers::default();
        assert_eq!(
            layers.update(ALL, only_h(900_000), 3, at(1_000)).tell,
            Some(ALL)
        );
        assert_eq!(layers.limit(1), Some(900_000));
        assert_eq!(layers.update(ALL, only_h(920_000), 3, at(9_000)).tell, None);
        let later = layers.update(ALL, only_h(940_000), 3, at(2_000));
        assert_eq!((later.tell, later.look_again), (None, Some(at(3_000))));
        assert_eq!(
            layers.update(ALL, only_h(840_000), 3, at(2_000)).tell,
            Some(ALL)
        );
        let soon = layers.update(ALL, only_h(600_000), 3, at(2_100));
        assert_eq!((soon.tell, soon.look_again), (None, Some(at(2_250))));
        assert_eq!(
            layers.update(ALL, only_h(600_000), 3, at(2_250)).tell,
            Some(ALL)
        );
        assert_eq!(
            layers.update(ALL, only_h(630_000), 3, at(4_250)).tell,
            Some(ALL)
        );
        assert_eq!(layers.update(ALL, ANY, 3, at(5_000)).tell, Some(ALL));
        assert_eq!(layers.limit(1), None);
    }

    #[test]
    fn a_narrow_layer_is_not_told_of_every_kilobit() {
        let mut layers = WatchedLayers::default();
        layers.update(ALL, only_h(90_000), 3, at(1_000));
        for (limit_bps, millis) in [(80_000, 1_300), (100_000, 2_000), (76_000, 2_999)] {
            let waits = layers.update(ALL, only_h(limit_bps), 3, at(millis));
            assert_eq!((waits.tell, waits.look_again), (None, Some(at(3_000))));
        }
        let told = layers.update(ALL, only_h(76_000), 3, at(3_000)).tell;
        assert_eq!(told, Some(ALL));
        let told = layers.update(ALL, only_h(60_000), 3, at(3_250)).tell;
        assert_eq!(told, Some(ALL), "that is much");
    }

    #[test]
    fn a_limit_that_costs_other_layers_is_told_seldom_and_when_much_changed() {
        let mut layers = WatchedLayers::default();
        layers.set_shared(true);
        let told = layers.update(ALL, only_h(100_000), 3, at(1_000)).tell;
        assert_eq!(told, Some(ALL), "the first is");
        for (limit_bps, millis) in [(80_000, 6_000), (140_000, 7_000), (75_000, 8_000)] {
            let little = layers.update(ALL, only_h(limit_bps), 3, at(millis));
            assert_eq!((little.tell, little.look_again), (None, None));
        }
        let told = layers.update(ALL, only_h(70_000), 3, at(9_000)).tell;
        assert_eq!(told, Some(ALL));
        let soon = layers.update(ALL, only_h(200_000), 3, at(10_000));
        assert_eq!((soon.tell, soon.look_again), (None, Some(at(13_000))));
        layers.set_shared(false);
        let alone = layers.update(ALL, only_h(80_000), 3, at(11_000));
        assert_eq!(alone.tell, Some(ALL));
    }

    #[test]
    fn a_layer_that_starts_keeps_to_its_limit_at_once_and_one_that_runs_soon() {
        let mut layers = WatchedLayers::default();
        layers.update(Q, ANY, 3, at(0));
        layers.update(Q, ANY, 3, at(1_000));
        layers.update(QH, only_h(900_000), 3, at(5_000));
        assert_eq!(layers.followed_limit(1, at(5_000)), Some(900_000));
        layers.update(QH, only_h(500_000), 3, at(6_000));
        assert_eq!(layers.followed_limit(1, at(6_300)), None);
        assert_eq!(layers.followed_limit(1, at(6_400)), Some(500_000));
        assert!(!layers.is_settled(1, at(7_900)) && layers.is_settled(1, at(8_000)));
        assert_eq!(layers.followed_limit(1, at(8_000)), None);
    }

    #[test]
    fn who_does_not_heed_limits_is_given_none_for_a_while() {
        let mut layers = WatchedLayers::default();
        layers.update(ALL, only_h(500_000), 3, at(1_000));
        layers.judge(1, 1_500_000, at(1_100));
        layers.judge(1, 1_500_000, at(2_900));
        assert!(
            layers.heeds_limits(1, at(2_900)),
            "it may still be about to"
        );
        layers.judge(1, 700_000, at(3_000));
        for millis in [3_100, 4_000, 5_000] {
            layers.judge(1, 1_500_000, at(millis));
            assert!(layers.heeds_limits(1, at(millis)), "it may be a keyframe");
        }
        layers.judge(1, 1_500_000, at(5_100));
        assert!(!layers.heeds_limits(1, at(5_100)) && layers.heeds_limits(0, at(5_100)));
        assert!(layers.heeds_limits(1, at(35_100)));
    }
}
