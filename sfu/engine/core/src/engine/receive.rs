//! Datagrams in: what each is, whose it is, and what a publisher's packet means.

use std::net::SocketAddr;

use super::Engine;
use super::tasks::{FEEDBACK_INTERVAL, FIRST_REPORT, HEARD_INTERVAL, MAX_UNREPORTED};
use crate::command::MediaKind;
use crate::drops::DropReason;
use crate::event::Event;
use crate::ice::{IgnoredStun, StunOutcome};
use crate::layer::{Admission, Via};
use crate::packet::{Announced, Marks, Packet};
use crate::rewrite::Origin;
use crate::speaker::SpeechChange;
use crate::srtp::SrtpError;
use crate::streams::StreamPlace;
use crate::time::Time;
use crate::timer::Task;
use crate::wire::rtp::{RtpHeader, rtx_original_sequence};
use crate::wire::{DatagramKind, classify};

/// What the header and extensions of an opened packet say, less what borrows the packet.
pub(super) struct Opened {
    pub(super) header: RtpHeader,
    pub(super) plain_bytes: usize,
    pub(super) marks: Marks,
}

impl Engine {
    pub(super) fn dispatch(&mut self, datagram: &mut [u8], from: SocketAddr, now: Time) {
        match classify(datagram) {
            DatagramKind::Stun => self.receive_stun(datagram, from, now),
            DatagramKind::Dtls => self.receive_dtls(datagram, from, now),
            DatagramKind::Rtp => self.receive_rtp(datagram, from, now),
            DatagramKind::Rtcp => self.receive_rtcp(datagram, from, now),
            DatagramKind::Unknown => self.drop(DropReason::UnknownProtocol),
        }
    }

    fn receive_stun(&mut self, datagram: &[u8], from: SocketAddr, now: Time) {
        match self.ice.receive(datagram, from, now, &mut self.outbox) {
            StunOutcome::Ignored(reason) => self.drop(stun_drop(reason)),
            StunOutcome::Refused { peer } => {
                if let Some(index) = self.index_of(peer) {
                    self.heard(index, now);
                }
            }
            StunOutcome::Reply {
                peer, validated, ..
            } => {
                let Some(index) = self.index_of(peer) else {
                    return;
                };
                self.heard(index, now);
                if let Some(change) = validated {
                    self.move_peer(index, change, now);
                }
            }
        }
    }

    /// Each datagram costs the owner's thread far more than a media packet costs ours, so a peer
    /// gets no more than handshakes need.
    fn receive_dtls(&mut self, datagram: &[u8], from: SocketAddr, now: Time) {
        let Some(index) = self.sender(from) else {
            return;
        };
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        if !peer.dtls_budget.take(now) {
            return self.drop(DropReason::DtlsOverBudget);
        }
        let peer = peer.id;
        self.events.push_back(Event::DtlsReceived {
            peer,
            datagram: datagram.to_vec(),
        });
    }

    /// Something authenticated came from an address of a peer.
    pub(super) fn heard(&mut self, index: usize, now: Time) {
        let Some(peer) = self.peers[index].as_deref_mut() else {
            return;
        };
        if now.since(peer.heard_told) >= HEARD_INTERVAL {
            peer.heard_told = now;
            self.ice.heard(peer.id, now);
        }
        peer.last_heard = now;
        peer.last_at_address = now;
        if core::mem::take(&mut peer.silence_told) > 0 {
            self.watch_silence(index);
        }
    }

    fn receive_rtp(&mut self, datagram: &mut [u8], from: SocketAddr, now: Time) {
        let known = self.ice.peer_of(from).and_then(|peer| self.index_of(peer));
        let Some(index) = known.or_else(|| self.sender_elsewhere(datagram, from, now)) else {
            return self.drop(DropReason::UnknownAddress);
        };
        let opened = match self.open(index, datagram) {
            Ok(opened) => opened,
            Err(reason) => {
                // Somebody's copy may have come first: its sender has not moved.
                if known.is_some() && reason == DropReason::SrtpReplay {
                    self.seen_at_address(index, now);
                }
                return self.drop(reason);
            }
        };
        if known.is_some() || self.follow(index, from, now) {
            self.heard(index, now);
        }
        let plain = &mut datagram[..opened.plain_bytes];
        match self.place_of(index, plain, opened, now) {
            Ok((place, opened)) => self.receive_stream(index, place, plain, opened, now),
            Err(reason) => self.drop(reason),
        }
    }

    fn open(&mut self, index: usize, datagram: &mut [u8]) -> Result<Opened, DropReason> {
        let header = RtpHeader::parse(datagram).map_err(|_| DropReason::Malformed)?;
        let peer = self.peer_mut(index).ok_or(DropReason::UnknownAddress)?;
        let inbound = peer.inbound.as_mut().ok_or(DropReason::NoKeys)?;
        let plain_bytes = inbound.open_rtp(datagram, &header).map_err(srtp_drop)?;
        Ok(Opened {
            header,
            plain_bytes,
            marks: Marks::default(),
        })
    }

    /// Read the extensions, note the transport-wide number, and find what the SSRC carries.
    fn place_of(
        &mut self,
        index: usize,
        plain: &[u8],
        mut opened: Opened,
        now: Time,
    ) -> Result<(StreamPlace, Opened), DropReason> {
        let Self {
            peers,
            timers,
            numbers,
            ..
        } = self;
        let peer = peers[index]
            .as_deref_mut()
            .ok_or(DropReason::UnknownAddress)?;
        let header = &opened.header;
        let announced = Announced::read(plain, header, &peer.meanings);
        opened.marks = announced.marks;
        if let Some(sequence) = announced.transport_sequence {
            peer.arrivals.record(sequence, header.ssrc, now);
            let crowded = peer.arrivals.unreported() >= MAX_UNREPORTED;
            timers.arm(
                index,
                Task::Feedback,
                if crowded {
                    now
                } else {
                    now + FEEDBACK_INTERVAL
                },
            );
        }
        let place = peer.streams.get(header.ssrc).or_else(|| {
            peer.streams
                .learn(&mut peer.sources, header, &announced, numbers.stream(), now)
        });
        Ok((place.ok_or(DropReason::UnknownSsrc)?, opened))
    }

    fn receive_stream(
        &mut self,
        index: usize,
        place: StreamPlace,
        plain: &mut [u8],
        opened: Opened,
        now: Time,
    ) {
        let (plain, opened) = match place.via {
            Via::Stream | Via::Redundancy => {
                match self.unwrap_redundancy(index, place, plain, opened, now) {
                    Ok(unwrapped) => unwrapped,
                    Err(reason) => return self.drop(reason),
                }
            }
            Via::Retransmission => {
                match self.unwrap_retransmission(index, place, plain, opened.header) {
                    Ok(Some((plain, header))) => (plain, Opened { header, ..opened }),
                    Ok(None) => return,
                    Err(reason) => return self.drop(reason),
                }
            }
        };
        if let Err(reason) = self.receive_packet(index, place, plain, &opened, now) {
            self.drop(reason);
        }
    }

    /// The packet inside a retransmission (RFC 4588, section 4), rebuilt in place; nothing for
    /// a probe that is padding only.
    fn unwrap_retransmission<'a>(
        &self,
        index: usize,
        place: StreamPlace,
        plain: &'a mut [u8],
        header: RtpHeader,
    ) -> Result<Option<(&'a mut [u8], RtpHeader)>, DropReason> {
        let payload = header.payload(plain).map_err(|_| DropReason::Malformed)?;
        if payload.len() <= 2 {
            return Ok(None);
        }
        let source = self
            .source(index, place.source)
            .ok_or(DropReason::UnknownSsrc)?;
        let codec = source
            .codecs
            .iter()
            .find(|codec| codec.rtx_payload_type == Some(header.payload_type))
            .ok_or(DropReason::UnknownPayload)?;
        let ssrc = source.layers[place.layer]
            .ssrc
            .ok_or(DropReason::UnknownSsrc)?;
        let sequence =
            rtx_original_sequence(&plain[payload.clone()]).map_err(|_| DropReason::Malformed)?;
        // The header moves up against the payload, over the original sequence number.
        plain.copy_within(..payload.start, 2);
        let packet = &mut plain[2..payload.end];
        packet[0] &= !0x20;
        packet[1] = packet[1] & 0x80 | codec.payload_type & 0x7f;
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
        let header = RtpHeader::parse(packet).map_err(|_| DropReason::Malformed)?;
        Ok(Some((packet, header)))
    }

    pub(super) fn receive_packet(
        &mut self,
        index: usize,
        place: StreamPlace,
        plain: &[u8],
        opened: &Opened,
        now: Time,
    ) -> Result<(), DropReason> {
        let (sequence, admission) = self.admit(index, place, &opened.header, now)?;
        let Admission::Fresh { gap, outage } = admission else {
            return Err(DropReason::Duplicate);
        };
        let peer = self.peers[index]
            .as_deref_mut()
            .ok_or(DropReason::UnknownAddress)?;
        let source = peer.sources[place.source]
            .as_mut()
            .ok_or(DropReason::UnknownSsrc)?;
        if !source.enabled {
            return Err(DropReason::Disabled);
        }
        let format = source.format(opened.header.payload_type);
        let packet = Packet::describe(plain, opened.header, opened.marks, sequence, format)
            .map_err(|_| DropReason::Malformed)?;
        let kind = source.kind;
        let layer = &mut source.layers[place.layer];
        layer.store(&packet, now);
        let origin = Origin {
            peer: index,
            source: place.source,
            layer: place.layer,
            stream: layer.stream,
        };
        if gap {
            if let Some(deadline) = layer.missing.deadline() {
                self.timers.arm(index, Task::Nack, deadline);
            }
        }
        if kind == MediaKind::Audio {
            self.forward_sound(origin, &packet, now);
        } else {
            self.forward(origin, &packet, now);
        }
        if outage {
            self.want_keyframe_if_shown(origin, now);
        }
        if let Some(level) = opened.marks.audio_level {
            self.hear(index, place.source, level, now);
        }
        Ok(())
    }

    /// Count the packet in its layer, and tell when the layer is new.
    fn admit(
        &mut self,
        index: usize,
        place: StreamPlace,
        header: &RtpHeader,
        now: Time,
    ) -> Result<(u64, Admission), DropReason> {
        let Self {
            peers,
            numbers,
            events,
            timers,
            ..
        } = self;
        let peer = peers[index]
            .as_deref_mut()
            .ok_or(DropReason::UnknownAddress)?;
        let source = peer.sources[place.source]
            .as_mut()
            .ok_or(DropReason::UnknownSsrc)?;
        let codec = source
            .codecs
            .iter()
            .find(|codec| codec.payload_type == header.payload_type);
        let clock_rate = codec.ok_or(DropReason::UnknownPayload)?.clock_rate;
        let layer = &mut source.layers[place.layer];
        let first = layer.highest().is_none() && layer.totals.packets == 0;
        layer.clock_rate = clock_rate;
        if layer.leaps(header.sequence) {
            layer.restart(numbers.stream());
        }
        let admitted = layer.admit(header, place.via, now);
        if first {
            timers.arm(index, Task::Watched, now);
            let (mid, rid) = (source.mid.clone(), layer.rid.clone());
            events.push_back(Event::SourceStarted {
                peer: peer.id,
                mid,
                rid,
            });
        }
        source.note_arrival(place.layer, now);
        if !timers.is_armed(index, Task::Reports) {
            timers.arm(index, Task::Reports, now + FIRST_REPORT);
        }
        Ok(admitted)
    }

    fn hear(&mut self, index: usize, source: usize, level: u8, now: Time) {
        let Some(state) = self
            .source_mut(index, source)
            .filter(|source| source.kind == MediaKind::Audio)
        else {
            return;
        };
        let change = state.speech.receive(level, now);
        let deadline = state.speech.deadline();
        if state.speech.is_speaking() {
            self.timers.arm(index, Task::Speech, deadline);
        }
        if let Some(change) = change {
            self.tell_speech(index, source, change);
        }
    }

    pub(super) fn tell_speech(&mut self, index: usize, source: usize, change: SpeechChange) {
        let Some(peer) = self.peer(index).map(|peer| peer.id) else {
            return;
        };
        let Some(mid) = self.source(index, source).map(|source| source.mid.clone()) else {
            return;
        };
        let SpeechChange {
            speaking,
            level_dbov,
        } = change;
        self.events.push_back(Event::Speaking {
            peer,
            mid,
            speaking,
            level_dbov,
        });
    }
}

fn stun_drop(reason: IgnoredStun) -> DropReason {
    match reason {
        IgnoredStun::Malformed => DropReason::StunMalformed,
        IgnoredStun::NotARequest => DropReason::StunNotRequest,
        IgnoredStun::Unauthenticated => DropReason::StunUnauthenticated,
        IgnoredStun::OverBudget => DropReason::StunOverBudget,
        IgnoredStun::AddressTaken => DropReason::StunAddressTaken,
    }
}

pub(super) fn srtp_drop(error: SrtpError) -> DropReason {
    match error {
        SrtpError::Auth => DropReason::SrtpAuth,
        SrtpError::Replay => DropReason::SrtpReplay,
        SrtpError::Malformed => DropReason::Malformed,
        SrtpError::TooManyStreams
        | SrtpError::KeyLength
        | SrtpError::KeyExhausted
        | SrtpError::NoRoom => DropReason::SrtpOther,
    }
}
