//! A paced VP8 stream whose packets carry the time when they were sent.

use mianshi_engine_core::srtp::{MAX_TRAILER_BYTES, Outbound};
use mianshi_engine_core::wire::rtp::{HeaderFields, write_header};

use crate::job::PublishJob;

const FRAMES_PER_SECOND: u32 = 25;
const CLOCK_RATE: u32 = 90_000;

/// At the end of each payload: the time of sending in microseconds of CLOCK_MONOTONIC.
pub const STAMP_BYTES: usize = 8;

/// Longest header: fixed part, extension head and elements.
const MAX_HEADER_BYTES: usize = 80;

/// Descriptor with a 15-bit picture id (RFC 7741, section 4.2).
const DESCRIPTOR_BYTES: usize = 4;

/// Frame tag, start code and size of a key frame (RFC 6386, section 9.1).
const KEYFRAME_HEADER_BYTES: usize = 10;
const WIDTH: u16 = 640;
const HEIGHT: u16 = 360;

/// One outgoing stream.
pub struct Publisher {
    job: PublishJob,
    keys: Outbound,
    next_us: u64,
    interval_us: f64,
    start_us: u64,
    count: u64,
    packets_per_frame: u64,
    sequence: u16,
    transport_sequence: u16,
    picture_id: u16,
    frame_is_key: bool,
    keyframe_wanted: bool,
    buffer: Vec<u8>,
}

impl Publisher {
    /// A stream that begins with a keyframe at `start_us` plus its phase.
    pub fn new(job: PublishJob, keys: Outbound, start_us: u64) -> Result<Self, String> {
        let smallest = MAX_HEADER_BYTES + DESCRIPTOR_BYTES + KEYFRAME_HEADER_BYTES + STAMP_BYTES;
        if job.packet_bytes < smallest || job.packets_per_second == 0 {
            return Err(format!(
                "a stream has at least 1 packet a second of {smallest} bytes"
            ));
        }
        let start_us = start_us + job.phase_us;
        Ok(Self {
            interval_us: 1e6 / f64::from(job.packets_per_second),
            packets_per_frame: u64::from(job.packets_per_second / FRAMES_PER_SECOND).max(1),
            buffer: vec![0; job.packet_bytes + MAX_TRAILER_BYTES],
            job,
            keys,
            next_us: start_us,
            start_us,
            count: 0,
            sequence: 0,
            transport_sequence: 0,
            picture_id: 0,
            frame_is_key: false,
            keyframe_wanted: true,
        })
    }

    /// When the next packet is due.
    pub fn next_us(&self) -> u64 {
        self.next_us
    }

    /// Makes the next frame a keyframe.
    pub fn want_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// The next packet, sealed; moves the due time on.
    pub fn packet(&mut self, now_us: u64) -> Result<&[u8], String> {
        let in_frame = self.count % self.packets_per_frame;
        if in_frame == 0 {
            self.frame_is_key = std::mem::take(&mut self.keyframe_wanted);
            self.picture_id = (self.picture_id + 1) & 0x7fff;
        }
        let header_bytes = self.write_header(in_frame)?;
        self.write_payload(header_bytes, in_frame == 0, now_us);
        self.count += 1;
        self.sequence = self.sequence.wrapping_add(1);
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        self.next_us = self.start_us + (self.count as f64 * self.interval_us) as u64;
        let bytes = self
            .keys
            .seal_rtp(&mut self.buffer, self.job.packet_bytes, header_bytes)
            .map_err(|error| error.code().to_owned())?;
        Ok(&self.buffer[..bytes])
    }

    fn write_header(&mut self, in_frame: u64) -> Result<usize, String> {
        let frame = self.count / self.packets_per_frame;
        let ticks_per_frame =
            u64::from(CLOCK_RATE) * self.packets_per_frame / u64::from(self.job.packets_per_second);
        let fields = HeaderFields {
            marker: in_frame + 1 == self.packets_per_frame,
            payload_type: self.job.payload_type,
            sequence: self.sequence,
            timestamp: (frame * ticks_per_frame) as u32,
            ssrc: self.job.ssrc,
            padded: false,
        };
        let transport_sequence = self.transport_sequence.to_be_bytes();
        let mut elements: Vec<(u8, &[u8])> = Vec::with_capacity(3);
        for identifier in [&self.job.mid, &self.job.rid] {
            elements.extend(identifier.iter().map(|(id, text)| (*id, text.as_bytes())));
        }
        elements.extend(
            self.job
                .transport_cc
                .map(|id| (id, &transport_sequence[..])),
        );
        write_header(&mut self.buffer, &fields, &elements).map_err(|error| error.code().to_owned())
    }

    fn write_payload(&mut self, header_bytes: usize, starts_frame: bool, now_us: u64) {
        let payload = &mut self.buffer[header_bytes..self.job.packet_bytes];
        let picture_id = (self.picture_id | 0x8000).to_be_bytes();
        payload[0] = 0x80 | u8::from(starts_frame) << 4;
        payload[1] = 0x80;
        payload[2..4].copy_from_slice(&picture_id);
        if starts_frame {
            let frame = &mut payload[DESCRIPTOR_BYTES..];
            write_frame_tag(&mut frame[..KEYFRAME_HEADER_BYTES], self.frame_is_key);
        }
        let stamp_at = payload.len() - STAMP_BYTES;
        payload[stamp_at..].copy_from_slice(&now_us.to_be_bytes());
    }
}

/// The first bytes of a frame; bit 0 is clear in a key frame.
fn write_frame_tag(frame: &mut [u8], is_key: bool) {
    frame.fill(0);
    frame[0] = 0x10 | u8::from(!is_key);
    if is_key {
        frame[3..6].copy_from_slice(&[0x9d, 0x01, 0x2a]);
        frame[6..8].copy_from_slice(&WIDTH.to_le_bytes());
        frame[8..10].copy_from_slice(&HEIGHT.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use mianshi_engine_core::srtp::{Inbound, Profile};
    use mianshi_engine_core::wire::rtp::RtpHeader;
    use mianshi_engine_core::wire::vp8::{Descriptor, keyframe_size};

    use super::*;

    const PROFILE: Profile = Profile::AeadAes128Gcm;

    fn job() -> PublishJob {
        PublishJob {
            ssrc: 7,
            payload_type: 96,
            packets_per_second: 100,
            packet_bytes: 500,
            phase_us: 5,
            mid: Some((4, "1".into())),
            rid: None,
            transport_cc: Some(3),
        }
    }

    fn publisher(job: PublishJob) -> Publisher {
        let key = vec![1; PROFILE.key_and_salt_bytes()];
        Publisher::new(job, Outbound::new(PROFILE, &key).unwrap(), 1_000).unwrap()
    }

    fn open(packet: &[u8]) -> (RtpHeader, Vec<u8>) {
        let header = RtpHeader::parse(packet).unwrap();
        let mut packet = packet.to_vec();
        let key = vec![1; PROFILE.key_and_salt_bytes()];
        let bytes = Inbound::new(PROFILE, &key)
            .unwrap()
            .open_rtp(&mut packet, &header)
            .unwrap();
        assert_eq!(bytes, 500);
        (
            header,
            packet[header.payload(&packet[..bytes]).unwrap()].to_vec(),
        )
    }

    #[test]
    fn frames_are_valid_vp8_with_a_keyframe_first_and_on_demand() {
        let mut publisher = publisher(job());
        let mut keyframes = Vec::new();
        for number in 0..12 {
            if number == 6 {
                publisher.want_keyframe();
            }
            let (header, payload) = open(publisher.packet(42).unwrap());
            let descriptor = Descriptor::parse(&payload).unwrap();
            assert_eq!(header.sequence, number);
            assert_eq!(header.timestamp, u32::from(number / 4) * 3600);
            assert_eq!(header.marker, number % 4 == 3);
            assert_eq!(descriptor.starts_frame(), number % 4 == 0);
            if descriptor.starts_keyframe(&payload) {
                assert_eq!(keyframe_size(&payload), Some((640, 360)));
                keyframes.push(number);
            }
            assert_eq!(payload[payload.len() - STAMP_BYTES..], 42u64.to_be_bytes());
        }
        assert_eq!(keyframes, [0, 8]);
    }

    #[test]
    fn pacing_is_even_and_does_not_drift() {
        let mut publisher = publisher(PublishJob {
            packets_per_second: 300,
            ..job()
        });
        for _ in 0..3000 {
            publisher.packet(0).unwrap();
        }
        assert_eq!(publisher.next_us(), 1_005 + 10_000_000);
    }

    #[test]
    fn a_stream_without_room_for_its_stamp_is_refused() {
        let key = vec![1; PROFILE.key_and_salt_bytes()];
        let keys = Outbound::new(PROFILE, &key).unwrap();
        let tiny = PublishJob {
            packet_bytes: 60,
            ..job()
        };
        assert!(Publisher::new(tiny, keys, 0).is_err());
    }
}
