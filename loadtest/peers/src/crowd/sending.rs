//! One outgoing stream: a clip in a loop, repeated where it was lost, begun anew on request.

use std::rc::Rc;
use std::time::Duration;

use mianshi_engine_core::cache::{
    AUDIO_ARENA_BYTES, AUDIO_RECORDS, PacketCache, VIDEO_ARENA_BYTES, VIDEO_RECORDS,
};
use mianshi_engine_core::seqnum::SequenceExtender;
use mianshi_engine_core::time::{NtpTime, Time};
use mianshi_engine_core::wire::rtcp::SenderInfo;
use mianshi_engine_core::wire::rtp::HeaderFields;

use super::clip::{Clip, Codec, Frame};
use super::job::{Format, Sends};
use super::wire::{Names, Send, Wire, stamp};

/// Where our NTP time begins; only differences are ever looked at.
const EPOCH: NtpTime = NtpTime(0xe000_0000_0000_0000);

/// Voice activity and level in -dBov (RFC 6464): of speech, and of the rests in it.
const SPEECH: u8 = 0x80 | 25;
const SILENCE: u8 = 90;
/// Opus spends fewer bytes on a rest.
const MOST_SILENT_BYTES: usize = 30;

/// A stream that is being sent.
pub struct Sending {
    names: OwnNames,
    format: Format,
    clip: Rc<Clip>,
    ssrc: u32,
    repair: Option<Repair>,
    began: Time,
    /// Frames whose time has come since then, paused or not.
    passed: u64,
    /// The clip's frame that comes next.
    frame: usize,
    is_paused: bool,
    keyframe_wanted: bool,
    sequence: SequenceExtender,
    next_sequence: u16,
    picture_id: u16,
    cache: PacketCache,
    packets: u32,
    bytes: u32,
}

struct OwnNames {
    mid: String,
    rid: Option<String>,
}

impl OwnNames {
    fn of(&self, repairs: bool) -> Names<'_> {
        Names {
            mid: &self.mid,
            rid: self.rid.as_deref().map(|rid| (rid, repairs)),
        }
    }
}

struct Repair {
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
}

impl Sending {
    /// A stream that begins at `now`.
    pub fn new(job: Sends, format: Format, clip: Rc<Clip>, now: Time) -> Self {
        let is_sound = clip.codec == Codec::Opus;
        let cache = match is_sound {
            true => PacketCache::new(AUDIO_RECORDS, AUDIO_ARENA_BYTES),
            false => PacketCache::new(VIDEO_RECORDS, VIDEO_ARENA_BYTES),
        };
        let repair = job
            .repair_ssrc
            .zip(format.repair)
            .map(|(ssrc, payload_type)| Repair {
                ssrc,
                payload_type,
                sequence: 0,
            });
        Self {
            names: OwnNames {
                mid: job.mid,
                rid: job.rid,
            },
            format,
            clip,
            ssrc: job.ssrc,
            repair,
            began: now,
            passed: 0,
            frame: 0,
            is_paused: false,
            keyframe_wanted: false,
            sequence: SequenceExtender::default(),
            next_sequence: 0,
            picture_id: 0,
            cache,
            packets: 0,
            bytes: 0,
        }
    }

    /// Its SSRC.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Whether it is a camera's.
    pub fn is_video(&self) -> bool {
        self.clip.codec != Codec::Opus
    }

    /// The layer's name; empty where there is but one.
    pub fn rid(&self) -> &str {
        self.names.rid.as_deref().unwrap_or_default()
    }

    /// When the next frame is due.
    pub fn next_due(&self) -> Time {
        self.began + self.clip.lasts(self.passed)
    }

    /// How late the next frame is.
    pub fn late(&self, now: Time) -> Duration {
        now.since(self.next_due())
    }

    /// The next frame is a keyframe: somebody cannot go on without.
    pub fn want_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// Nobody watches this layer any more, or somebody does again: then from a keyframe on.
    pub fn pause(&mut self, is_paused: bool) {
        if self.is_paused && !is_paused {
            self.keyframe_wanted = true;
        }
        self.is_paused = is_paused;
    }

    /// Sends the frames that are due; how many packets these were.
    pub fn poll(&mut self, now: Time, wire: &mut Wire, send: &mut Send<'_>) -> u64 {
        let mut packets = 0;
        while self.next_due() <= now {
            if !self.is_paused {
                packets += self.send_frame(now, wire, send);
            }
            self.passed += 1;
        }
        packets
    }

    /// Sends a packet again that was lost on its way, if it is still there.
    pub fn repeat(&mut self, sequence: u16, wire: &mut Wire, send: &mut Send<'_>) -> bool {
        let Some(kept) = self.cache.get(self.sequence.peek(sequence)) else {
            return false;
        };
        // Kept as marker, timestamp and payload: the header is written anew.
        let Some((head, payload)) = kept.split_at_checked(KEPT_HEAD_BYTES) else {
            return false;
        };
        let timestamp = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let fields = HeaderFields {
            marker: head[0] != 0,
            payload_type: self.format.payload_type,
            sequence,
            timestamp,
            ssrc: self.ssrc,
            padded: false,
        };
        match &mut self.repair {
            Some(repair) => {
                let fields = HeaderFields {
                    payload_type: repair.payload_type,
                    sequence: repair.sequence,
                    ssrc: repair.ssrc,
                    ..fields
                };
                repair.sequence = repair.sequence.wrapping_add(1);
                let original = sequence.to_be_bytes();
                wire.packet(
                    &fields,
                    self.names.of(true),
                    None,
                    &[&original, payload],
                    send,
                );
            }
            // A sound is repeated as it was: the server opens what it has not seen.
            None => {
                wire.packet(&fields, self.names.of(false), None, &[payload], send);
            }
        }
        true
    }

    /// The wall clock that our sender reports show at `now`.
    pub fn ntp(now: Time) -> NtpTime {
        now.to_ntp(EPOCH)
    }

    /// What a sender report says of it, once something was sent.
    pub fn sender_info(&self, now: Time) -> Option<SenderInfo> {
        let ticks =
            now.since(self.began).as_micros() * u128::from(self.clip.clock_rate) / 1_000_000;
        (self.packets > 0).then(|| SenderInfo {
            ntp: Self::ntp(now),
            rtp_timestamp: ticks as u32,
            packets: self.packets,
            bytes: self.bytes,
        })
    }

    fn send_frame(&mut self, now: Time, wire: &mut Wire, send: &mut Send<'_>) -> u64 {
        if std::mem::take(&mut self.keyframe_wanted) {
            self.frame = 0;
        }
        let clip = Rc::clone(&self.clip);
        let frame = clip.frame(self.frame);
        self.frame += 1;
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        let timestamp = (self.passed * u64::from(clip.ticks_per_frame)) as u32;
        let last = frame.fragments.len() - 1;
        for (index, fragment) in frame.fragments.iter().enumerate() {
            let is_marked = self.is_video() && index == last;
            self.send_fragment(
                frame, index, fragment, is_marked, timestamp, now, wire, send,
            );
        }
        frame.fragments.len() as u64
    }

    #[expect(clippy::too_many_arguments, reason = "what a packet is made of")]
    fn send_fragment(
        &mut self,
        frame: &Frame,
        index: usize,
        fragment: &[u8],
        is_marked: bool,
        timestamp: u32,
        now: Time,
        wire: &mut Wire,
        send: &mut Send<'_>,
    ) {
        let fields = HeaderFields {
            marker: is_marked,
            payload_type: self.format.payload_type,
            sequence: self.next_sequence,
            timestamp,
            ssrc: self.ssrc,
            padded: false,
        };
        self.next_sequence = self.next_sequence.wrapping_add(1);
        let picture_id = (self.picture_id | 0x8000).to_be_bytes();
        // RFC 7741, section 4.2: extended, maybe the first of its partition, with a picture id.
        let descriptor = [
            0x80 | u8::from(index == 0) << 4,
            0x80,
            picture_id[0],
            picture_id[1],
        ];
        let descriptor = match self.clip.codec {
            Codec::Vp8 => &descriptor[..],
            _ => &[],
        };
        let level = (!self.is_video()).then(|| level_of(frame));
        let stamp = stamp(now);
        let parts = [descriptor, fragment, &stamp];
        let bytes = wire.packet(&fields, self.names.of(false), level, &parts, send);
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(bytes as u32);
        self.keep(&fields, &parts, now);
    }

    fn keep(&mut self, fields: &HeaderFields, parts: &[&[u8]], now: Time) {
        let mut kept = [0; MAX_KEPT_BYTES];
        kept[0] = u8::from(fields.marker);
        kept[1..KEPT_HEAD_BYTES].copy_from_slice(&fields.timestamp.to_be_bytes());
        let mut end = KEPT_HEAD_BYTES;
        for part in parts {
            kept[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        let sequence = self.sequence.extend(fields.sequence);
        self.cache.insert(sequence, &kept[..end], now);
    }
}

/// Marker and timestamp before the payload of a packet that is kept.
const KEPT_HEAD_BYTES: usize = 5;
const MAX_KEPT_BYTES: usize = 1_400;

fn level_of(frame: &Frame) -> u8 {
    match frame.fragments[0].len() <= MOST_SILENT_BYTES {
        true => SILENCE,
        false => SPEECH,
    }
}
