//! What a participant does with what it receives: decodes, listens, asks, reports.

use core::time::Duration;
use std::collections::BTreeMap;

use mianshi_engine_core::seqnum::SequenceExtender;
use mianshi_engine_core::time::{Time, to_compact_ntp};
use mianshi_engine_core::wire::red::Blocks;
use mianshi_engine_core::wire::rtcp::ReportBlock;
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::twcc::{FeedbackHead, write_feedback};

use crate::decoder::Decoder;
use crate::microphone::{RED, number_of};

const NACK_AFTER: Duration = Duration::from_millis(10);
const NACK_AGAIN: Duration = Duration::from_millis(120);
const NACK_TRIES: u8 = 10;
const OWN_SSRC: u32 = 1;

#[derive(Default)]
struct Incoming {
    extender: SequenceExtender,
    missing: BTreeMap<u64, (Time, u8)>,
    sender_report: Option<(u32, Time)>,
    received: u64,
    before: (u64, u64),
}

#[derive(Default)]
pub struct Viewer {
    pub decoders: BTreeMap<u32, Decoder>,
    /// Each sound that was heard, with when it first was, by slot.
    pub sounds: BTreeMap<u32, BTreeMap<u32, Time>>,
    pub bytes: u64,
    pub probe_packets: u64,
    incoming: BTreeMap<u32, Incoming>,
    transport: SequenceExtender,
    arrivals: BTreeMap<u64, Time>,
    next_report: u64,
    feedback_count: u8,
}

impl Viewer {
    /// An opened packet; `plain_bytes` of it are header and payload.
    pub fn receive(
        &mut self,
        header: &RtpHeader,
        packet: &[u8],
        transport: Option<u16>,
        now: Time,
    ) {
        self.bytes += packet.len() as u64;
        if let Some(number) = transport {
            let number = self.transport.extend(number);
            self.arrivals.insert(number, now);
        }
        let payload = &packet[header.payload(packet).expect("valid padding")];
        match header.payload_type {
            97 if payload.len() < 2 => self.probe_packets += 1,
            97 => {
                let original = u16::from_be_bytes([payload[0], payload[1]]);
                self.picture(header.ssrc - 1, original, header, &payload[2..], now);
            }
            96 if payload.is_empty() => self.probe_packets += 1,
            96 => self.picture(header.ssrc, header.sequence, header, payload, now),
            _ => self.sound(header, payload, now),
        }
    }

    fn picture(&mut self, ssrc: u32, sequence: u16, header: &RtpHeader, payload: &[u8], now: Time) {
        let incoming = self.incoming.entry(ssrc).or_default();
        let before = incoming.extender.highest();
        let sequence = incoming.extender.extend(sequence);
        incoming.received += 1;
        if let Some(before) = before.filter(|before| *before < sequence) {
            for missing in before + 1..sequence {
                incoming.missing.insert(missing, (now + NACK_AFTER, 0));
            }
        }
        incoming.missing.remove(&sequence);
        let decoder = self.decoders.entry(ssrc).or_default();
        decoder.receive(sequence, header.timestamp, header.marker, payload, now);
    }

    fn sound(&mut self, header: &RtpHeader, payload: &[u8], now: Time) {
        let incoming = self.incoming.entry(header.ssrc).or_default();
        incoming.extender.extend(header.sequence);
        incoming.received += 1;
        let heard = self.sounds.entry(header.ssrc).or_default();
        if header.payload_type != RED {
            heard.entry(number_of(payload)).or_insert(now);
            return;
        }
        for block in Blocks::parse(payload).expect("valid redundancy").all() {
            heard
                .entry(number_of(&payload[block.range()]))
                .or_insert(now);
        }
    }

    pub fn sender_report(&mut self, ssrc: u32, middle: u32, now: Time) {
        self.incoming.entry(ssrc).or_default().sender_report = Some((middle, now));
    }

    /// NACKs and keyframe requests, each a packet of its own.
    pub fn ask(&mut self, now: Time, mut send: impl FnMut(&mut dyn FnMut(&mut RtcpWriter<'_>))) {
        for (ssrc, incoming) in &mut self.incoming {
            incoming.missing.retain(|_, (_, tries)| *tries < NACK_TRIES);
            let mut lost = Vec::new();
            for (sequence, (next, tries)) in &mut incoming.missing {
                if *next <= now {
                    lost.push(*sequence as u16);
                    (*next, *tries) = (now + NACK_AGAIN, *tries + 1);
                }
            }
            if !lost.is_empty() {
                send(&mut |writer| {
                    writer.nack(OWN_SSRC, *ssrc, &lost).expect("room");
                });
            }
        }
        for (ssrc, decoder) in &mut self.decoders {
            if decoder.needs_keyframe(now) {
                send(&mut |writer| writer.pli(OWN_SSRC, *ssrc).expect("room"));
            }
        }
    }

    /// Transport-wide feedback about everything since the last.
    pub fn feedback(&mut self) -> Vec<Vec<u8>> {
        let Some((&highest, _)) = self.arrivals.last_key_value() else {
            return Vec::new();
        };
        let first = self
            .arrivals
            .first_key_value()
            .map_or(highest, |(first, _)| *first);
        let mut base = match self.next_report {
            0 => first,
            next => next.min(first),
        };
        let mut packets = Vec::new();
        while base <= highest {
            let arrivals: Vec<Option<Time>> = (base..=highest)
                .map(|number| self.arrivals.get(&number).copied())
                .collect();
            if arrivals.iter().all(Option::is_none) {
                break;
            }
            let head = FeedbackHead {
                sender_ssrc: OWN_SSRC,
                media_ssrc: OWN_SSRC,
                base_sequence: base as u16,
                feedback_count: self.feedback_count,
            };
            let mut packet = vec![0; 1_200];
            let written = write_feedback(&mut packet, &head, &arrivals).expect("fits");
            packet.truncate(written.bytes);
            packets.push(packet);
            self.feedback_count = self.feedback_count.wrapping_add(1);
            base += written.covered as u64;
        }
        self.next_report = highest + 1;
        self.arrivals.clear();
        packets
    }

    /// Reception of each stream since the last report.
    pub fn blocks(&mut self, now: Time) -> Vec<ReportBlock> {
        self.incoming
            .iter_mut()
            .filter_map(|(ssrc, incoming)| {
                let highest = incoming.extender.highest()?;
                let (expected_before, received_before) = incoming.before;
                let expected = match expected_before {
                    0 => 0,
                    before => highest.saturating_sub(before),
                };
                let lost = expected.saturating_sub(incoming.received - received_before);
                incoming.before = (highest, incoming.received);
                let (last, since) = incoming.sender_report.map_or((0, 0), |(middle, at)| {
                    (middle, to_compact_ntp(now.since(at)))
                });
                Some(ReportBlock {
                    ssrc: *ssrc,
                    fraction_lost: (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8,
                    highest_sequence: highest as u32,
                    last_sender_report: last,
                    delay_since_last: since,
                    ..ReportBlock::default()
                })
            })
            .collect()
    }
}
