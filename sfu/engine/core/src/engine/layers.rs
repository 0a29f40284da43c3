//! Which layer each slot is to show.

use super::Engine;
use crate::PeerId;
use crate::command::{MediaKind, Tuning};
use crate::picture::useful_layer;
use crate::rewrite::Origin;
use crate::source::Subscriber;
use crate::time::Time;

impl Engine {
    pub(super) fn set_slot(&mut self, viewer: PeerId, slot: &str, tuning: Tuning, now: Time) {
        let Some(peer) = self.index_of(viewer) else {
            return;
        };
        let Some(slot) = self.peer(peer).and_then(|viewer| viewer.slot_by_mid(slot)) else {
            return;
        };
        let at = Subscriber { peer, slot };
        let Some(state) = self
            .slot_mut(at)
            .filter(|slot| slot.kind == MediaKind::Video && slot.tuning != tuning)
        else {
            return;
        };
        state.tuning = tuning;
        self.retarget(at, now);
    }

    /// Choose a slot's layer anew, and go for it.
    pub(super) fn retarget(&mut self, at: Subscriber, now: Time) {
        let Some(shown) = self.slot(at).and_then(|slot| slot.shown) else {
            return;
        };
        let Some(source) = self.source(shown.peer, shown.source) else {
            return;
        };
        let Some(slot) = self.slot(at) else { return };
        let target = useful_layer(&source.layers, &slot.tuning);
        let next = target.and_then(|target| source.arriving().nearest(target));
        let origin = next.map(|layer| Origin {
            peer: shown.peer,
            source: shown.source,
            layer,
            stream: source.layers[layer].stream,
        });
        let Some(slot) = self.slot_mut(at).filter(|slot| slot.target != target) else {
            return;
        };
        let hidden = slot.target.is_none();
        slot.target = target;
        if target.is_none() {
            return slot.interrupt();
        }
        if hidden {
            return self.start_picture(at, shown, now);
        }
        let live = slot.live_origin();
        if let Some(origin) = origin.filter(|origin| live.is_some() && live != Some(*origin)) {
            self.want_keyframe(origin, now);
        }
    }
}
