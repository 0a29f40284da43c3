//! A browser as the engine sees one: SRTP both ways, NACK, RTX, PLI, reports and feedback.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use mianshi_engine_core::PeerId;
use mianshi_engine_core::seqnum::SequenceExtender;
use mianshi_engine_core::srtp::{Inbound, MAX_TRAILER_BYTES, Outbound};
use mianshi_engine_core::time::{NtpTime, Time};
use mianshi_engine_core::wire::rtcp::{Packet, ReportBlock, SenderInfo, packets};
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use mianshi_engine_core::wire::rtp::{HeaderFields, RtpHeader};
use mianshi_engine_core::wire::vp8;
use mianshi_engine_core::wire::{DatagramKind, classify};

use super::arrivals::Arrivals;
use super::description::{MID, REPAIRED_RID};
use super::sealing::{PROFILE, binding_request, key, rtcp, transport_number};
use super::stream::{Mark, Stream};

const NACK_AFTER: Duration = Duration::from_millis(15);
const NACK_AGAIN: Duration = Duration::from_millis(80);
const NACK_TRIES: u8 = 8;
const FEEDBACK: Duration = Duration::from_millis(50);
pub const HOUSEKEEPING: Duration = Duration::from_millis(10);

/// A media packet as the viewer saw it.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Time,
    pub ssrc: u32,
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub picture_id: u16,
    pub tl0: u8,
    pub temporal: u8,
    pub keyframe: bool,
    pub mark: Mark,
    pub repaired: bool,
    pub mid: String,
    pub transport: Option<u16>,
}

#[derive(Default)]
struct Incoming {
    extender: SequenceExtender,
    missing: BTreeMap<u64, (Time, u8)>,
    seen: std::collections::BTreeSet<u64>,
    sender_report: Option<(u32, Time)>,
}

pub struct Client {
    pub id: PeerId,
    pub address: SocketAddr,
    pub outbound: Outbound,
    pub inbound: Inbound,
    pub streams: Vec<Stream>,
    pub received: Vec<Received>,
    /// Packets of video with nothing in them: SSRC and number.
    pub empty: Vec<(u32, u64)>,
    pub sender_reports: Vec<(u32, SenderInfo)>,
    pub blocks: Vec<ReportBlock>,
    /// Transport-wide numbers that feedback called received or lost.
    pub feedback: BTreeMap<u16, bool>,
    pub transport: u16,
    pub nacks: bool,
    /// The client's wall clock at `Time(0)`.
    pub epoch: NtpTime,
    incoming: BTreeMap<u32, Incoming>,
    next_housekeeping: Time,
    /// When reports and a STUN check are sent next.
    pub next_reports: Time,
    /// Whether it sends transport-wide feedback.
    pub tells_arrivals: bool,
    pub arrivals: Arrivals,
    next_feedback: Time,
    /// Transport-wide numbers of packets of padding only.
    pub padding: Vec<u16>,
    /// Bytes of RTP, headers and SRTP included.
    pub received_bytes: u64,
    pub ufrag: String,
    pub password: String,
}

impl Client {
    pub fn new(id: PeerId) -> Self {
        Self {
            id,
            address: SocketAddr::from(([10, 0, 0, id as u8], 5_000)),
            outbound: Outbound::new(PROFILE, &key(id, true)).expect("keys fit"),
            inbound: Inbound::new(PROFILE, &key(id, false)).expect("keys fit"),
            streams: Vec::new(),
            received: Vec::new(),
            empty: Vec::new(),
            sender_reports: Vec::new(),
            blocks: Vec::new(),
            feedback: BTreeMap::new(),
            transport: 65_000,
            nacks: true,
            epoch: NtpTime((id << 40) | 0xC000_0000_0000_0000),
            incoming: BTreeMap::new(),
            next_housekeeping: Time(0),
            next_reports: Time(0),
            tells_arrivals: true,
            arrivals: Arrivals::default(),
            next_feedback: Time(0),
            padding: Vec::new(),
            received_bytes: 0,
            ufrag: format!("ufrag{id}"),
            password: format!("passwordOfTwentyTwoChars{id}"),
        }
    }

    /// A nominating Binding request.
    pub fn stun(&self) -> Vec<u8> {
        binding_request(&self.ufrag, &self.password)
    }

    pub fn next_due(&self) -> Time {
        let frames = self
            .streams
            .iter()
            .filter(|stream| !stream.paused)
            .map(|stream| stream.next_frame);
        frames
            .chain([self.next_housekeeping, self.next_reports])
            .chain(self.tells_arrivals.then_some(self.next_feedback))
            .min()
            .expect("never empty")
    }

    /// Everything that is sent at `now`.
    pub fn poll(&mut self, now: Time) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for stream in self.streams.iter_mut().filter(|stream| !stream.paused) {
            while stream.next_frame <= now {
                out.extend(stream.frame_packets(now, &mut self.transport));
                stream.next_frame = stream.next_frame.max(now) + stream.frame_interval;
            }
        }
        let mut sealed: Vec<Vec<u8>> = out.into_iter().map(|packet| self.seal(packet)).collect();
        if self.next_housekeeping <= now {
            self.next_housekeeping = now + HOUSEKEEPING;
            sealed.extend(self.ask_for_missing(now));
        }
        if self.tells_arrivals && self.next_feedback <= now {
            self.next_feedback = now + FEEDBACK;
            sealed.extend(self.tell_arrivals());
        }
        if self.next_reports <= now {
            self.next_reports = now + Duration::from_millis(500);
            sealed.extend(self.reports(now));
            sealed.push(self.stun());
        }
        sealed
    }

    /// Sealed feedback about everything that arrived since the last.
    pub fn tell_arrivals(&mut self) -> Vec<Vec<u8>> {
        let mut told = Vec::new();
        while let Some(feedback) = self.arrivals.feedback() {
            told.extend(self.rtcp(|writer| writer.ready(&feedback).expect("room")));
        }
        told
    }

    pub fn seal(&mut self, mut packet: Vec<u8>) -> Vec<u8> {
        let header = RtpHeader::parse(&packet).expect("own header");
        let plain_bytes = packet.len();
        packet.resize(plain_bytes + MAX_TRAILER_BYTES, 0);
        let sealed = self
            .outbound
            .seal_rtp(&mut packet, plain_bytes, header.header_bytes)
            .expect("seals");
        packet.truncate(sealed);
        packet
    }

    pub fn rtcp(&mut self, write: impl FnOnce(&mut RtcpWriter<'_>)) -> Option<Vec<u8>> {
        rtcp(&mut self.outbound, write)
    }

    pub fn pli(&mut self, media_ssrc: u32) -> Vec<u8> {
        self.rtcp(|writer| writer.pli(1, media_ssrc).expect("room"))
            .expect("not empty")
    }

    fn ask_for_missing(&mut self, now: Time) -> Vec<Vec<u8>> {
        if !self.nacks {
            return Vec::new();
        }
        let mut asked = Vec::new();
        for (ssrc, incoming) in &mut self.incoming {
            incoming.missing.retain(|_, (_, tries)| *tries < NACK_TRIES);
            let mut lost = Vec::new();
            for (sequence, (next, tries)) in &mut incoming.missing {
                if *next <= now {
                    lost.push(*sequence as u16);
                    *next = now + NACK_AGAIN;
                    *tries += 1;
                }
            }
            asked.push((*ssrc, lost));
        }
        asked
            .into_iter()
            .filter_map(|(ssrc, lost)| {
                self.rtcp(|writer| {
                    writer.nack(1, ssrc, &lost).expect("room");
                })
            })
            .collect()
    }

    fn reports(&mut self, now: Time) -> Vec<Vec<u8>> {
        let ntp = now.to_ntp(self.epoch);
        let infos: Vec<(u32, SenderInfo)> = self
            .streams
            .iter()
            .filter(|stream| stream.frame > 0)
            .map(|stream| {
                let micros = now.since(stream.last_frame_at).as_micros() as u64;
                let ticks = (micros * u64::from(stream.clock_rate()) / 1_000_000) as u32;
                let rtp_timestamp = stream.last_frame_timestamp.wrapping_add(ticks);
                (
                    stream.ssrc,
                    SenderInfo {
                        ntp,
                        rtp_timestamp,
                        packets: 1,
                        bytes: 1,
                    },
                )
            })
            .collect();
        let blocks: Vec<ReportBlock> = self
            .incoming
            .iter()
            .filter_map(|(ssrc, incoming)| {
                let (last, at) = incoming.sender_report?;
                let delay_since_last = mianshi_engine_core::time::to_compact_ntp(now.since(at));
                Some(ReportBlock {
                    ssrc: *ssrc,
                    last_sender_report: last,
                    delay_since_last,
                    ..ReportBlock::default()
                })
            })
            .collect();
        self.rtcp(|writer| {
            for (ssrc, info) in &infos {
                writer.sender_report(*ssrc, info, &[]).expect("room");
            }
            writer.receiver_report(1, &blocks).expect("room");
        })
        .into_iter()
        .collect()
    }

    /// Take a datagram; the answers to it.
    pub fn receive(&mut self, mut datagram: Vec<u8>, now: Time) -> Vec<Vec<u8>> {
        match classify(&datagram) {
            DatagramKind::Rtp => self.receive_rtp(&mut datagram, now),
            DatagramKind::Rtcp => return self.receive_rtcp(&mut datagram, now),
            _ => {}
        }
        Vec::new()
    }

    fn receive_rtp(&mut self, datagram: &mut [u8], now: Time) {
        let datagram_bytes = datagram.len();
        let header = RtpHeader::parse(datagram).expect("the engine writes valid headers");
        let Ok(plain) = self.inbound.open_rtp(datagram, &header) else {
            return;
        };
        let packet = &datagram[..plain];
        let number = transport_number(&header, packet);
        if let Some(number) = number {
            self.arrivals.note(number, now);
        }
        self.received_bytes += datagram_bytes as u64;
        if header.payload(packet).expect("valid padding").is_empty() {
            self.padding.extend(number);
            return;
        }
        let repaired = header.payload_type == 97;
        let payload = &packet[header.payload(packet).expect("valid padding")];
        let (ssrc, sequence, payload) = match repaired {
            true => (
                header.ssrc - 1,
                u16::from_be_bytes([payload[0], payload[1]]),
                &payload[2..],
            ),
            false => (header.ssrc, header.sequence, payload),
        };
        let incoming = self.incoming.entry(ssrc).or_default();
        let before = incoming.extender.highest();
        let sequence = incoming.extender.extend(sequence);
        let first = before
            .is_none_or(|before| sequence <= before)
            .then_some(sequence);
        for missing in first.unwrap_or_else(|| before.unwrap_or(sequence) + 1)..sequence {
            incoming.missing.insert(missing, (now + NACK_AFTER, 0));
        }
        incoming.missing.remove(&sequence);
        assert!(
            repaired || incoming.seen.insert(sequence),
            "{sequence} was sent twice"
        );
        if payload.is_empty() {
            self.empty.push((ssrc, sequence));
            return;
        }
        let descriptor =
            (header.payload_type != 111).then(|| vp8::Descriptor::parse(payload).expect("VP8"));
        let skip = descriptor.map_or(0, |descriptor| descriptor.bytes + 1);
        let extension = |id: u8| {
            header
                .extensions(packet)
                .find(|(other, _)| *other == id)
                .map(|(_, value)| value)
        };
        self.received.push(Received {
            at: now,
            ssrc,
            sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            picture_id: descriptor
                .and_then(|d| d.picture_id)
                .map_or(0, |id| id.value),
            tl0: descriptor
                .and_then(|d| d.tl0_picture_index)
                .map_or(0, |index| index.value),
            temporal: descriptor
                .and_then(|d| d.temporal)
                .map_or(0, |temporal| temporal.index),
            keyframe: descriptor.is_some_and(|descriptor| descriptor.starts_keyframe(payload)),
            mark: Mark::read(&payload[skip..skip + Mark::BYTES]),
            repaired,
            mid: String::from_utf8(extension(MID).expect("a mid").to_vec()).expect("text"),
            transport: number,
        });
    }

    fn receive_rtcp(&mut self, datagram: &mut [u8], now: Time) -> Vec<Vec<u8>> {
        let Ok(plain) = self.inbound.open_rtcp(datagram) else {
            return Vec::new();
        };
        let mut answers = Vec::new();
        for packet in packets(&datagram[..plain]) {
            match packet.expect("the engine writes valid RTCP") {
                Packet::SenderReport { ssrc, info, .. } => {
                    self.incoming.entry(ssrc).or_default().sender_report =
                        Some((info.ntp.middle(), now));
                    self.sender_reports.push((ssrc, info));
                }
                Packet::ReceiverReport { reports, .. } => self.blocks.extend(reports),
                Packet::Nack {
                    media_ssrc, lost, ..
                } => answers.extend(self.retransmit(media_ssrc, lost, now)),
                Packet::Pli { media_ssrc, .. } => self.refresh(media_ssrc, now),
                Packet::Fir { requests, .. } => {
                    requests.for_each(|(ssrc, _)| self.refresh(ssrc, now))
                }
                Packet::TransportFeedback(feedback) => {
                    for status in feedback.statuses().expect("own feedback") {
                        let came = status.arrival_units.is_some();
                        *self.feedback.entry(status.sequence).or_default() |= came;
                    }
                }
                _ => {}
            }
        }
        answers
    }

    fn refresh(&mut self, ssrc: u32, now: Time) {
        for stream in self.streams.iter_mut().filter(|stream| stream.ssrc == ssrc) {
            stream.keyframe_wanted = true;
            stream.keyframe_requests.push(now);
        }
    }

    fn retransmit(
        &mut self,
        ssrc: u32,
        lost: impl Iterator<Item = u16>,
        now: Time,
    ) -> Vec<Vec<u8>> {
        let Some(at) = self.streams.iter().position(|stream| stream.ssrc == ssrc) else {
            return Vec::new();
        };
        let mut plain = Vec::new();
        for sequence in lost {
            let stream = &mut self.streams[at];
            stream.nacked += 1;
            let Some(packet) = stream.history.get(&sequence) else {
                continue;
            };
            let header = RtpHeader::parse(packet).expect("own header");
            let mut payload = sequence.to_be_bytes().to_vec();
            payload.extend_from_slice(&packet[header.header_bytes..]);
            stream.rtx_sequence = stream.rtx_sequence.wrapping_add(1);
            let fields = HeaderFields {
                marker: header.marker,
                payload_type: stream.rtx_payload_type,
                sequence: stream.rtx_sequence,
                timestamp: header.timestamp,
                ssrc: stream.rtx_ssrc,
                padded: false,
            };
            let rid = stream.rid.is_some().then_some(REPAIRED_RID);
            plain.push(stream.with_header(&fields, rid, now, &mut self.transport, &payload));
        }
        plain.into_iter().map(|packet| self.seal(packet)).collect()
    }
}
