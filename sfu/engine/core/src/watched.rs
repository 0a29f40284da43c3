//! Which layers of a source somebody watches: the publisher may pause the others.

use core::time::Duration;

use crate::source::{LayerSet, MAX_LAYERS};
use crate::time::Time;

/// A layer that nobody watches is wanted for this much longer: a viewer that changes its mind, a
/// hand-over and a brief dip of bandwidth cost no restart of an encoder.
const LINGER: Duration = Duration::from_millis(700);
/// A layer that is wanted and has not come for so long is not sent: the camera is too small, or
/// the publisher's own path or processor too weak.
const OVERDUE_AFTER: Duration = Duration::from_secs(2);

/// What the publisher was told about the layers of a source, of which it sends all at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatchedLayers {
    told: Option<LayerSet>,
    wanted_since: [Option<Time>; MAX_LAYERS],
    idle_since: [Option<Time>; MAX_LAYERS],
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
    /// Of the `count` layers these are watched now.
    pub fn update(&mut self, watched: LayerSet, count: usize, now: Time) -> Change {
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
        Change {
            tell: (wanted != before).then_some(wanted),
            look_again,
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
        assert_eq!(layers.update(ALL, 3, at(0)), quiet, "all are sent at first");
        let lingering = Change {
            tell: None,
            look_again: Some(at(800)),
        };
        assert_eq!(layers.update(Q, 3, at(100)), lingering);
        assert_eq!(layers.update(Q, 3, at(799)), lingering);
        assert_eq!(layers.update(Q, 3, at(800)).tell, Some(Q));
        assert_eq!(layers.update(Q, 3, at(801)), quiet);
        assert_eq!(layers.update(QH, 3, at(900)).tell, Some(QH));
        assert_eq!(layers.update(NONE, 3, at(1_000)).tell, None);
        assert_eq!(layers.update(NONE, 3, at(1_700)).tell, Some(NONE));
        assert_eq!(layers.update(Q, 3, at(1_701)).tell, Some(Q));
    }

    #[test]
    fn who_comes_back_in_time_changes_nothing() {
        let mut layers = WatchedLayers::default();
        for round in 0..20 {
            assert_eq!(layers.update(NONE, 3, at(round * 1_000)).tell, None);
            assert_eq!(layers.update(ALL, 3, at(round * 1_000 + 600)).tell, None);
        }
    }

    #[test]
    fn a_layer_is_overdue_only_while_it_is_wanted() {
        let mut layers = WatchedLayers::default();
        assert!(!layers.is_overdue(0, at(60_000)));
        layers.update(ALL, 3, at(0));
        assert!(!layers.is_overdue(2, at(1_999)));
        assert!(layers.is_overdue(2, at(2_000)));
        layers.update(Q, 3, at(3_000));
        layers.update(Q, 3, at(4_000));
        assert!(!layers.is_overdue(2, at(9_000)));
        layers.update(ALL, 3, at(10_000));
        assert!(!layers.is_overdue(2, at(11_000)));
        assert!(layers.is_overdue(2, at(12_000)));
        assert!(!layers.is_overdue(99, at(12_000)));
    }
}
