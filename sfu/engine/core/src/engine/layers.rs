//! Which layer each slot shows, and which layers a publisher should send.

use core::time::Duration;

use super::Engine;
use crate::PeerId;
use crate::allocation::{Demand, Ladder, Standing, limit};
use crate::command::{MediaKind, Tuning};
use crate::event::Event;
use crate::picture::useful_layer;
use crate::slot::{ALL_TEMPORAL, Shown, Slot, Target};
use crate::source::{LayerSet, Source, Subscriber};
use crate::time::Time;
use crate::timer::Task;

/// How often a viewer's bandwidth is shared anew while it could show more.
const ALLOCATE_INTERVAL: Duration = Duration::from_millis(100);
/// Likewise while it shows all that is of use.
const CALM_INTERVAL: Duration = Duration::from_millis(250);
/// So long after a slot began to show a source all its layers of use are wanted: the viewer's
/// bandwidth is still being found, and a layer that was paused takes time to come back.
const SETTLING: Duration = Duration::from_secs(4);
/// What a voice takes that was not measured yet.
const SPEECH_BPS: u64 = 40_000;
/// What is wanted while not everything is shown, of the sum of all rates: they are averages.
const WANTED_PERCENT: u64 = 110;
/// A layer that is being left is dropped at once if what is shown takes this share of what there
/// is, instead of going on at a lower frame rate until the lower layer comes.
const FAR_OVER_PERCENT: u64 = 150;

/// Retransmissions repair this much without anybody noticing.
const HARMLESS_LOSS: f64 = 0.05;
/// By how much less is shown for each share of loss beyond that.
const CAUTION: f64 = 3.0;
/// But no less than this of what there is.
const LEAST_SHOWN: f64 = 0.4;

/// The larger a picture, the more of its packets are lost, and one that cannot be repaired in time
/// spoils it: where much is lost, smaller pictures stand still less.
fn share_shown(loss_ratio: f64) -> f64 {
    let harmful = (loss_ratio - HARMLESS_LOSS).max(0.0);
    (1.0 - CAUTION * harmful).max(LEAST_SHOWN)
}

/// Where a slot stands on the ladder of today.
fn standing(slot: &Slot, ladder: &Ladder) -> Standing {
    match slot.target {
        _ if slot.paused => Standing::Paused,
        Some(target) if !slot.unstarted => ladder
            .nearest(target.layer, target.temporal)
            .map_or(Standing::New, Standing::At),
        _ => Standing::New,
    }
}

impl Engine {
    pub(super) fn set_slot(&mut self, viewer: PeerId, slot: &str, tuning: Tuning, now: Time) {
        let Some(peer) = self.index_of(viewer) else {
            return;
        };
        let Some(slot) = self.peer(peer).and_then(|viewer| viewer.slot_by_mid(slot)) else {
            return;
        };
        let Some(state) = self
            .slot_mut(Subscriber { peer, slot })
            .filter(|slot| slot.kind == MediaKind::Video && slot.tuning != tuning)
        else {
            return;
        };
        (state.tuning, state.retuned) = (tuning, true);
        self.allocate(peer, now);
    }

    /// A slot was just given a source of pictures.
    pub(super) fn begin_showing(&mut self, at: Subscriber, now: Time) {
        if let Some(slot) = self.slot_mut(at) {
            slot.shown_since = now;
        }
        self.allocate(at.peer, now);
    }

    /// Nothing could be sent to a viewer until now: every slot begins once more, with a keyframe.
    pub(super) fn start_over(&mut self, index: usize, now: Time) {
        let slots = self.peer(index).map_or(0, |peer| peer.slots.len());
        for slot in 0..slots {
            let at = Subscriber { peer: index, slot };
            let Some((_, shown, _)) = self.picture_slot(at) else {
                continue;
            };
            let wants = self.slot(at).map_or(LayerSet::default(), |slot| slot.wants);
            self.darken(at, shown, wants);
        }
        self.allocate(index, now);
    }

    /// A slot is about to show nothing.
    pub(super) fn stop_showing(&mut self, at: Subscriber, shown: Shown) {
        self.set_paused(at, false);
        self.timers.arm(shown.peer, Task::Watched, Time(0));
    }

    /// A source was enabled or disabled: bandwidth is needed or free.
    pub(super) fn source_changed(&mut self, shown: Shown, now: Time) {
        let Self { peers, timers, .. } = self;
        let source = peers
            .get(shown.peer)
            .and_then(|peer| peer.as_deref()?.sources.get(shown.source)?.as_ref());
        let Some(source) = source.filter(|source| source.kind == MediaKind::Video) else {
            return;
        };
        for viewer in &source.subscribers {
            timers.arm(viewer.peer, Task::Allocate, now);
        }
        timers.arm(shown.peer, Task::Watched, now);
    }

    /// What may be spent on a viewer may have changed: less counts at once.
    pub(super) fn check_bandwidth(&mut self, index: usize, now: Time) {
        let Some(viewer) = self.peer(index) else {
            return;
        };
        let available_bps = viewer.downlink.available_bps(now);
        if available_bps.is_some_and(|bps| viewer.allocation.falls_short(bps)) {
            self.timers.arm(index, Task::Allocate, now);
        }
    }

    /// Share a viewer's bandwidth among its slots, and have each go for what it gets.
    pub(super) fn allocate(&mut self, index: usize, now: Time) {
        let mut demands = core::mem::take(&mut self.demands);
        demands.clear();
        if let Some(viewer) = self.peer_mut(index) {
            viewer.allocation.note_loss(viewer.downlink.loss_ratio());
        }
        let slots = self.peer(index).map_or(0, |peer| peer.slots.len());
        let mut active = false;
        for slot in 0..slots {
            let at = Subscriber { peer: index, slot };
            active |= self.demand(at, &mut demands, now);
        }
        let calm = self.share_bandwidth(index, &mut demands, now);
        for demand in &demands {
            self.serve(index, demand, now);
        }
        self.demands = demands;
        if active {
            let interval = if calm {
                CALM_INTERVAL
            } else {
                ALLOCATE_INTERVAL
            };
            self.timers.arm(index, Task::Allocate, now + interval);
        }
    }

    /// What a slot could use. A slot that needs no bandwidth is dealt with at once. False for one
    /// that shows no pictures.
    fn demand(&mut self, at: Subscriber, demands: &mut Vec<Demand>, now: Time) -> bool {
        let Some((slot, shown, source)) = self.picture_slot(at) else {
            return false;
        };
        let Some(useful) = self.useful_layer(at.peer, source, slot) else {
            self.hide(at, shown);
            return true;
        };
        let path_bps = self.steady_bps(at.peer, now).unwrap_or(u64::MAX);
        let ladder = Ladder::of(&source.layers, useful, |layer| {
            self.offer(at, source, layer, path_bps, now)
        });
        if ladder.steps().is_empty() || !source.enabled {
            let enabled = source.enabled;
            self.await_any(at, shown, useful, enabled, now);
            return true;
        }
        let (measured, stale) = self.peer(at.peer).map_or((true, false), |viewer| {
            (viewer.downlink.is_measured(), viewer.downlink.is_stale(now))
        });
        // Without anything sent nothing is learned of a path: it is tried for a while.
        let retried = stale && slot.paused;
        let standing = match retried {
            true => Standing::New,
            false => standing(slot, &ladder),
        };
        let mut demand = Demand::new(at.slot, slot.tuning.priority, ladder, standing);
        demand.eager |= slot.retuned;
        demand.patient = retried || !measured || now.since(slot.shown_since) < SETTLING;
        demands.push(demand);
        if let Some(slot) = self.slot_mut(at).filter(|_| retried) {
            slot.shown_since = now;
        }
        true
    }

    /// Nothing comes, so nothing is taken from the others; what does come is shown.
    fn await_any(&mut self, at: Subscriber, shown: Shown, useful: usize, enabled: bool, now: Time) {
        let target = Target {
            layer: useful,
            temporal: ALL_TEMPORAL,
        };
        let wants = match enabled {
            true => LayerSet::first(useful + 1),
            false => LayerSet::default(),
        };
        self.aim(at, shown, target, wants, now);
    }

    /// The highest layer that is of use to this viewer.
    fn useful_layer(&self, viewer: usize, source: &Source, slot: &Slot) -> Option<usize> {
        let ceiling = self.peer(viewer).and_then(|peer| peer.allocation.ceiling());
        let max_height = slot.tuning.max_height.into_iter().chain(ceiling).min();
        let tuning = Tuning {
            max_height,
            ..slot.tuning
        };
        useful_layer(&source.layers, &tuning)
    }

    fn picture_slot(&self, at: Subscriber) -> Option<(&Slot, Shown, &Source)> {
        let slot = self.slot(at)?;
        let shown = slot.shown.filter(|_| slot.kind == MediaKind::Video)?;
        Some((slot, shown, self.source(shown.peer, shown.source)?))
    }

    /// Choose for all demands. True if nothing more could be shown.
    fn share_bandwidth(&mut self, index: usize, demands: &mut [Demand], now: Time) -> bool {
        let sound_bps = self.sound_bps(index);
        let tops = demands
            .iter()
            .filter_map(|demand| demand.ladder.steps().last());
        let wanted_bps = sound_bps + tops.map(|step| step.most_bps).sum::<u64>();
        let steady_bps = self.steady_bps(index, now);
        let Some(viewer) = self.peer_mut(index) else {
            return true;
        };
        let Some(available_bps) = viewer.downlink.available_bps(now) else {
            demands
                .iter_mut()
                .for_each(|demand| demand.chosen = demand.ladder.steps().len().checked_sub(1));
            return true;
        };
        let whole = share_shown(viewer.downlink.loss_ratio());
        let budget_bps = (available_bps.saturating_sub(sound_bps) as f64 * whole) as u64;
        viewer.allocation.spend(available_bps);
        let fits = viewer.allocation.choose(demands, budget_bps, now);
        if let Some(steady_bps) = steady_bps {
            limit(demands, viewer.downlink.beside_waiting(steady_bps));
        }
        let shows_all = demands.iter().all(|demand| {
            demand.limit_bps.is_none()
                && demand.chosen == demand.ladder.steps().len().checked_sub(1)
        });
        viewer.downlink.want_bps(match fits && shows_all {
            true => 0,
            false => wanted_bps.saturating_mul(WANTED_PERCENT) / 100,
        });
        self.leave_what_is_far_over(index, demands, budget_bps);
        shows_all
    }

    /// What there is for a viewer's pictures, once a queue that stands now is drained.
    fn steady_bps(&self, index: usize, now: Time) -> Option<u64> {
        let downlink = &self.peer(index)?.downlink;
        let left_bps = downlink
            .steady_bps(now)?
            .saturating_sub(self.sound_bps(index));
        Some((left_bps as f64 * share_shown(downlink.loss_ratio())) as u64)
    }

    /// What a viewer's sound takes: it comes before all pictures.
    pub(super) fn sound_bps(&self, index: usize) -> u64 {
        let slots = self.peer(index).map_or(&[][..], |peer| &peer.slots[..]);
        let sounds = slots
            .iter()
            .flatten()
            .filter(|slot| slot.kind == MediaKind::Audio);
        sounds
            .filter_map(|slot| {
                let source = self.source(slot.shown?.peer, slot.shown?.source)?;
                let bps = source.layers[0].rate.bps_up_to(ALL_TEMPORAL);
                source
                    .enabled
                    .then(|| bps.unwrap_or(SPEECH_BPS) * slot.times_sent())
            })
            .sum()
    }

    /// Layers that are being left, even at their lowest frame rate, may take far more than there
    /// is: then no picture until the lower layer comes is better than a queue that lasts.
    fn leave_what_is_far_over(&mut self, index: usize, demands: &[Demand], budget_bps: u64) {
        let limit_bps = budget_bps.saturating_mul(FAR_OVER_PERCENT) / 100;
        let mut total_bps = 0;
        for demand in demands {
            let at = Subscriber {
                peer: index,
                slot: demand.slot,
            };
            let step_bps = demand.step().map_or(0, |step| step.bps);
            total_bps += self.bridging_bps(at, demand).unwrap_or(step_bps);
        }
        if total_bps <= limit_bps {
            return;
        }
        for demand in demands {
            let at = Subscriber {
                peer: index,
                slot: demand.slot,
            };
            if self.bridging_bps(at, demand).is_some() {
                self.abandon_waiting(at);
                if let Some(slot) = self.slot_mut(at) {
                    slot.interrupt();
                }
            }
        }
    }

    /// What the layer that a slot is about to leave costs at its lowest frame rate.
    fn bridging_bps(&self, at: Subscriber, demand: &Demand) -> Option<u64> {
        let live = self.slot(at)?.live_origin()?;
        let next = demand.step()?.layer;
        let layer = self.layer(live).filter(|_| live.layer > next)?;
        layer.rate.bps_up_to(0)
    }

    fn serve(&mut self, index: usize, demand: &Demand, now: Time) {
        let at = Subscriber {
            peer: index,
            slot: demand.slot,
        };
        self.limit_slot(at, demand.limit_bps, now);
        let Some((slot, shown, source)) = self.picture_slot(at) else {
            return;
        };
        let Some(step) = demand.step() else {
            return self.pause(at, shown);
        };
        let useful = (self.useful_layer(index, source, slot)).unwrap_or(step.layer);
        let settling = now.since(slot.shown_since) < SETTLING;
        // Layers above the top of the ladder are asked for and do not come: they may yet.
        let tops_out = demand.chosen == demand.ladder.steps().len().checked_sub(1);
        let wants = if settling {
            LayerSet::first(useful + 1)
        } else if tops_out {
            LayerSet::first(useful + 1).without(LayerSet::first(step.layer))
        } else {
            LayerSet::default().with(step.layer)
        };
        let target = Target {
            layer: step.layer,
            temporal: step.temporal,
        };
        self.aim(at, shown, target, wants, now);
        self.judge_limits(shown.peer, shown.source, now);
    }

    /// The slot goes for this from now on.
    fn aim(&mut self, at: Subscriber, shown: Shown, target: Target, wants: LayerSet, now: Time) {
        let was_paused = self.set_paused(at, false);
        let Some(slot) = self.slot_mut(at) else {
            return;
        };
        let (before, had) = (slot.target, core::mem::replace(&mut slot.wants, wants));
        let starts = core::mem::take(&mut slot.unstarted);
        slot.retuned = false;
        if before != Some(target) {
            slot.aim_at(target);
        }
        if had != wants {
            self.timers.arm(shown.peer, Task::Watched, now);
        }
        if starts && was_paused {
            // What is cached would come all at once, over a path that was too narrow.
            self.want_keyframe_to_start(at, shown, now);
        } else if starts {
            self.start_picture(at, shown, now);
        } else if before.map(|before| before.layer) != Some(target.layer) {
            self.ask_for_layer(at, shown, now);
        }
    }

    /// Another layer is wanted: it begins with its next keyframe.
    fn ask_for_layer(&mut self, at: Subscriber, shown: Shown, now: Time) {
        let Some(origin) = self.aimed_at(at, shown) else {
            return;
        };
        if self.slot(at).and_then(Slot::live_origin) != Some(origin) {
            self.want_keyframe(origin, now);
        }
    }

    /// The viewer does not look.
    fn hide(&mut self, at: Subscriber, shown: Shown) {
        self.set_paused(at, false);
        self.darken(at, shown, LayerSet::default());
    }

    /// Not even the smallest picture fits. Its layer stays wanted: it may fit in a moment.
    fn pause(&mut self, at: Subscriber, shown: Shown) {
        self.set_paused(at, true);
        self.darken(at, shown, LayerSet::first(1));
    }

    fn darken(&mut self, at: Subscriber, shown: Shown, wants: LayerSet) {
        self.abandon_waiting(at);
        let Some(slot) = self.slot_mut(at) else {
            return;
        };
        let had = core::mem::replace(&mut slot.wants, wants);
        if slot.target.take().is_some() {
            slot.interrupt();
        }
        slot.unstarted = true;
        if had != wants {
            self.timers.arm(shown.peer, Task::Watched, Time(0));
        }
    }

    /// Note that a slot's pictures are held back or not, and tell; whether they were.
    fn set_paused(&mut self, at: Subscriber, paused: bool) -> bool {
        let Some(viewer) = self.peer_mut(at.peer) else {
            return false;
        };
        let id = viewer.id;
        let Some(slot) = viewer.slots[at.slot].as_mut() else {
            return false;
        };
        let was_paused = core::mem::replace(&mut slot.paused, paused);
        if was_paused != paused {
            let slot = slot.mid.clone();
            self.events.push_back(Event::SlotPaused {
                viewer: id,
                slot,
                paused,
            });
        }
        was_paused
    }
}
