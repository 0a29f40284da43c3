//! One encoding of a source: what arrived, what is missing, what is kept.

use core::time::Duration;

use crate::cache::{
    AUDIO_ARENA_BYTES, AUDIO_RECORDS, PacketCache, VIDEO_ARENA_BYTES, VIDEO_RECORDS,
};
use crate::command::MediaKind;
use crate::keyframe::KeyframeRequest;
use crate::nack::{Arrival, MissingPackets};
use crate::packet::Packet;
use crate::picture::PictureSize;
use crate::rate::LayerRate;
use crate::received::ReceivedWindow;
use crate::reports::{Reception, SenderReportSeen};
use crate::seqnum::SequenceExtender;
use crate::time::Time;
use crate::transit::Transit;
use crate::wire::rtp::RtpHeader;

/// A layer that sent nothing for this long has stopped; a lower one takes over.
pub const STOPPED_AFTER: Duration = Duration::from_millis(500);
/// Packets of a replaced SSRC that still arrive in this time do not bring it back.
const RETIRED_FOR: Duration = Duration::from_secs(2);
/// A leap of the sequence beyond this is a new stream (RFC 3550, A.1: MAX_DROPOUT).
const MAX_LEAP: u64 = 3_000;
/// A keyframe at most this old is worth replaying to a new viewer: longer than browsers take to
/// heed the next request, and not much to decode at once.
const MAX_REPLAY_AGE: Duration = Duration::from_millis(500);
/// And at most this many packets old.
const MAX_REPLAY: u64 = 192;

/// Totals for statistics.
#[derive(Clone, Copy, Debug, Default)]
pub struct LayerTotals {
    /// Packets, retransmissions included.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// NACK messages sent.
    pub nacks: u64,
    /// PLI messages sent.
    pub plis: u64,
    /// FIR messages sent.
    pub firs: u64,
    /// Packets that came by retransmission.
    pub retransmitted: u64,
    /// Packets that were lost and came as a copy in a later one.
    pub mended: u64,
    /// Keyframes that began.
    pub keyframes: u64,
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// On the layer's own stream.
    Stream,
    /// By an RFC 4588 retransmission.
    Retransmission,
    /// As a copy in a later packet (RFC 2198).
    Redundancy,
}

/// What a packet meant to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Forward it; `gap` asks for a look at the missing packets, `outage` for a keyframe.
    Fresh {
        /// Packets before it are missing.
        gap: bool,
        /// Too many are missing to ask for them.
        outage: bool,
    },
    /// It came before.
    Duplicate,
}

/// One encoding of a source.
pub struct Layer {
    /// The simulcast id, "" outside simulcast.
    pub rid: String,
    /// The incarnation of the stream, never used twice in an engine.
    pub stream: u64,
    /// The stream's SSRC, once known.
    pub ssrc: Option<u32>,
    /// The retransmission stream's SSRC, once known.
    pub rtx_ssrc: Option<u32>,
    /// Clock rate in Hz of the last packet.
    pub clock_rate: u32,
    /// When the last packet came.
    pub last_packet: Option<Time>,
    /// When to ask for a keyframe.
    pub keyframe_request: KeyframeRequest,
    /// Counts FIR commands (RFC 5104, 4.3.1.2).
    pub fir_command: u8,
    /// The publisher's last sender report for this stream.
    pub sender_report: Option<SenderReportSeen>,
    /// Loss and jitter.
    pub reception: Reception,
    /// How late packets are at best.
    pub transit: Transit,
    /// What is asked for upstream.
    pub missing: MissingPackets,
    /// What is kept for retransmission.
    pub cache: PacketCache,
    /// Whether lost packets may be asked for.
    pub has_nack: bool,
    /// Totals.
    pub totals: LayerTotals,
    kind: MediaKind,
    /// How large its pictures are, where the format tells.
    pub size: Option<PictureSize>,
    /// What it costs.
    pub rate: LayerRate,
    retired: Option<(u32, Time)>,
    extender: SequenceExtender,
    window: ReceivedWindow,
    keyframe: Option<Keyframe>,
}

#[derive(Clone, Copy, Debug)]
struct Keyframe {
    sequence: u64,
    timestamp: u32,
    arrived: Time,
}

impl Layer {
    /// A layer of which nothing arrived yet.
    pub fn new(rid: &str, kind: MediaKind, stream: u64) -> Self {
        let (records, arena_bytes) = match kind {
            MediaKind::Audio => (AUDIO_RECORDS, AUDIO_ARENA_BYTES),
            MediaKind::Video => (VIDEO_RECORDS, VIDEO_ARENA_BYTES),
        };
        Self {
            rid: rid.to_owned(),
            stream,
            ssrc: None,
            rtx_ssrc: None,
            clock_rate: 90_000,
            last_packet: None,
            keyframe_request: KeyframeRequest::default(),
            fir_command: 0,
            sender_report: None,
            reception: Reception::default(),
            transit: Transit::default(),
            missing: MissingPackets::default(),
            cache: PacketCache::new(records, arena_bytes),
            has_nack: false,
            totals: LayerTotals::default(),
            kind,
            size: None,
            rate: LayerRate::default(),
            retired: None,
            extender: SequenceExtender::default(),
            window: ReceivedWindow::default(),
            keyframe: None,
        }
    }

    /// True while packets of the layer arrive.
    pub fn is_arriving(&self, now: Time) -> bool {
        self.last_packet
            .is_some_and(|last| now.since(last) < STOPPED_AFTER)
    }

    /// True if `ssrc` was replaced a moment ago: its stragglers must not bring it back.
    pub fn is_retired(&self, ssrc: u32, now: Time) -> bool {
        self.retired
            .is_some_and(|(retired, since)| retired == ssrc && now.since(since) < RETIRED_FOR)
    }

    /// The layer's stream has this SSRC from now on; `stream` is used if it had another before.
    pub fn bind(&mut self, ssrc: u32, stream: u64, now: Time) {
        if let Some(before) = self.ssrc.replace(ssrc).filter(|before| *before != ssrc) {
            self.retired = Some((before, now));
            self.restart(stream);
            self.sender_report = None;
            self.reception = Reception::default();
        }
    }

    /// True if a packet leaps so far that the publisher must have begun anew.
    pub fn leaps(&self, sequence: u16) -> bool {
        let Some(highest) = self.extender.highest() else {
            return false;
        };
        self.extender.peek(sequence) > highest + MAX_LEAP
    }

    /// Begin a new incarnation: nothing known about sequence numbers holds any more.
    pub fn restart(&mut self, stream: u64) {
        self.stream = stream;
        self.extender = SequenceExtender::default();
        self.window = ReceivedWindow::default();
        self.missing.reset();
        self.cache.clear();
        self.keyframe = None;
        self.reception = Reception::default();
        self.transit = Transit::default();
    }

    /// The extended number of a packet, and what the packet means.
    pub fn admit(&mut self, header: &RtpHeader, via: Via, now: Time) -> (u64, Admission) {
        let sequence = self.extender.extend(header.sequence);
        self.totals.packets += u64::from(via != Via::Redundancy);
        match via {
            Via::Stream => {
                self.last_packet = Some(now);
                self.reception
                    .receive(sequence, header.timestamp, self.clock_rate, now);
                self.transit.receive(header.timestamp, self.clock_rate, now);
            }
            Via::Retransmission => self.totals.retransmitted += 1,
            Via::Redundancy => self.totals.mended += 1,
        }
        if !self.window.insert(sequence) {
            return (sequence, Admission::Duplicate);
        }
        let arrival = match self.has_nack {
            true => self.missing.receive(sequence, via == Via::Stream, now),
            false => Arrival::Expected,
        };
        let admission = Admission::Fresh {
            gap: arrival == Arrival::Gap,
            outage: arrival == Arrival::Outage,
        };
        (sequence, admission)
    }

    /// True for the number of a packet that belongs to the stream and did not come.
    pub fn lacks(&self, sequence: u16) -> bool {
        self.extender.highest().is_some_and(|highest| {
            let sequence = self.extender.peek(sequence);
            sequence <= highest + MAX_LEAP && !self.window.contains(sequence)
        })
    }

    /// Keep a packet and note a keyframe.
    pub fn store(&mut self, packet: &Packet<'_>, now: Time) {
        self.totals.bytes += packet.payload.len() as u64;
        let ends_frame = packet.header.marker;
        self.rate
            .receive(packet.temporal_layer(), packet.bytes.len(), ends_frame, now);
        self.cache.insert(packet.sequence, packet.bytes, now);
        // Sound can begin anywhere, so that no packet of it makes the missing ones meaningless.
        if packet.starts_keyframe && self.kind == MediaKind::Video {
            self.note_keyframe(packet, now);
        }
    }

    /// Drop what is kept and missed, because nothing is forwarded for a while.
    pub fn forget_packets(&mut self) {
        self.cache.clear();
        self.missing.reset();
        self.keyframe = None;
    }

    /// The packets from the last keyframe to the newest, if a viewer may begin with them.
    pub fn replay(&self, now: Time) -> Option<core::ops::RangeInclusive<u64>> {
        let (keyframe, last) = (self.keyframe?, self.extender.highest()?);
        let first = keyframe.sequence;
        let young = now.since(keyframe.arrived) <= MAX_REPLAY_AGE && last - first < MAX_REPLAY;
        (young && self.cache.get(first).is_some()).then_some(first..=last)
    }

    /// The newest extended sequence number.
    pub fn highest(&self) -> Option<u64> {
        self.extender.highest()
    }

    fn note_keyframe(&mut self, packet: &Packet<'_>, now: Time) {
        // H.264 begins a keyframe more than once: parameter sets, then each slice.
        let known = self
            .keyframe
            .is_some_and(|known| known.timestamp == packet.header.timestamp);
        if known
            || self
                .keyframe
                .is_some_and(|known| known.sequence > packet.sequence)
        {
            return;
        }
        self.totals.keyframes += 1;
        self.size = packet.picture_size().or(self.size);
        self.keyframe = Some(Keyframe {
            sequence: packet.sequence,
            timestamp: packet.header.timestamp,
            arrived: now,
        });
        self.keyframe_request.end();
        self.missing.forget_before(packet.sequence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16) -> RtpHeader {
        let bytes = [
            0x80,
            96,
            (sequence >> 8) as u8,
            sequence as u8,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            1,
        ];
        RtpHeader::parse(&bytes).expect("a minimal header")
    }

    fn layer() -> Layer {
        let mut layer = Layer::new("f", MediaKind::Video, 1);
        layer.has_nack = true;
        layer
    }

    #[test]
    fn a_retransmission_of_what_arrived_is_a_duplicate() {
        let mut layer = layer();
        layer.admit(&header(10), Via::Stream, Time(0));
        assert_eq!(
            layer.admit(&header(12), Via::Stream, Time(0)).1,
            Admission::Fresh {
                gap: true,
                outage: false
            }
        );
        assert_eq!(
            layer.admit(&header(12), Via::Retransmission, Time(0)).1,
            Admission::Duplicate
        );
        let (sequence, admission) = layer.admit(&header(11), Via::Retransmission, Time(0));
        assert_eq!(
            admission,
            Admission::Fresh {
                gap: false,
                outage: false
            }
        );
        assert_eq!(sequence as u16, 11);
        assert_eq!(layer.totals.retransmitted, 2);
        assert_eq!(layer.reception.lost(), 1);
    }

    #[test]
    fn a_layer_stops_after_half_a_second() {
        let mut layer = layer();
        assert!(!layer.is_arriving(Time(0)));
        layer.admit(&header(1), Via::Stream, Time(1_000));
        assert!(layer.is_arriving(Time(500_999)));
        assert!(!layer.is_arriving(Time(501_000)));
    }

    #[test]
    fn a_new_ssrc_begins_a_new_stream_and_retires_the_old() {
        let mut layer = layer();
        layer.bind(7, 2, Time(0));
        assert_eq!(layer.stream, 1);
        layer.admit(&header(9), Via::Stream, Time(0));
        layer.bind(8, 3, Time(10));
        assert_eq!((layer.stream, layer.highest()), (3, None));
        assert!(layer.is_retired(7, Time(1_000)));
        assert!(!layer.is_retired(7, Time(3_000_000)));
        assert!(!layer.is_retired(8, Time(1_000)));
    }

    #[test]
    fn only_a_long_leap_forward_is_a_leap() {
        let mut layer = layer();
        assert!(!layer.leaps(50_000));
        layer.admit(&header(100), Via::Stream, Time(0));
        assert!(!layer.leaps(65_000));
        assert!(!layer.leaps(100 + MAX_LEAP as u16));
        assert!(layer.leaps(101 + MAX_LEAP as u16));
    }
}
