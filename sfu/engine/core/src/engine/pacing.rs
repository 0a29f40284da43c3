//! Pictures that wait their turn, and the packets of probe clusters.

use super::Engine;
use crate::bwe::PROBE_TICK;
use crate::command::MediaKind;
use crate::pacer::PACE_TICK;
use crate::packet::Packet;
use crate::peer::Peer;
use crate::rewrite::Numbers;
use crate::slot::{PADDING_PACKET_BYTES, Sending, Stamp};
use crate::source::Subscriber;
use crate::srtp::MAX_TRAILER_BYTES;
use crate::time::Time;
use crate::timer::Task;

/// Cached packets that one tick of a cluster looks at: one that is gone costs a look only.
const MAX_PROBE_PACKETS: usize = 64;

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
        while let Some(waiting) = self
            .peer_mut(index)
            .and_then(|peer| peer.downlink.pacer.pop(now))
        {
            let at = Subscriber {
                peer: index,
                slot: waiting.slot,
            };
            self.with_cached(waiting.origin, waiting.source_sequence, |engine, packet| {
                engine.emit(at, packet, waiting.numbers, Sending::First, now);
            });
        }
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        let probe_due_bytes = peer.downlink.probe_due_bytes(now);
        if !peer.downlink.pacer.is_empty() {
            self.timers.arm(index, Task::Pace, now + PACE_TICK);
        }
        if let Some(due_bytes) = probe_due_bytes {
            self.probe(index, due_bytes as usize, now);
            self.timers.arm(index, Task::Pace, now + PROBE_TICK);
        }
    }

    /// Send about `due_bytes` that the viewer does not need: recent packets, else padding.
    fn probe(&mut self, index: usize, due_bytes: usize, now: Time) {
        let Some(slot) = self.peer(index).and_then(probe_slot) else {
            return;
        };
        let at = Subscriber { peer: index, slot };
        let start_bytes = self.outbox.bytes();
        self.probe_with_cached(at, due_bytes, now);
        loop {
            let sent_bytes = self.outbox.bytes() - start_bytes;
            let before = self.outbox.len();
            if sent_bytes + PADDING_PACKET_BYTES / 2 > due_bytes {
                return;
            }
            self.send_padding(at, now);
            if self.outbox.len() == before {
                return;
            }
        }
    }

    /// The newest packets once more: under loss some of them help.
    fn probe_with_cached(&mut self, at: Subscriber, due_bytes: usize, now: Time) {
        let start_bytes = self.outbox.bytes();
        let Some(newest) = self.slot(at).and_then(|slot| slot.rewriter.newest_left()) else {
            return;
        };
        let again = self
            .peer(at.peer)
            .map_or(0, |peer| peer.downlink.probe_cursor);
        let mut next = if again == 0 { newest } else { again };
        for _ in 0..MAX_PROBE_PACKETS {
            let sent_bytes = self.outbox.bytes() - start_bytes;
            // The last part is padding: a full packet would overshoot.
            if sent_bytes + 1_000 > due_bytes || newest.saturating_sub(next) > 1_000 {
                break;
            }
            self.resend_as_probe(at, next as u16, now);
            next -= 1;
        }
        if let Some(peer) = self.peer_mut(at.peer) {
            peer.downlink.probe_cursor = next;
        }
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

    fn send_padding(&mut self, at: Subscriber, now: Time) {
        let Self { peers, outbox, .. } = self;
        let Some(Peer {
            slots,
            outbound: Some(outbound),
            address: Some(address),
            downlink,
            ..
        }) = peers.get_mut(at.peer).and_then(Option::as_deref_mut)
        else {
            return;
        };
        let Some(slot) = slots.get_mut(at.slot).and_then(Option::as_mut) else {
            return;
        };
        let stamp = Stamp {
            transport_sequence: downlink.next_number(),
            now,
        };
        let buffer = outbox.begin(*address, PADDING_PACKET_BYTES + MAX_TRAILER_BYTES);
        let Ok(composed) = slot.compose_padding(stamp, buffer) else {
            return;
        };
        let Ok(sealed) = outbound.seal_rtp(buffer, composed.plain_bytes, composed.header_bytes)
        else {
            return;
        };
        outbox.commit_as(sealed, slot.priority());
        downlink.sent(sealed, now);
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
