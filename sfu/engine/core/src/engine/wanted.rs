//! What publishers are told: which of their layers somebody watches, and how much of each is of use.

use super::Engine;
use crate::allocation::{Elastic, Offer};
use crate::command::MediaKind;
use crate::event::{Event, WantedLayer};
use crate::slot::ALL_TEMPORAL;
use crate::source::{LayerSet, MAX_LAYERS, Source, Subscriber};
use crate::time::Time;
use crate::timer::Task;
use crate::watched::Limits;

impl Engine {
    /// How a viewer can have a layer. A publisher makes a layer smaller for one viewer only: for
    /// several it is sent as it is, and each takes what fits.
    pub(super) fn offer(
        &self,
        at: Subscriber,
        source: &Source,
        layer: usize,
        path_bps: u64,
        now: Time,
    ) -> Offer {
        let arrives = source.arriving().has(layer);
        if !arrives && source.watched.is_overdue(layer, now) {
            return Offer::Absent;
        }
        let goes_for = |at: Subscriber| {
            let target = self.slot(at).and_then(|slot| slot.target);
            target.is_some_and(|target| target.layer == layer)
        };
        let others = source.subscribers.iter().filter(|other| **other != at);
        let shared = others.copied().any(goes_for);
        if shared || !source.watched.heeds_limits(layer, now) {
            return Offer::Fixed;
        }
        Offer::Elastic(Elastic {
            arrives,
            shown: goes_for(at),
            limit_bps: source.watched.followed_limit(layer, now),
            settled: source.watched.is_settled(layer, now),
            path_bps,
        })
    }

    /// What a slot goes for should cost no more than this.
    pub(super) fn limit_slot(&mut self, at: Subscriber, limit_bps: Option<u64>, now: Time) {
        let Some(slot) = self.slot_mut(at).filter(|slot| slot.limit_bps != limit_bps) else {
            return;
        };
        slot.limit_bps = limit_bps;
        if let Some(shown) = slot.shown {
            self.timers.arm(shown.peer, Task::Watched, now);
        }
    }

    /// See whether a publisher keeps to the limits that it was told.
    pub(super) fn judge_limits(&mut self, peer: usize, source: usize, now: Time) {
        let Some(source) = self.source_mut(peer, source) else {
            return;
        };
        let arriving = source.arriving();
        for layer in (0..source.layers.len()).filter(|layer| arriving.has(*layer)) {
            if let Some(bps) = source.layers[layer].rate.bps_up_to(ALL_TEMPORAL) {
                source.watched.judge(layer, bps, now);
            }
        }
    }

    /// Tell a publisher which layers of its sources are watched, where that changed.
    pub(super) fn tell_watched(&mut self, index: usize, now: Time) {
        let sources = self.peer(index).map_or(0, |peer| peer.sources.len());
        for source in 0..sources {
            let watched = self.watched_layers(index, source);
            let limits = self.limits(index, source);
            let shared = self.goals(index, source).count() > 1;
            let Some(peer) = self.peer_mut(index) else {
                return;
            };
            let id = peer.id;
            let Some(state) = peer.sources[source]
                .as_mut()
                .filter(|state| state.kind == MediaKind::Video && state.has_begun())
            else {
                continue;
            };
            state.watched.set_shared(shared);
            let change = state
                .watched
                .update(watched, limits, state.layers.len(), now);
            if let Some(layers) = change.tell {
                let wanted = (0..state.layers.len()).filter(|layer| layers.has(*layer));
                let event = Event::LayersWanted {
                    peer: id,
                    mid: state.mid.clone(),
                    layers: wanted
                        .map(|layer| WantedLayer {
                            rid: state.layers[layer].rid.clone(),
                            max_bps: state.watched.told_limit(layer),
                        })
                        .collect(),
                };
                self.events.push_back(event);
            }
            if let Some(at) = change.look_again {
                self.timers.arm(index, Task::Watched, at);
            }
        }
    }

    /// The layers that some slot shows or goes for; the lowest too while anybody looks, so that
    /// whoever's path gets worse has something to fall back to.
    fn watched_layers(&self, peer: usize, source: usize) -> LayerSet {
        let Some(state) = self.source(peer, source) else {
            return LayerSet::default();
        };
        let slots = state.subscribers.iter().filter_map(|at| self.slot(*at));
        let wanted = slots.fold(LayerSet::default(), |wanted, slot| {
            let live = slot.live_origin().filter(|_| slot.target.is_some());
            let wanted = wanted.and(slot.wants);
            live.map_or(wanted, |live| wanted.with(live.layer))
        });
        match wanted.highest() {
            Some(_) => wanted.with(0),
            None => wanted,
        }
    }

    /// The layers that some slot goes for; one whose viewer has no room waits for the smallest.
    fn goals(&self, peer: usize, source: usize) -> LayerSet {
        let Some(state) = self.source(peer, source) else {
            return LayerSet::default();
        };
        let slots = state.subscribers.iter().filter_map(|at| self.slot(*at));
        // A target may be beyond what the source has: the best, whichever that is.
        let arriving = state.arriving();
        let goals = slots.filter_map(|slot| match slot.target {
            Some(target) => arriving.nearest(target.layer),
            None => slot.paused.then_some(0),
        });
        goals.fold(LayerSet::default(), LayerSet::with)
    }

    /// How much of each layer is of use to those who go for it. One that nobody goes for keeps its
    /// limit: it is watched for a moment only.
    fn limits(&self, peer: usize, source: usize) -> Limits {
        let mut limits = [None; MAX_LAYERS];
        let Some(state) = self.source(peer, source) else {
            return limits;
        };
        for (layer, limit) in limits.iter_mut().enumerate() {
            let slots = state.subscribers.iter().filter_map(|at| self.slot(*at));
            let going = slots.filter(|slot| match slot.target {
                Some(target) => target.layer == layer,
                None => slot.paused && layer == 0,
            });
            let most = going.map(|slot| slot.limit_bps.unwrap_or(u64::MAX)).max();
            *limit = match most {
                Some(u64::MAX) => None,
                Some(most) => Some(most),
                None => state.watched.limit(layer),
            };
        }
        limits
    }
}
