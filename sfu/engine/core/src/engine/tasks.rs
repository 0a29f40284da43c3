//! What time brings: requests for missing packets, feedback, reports, keyframe retries, silence.

use core::time::Duration;

use super::Engine;
use super::rtcp::seal_compound;
use crate::PeerId;
use crate::command::MediaKind;
use crate::event::Event;
use crate::peer::Peer;
use crate::reports::SenderClock;
use crate::rewrite::Origin;
use crate::slot::Slot;
use crate::source::Subscriber;
use crate::time::{NtpTime, Time};
use crate::timer::Task;
use crate::wire::rtcp::{ReportBlock, SenderInfo};
use crate::wire::rtcp_writer::RtcpWriter;

/// Transport-wide feedback follows a packet after this: browsers ramp up within a second.
pub(super) const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
/// Feedback does not wait when this many packets are unreported.
pub(super) const MAX_UNREPORTED: usize = 100;
/// The first reports follow the first packet after this.
pub(super) const FIRST_REPORT: Duration = Duration::from_millis(200);
/// How often the ICE table is told that media is heard.
pub(super) const HEARD_INTERVAL: Duration = Duration::from_millis(250);
/// Time between reports while anything flows.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// A stream without packets for this long is not reported on any more.
const REPORTED_FOR: Duration = Duration::from_secs(5);
/// When the owner is told that a peer is silent.
const SILENCE_MARKS_MS: [u32; 4] = [2_000, 5_000, 15_000, 30_000];
/// Requests that one NACK message carries.
const MAX_NACKED: usize = 256;
/// Report blocks that one receiver report carries.
const MAX_BLOCKS: usize = 31;

impl Engine {
    pub(super) fn run_due(&mut self, now: Time) {
        while let Some((index, task)) = self.timers.due(now) {
            match task {
                Task::Nack => self.ask_for_missing(index, now),
                Task::Feedback => self.send_feedback(index),
                Task::Reports => self.send_reports(index, now),
                Task::Keyframe => self.retry_keyframes(index, now),
                Task::Speech => self.check_speech(index, now),
                Task::Silence => self.check_silence(index, now),
                Task::Pace => self.pace(index, now),
                Task::Downlink => self.look_after_downlink(index, now),
                Task::Allocate => self.allocate(index, now),
                Task::Watched => self.tell_watched(index, now),
            }
        }
    }

    fn ask_for_missing(&mut self, index: usize, now: Time) {
        for (source, layer) in self.layers_of(index) {
            let Some(peer) = self.peer_mut(index) else {
                return;
            };
            let (round_trip, sender_ssrc) = (peer.round_trip.estimate(), peer.rtcp_ssrc);
            let Some(state) = peer.sources[source]
                .as_mut()
                .map(|source| &mut source.layers[layer])
            else {
                continue;
            };
            let mut lost = [0; MAX_NACKED];
            let mut count = 0;
            let given_up = state.missing.due(now, round_trip, |sequence| {
                lost[count] = sequence;
                count += 1;
            });
            let origin = Origin {
                peer: index,
                source,
                layer,
                stream: state.stream,
            };
            let deadline = state.missing.deadline();
            let media_ssrc = state.ssrc.filter(|_| count > 0);
            state.totals.nacks += u64::from(media_ssrc.is_some());
            if let Some(deadline) = deadline {
                self.timers.arm(index, Task::Nack, deadline);
            }
            if let Some(media_ssrc) = media_ssrc {
                self.send_rtcp(index, |writer| {
                    writer.nack(sender_ssrc, media_ssrc, &lost[..count]).is_ok()
                });
            }
            if given_up {
                self.want_keyframe_if_shown(origin, now);
            }
        }
    }

    fn send_feedback(&mut self, index: usize) {
        let Self { peers, outbox, .. } = self;
        let Some(Peer {
            arrivals,
            outbound: Some(outbound),
            address: Some(address),
            rtcp_ssrc,
            ..
        }) = peers.get_mut(index).and_then(Option::as_deref_mut)
        else {
            return;
        };
        let mut more = true;
        while more {
            seal_compound(outbox, outbound, *address, |buffer| {
                let bytes = arrivals.write(*rtcp_ssrc, buffer);
                more = bytes.is_some();
                bytes.unwrap_or(0)
            });
        }
    }

    fn send_reports(&mut self, index: usize, now: Time) {
        let received = self.send_receiver_report(index, now);
        let sent = self.send_sender_reports(index, now);
        if received || sent {
            self.timers.arm(index, Task::Reports, now + REPORT_INTERVAL);
        }
    }

    /// True if anything was received lately.
    fn send_receiver_report(&mut self, index: usize, now: Time) -> bool {
        let Some(peer) = self.peer_mut(index) else {
            return false;
        };
        let sender_ssrc = peer.rtcp_ssrc;
        let mut blocks = [ReportBlock::default(); MAX_BLOCKS];
        let mut count = 0;
        for layer in peer.layers_mut().take(MAX_BLOCKS) {
            let lately = layer
                .last_packet
                .is_some_and(|last| now.since(last) < REPORTED_FOR);
            let Some(ssrc) = layer.ssrc.filter(|_| lately) else {
                continue;
            };
            let Some(report) = layer.reception.report() else {
                continue;
            };
            let (last_sender_report, delay_since_last) = layer
                .sender_report
                .map_or((0, 0), |seen| seen.last_and_delay(now));
            blocks[count] = ReportBlock {
                ssrc,
                fraction_lost: report.fraction_lost,
                cumulative_lost: report.cumulative_lost,
                highest_sequence: report.highest_sequence,
                jitter: report.jitter,
                last_sender_report,
                delay_since_last,
            };
            count += 1;
        }
        if count > 0 {
            self.send_rtcp(index, |writer| {
                writer
                    .receiver_report(sender_ssrc, &blocks[..count])
                    .is_ok()
            });
        }
        count > 0
    }

    /// True if anything was sent lately.
    fn send_sender_reports(&mut self, index: usize, now: Time) -> bool {
        let slots = self.peer(index).map_or(0, |peer| peer.slots.len());
        let mut active = false;
        for slot in 0..slots {
            let at = Subscriber { peer: index, slot };
            let Some(state) = self.slot(at) else { continue };
            active |= state
                .rewriter
                .last_sent()
                .is_some_and(|last| now.since(last) < REPORTED_FOR);
            let Some(info) = self.sender_info(state, now) else {
                continue;
            };
            // Compounds of one slot each: a report must not be lost with seven others.
            let Self { peers, outbox, .. } = self;
            let Some(peer) = peers[index].as_deref_mut() else {
                continue;
            };
            let (Some(outbound), Some(address)) = (peer.outbound.as_mut(), peer.address) else {
                continue;
            };
            let Some(state) = peer.slots[slot].as_ref() else {
                continue;
            };
            seal_compound(outbox, outbound, address, |buffer| {
                let mut writer = RtcpWriter::new(buffer);
                // Both fit; an empty name is left out and the report is still of use.
                let _ = writer.sender_report(state.ssrc, &info, &[]);
                let _ = writer.cname(state.ssrc, &state.cname);
                writer.finish()
            });
        }
        active
    }

    /// What a slot's sender report says: our wall clock, and where the shown stream is then.
    fn sender_info(&self, slot: &Slot, now: Time) -> Option<SenderInfo> {
        let origin = slot.live_origin()?;
        let layer = self.layer(origin)?;
        let ntp = self.ntp(now);
        let clock: &SenderClock = &self.peer(origin.peer)?.clock;
        let theirs: NtpTime = clock.at(ntp)?;
        let source_timestamp = layer.sender_report?.timestamp_at(theirs, layer.clock_rate);
        Some(SenderInfo {
            ntp,
            rtp_timestamp: slot.rewriter.timestamp(source_timestamp)?,
            packets: slot.totals.stream_packets,
            bytes: slot.totals.stream_bytes,
        })
    }

    fn retry_keyframes(&mut self, index: usize, now: Time) {
        for (source, layer) in self.layers_of(index) {
            let Some(state) = self.source_mut(index, source) else {
                continue;
            };
            let (enabled, stopped) = (state.enabled, state.has_stopped(layer));
            let layer_state = &mut state.layers[layer];
            if stopped {
                // Browsers answer for it with keyframes of all other layers.
                layer_state.keyframe_request.end();
                continue;
            }
            let stream = layer_state.stream;
            let send_now = layer_state.keyframe_request.due(now);
            if let Some(deadline) = layer_state.keyframe_request.deadline() {
                self.timers.arm(index, Task::Keyframe, deadline);
            }
            if send_now && enabled {
                self.send_keyframe_request(Origin {
                    peer: index,
                    source,
                    layer,
                    stream,
                });
            }
        }
    }

    fn check_speech(&mut self, index: usize, now: Time) {
        let sources = self.peer(index).map_or(0, |peer| peer.sources.len());
        for source in 0..sources {
            let Some(state) = self
                .source_mut(index, source)
                .filter(|state| state.kind == MediaKind::Audio)
            else {
                continue;
            };
            let change = state.speech.check(now);
            let (speaking, deadline) = (state.speech.is_speaking(), state.speech.deadline());
            if speaking {
                self.timers.arm(index, Task::Speech, deadline);
            }
            if let Some(change) = change {
                self.tell_speech(index, source, change);
            }
        }
    }

    /// Begin to watch whether a peer falls silent.
    pub(super) fn watch_silence(&mut self, index: usize) {
        let Some(peer) = self.peer(index) else { return };
        let Some(mark_ms) = SILENCE_MARKS_MS.get(peer.silence_told) else {
            return;
        };
        let at = peer.last_heard + Duration::from_millis(u64::from(*mark_ms));
        self.timers.arm(index, Task::Silence, at);
    }

    fn check_silence(&mut self, index: usize, now: Time) {
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        let silent = now.since(peer.last_heard);
        let mark_ms = SILENCE_MARKS_MS.get(peer.silence_told).copied();
        let passed = mark_ms.filter(|mark_ms| silent >= Duration::from_millis(u64::from(*mark_ms)));
        if let Some(silent_ms) = passed {
            let peer_id: PeerId = peer.id;
            peer.silence_told += 1;
            self.events.push_back(Event::PeerSilent {
                peer: peer_id,
                silent_ms,
            });
        }
        self.watch_silence(index);
    }

    /// Source and layer indices of a peer: at most a few, and only of peers with something due.
    fn layers_of(&self, index: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let mut pairs = [(0, 0); MAX_BLOCKS];
        let mut count = 0;
        let sources = self.peer(index).map_or(&[][..], |peer| &peer.sources[..]);
        for (source, state) in sources.iter().enumerate() {
            let layers = state.as_ref().map_or(0, |state| state.layers.len());
            for layer in 0..layers {
                if count < MAX_BLOCKS {
                    pairs[count] = (source, layer);
                    count += 1;
                }
            }
        }
        pairs.into_iter().take(count)
    }
}
