//! Packets out: to every slot that shows their source, from the cache when one begins or asks.

use core::ops::RangeInclusive;

use super::Engine;
use crate::command::MediaKind;
use crate::packet::{Announced, Packet};
use crate::peer::Peer;
use crate::resend::Request;
use crate::rewrite::{Advance, LONGEST_REPLAY, Numbers, Origin};
use crate::slot::{OVERHEAD_BYTES, Sending, Shown, Stamp, Verdict};
use crate::source::{LayerSet, Subscriber};
use crate::srtp::MAX_TRAILER_BYTES;
use crate::time::Time;
use crate::wire::rtp::RtpHeader;

/// Packets that may have overtaken the one that begins a stream and are sent behind it at once;
/// of more the viewer asks for what it lacks, so that one late packet cannot cause hundreds.
const MAX_OVERTAKEN: u64 = 64;
/// Where so much is lost, the second copy of a repair is lost too often as well.
const VERY_LOSSY: f64 = 0.07;

impl Engine {
    /// Send a packet that just arrived to every slot that shows its source.
    pub(super) fn forward(&mut self, origin: Origin, packet: &Packet<'_>, now: Time) {
        let mut next = 0;
        let mut wants_keyframe = false;
        while let Some(source) = self.source(origin.peer, origin.source) {
            let Some(at) = source.subscribers.get(next).copied() else {
                break;
            };
            let arriving = source.arriving();
            next += 1;
            let verdict = self
                .slot(at)
                .map_or(Verdict::Ignore, |slot| slot.judge(origin, arriving, packet));
            match verdict {
                Verdict::Forward => self.send(at, packet, now),
                Verdict::Begin => self.begin(at, origin, packet, now),
                Verdict::AwaitKeyframe => wants_keyframe = true,
                Verdict::Ignore => {}
            }
        }
        if wants_keyframe {
            self.want_keyframe(origin, now);
        }
    }

    /// Begin a stream in a slot with `packet`; what overtook it on the way follows at once.
    fn begin(&mut self, at: Subscriber, origin: Origin, packet: &Packet<'_>, now: Time) {
        self.begin_with(at, origin, packet, 0, now);
        let newest = self.layer(origin).and_then(crate::layer::Layer::highest);
        let overtaken = newest.unwrap_or(0).saturating_sub(packet.sequence);
        if overtaken <= MAX_OVERTAKEN {
            for ahead in 1..=overtaken {
                self.send_cached(at, origin, packet.sequence + ahead, now);
            }
        }
    }

    /// `replayed`: ticks to the newest of the packets that follow at once.
    fn begin_with(
        &mut self,
        at: Subscriber,
        origin: Origin,
        packet: &Packet<'_>,
        replayed: u32,
        now: Time,
    ) {
        // What waits of the last stream is of no use behind this keyframe.
        self.abandon_waiting(at);
        self.watch_downlink(at.peer, now);
        let capture = self.capture_on_last_stream(at, origin, packet);
        let Some(slot) = self.slot_mut(at) else {
            return;
        };
        slot.begin(origin, packet);
        self.timers
            .arm(origin.peer, crate::timer::Task::Watched, now);
        let Some(slot) = self.slot_mut(at) else {
            return;
        };
        let elapsed = slot.rewriter.last_sent().map_or(0, |last| {
            let micros = now.since(last).as_micros() as u64;
            (micros * u64::from(slot.clock_rate()) / 1_000_000) as u32
        });
        let advance = Advance {
            elapsed,
            capture,
            replayed,
        };
        slot.rewriter.begin(origin, packet, advance);
        self.send(at, packet, now);
        if !self.timers.is_armed(at.peer, crate::timer::Task::Reports) {
            self.timers.arm(
                at.peer,
                crate::timer::Task::Reports,
                now + super::tasks::FIRST_REPORT,
            );
        }
    }

    /// The last stream's timestamp when the packet was captured: between layers of one source the
    /// publisher's reports tell it exactly, otherwise the quickest packets of both streams do.
    fn capture_on_last_stream(
        &self,
        at: Subscriber,
        origin: Origin,
        packet: &Packet<'_>,
    ) -> Option<u32> {
        let last = self.slot(at)?.rewriter.origin()?;
        let (before, after) = (self.layer(last)?, self.layer(origin)?);
        let same_clock = (last.peer, last.source) == (origin.peer, origin.source);
        if let (true, Some(old), Some(new)) =
            (same_clock, before.sender_report, after.sender_report)
        {
            let micros = new.ntp.micros_since(old.ntp)
                + new.micros_to(packet.header.timestamp, after.clock_rate);
            return Some(old.timestamp_after(micros, before.clock_rate));
        }
        if before.clock_rate != after.clock_rate {
            return None;
        }
        let apart = after.transit.least()?.wrapping_sub(before.transit.least()?);
        Some(packet.header.timestamp.wrapping_add(apart))
    }

    /// Send kept packets to a slot, beginning a stream with the first.
    pub(super) fn replay(
        &mut self,
        at: Subscriber,
        origin: Origin,
        packets: RangeInclusive<u64>,
        now: Time,
    ) {
        let (first, last) = packets.into_inner();
        let newest = (first..=last)
            .rev()
            .find_map(|sequence| self.with_cached(origin, sequence, |_, p| p.header.timestamp));
        let began = self.with_cached(origin, first, |engine, packet| {
            let only = LayerSet::default().with(origin.layer);
            let verdict = (engine.slot(at)).map(|slot| slot.judge(origin, only, packet));
            let replayed = newest.map_or(0, |newest| newest.wrapping_sub(packet.header.timestamp));
            let begins = verdict == Some(Verdict::Begin) && replayed <= LONGEST_REPLAY;
            if begins {
                engine.begin_with(at, origin, packet, replayed, now);
            }
            begins
        });
        match began {
            Some(true) => {
                (first + 1..=last).for_each(|sequence| self.send_cached(at, origin, sequence, now))
            }
            _ => self.want_keyframe(origin, now),
        }
    }

    fn send_cached(&mut self, at: Subscriber, origin: Origin, sequence: u64, now: Time) {
        self.with_cached(origin, sequence, |engine, packet| {
            engine.send(at, packet, now)
        });
    }

    /// Do something with a kept packet, if it is still there.
    pub(super) fn with_cached<R>(
        &mut self,
        origin: Origin,
        sequence: u64,
        work: impl FnOnce(&mut Self, &Packet<'_>) -> R,
    ) -> Option<R> {
        let mut bytes = core::mem::take(&mut self.scratch);
        bytes.clear();
        let found = self
            .layer(origin)
            .and_then(|layer| layer.cache.get(sequence));
        let result = found
            .map(|kept| bytes.extend_from_slice(kept))
            .and_then(|()| {
                let header = RtpHeader::parse(&bytes).ok()?;
                let owner = self.peer(origin.peer)?;
                let format = owner
                    .sources
                    .get(origin.source)?
                    .as_ref()?
                    .format(header.payload_type);
                let marks = Announced::read(&bytes, &header, &owner.meanings).marks;
                let packet = Packet::describe(&bytes, header, marks, sequence, format).ok()?;
                Some(work(self, &packet))
            });
        self.scratch = bytes;
        result
    }

    /// A viewer without address or keys uses up no numbers: SRTP must not lose count of them.
    fn send(&mut self, at: Subscriber, packet: &Packet<'_>, now: Time) {
        let Some(peer) = self
            .peer_mut(at.peer)
            .filter(|peer| Peer::is_reachable(peer))
        else {
            return;
        };
        let at_once = peer.downlink.pacer.admits(now);
        let Some(slot) = peer.slots.get_mut(at.slot).and_then(Option::as_mut) else {
            return;
        };
        if !slot.temporal.shows(packet) {
            return self.leave_out(at, packet, now);
        }
        let Some(numbers) = slot.rewriter.number(packet, now) else {
            return;
        };
        if at_once || slot.kind == MediaKind::Audio {
            self.emit(at, packet, numbers, Sending::First, now);
        } else {
            self.send_paced(at, packet, numbers, now);
        }
    }

    /// A packet of a frame that the slot does not show. One that comes late may have a place for
    /// which the viewer waits: with nothing in it, if the rest of its frame was left out.
    fn leave_out(&mut self, at: Subscriber, packet: &Packet<'_>, now: Time) {
        let Some(slot) = self.slot_mut(at) else {
            return;
        };
        let Some(numbers) = slot.rewriter.skip(packet, now) else {
            return;
        };
        let empty = slot
            .rewriter
            .has_skipped(packet.header.timestamp)
            .then(|| packet.emptied());
        let packet = empty.as_ref().unwrap_or(packet);
        self.emit(at, packet, numbers, Sending::First, now);
    }

    /// Write, seal and queue one packet. Nothing is sent to a peer without address or keys.
    pub(super) fn emit(
        &mut self,
        at: Subscriber,
        packet: &Packet<'_>,
        numbers: Numbers,
        sending: Sending,
        now: Time,
    ) {
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
        let room = packet.longest_payload_bytes() + OVERHEAD_BYTES + MAX_TRAILER_BYTES;
        let buffer = outbox.begin(*address, room);
        let Ok(composed) = slot.compose(packet, numbers, sending, stamp, buffer) else {
            return;
        };
        let Ok(sealed) = outbound.seal_rtp(buffer, composed.plain_bytes, composed.header_bytes)
        else {
            return;
        };
        slot.keep_sealed(numbers.sequence, &buffer[..sealed], now);
        outbox.commit_as(sealed, slot.priority());
        if slot.is_numbered() {
            downlink.sent(sealed, now);
        }
        if slot.kind == MediaKind::Video {
            downlink.pacer.spend(sealed, now);
        }
        if sending == Sending::First {
            slot.rewriter.left(numbers);
        }
    }

    /// Answer a viewer's request for a packet.
    pub(super) fn resend(&mut self, at: Subscriber, sequence: u16, now: Time) {
        let Some(peer) = self.peer(at.peer) else {
            return;
        };
        let (round_trip, address) = (peer.round_trip.estimate(), peer.address);
        let has_room = peer.downlink.may_repair(now);
        let is_very_lossy = peer.downlink.loss_ratio() >= VERY_LOSSY;
        let Some(slot) = self.slot_mut(at) else {
            return;
        };
        let Some((origin, source_sequence, own)) = slot.rewriter.locate(sequence) else {
            return;
        };
        let shown = Shown {
            peer: origin.peer,
            source: origin.source,
        };
        // What another source sent is of no use behind the keyframe that replaced it.
        if slot.shown != Some(shown) {
            return;
        }
        // Nor is what another layer did, and on a full path what is sent again pushes out more.
        if slot.kind == MediaKind::Video && (slot.live_origin() != Some(origin) || !has_room) {
            return;
        }
        let Some(request) = slot.resends.allow(own, round_trip, now) else {
            return;
        };
        // An answer that is lost costs another round trip, which is seen; another copy is not.
        let copies = match request == Request::Repeated || slot.depth.is_lossy() {
            true if is_very_lossy => 3,
            true => 2,
            false => 1,
        };
        if slot.repairs_by_rtx() {
            let start_bytes = self.outbox.bytes();
            self.with_cached(origin, source_sequence, |engine, packet| {
                let numbers = engine
                    .slot_mut(at)?
                    .rewriter
                    .number_again(packet, sequence)?;
                let skipped = engine
                    .slot(at)?
                    .rewriter
                    .has_skipped(packet.header.timestamp);
                let empty = skipped.then(|| packet.emptied());
                let packet = empty.as_ref().unwrap_or(packet);
                for _ in 0..copies {
                    engine.emit(at, packet, numbers, Sending::Again, now);
                }
                Some(())
            });
            let bytes = self.outbox.bytes() - start_bytes;
            if let Some(peer) = self.peer_mut(at.peer) {
                peer.downlink.repaired(bytes, now);
            }
            return;
        }
        // Without RFC 4588 only the very same bytes may be sent under the same number.
        let Self { peers, outbox, .. } = self;
        let slot = peers[at.peer]
            .as_mut()
            .and_then(|peer| peer.slots[at.slot].as_mut());
        if let (Some(slot), Some(address)) = (slot, address) {
            slot.resend_sealed(own, |sealed| outbox.push(address, sealed));
        }
    }
}
