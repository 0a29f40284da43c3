//! What a simulated client sends on one SSRC: Opus or VP8 that says whose and which it is.

use core::time::Duration;
use std::collections::BTreeMap;

use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtp::{HeaderFields, write_header};

use super::description::{ABS_SEND_TIME, AUDIO_LEVEL, MID, RID, TRANSPORT_CC};

/// What is in a payload, behind its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub source_ssrc: u32,
    pub frame: u32,
    pub index: u8,
    pub sent: Time,
}

impl Mark {
    pub const BYTES: usize = 17;

    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.source_ssrc.to_be_bytes());
        out.extend_from_slice(&self.frame.to_be_bytes());
        out.push(self.index);
        out.extend_from_slice(&self.sent.as_micros().to_be_bytes());
    }

    pub fn read(bytes: &[u8]) -> Self {
        let word =
            |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        Self {
            source_ssrc: word(0),
            frame: word(4),
            index: bytes[8],
            sent: Time(u64::from(word(9)) << 32 | u64::from(word(13))),
        }
    }
}

/// One outgoing stream.
#[derive(Clone)]
pub struct Stream {
    pub mid: String,
    pub rid: Option<String>,
    pub ssrc: u32,
    pub rtx_ssrc: u32,
    pub video: bool,
    pub payload_type: u8,
    pub rtx_payload_type: u8,
    pub sequence: u16,
    pub rtx_sequence: u16,
    pub timestamp: u32,
    pub picture_id: u16,
    pub tl0: u8,
    pub frame: u32,
    pub frame_interval: Duration,
    pub packets_per_frame: u8,
    /// Packets of a keyframe; 0: as of any frame.
    pub packets_per_keyframe: u8,
    /// Temporal layers of successive frames from a keyframe on, and whether each is a sync frame.
    pub temporal: &'static [(u8, bool)],
    pub temporal_at: usize,
    pub next_frame: Time,
    pub paused: bool,
    pub keyframe_wanted: bool,
    pub keyframe_requests: Vec<Time>,
    pub nacked: usize,
    pub level: u8,
    /// Plain packets sent, for retransmission.
    pub history: BTreeMap<u16, Vec<u8>>,
    pub last_frame_timestamp: u32,
    pub last_frame_at: Time,
}

impl Stream {
    pub fn audio(mid: &str, ssrc: u32) -> Self {
        Self {
            video: false,
            payload_type: 111,
            rtx_payload_type: 0,
            frame_interval: Duration::from_millis(20),
            packets_per_frame: 1,
            ..Self::video(mid, None, ssrc)
        }
    }

    pub fn video(mid: &str, rid: Option<&str>, ssrc: u32) -> Self {
        Self {
            mid: mid.to_owned(),
            rid: rid.map(str::to_owned),
            ssrc,
            rtx_ssrc: ssrc + 1,
            video: true,
            payload_type: 96,
            rtx_payload_type: 97,
            sequence: (ssrc * 77) as u16,
            rtx_sequence: 5,
            timestamp: ssrc.wrapping_mul(2_654_435_761),
            picture_id: (ssrc * 13) as u16 & 0x7fff,
            tl0: ssrc as u8,
            frame: 0,
            frame_interval: Duration::from_millis(40),
            packets_per_frame: 3,
            packets_per_keyframe: 0,
            temporal: &[(0, false)],
            temporal_at: 0,
            next_frame: Time(0),
            paused: false,
            keyframe_wanted: true,
            keyframe_requests: Vec::new(),
            nacked: 0,
            level: 30,
            history: BTreeMap::new(),
            last_frame_timestamp: 0,
            last_frame_at: Time(0),
        }
    }

    pub fn clock_rate(&self) -> u32 {
        if self.video { 90_000 } else { 48_000 }
    }

    /// The plain packets of the next frame.
    pub fn frame_packets(&mut self, now: Time, transport: &mut u16) -> Vec<Vec<u8>> {
        let keyframe = self.video && core::mem::take(&mut self.keyframe_wanted);
        let count = match keyframe && self.packets_per_keyframe > 0 {
            true => self.packets_per_keyframe,
            false => self.packets_per_frame,
        };
        if keyframe && core::mem::take(&mut self.temporal_at) > 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        let packets = (0..count)
            .map(|index| self.packet(index, count, keyframe, now, transport))
            .collect();
        self.last_frame_timestamp = self.timestamp;
        self.last_frame_at = now;
        self.frame += 1;
        let ticks =
            self.frame_interval.as_micros() as u64 * u64::from(self.clock_rate()) / 1_000_000;
        self.timestamp = self.timestamp.wrapping_add(ticks as u32);
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.temporal_at = (self.temporal_at + 1) % self.temporal.len();
        if self.temporal[self.temporal_at].0 == 0 {
            self.tl0 = self.tl0.wrapping_add(1);
        }
        packets
    }

    fn packet(
        &mut self,
        index: u8,
        count: u8,
        keyframe: bool,
        now: Time,
        transport: &mut u16,
    ) -> Vec<u8> {
        let last = index + 1 == count;
        let mut payload = Vec::new();
        if self.video {
            let id = self.picture_id.to_be_bytes();
            let (temporal, sync) = self.temporal[self.temporal_at];
            let starts = if index == 0 { 0x90 } else { 0x80 };
            payload.extend([
                starts,
                0xe0,
                id[0] | 0x80,
                id[1],
                self.tl0,
                temporal << 6 | u8::from(sync) << 5,
                u8::from(!keyframe),
            ]);
        }
        Mark {
            source_ssrc: self.ssrc,
            frame: self.frame,
            index,
            sent: now,
        }
        .write(&mut payload);
        payload.resize(payload.len() + if self.video { 700 } else { 60 }, 0xAA);
        let fields = HeaderFields {
            marker: self.video && last,
            payload_type: self.payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            padded: false,
        };
        let packet = self.with_header(
            &fields,
            self.rid.is_some().then_some(RID),
            now,
            transport,
            &payload,
        );
        self.history.insert(self.sequence, packet.clone());
        self.history.remove(&self.sequence.wrapping_sub(1_000));
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }

    pub fn with_header(
        &self,
        fields: &HeaderFields,
        rid_id: Option<u8>,
        now: Time,
        transport: &mut u16,
        payload: &[u8],
    ) -> Vec<u8> {
        *transport = transport.wrapping_add(1);
        let number = transport.to_be_bytes();
        let sent = now.abs_send_time().to_be_bytes();
        let level = [self.level];
        let mut elements: Vec<(u8, &[u8])> = vec![
            (MID, self.mid.as_bytes()),
            (TRANSPORT_CC, &number),
            (ABS_SEND_TIME, &sent[1..]),
        ];
        if let (Some(id), Some(rid)) = (rid_id, &self.rid) {
            elements.push((id, rid.as_bytes()));
        }
        if !self.video {
            elements.push((AUDIO_LEVEL, &level));
        }
        let mut packet = vec![0; 200 + payload.len()];
        let header_bytes = write_header(&mut packet, fields, &elements).expect("room for a header");
        packet.truncate(header_bytes);
        packet.extend_from_slice(payload);
        packet
    }
}
