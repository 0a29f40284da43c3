//! Redundant sound (RFC 2198): unpacked where it arrives, packed anew for each viewer that has it.
//!
//! What a publisher repeats mends what was lost on the way to us; what a viewer gets repeated
//! depends on what is lost on the way to it, and on nothing that the publisher can do.

use core::time::Duration;

use crate::cache::PacketCache;
use crate::command::Codec;
use crate::time::Time;
use crate::wire::red::{MAX_BLOCK_BYTES, MAX_TIMESTAMP_OFFSET};
use crate::wire::rtp::RtpHeader;

/// Most earlier packets that one packet repeats.
pub const MAX_DEPTH: usize = 2;
/// Copies longer than this together are left out: the packet must fit every path.
const MAX_COPIED_BYTES: usize = 600;
/// A viewer that loses this much (of 256, some 3 %) gets each packet three times: what is left
/// of 10 % random loss is 1 % with one copy and 0.1 % with two.
const DEEPEN_AT: u8 = 8;
/// A viewer that loses at most this much (some 1 %) is well again with one copy,
const SHALLOW_BELOW: u8 = 2;
/// once it has been for so long.
const CALM_FOR: Duration = Duration::from_secs(10);

/// The payload types of a section in which a codec may come with redundancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redundancy {
    /// The payload type of packets with copies.
    pub payload_type: u8,
    /// The payload type of the blocks inside, and of packets without copies.
    pub plain_payload_type: u8,
}

impl Redundancy {
    /// What a section's payload types say: `red/opus` is for `opus`.
    pub fn of(codecs: &[Codec]) -> Option<Self> {
        codecs.iter().find_map(|codec| {
            let inner = codec.key.strip_prefix("red/")?;
            let plain = codecs.iter().find(|plain| plain.key == inner)?;
            Some(Self {
                payload_type: codec.payload_type,
                plain_payload_type: plain.payload_type,
            })
        })
    }
}

/// How many copies a viewer gets.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    copies: usize,
    lossy_at: Time,
}

impl Default for Depth {
    fn default() -> Self {
        Self {
            copies: 1,
            lossy_at: Time(0),
        }
    }
}

impl Depth {
    /// Take the share that the viewer lost since its last report (of 256).
    pub fn report(&mut self, fraction_lost: u8, now: Time) {
        if fraction_lost >= DEEPEN_AT {
            self.copies = MAX_DEPTH;
        }
        if fraction_lost > SHALLOW_BELOW {
            self.lossy_at = now;
        } else if now.since(self.lossy_at) >= CALM_FOR {
            self.copies = 1;
        }
    }

    /// Whether the viewer loses enough for repairs to be lost as well.
    pub fn is_lossy(&self) -> bool {
        self.copies == MAX_DEPTH
    }

    /// Copies of earlier packets that a packet should carry.
    pub fn copies(&self) -> usize {
        self.copies
    }
}

/// A packet of before, as a later one repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier<'a> {
    /// How many packets it lies back.
    pub distance: u64,
    /// How far it lies back in timestamp units.
    pub timestamp_offset: u32,
    /// Its payload.
    pub payload: &'a [u8],
}

/// Where the copies of earlier payloads are in a buffer; nearest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct EarlierPlaces([Option<(u64, u32, usize, usize)>; MAX_DEPTH]);

impl EarlierPlaces {
    /// Copy what `cache` has of the packets before `sequence`, whose header this is, to `buffer`.
    pub fn collect(
        cache: &PacketCache,
        sequence: u64,
        header: &RtpHeader,
        buffer: &mut Vec<u8>,
    ) -> Self {
        let mut places = Self::default();
        buffer.clear();
        for (distance, place) in (1..).zip(&mut places.0) {
            let kept = sequence
                .checked_sub(distance)
                .and_then(|earlier| cache.get(earlier));
            let Some((timestamp, payload)) = kept.and_then(plain_payload) else {
                continue;
            };
            let offset = header.timestamp.wrapping_sub(timestamp);
            let fits = (1..=MAX_TIMESTAMP_OFFSET).contains(&offset);
            let room = MAX_BLOCK_BYTES.min(MAX_COPIED_BYTES - buffer.len());
            if fits && (1..=room).contains(&payload.len()) {
                *place = Some((distance, offset, buffer.len(), payload.len()));
                buffer.extend_from_slice(payload);
            }
        }
        places
    }

    /// The copies, nearest first.
    pub fn in_buffer<'a>(&self, buffer: &'a [u8]) -> [Option<Earlier<'a>>; MAX_DEPTH] {
        self.0.map(|place| {
            place.map(|(distance, timestamp_offset, start, bytes)| Earlier {
                distance,
                timestamp_offset,
                payload: &buffer[start..start + bytes],
            })
        })
    }
}

fn plain_payload(packet: &[u8]) -> Option<(u32, &[u8])> {
    let header = RtpHeader::parse(packet).ok()?;
    let payload = header.payload(packet).ok()?;
    Some((header.timestamp, &packet[payload]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(payload_type: u8, key: &str) -> Codec {
        Codec {
            payload_type,
            key: key.into(),
            clock_rate: 48_000,
            rtx_payload_type: None,
            nack: false,
            pli: false,
            fir: false,
            transport_cc: false,
        }
    }

    #[test]
    fn redundancy_is_for_a_codec_of_the_same_section() {
        let both = [codec(63, "red/opus"), codec(111, "opus")];
        let expected = Redundancy {
            payload_type: 63,
            plain_payload_type: 111,
        };
        assert_eq!(Redundancy::of(&both), Some(expected));
        assert_eq!(Redundancy::of(&both[..1]), None);
        assert_eq!(Redundancy::of(&both[1..]), None);
        assert_eq!(
            Redundancy::of(&[codec(63, "red/pcmu"), codec(111, "opus")]),
            None
        );
    }

    #[test]
    fn loss_deepens_at_once_and_calm_shallows_slowly() {
        let mut depth = Depth::default();
        let at = Time::from_millis;
        depth.report(7, at(1_000));
        assert_eq!(depth.copies(), 1);
        depth.report(8, at(2_000));
        assert_eq!(depth.copies(), 2);
        depth.report(0, at(11_999));
        depth.report(3, at(12_000));
        depth.report(0, at(21_999));
        assert_eq!(depth.copies(), 2);
        depth.report(2, at(22_000));
        assert_eq!(depth.copies(), 1);
    }

    #[test]
    fn earlier_packets_are_collected_unless_they_are_unfit() {
        let packet = |timestamp: u32, payload: &[u8]| {
            let mut bytes = vec![0x80, 111, 0, 0];
            bytes.extend_from_slice(&timestamp.to_be_bytes());
            bytes.extend_from_slice(&[0, 0, 0, 9]);
            bytes.extend_from_slice(payload);
            bytes
        };
        let mut cache = PacketCache::new(16, 4_096);
        cache.insert(8, &packet(100, &[8; 20]), Time(0));
        cache.insert(9, &packet(1_060, &[9; 30]), Time(0));
        let header = |timestamp| RtpHeader::parse(&packet(timestamp, &[1])).expect("a header");
        let mut buffer = Vec::new();
        let collected = |header: &RtpHeader, buffer: &mut Vec<u8>| {
            let places = EarlierPlaces::collect(&cache, 10, header, buffer);
            places
                .in_buffer(buffer)
                .map(|e| e.map(|e| (e.distance, e.timestamp_offset, e.payload.len())))
        };
        assert_eq!(
            collected(&header(2_020), &mut buffer),
            [Some((1, 960, 30)), Some((2, 1_920, 20))]
        );
        // Too far back, and of the future.
        assert_eq!(
            collected(&header(17_000), &mut buffer),
            [Some((1, 15_940, 30)), None]
        );
        assert_eq!(
            collected(&header(1_000), &mut buffer),
            [None, Some((2, 900, 20))]
        );
        let none = EarlierPlaces::collect(&cache, 0, &header(5), &mut buffer);
        assert_eq!(none.in_buffer(&buffer), [None, None]);
    }
}
