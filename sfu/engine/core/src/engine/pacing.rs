//! Pictures that wait their turn, and the packets of probe clusters.

use super::Engine;
use crate::bwe::PROBE_TICK;
use crate::command::MediaKind;
use crate::downlink::Downlink;
use crate::pacer::{PACE_TICK, Waiting};
use crate::packet::Packet;
use crate::peer::Peer;
use crate::rewrite::Numbers;
use crate::slot::{PADDING_PACKET_BYTES, Sending, Stamp};
use crate::source::Subscriber;
use crate::srtp::MAX_TRAILER_BYTES;
use crate::time::Time;
use crate::timer::Task;

/// Cached packets that one tick of a cluster sends at most.
const MAX_PROBE_PACKETS: usize = 64;
/// About what a packet of pictures has: a smaller rest is padded.
const MEDIA_PACKET_BYTES: usize = 1_000;

impl Engine {
    /// Send a numbered packet of pictures at once if the pace allows, else when it does.
    pub(super) fn send_paced(
        &mut self,
        at: Subscriber,
        packet: &Packet<'_>,
        numbers: Numbers,
        now: Time,
    ) {
        let Some(origin) = self.slot(at).and_then(|slot| slot.rewriter.origin()) else {
            return;
        };
        let kept = self
            .layer(origin)
            .is_some_and(|layer| layer.cache.get(packet.sequence).is_some());
        if !kept {
            // Too large for the cache, which nothing on a usual path is: it cannot wait.
            return self.emit(at, packet, numbers, Sending::First, now);
        }
        let Some(peer) = self.peer_mut(at.peer) else {
            return;
        };
        let pacer = &mut peer.downlink.pacer;
        if !pacer.push(at.slot, origin, packet.sequence, numbers, now) {
            return self.skip_to_keyframes(at, now);
        }
        self.timers.arm(at.peer, Task::Pace, now + PACE_TICK);
    }

    /// So much waits that what waits is of no use any more: go on with new keyframes.
    fn skip_to_keyframes(&mut self, at: Subscriber, now: Time) {
        let mut next = Some(at.slot);
        while let Some(slot) = next {
            let at = Subscriber { slot, ..at };
            self.abandon_waiting(at);
            if let Some(state) = self.slot_mut(at) {
                let origin = state.live_origin();
                state.interrupt();
                if let Some(origin) = origin {
                    self.want_keyframe(origin, now);
                }
            }
            next = self
                .peer(at.peer)
                .and_then(|peer| peer.downlink.pacer.next_slot());
        }
    }

    /// Forget what waits for a slot; its numbers go to what comes next.
    pub(super) fn abandon_waiting(&mut self, at: Subscriber) {
        let Some(peer) = self.peer_mut(at.peer) else {
            return;
        };
        if !peer.downlink.pacer.abandon(at.slot) {
            return;
        }
        if let Some(slot) = self.slot_mut(at) {
            slot.rewriter.take_back_unsent();
        }
    }

    /// Send what may leave now: pictures that waited, and what a probe cluster lacks.
    pub(super) fn pace(&mut self, index: usize, now: Time) {
        while let Some(waiting) = self.downlink(index).and_then(|path| path.pacer.pop(now)) {
            self.send_waiting(index, waiting, now);
        }
        let due_bytes = self
            .downlink(index)
            .and_then(|path| path.probe_due_bytes(now));
        if let Some(due_bytes) = due_bytes {
            self.probe(index, due_bytes as usize, now);
            self.timers.arm(index, Task::Pace, now + PROBE_TICK);
        }
        if self
            .downlink(index)
            .is_some_and(|path| !path.pacer.is_empty())
        {
            self.timers.arm(index, Task::Pace, now + PACE_TICK);
        }
    }

    fn send_waiting(&mut self, index: usize, waiting: Waiting, now: Time) {
        let at = Subscriber {
            peer: index,
            slot: waiting.slot,
        };
        let kept = self.with_cached(waiting.origin, waiting.source_sequence, |engine, packet| {
            engine.emit(at, packet, waiting.numbers, Sending::First, now);
        });
        if kept.is_none() {
            // What follows would lack it.
            self.skip_to_keyframes(at, now);
        }
    }

    fn downlink(&mut self, index: usize) -> Option<&mut Downlink> {
        self.peer_mut(index).map(|peer| &mut peer.downlink)
    }

    /// Send about `due_bytes` at once: what waits, recent packets once more, or padding.
    fn probe(&mut self, index: usize, due_bytes: usize, now: Time) {
        let start_bytes = self.outbox.bytes();
        let lacks = |engine: &Self, bytes| engine.outbox.bytes() - start_bytes + bytes <= due_bytes;
        while lacks(self, MEDIA_PACKET_BYTES) {
            let next = self.downlink(index).and_then(|path| path.pacer.pop_early());
            let Some(waiting) = next else { break };
            self.send_waiting(index, waiting, now);
        }
        let Some(slot) = self.peer(index).and_then(probe_slot) else {
            return;
        };
        let at = Subscriber { peer: index, slot };
        let mut tries = MAX_PROBE_PACKETS;
        while lacks(self, MEDIA_PACKET_BYTES) && tries > 0 && self.probe_with_cached(at, now) {
            tries -= 1;
        }
        while lacks(self, PADDING_PACKET_BYTES / 2) && self.send_padding(at, now) {}
    }

    /// One more of the newest packets once more: under loss some of them help. False if there is
    /// none.
    fn probe_with_cached(&mut self, at: Subscriber, now: Time) -> bool {
        let Some(newest) = self.slot(at).and_then(|slot| slot.rewriter.newest_left()) else {
            return false;
        };
        let Some(path) = self.downlink(at.peer) else {
            return false;
        };
        let next = path.probe_cursor.unwrap_or(newest).min(newest);
        path.probe_cursor = Some(next - 1);
        self.resend_as_probe(at, next as u16, now).is_some()
    }

    fn resend_as_probe(&mut self, at: Subscriber, sequence: u16, now: Time) -> Option<()> {
        let (origin, source_sequence, _) = self.slot(at)?.rewriter.locate(sequence)?;
        self.with_cached(origin, source_sequence, |engine, packet| {
            let slot = engine.slot_mut(at)?;
            let numbers = slot.rewriter.number_again(packet, sequence)?;
            engine.emit(at, packet, numbers, Sending::Probe, now);
            Some(())
        })?
    }

    /// False if the viewer takes none.
    fn send_padding(&mut self, at: Subscriber, now: Time) -> bool {
        let Self { peers, outbox, .. } = self;
        let Some(Peer {
            slots,
            outbound: Some(outbound),
            address: Some(address),
            downlink,
            ..
        }) = peers.get_mut(at.peer).and_then(Option::as_deref_mut)
        else {
            return false;
        };
        let Some(slot) = slots.get_mut(at.slot).and_then(Option::as_mut) else {
            return false;
        };
        let stamp = Stamp {
            transport_sequence: downlink.next_number(),
            now,
        };
        let buffer = outbox.begin(*address, PADDING_PACKET_BYTES + MAX_TRAILER_BYTES);
        let Ok(composed) = slot.compose_padding(stamp, buffer) else {
            return false;
        };
        let Ok(sealed) = outbound.seal_rtp(buffer, composed.plain_bytes, composed.header_bytes)
        else {
            return false;
        };
        outbox.commit_as(sealed, slot.priority());
        downlink.sent(sealed, now);
        true
    }
}

/// A slot whose retransmission stream can carry what nobody asked for, one in use if there is.
fn probe_slot(peer: &Peer) -> Option<usize> {
    let usable = |at: &usize| {
        peer.slots[*at].as_ref().is_some_and(|slot| {
            slot.kind == MediaKind::Video && slot.is_numbered() && slot.repairs_by_rtx()
        })
    };
    let in_use = |at: &usize| {
        peer.slots[*at]
            .as_ref()
            .is_some_and(|slot| slot.live_origin().is_some())
    };
    let mut slots = (0..peer.slots.len()).filter(usable);
    let first = slots.clone().next();
    slots.find(in_use).or(first)
}
