//! A simulcast VP8 encoder: frame sizes as real ones have them, three temporal layers.

use core::time::Duration;
use std::collections::BTreeMap;

use mianshi_engine_core::wire::rtp::HeaderFields;
use mianshi_netsim::Chance;

pub const FRAME_INTERVAL: Duration = Duration::from_millis(40);
const FRAMES_PER_SECOND: u64 = 25;
const PACKET_PAYLOAD_BYTES: usize = 1_100;
/// A keyframe is about as large as this many others.
const KEYFRAME_FACTOR: u64 = 6;
/// A limit that was raised by this much is a new one, which an encoder may overshoot …
const RAISED_PERCENT: u64 = 103;
/// … for so many pictures.
const OVERSHOOTS_FOR: u32 = 40;
/// Kept for retransmission.
const HISTORY: u16 = 1_500;

/// The layers that a desktop camera sends: rid, width, height, least and most bits a second.
pub const LADDER: [(&str, u16, u16, u64, u64); 3] = [
    ("q", 640, 360, 100_000, 400_000),
    ("h", 1280, 720, 400_000, 1_500_000),
    ("f", 1920, 1080, 1_000_000, 2_500_000),
];

/// One simulcast layer.
pub struct Layer {
    pub rid: &'static str,
    pub width: u16,
    pub height: u16,
    pub least_bps: u64,
    pub most_bps: u64,
    /// What the uplink allows it; 0: not sent.
    pub target_bps: u64,
    pub ssrc: u32,
    /// What it takes of a limit that was raised, for a while: Chromium's encoders 115 and more.
    pub overshoot_percent: u64,
    pub keyframe_wanted: bool,
    pub keyframes: usize,
    pub history: BTreeMap<u16, (HeaderFields, Vec<u8>)>,
    pub sequence: u16,
    pub rtx_sequence: u16,
    pub timestamp: u32,
    pub packets: u32,
    pub bytes: u32,
    picture_id: u16,
    tl0: u8,
    frame: u64,
    /// Bits that a keyframe took from the frames after it.
    debt_bits: u64,
    overshoots_for: u32,
    chance: Chance,
}

impl Layer {
    pub fn new(index: usize, ssrc: u32) -> Self {
        let (rid, width, height, least_bps, most_bps) = LADDER[index];
        Self {
            rid,
            width,
            height,
            least_bps,
            most_bps,
            target_bps: 0,
            ssrc,
            keyframe_wanted: true,
            keyframes: 0,
            history: BTreeMap::new(),
            sequence: ssrc as u16,
            rtx_sequence: 9,
            timestamp: ssrc.wrapping_mul(2_654_435_761),
            packets: 0,
            bytes: 0,
            picture_id: ssrc as u16 & 0x7fff,
            tl0: 3,
            frame: 0,
            debt_bits: 0,
            overshoots_for: 0,
            overshoot_percent: 100,
            chance: Chance::new(u64::from(ssrc)),
        }
    }

    /// From now on at this rate; a layer that begins (again) begins with a keyframe.
    pub fn set_target(&mut self, bps: u64) {
        if self.target_bps == 0 && bps > 0 {
            self.keyframe_wanted = true;
        }
        if bps * 100 > self.target_bps * RAISED_PERCENT {
            self.overshoots_for = OVERSHOOTS_FOR;
        }
        self.target_bps = bps;
    }

    /// The next picture's packets, unless the layer is off: headers and payloads.
    pub fn encode(&mut self) -> Vec<(HeaderFields, Vec<u8>)> {
        self.timestamp = self
            .timestamp
            .wrapping_add(90 * FRAME_INTERVAL.as_millis() as u32);
        if self.target_bps == 0 {
            return Vec::new();
        }
        let keyframe = core::mem::take(&mut self.keyframe_wanted);
        if keyframe {
            self.frame = 0;
            self.keyframes += 1;
        }
        let temporal = [0, 2, 1, 2][self.frame as usize % 4];
        let payload_bytes = self.frame_bytes(keyframe, temporal);
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.tl0 = self.tl0.wrapping_add(u8::from(temporal == 0));
        self.frame += 1;
        let count = payload_bytes.div_ceil(PACKET_PAYLOAD_BYTES);
        (0..count)
            .map(|index| {
                let bytes = payload_bytes / count;
                self.packet(index, index + 1 == count, keyframe, temporal, bytes)
            })
            .collect()
    }

    fn frame_bytes(&mut self, keyframe: bool, temporal: u8) -> usize {
        let percent = match self.overshoots_for {
            0 => 100,
            _ => self.overshoot_percent,
        };
        self.overshoots_for = self.overshoots_for.saturating_sub(1);
        let mean_bits = self.target_bps * percent / 100 / FRAMES_PER_SECOND;
        let bits = match (keyframe, temporal) {
            (true, _) => {
                self.debt_bits = mean_bits * (KEYFRAME_FACTOR - 1);
                mean_bits * KEYFRAME_FACTOR
            }
            // 40, 20 and 40 % of the bits for a quarter, a quarter and half of the frames.
            (_, 0) => mean_bits * 8 / 5,
            _ => mean_bits * 4 / 5,
        };
        let paid = match keyframe {
            true => 0,
            false => self.debt_bits.min(bits / 4),
        };
        self.debt_bits -= paid;
        let noise = 85 + self.chance.up_to(30);
        ((bits - paid) * noise / 800).max(60) as usize
    }

    fn packet(
        &mut self,
        index: usize,
        last: bool,
        keyframe: bool,
        temporal: u8,
        bytes: usize,
    ) -> (HeaderFields, Vec<u8>) {
        let id = self.picture_id.to_be_bytes();
        let starts = if index == 0 { 0x90 } else { 0x80 };
        let sync = u8::from(temporal > 0) << 5;
        let mut payload = vec![
            starts,
            0xe0,
            id[0] | 0x80,
            id[1],
            self.tl0,
            temporal << 6 | sync,
        ];
        // The frame's tag (RFC 6386, section 9.1): the lowest bit is clear in a keyframe.
        payload.extend([u8::from(!keyframe), 0, 0]);
        if keyframe && index == 0 {
            payload.extend([0x9d, 0x01, 0x2a]);
            payload.extend(self.width.to_le_bytes());
            payload.extend(self.height.to_le_bytes());
        }
        payload.resize(bytes.max(payload.len()), 0xaa);
        let fields = HeaderFields {
            marker: last,
            payload_type: 96,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            padded: false,
        };
        self.packets += 1;
        self.bytes += payload.len() as u32;
        self.history
            .insert(self.sequence, (fields, payload.clone()));
        self.history.remove(&self.sequence.wrapping_sub(HISTORY));
        self.sequence = self.sequence.wrapping_add(1);
        (fields, payload)
    }

    /// The retransmission (RFC 4588) of a packet that is still kept.
    pub fn retransmission(&mut self, sequence: u16) -> Option<(HeaderFields, Vec<u8>)> {
        let (fields, plain) = self.history.get(&sequence)?;
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        let fields = HeaderFields {
            payload_type: 97,
            sequence: self.rtx_sequence,
            ssrc: self.ssrc + 1,
            ..*fields
        };
        let mut payload = sequence.to_be_bytes().to_vec();
        payload.extend_from_slice(plain);
        Some((fields, payload))
    }
}
