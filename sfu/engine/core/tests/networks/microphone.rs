//! Opus every 20 ms with its redundancy (RFC 2198), numbered so that a listener knows what it has.

use core::time::Duration;

use mianshi_engine_core::wire::red::write_headers;
use mianshi_engine_core::wire::rtp::HeaderFields;

pub const SOUND_INTERVAL: Duration = Duration::from_millis(20);
pub const OPUS: u8 = 111;
pub const RED: u8 = 63;
const TICKS: u32 = 960;
const SOUND_BYTES: usize = 80;

pub struct Microphone {
    pub ssrc: u32,
    number: u32,
}

impl Microphone {
    pub fn new(ssrc: u32) -> Self {
        Self { ssrc, number: 0 }
    }

    pub fn timestamp(&self) -> u32 {
        self.number.wrapping_mul(TICKS)
    }

    /// The next packet: this sound and the one before it, as browsers send.
    pub fn speak(&mut self) -> (HeaderFields, Vec<u8>) {
        self.number += 1;
        let earlier = (self.number > 1).then_some((TICKS, SOUND_BYTES));
        let mut payload = vec![0; 8];
        let bytes = write_headers(&mut payload, OPUS, earlier.into_iter()).expect("room");
        payload.truncate(bytes);
        if earlier.is_some() {
            payload.extend(sound(self.number - 1));
        }
        payload.extend(sound(self.number));
        let fields = HeaderFields {
            marker: false,
            payload_type: RED,
            sequence: self.number as u16,
            timestamp: self.timestamp(),
            ssrc: self.ssrc,
            padded: false,
        };
        (fields, payload)
    }
}

fn sound(number: u32) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(SOUND_BYTES, 0x55);
    bytes
}

/// Which sound a block holds.
pub fn number_of(block: &[u8]) -> u32 {
    u32::from_be_bytes(block[..4].try_into().expect("a whole sound"))
}
