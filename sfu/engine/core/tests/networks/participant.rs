//! One browser: ICE, SRTP and RTCP around what it publishes and what it watches.

use core::time::Duration;
use std::net::SocketAddr;

use mianshi_engine_core::PeerId;
use mianshi_engine_core::srtp::{Inbound, MAX_TRAILER_BYTES, Outbound};
use mianshi_engine_core::time::{NtpTime, Time};
use mianshi_engine_core::wire::rtcp::{Packet, SenderInfo, packets};
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use mianshi_engine_core::wire::rtp::{RtpHeader, write_header};
use mianshi_engine_core::wire::{DatagramKind, classify};

use crate::description::{ABS_SEND_TIME, AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_CC};
use crate::publisher::{Outgoing, Publisher};
use crate::sealing::{PROFILE, binding_request, key, rtcp, transport_number};
use crate::viewer::Viewer;

const ASK_EVERY: Duration = Duration::from_millis(10);
const FEEDBACK_EVERY: Duration = Duration::from_millis(50);
const REPORT_EVERY: Duration = Duration::from_millis(500);
const EPOCH: NtpTime = NtpTime(0xC000_0000_0000_0000);

pub struct Participant {
    pub address: SocketAddr,
    pub ufrag: String,
    pub password: String,
    pub publisher: Option<Publisher>,
    pub viewer: Viewer,
    outbound: Outbound,
    inbound: Inbound,
    transport: u16,
    next_ask: Time,
    next_feedback: Time,
    next_report: Time,
}

impl Participant {
    pub fn new(id: PeerId, publishes: bool, now: Time) -> Self {
        Self {
            address: SocketAddr::from(([10, 0, 0, id as u8], 5_000)),
            ufrag: format!("ufrag{id}"),
            password: format!("passwordOfTwentyTwoChars{id}"),
            publisher: publishes.then(|| Publisher::new(id, now)),
            viewer: Viewer::default(),
            outbound: Outbound::new(PROFILE, &key(id, true)).expect("keys fit"),
            inbound: Inbound::new(PROFILE, &key(id, false)).expect("keys fit"),
            transport: 65_000,
            next_ask: now,
            next_feedback: now,
            next_report: now,
        }
    }

    pub fn stun(&self) -> Vec<u8> {
        binding_request(&self.ufrag, &self.password)
    }

    pub fn next_due(&self) -> Time {
        let own = self.next_ask.min(self.next_feedback).min(self.next_report);
        self.publisher
            .as_ref()
            .map_or(own, |publisher| own.min(publisher.next_due()))
    }

    /// Everything that is sent at `now`.
    pub fn poll(&mut self, now: Time) -> Vec<Vec<u8>> {
        let mut sealed = Vec::new();
        if let Some(publisher) = &mut self.publisher {
            let outgoing = publisher.poll(now);
            sealed.extend(outgoing.into_iter().map(|packet| self.seal(packet, now)));
        }
        if self.next_ask <= now {
            self.next_ask = now + ASK_EVERY;
            self.ask(now, &mut sealed);
        }
        if self.next_feedback <= now {
            self.next_feedback = now + FEEDBACK_EVERY;
            for packet in self.viewer.feedback() {
                sealed.extend(self.rtcp(|writer| writer.ready(&packet).expect("room")));
            }
        }
        if self.next_report <= now {
            self.next_report = now + REPORT_EVERY;
            self.report(now, &mut sealed);
            sealed.push(self.stun());
        }
        sealed
    }

    /// Takes a datagram; the answers to it.
    pub fn receive(&mut self, mut datagram: Vec<u8>, now: Time) -> Vec<Vec<u8>> {
        match classify(&datagram) {
            DatagramKind::Rtp => self.receive_rtp(&mut datagram, now),
            DatagramKind::Rtcp => return self.receive_rtcp(&mut datagram, now),
            _ => {}
        }
        Vec::new()
    }

    fn receive_rtp(&mut self, datagram: &mut [u8], now: Time) {
        let header = RtpHeader::parse(datagram).expect("the engine writes valid headers");
        let Ok(plain) = self.inbound.open_rtp(datagram, &header) else {
            return; // a duplicate
        };
        let packet = &datagram[..plain];
        let transport = transport_number(&header, packet);
        self.viewer.receive(&header, packet, transport, now);
    }

    fn receive_rtcp(&mut self, datagram: &mut [u8], now: Time) -> Vec<Vec<u8>> {
        let Ok(plain) = self.inbound.open_rtcp(datagram) else {
            return Vec::new();
        };
        let mut again = Vec::new();
        for packet in packets(&datagram[..plain]) {
            let publisher = self.publisher.as_mut();
            match (packet.expect("the engine writes valid RTCP"), publisher) {
                (Packet::SenderReport { ssrc, info, .. }, _) => {
                    self.viewer.sender_report(ssrc, info.ntp.middle(), now);
                }
                (
                    Packet::Nack {
                        media_ssrc, lost, ..
                    },
                    Some(publisher),
                ) => {
                    again.extend(lost.filter_map(|lost| publisher.retransmit(media_ssrc, lost)));
                }
                (Packet::Pli { media_ssrc, .. }, Some(publisher)) => publisher.refresh(media_ssrc),
                (Packet::Fir { requests, .. }, Some(publisher)) => {
                    requests.for_each(|(ssrc, _)| publisher.refresh(ssrc));
                }
                (Packet::TransportFeedback(feedback), Some(publisher)) => {
                    publisher.uplink.receive(&feedback, now);
                }
                _ => {}
            }
        }
        again
            .into_iter()
            .map(|packet| self.seal(packet, now))
            .collect()
    }

    fn ask(&mut self, now: Time, sealed: &mut Vec<Vec<u8>>) {
        let mut viewer = core::mem::take(&mut self.viewer);
        viewer.ask(now, |write| {
            sealed.extend(self.rtcp(|writer| write(writer)))
        });
        self.viewer = viewer;
    }

    fn report(&mut self, now: Time, sealed: &mut Vec<Vec<u8>>) {
        let blocks = self.viewer.blocks(now);
        let ntp = now.to_ntp(EPOCH);
        let infos: Vec<(u32, SenderInfo)> = self
            .publisher
            .iter()
            .flat_map(|publisher| {
                let sound = (
                    publisher.microphone.ssrc,
                    publisher.microphone.timestamp(),
                    1,
                    1,
                );
                let layers = publisher.layers.iter().filter(|layer| layer.packets > 0);
                let layers = layers.map(|l| (l.ssrc, l.timestamp, l.packets, l.bytes));
                core::iter::once(sound).chain(layers)
            })
            .map(|(ssrc, rtp_timestamp, packets, bytes)| {
                let info = SenderInfo {
                    ntp,
                    rtp_timestamp,
                    packets,
                    bytes,
                };
                (ssrc, info)
            })
            .collect();
        sealed.extend(self.rtcp(|writer| {
            for (ssrc, info) in &infos {
                writer.sender_report(*ssrc, info, &[]).expect("room");
            }
            writer.receiver_report(1, &blocks).expect("room");
        }));
    }

    fn rtcp(&mut self, write: impl FnOnce(&mut RtcpWriter<'_>)) -> Option<Vec<u8>> {
        rtcp(&mut self.outbound, write)
    }

    fn seal(&mut self, outgoing: Outgoing, now: Time) -> Vec<u8> {
        self.transport = self.transport.wrapping_add(1);
        let number = self.transport.to_be_bytes();
        let sent = now.abs_send_time().to_be_bytes();
        let mut elements: Vec<(u8, &[u8])> = vec![
            (MID, outgoing.mid.as_bytes()),
            (TRANSPORT_CC, &number),
            (ABS_SEND_TIME, &sent[1..]),
        ];
        match outgoing.rid {
            Some(rid) if outgoing.repaired => elements.push((REPAIRED_RID, rid.as_bytes())),
            Some(rid) => elements.push((RID, rid.as_bytes())),
            None => elements.push((AUDIO_LEVEL, &[30])),
        }
        let mut packet = vec![0; 200 + outgoing.payload.len() + MAX_TRAILER_BYTES];
        let header_bytes = write_header(&mut packet, &outgoing.fields, &elements).expect("room");
        let plain_bytes = header_bytes + outgoing.payload.len();
        packet[header_bytes..plain_bytes].copy_from_slice(&outgoing.payload);
        let sealed = self
            .outbound
            .seal_rtp(&mut packet, plain_bytes, header_bytes)
            .expect("seals");
        packet.truncate(sealed);
        if let Some(publisher) = &mut self.publisher {
            publisher.uplink.sent(self.transport, sealed, now);
        }
        packet
    }
}
