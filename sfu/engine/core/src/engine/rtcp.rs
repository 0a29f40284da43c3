//! RTCP in and out: what peers report and ask for, and how ours is sealed.

use std::net::SocketAddr;

use super::Engine;
use super::receive::srtp_drop;
use crate::command::MediaKind;
use crate::drops::DropReason;
use crate::keyframe::KeyframeRequest;
use crate::layer::Via;
use crate::outbox::Outbox;
use crate::reports::SenderReportSeen;
use crate::rewrite::Origin;
use crate::slot::Shown;
use crate::source::Subscriber;
use crate::srtp::{MAX_TRAILER_BYTES, Outbound};
use crate::time::Time;
use crate::timer::Task;
use crate::wire::remb::Remb;
use crate::wire::rtcp::{Packet, ReportBlock, SenderInfo, packets};
use crate::wire::rtcp_writer::RtcpWriter;

/// The longest compound that is sent: fits every path.
pub(super) const MAX_COMPOUND_BYTES: usize = 1_200;
/// How a keyframe is asked for: true if the request is to be sent now.
type Ask = fn(&mut KeyframeRequest, Time) -> bool;

/// Packets that one compound of a viewer may have again.
const MAX_RESENDS: usize = 128;
/// Packet fates that one compound may tell: three times what a viewer is sent in a second.
const MAX_STATUSES: usize = 4_096;

/// What one compound may still cost.
pub(super) struct Limits {
    resends: usize,
    pub(super) statuses: usize,
}

impl Engine {
    pub(super) fn receive_rtcp(&mut self, datagram: &mut [u8], from: SocketAddr, now: Time) {
        let Some(index) = self.sender(from) else {
            return;
        };
        let Some(inbound) = self.peer_mut(index).and_then(|peer| peer.inbound.as_mut()) else {
            return self.drop(DropReason::NoKeys);
        };
        let plain_bytes = match inbound.open_rtcp(datagram) {
            Ok(plain_bytes) => plain_bytes,
            Err(error) => return self.drop(srtp_drop(error)),
        };
        self.heard(index, now);
        let mut limits = Limits {
            resends: MAX_RESENDS,
            statuses: MAX_STATUSES,
        };
        for packet in packets(&datagram[..plain_bytes]) {
            match packet {
                Ok(packet) => self.receive_report(index, packet, &mut limits, now),
                Err(_) => self.drop(DropReason::Malformed),
            }
        }
    }

    fn receive_report(&mut self, index: usize, packet: Packet<'_>, limits: &mut Limits, now: Time) {
        match packet {
            Packet::SenderReport {
                ssrc,
                info,
                reports,
            } => {
                self.receive_sender_report(index, ssrc, info, now);
                reports.for_each(|block| self.receive_block(index, block, now));
            }
            Packet::ReceiverReport { reports, .. } => {
                reports.for_each(|block| self.receive_block(index, block, now));
            }
            Packet::Nack {
                media_ssrc, lost, ..
            } => {
                let Some(at) = self.slot_of(index, media_ssrc, |totals| &mut totals.nacks) else {
                    return;
                };
                for sequence in lost.take(limits.resends) {
                    limits.resends -= 1;
                    self.resend(at, sequence, now);
                }
            }
            Packet::Pli { media_ssrc, .. } => {
                let at = self.slot_of(index, media_ssrc, |totals| &mut totals.plis);
                self.relay_keyframe_request(at, now);
            }
            Packet::Fir { requests, .. } => {
                for (media_ssrc, _) in requests {
                    let at = self.slot_of(index, media_ssrc, |totals| &mut totals.firs);
                    self.relay_keyframe_request(at, now);
                }
            }
            Packet::Goodbye(ssrcs) => ssrcs.for_each(|ssrc| self.end_stream(index, ssrc)),
            Packet::Remb(remb) => self.receive_remb(index, &remb, now),
            Packet::TransportFeedback(feedback) => {
                self.receive_transport_feedback(index, &feedback, limits, now);
            }
            Packet::SourceDescription(_) | Packet::Other { .. } => {}
        }
    }

    /// A viewer told its own estimate. It is of the streams that it names: sound that is not
    /// among them, because it carries no send times, comes on top.
    fn receive_remb(&mut self, index: usize, remb: &Remb<'_>, now: Time) {
        let Some(peer) = self.peer(index) else { return };
        let is_sound = |ssrc| {
            let slot = peer
                .slot_by_ssrc(ssrc)
                .and_then(|at| peer.slots[at].as_ref());
            slot.is_some_and(|slot| slot.kind == MediaKind::Audio)
        };
        let has_sound = remb.ssrcs().len() == 0 || remb.ssrcs().any(is_sound);
        let sound_bps = if has_sound { 0 } else { self.sound_bps(index) };
        if let Some(peer) = self.peer_mut(index) {
            let bitrate_bps = remb.bitrate_bps.saturating_add(sound_bps);
            peer.downlink.receive_remb(bitrate_bps, now);
        }
        self.check_bandwidth(index, now);
    }

    /// The slot of a feedback message, which is counted.
    fn slot_of(
        &mut self,
        index: usize,
        ssrc: u32,
        counter: impl FnOnce(&mut crate::slot::SlotTotals) -> &mut u64,
    ) -> Option<Subscriber> {
        let peer = self.peer_mut(index)?;
        let slot = peer.slot_by_ssrc(ssrc)?;
        *counter(&mut peer.slots[slot].as_mut()?.totals) += 1;
        Some(Subscriber { peer: index, slot })
    }

    fn relay_keyframe_request(&mut self, at: Option<Subscriber>, now: Time) {
        let Some(at) = at else { return };
        let Some(slot) = self
            .slot(at)
            // A viewer without room for pictures asks for one in vain: it would cost the others.
            .filter(|slot| slot.kind == MediaKind::Video && !slot.paused)
        else {
            return;
        };
        let shown = slot.shown;
        let origin = slot.live_origin().or_else(|| self.aimed_at(at, shown?));
        match (origin, shown) {
            (Some(origin), _) => self.want_keyframe(origin, now),
            (None, Some(shown)) => self.want_keyframe_of(shown, now),
            (None, None) => {}
        }
    }

    fn receive_sender_report(&mut self, index: usize, ssrc: u32, info: SenderInfo, now: Time) {
        let ours = self.ntp(now);
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        let Some(place) = peer
            .streams
            .get(ssrc)
            .filter(|place| place.via == Via::Stream)
        else {
            return;
        };
        peer.clock.receive(info.ntp, ours);
        let Some(source) = peer.sources[place.source].as_mut() else {
            return;
        };
        let report = SenderReportSeen {
            ntp: info.ntp,
            timestamp: info.rtp_timestamp,
            arrived: now,
        };
        let first = source.layers[place.layer]
            .sender_report
            .replace(report)
            .is_none();
        if first {
            // The sooner viewers know the clock, the sooner lips are in sync.
            for at in source.subscribers.clone() {
                self.timers.arm(at.peer, Task::Reports, now);
            }
        }
    }

    fn receive_block(&mut self, index: usize, block: ReportBlock, now: Time) {
        let ours = self.ntp(now);
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        let Some(slot) = peer.slot_by_ssrc(block.ssrc) else {
            return;
        };
        let measured =
            peer.round_trip
                .receive(block.last_sender_report, block.delay_since_last, ours);
        let Some(slot) = peer.slots[slot]
            .as_mut()
            .filter(|slot| slot.ssrc == block.ssrc)
        else {
            return;
        };
        slot.depth.report(block.fraction_lost, now);
        slot.totals.reported_lost = block.cumulative_lost;
        slot.totals.reported_jitter = block.jitter;
        slot.totals.round_trip = measured.unwrap_or(slot.totals.round_trip);
    }

    /// BYE: the layer has stopped, so that a lower one takes over at once.
    fn end_stream(&mut self, index: usize, ssrc: u32) {
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        let Some(place) = peer
            .streams
            .get(ssrc)
            .filter(|place| place.via == Via::Stream)
        else {
            return;
        };
        if let Some(source) = peer.sources[place.source].as_mut() {
            source.layers[place.layer].last_packet = None;
        }
    }

    /// Ask for a keyframe of what a source sends best, or of every layer while nothing arrives.
    pub(super) fn want_keyframe_of(&mut self, shown: Shown, now: Time) {
        self.want_each(shown, now, KeyframeRequest::want);
    }

    /// Likewise for a source that was just enabled.
    pub(super) fn want_keyframe_for_route(&mut self, shown: Shown, now: Time) {
        self.want_each(shown, now, KeyframeRequest::want_for_route);
    }

    /// Ask for a keyframe of the layer that a slot goes for, which shows nothing yet: one of a
    /// better layer would cost others something and be of no use here.
    pub(super) fn want_keyframe_to_start(&mut self, at: Subscriber, shown: Shown, now: Time) {
        match self.aimed_at(at, shown) {
            Some(origin) => self.want_by(origin, now, KeyframeRequest::want_for_route),
            None => self.want_keyframe_for_route(shown, now),
        }
    }

    /// What comes nearest to the layer that a slot goes for, of those that arrive.
    pub(super) fn aimed_at(&self, at: Subscriber, shown: Shown) -> Option<Origin> {
        let target = self.slot(at)?.target?;
        let source = self.source(shown.peer, shown.source)?;
        let layer = source.arriving().nearest(target.layer)?;
        Some(Origin {
            peer: shown.peer,
            source: shown.source,
            layer,
            stream: source.layers[layer].stream,
        })
    }

    fn want_each(&mut self, shown: Shown, now: Time, ask: Ask) {
        let Shown { peer, source } = shown;
        let Some(state) = self.source(peer, source) else {
            return;
        };
        let layers = match state.best_layer() {
            Some(best) => best..best + 1,
            None => 0..state.layers.len(),
        };
        for layer in layers {
            let Some(stream) = self
                .source(peer, source)
                .map(|state| state.layers[layer].stream)
            else {
                return;
            };
            self.want_by(
                Origin {
                    peer,
                    source,
                    layer,
                    stream,
                },
                now,
                ask,
            );
        }
    }

    /// Ask for a keyframe that nobody may be waiting for.
    pub(super) fn want_keyframe_if_shown(&mut self, origin: Origin, now: Time) {
        if self
            .source(origin.peer, origin.source)
            .is_some_and(|source| !source.subscribers.is_empty())
        {
            self.want_keyframe(origin, now);
        }
    }

    /// Ask for a keyframe of one layer, at once or when the throttle allows.
    pub(super) fn want_keyframe(&mut self, origin: Origin, now: Time) {
        self.want_by(origin, now, KeyframeRequest::want);
    }

    fn want_by(&mut self, origin: Origin, now: Time, ask: Ask) {
        let Origin {
            peer,
            source,
            layer,
            ..
        } = origin;
        let Some(source) = self.source_mut(peer, source) else {
            return;
        };
        if source.kind != MediaKind::Video || !source.enabled || !source.can_refresh() {
            return;
        }
        let Some(state) = source
            .layers
            .get_mut(layer)
            .filter(|layer| layer.ssrc.is_some())
        else {
            return;
        };
        let send_now = ask(&mut state.keyframe_request, now);
        if let Some(deadline) = state.keyframe_request.deadline() {
            self.timers.arm(peer, Task::Keyframe, deadline);
        }
        if send_now {
            self.send_keyframe_request(origin);
        }
    }

    /// PLI, or FIR where only that was negotiated.
    pub(super) fn send_keyframe_request(&mut self, origin: Origin) {
        let Some(peer) = self.peer_mut(origin.peer) else {
            return;
        };
        let sender_ssrc = peer.rtcp_ssrc;
        let Some(source) = peer.sources.get_mut(origin.source).and_then(Option::as_mut) else {
            return;
        };
        let by_pli = source.codecs.iter().any(|codec| codec.pli);
        let layer = &mut source.layers[origin.layer];
        let Some(media_ssrc) = layer.ssrc else { return };
        if by_pli {
            layer.totals.plis += 1;
            self.send_rtcp(origin.peer, |writer| {
                writer.pli(sender_ssrc, media_ssrc).is_ok()
            });
        } else {
            layer.totals.firs += 1;
            layer.fir_command = layer.fir_command.wrapping_add(1);
            let command = layer.fir_command;
            self.send_rtcp(origin.peer, |writer| {
                writer.fir(sender_ssrc, media_ssrc, command).is_ok()
            });
        }
    }

    /// Seal and queue what `write` writes; nothing if it says false or wrote nothing.
    pub(super) fn send_rtcp(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut RtcpWriter<'_>) -> bool,
    ) {
        self.send_compound(index, |buffer| {
            let mut writer = RtcpWriter::new(buffer);
            if write(&mut writer) {
                writer.finish()
            } else {
                0
            }
        });
    }

    /// Seal and queue the plain compound that `write` leaves at the head of its buffer.
    pub(super) fn send_compound(&mut self, index: usize, write: impl FnOnce(&mut [u8]) -> usize) {
        let Self { peers, outbox, .. } = self;
        let Some(peer) = peers.get_mut(index).and_then(Option::as_deref_mut) else {
            return;
        };
        if let (Some(outbound), Some(address)) = (peer.outbound.as_mut(), peer.address) {
            seal_compound(outbox, outbound, address, write);
        }
    }
}

/// Seal and queue the plain compound that `write` leaves at the head of its buffer, if any.
pub(super) fn seal_compound(
    outbox: &mut Outbox,
    outbound: &mut Outbound,
    address: SocketAddr,
    write: impl FnOnce(&mut [u8]) -> usize,
) {
    let buffer = outbox.begin(address, MAX_COMPOUND_BYTES + MAX_TRAILER_BYTES);
    let plain_bytes = write(&mut buffer[..MAX_COMPOUND_BYTES]);
    if plain_bytes == 0 {
        return;
    }
    if let Ok(sealed) = outbound.seal_rtcp(buffer, plain_bytes) {
        outbox.commit(sealed);
    }
}
