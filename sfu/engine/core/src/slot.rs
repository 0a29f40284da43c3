//! A viewer's m-section that we fill: one outgoing stream, whatever source it shows.

mod compose;
mod temporal;

use core::cmp::Ordering;
use core::time::Duration;

use crate::cache::{
    AUDIO_ARENA_BYTES, AUDIO_RECORDS, PacketCache, VIDEO_ARENA_BYTES, VIDEO_RECORDS,
};
use crate::command::{Codec, Media, MediaKind, Tuning};
use crate::extensions::SlotExtensionIds;
use crate::outbox::Priority;
use crate::packet::Packet;
use crate::redundancy::{Depth, Redundancy};
use crate::resend::ResendLimiter;
use crate::rewrite::{Origin, Rewriter};
use crate::source::LayerSet;
use crate::time::Time;

pub use compose::{OVERHEAD_BYTES, PADDING_PACKET_BYTES, Sending, Stamp};
pub use temporal::{ALL as ALL_TEMPORAL, TemporalFilter};

/// The source that a slot shows: indices of publisher and source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The publisher's index.
    pub peer: usize,
    /// The source's index in the publisher.
    pub source: usize,
}

/// A layer, and how many of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The layer's index in the source.
    pub layer: usize,
    /// The highest temporal layer.
    pub temporal: u8,
}

impl Target {
    /// Whatever comes.
    pub const BEST: Self = Self {
        layer: usize::MAX,
        temporal: ALL_TEMPORAL,
    };
}

/// What to do with a packet of the shown source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It continues the stream.
    Forward,
    /// The stream goes on with this packet's layer from here.
    Begin,
    /// Its layer is wanted, but only a keyframe can begin it.
    AwaitKeyframe,
    /// Another layer is shown, or the viewer did not negotiate this payload.
    Ignore,
}

/// Totals, and what the viewer reported.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlotTotals {
    /// Packets sent, retransmissions included.
    pub packets: u64,
    /// Payload bytes sent.
    pub bytes: u64,
    /// Packets sent on the slot's own SSRC, as sender reports count them.
    pub stream_packets: u32,
    /// Payload bytes sent on the slot's own SSRC.
    pub stream_bytes: u32,
    /// NACK messages received.
    pub nacks: u64,
    /// PLI messages received.
    pub plis: u64,
    /// FIR messages received.
    pub firs: u64,
    /// Packets sent again.
    pub retransmitted: u64,
    /// Keyframes that began.
    pub keyframes: u64,
    /// Lost packets, as the viewer reports them.
    pub reported_lost: i32,
    /// Jitter in timestamp units, as the viewer reports it.
    pub reported_jitter: u32,
    /// Round trip by the viewer's last report on this slot.
    pub round_trip: Duration,
}

/// A slot.
pub struct Slot {
    /// The section's mid.
    pub mid: String,
    /// Sound or pictures.
    pub kind: MediaKind,
    /// The stream's SSRC.
    pub ssrc: u32,
    /// The retransmission stream's SSRC.
    pub rtx_ssrc: Option<u32>,
    /// The canonical name in reports.
    pub cname: String,
    /// What is shown.
    pub shown: Option<Shown>,
    /// How the viewer uses it.
    pub tuning: Tuning,
    /// What the viewer is to get; nothing while no pictures are shown.
    pub target: Option<Target>,
    /// True while pictures are held back for want of bandwidth.
    pub paused: bool,
    /// The layers that the publisher should send for this slot.
    pub wants: LayerSet,
    /// What the layer that it goes for should cost at most: the viewer's path carries no more.
    pub limit_bps: Option<u64>,
    /// When the slot began to show its source.
    pub shown_since: Time,
    /// True from a change of its use until that was reckoned with.
    pub retuned: bool,
    /// True until the first picture was asked for.
    pub unstarted: bool,
    /// Which frames are shown.
    pub temporal: TemporalFilter,
    /// The numbering.
    pub rewriter: Rewriter,
    /// Limits retransmissions.
    pub resends: ResendLimiter,
    /// How many copies of earlier sound the viewer gets, if it negotiated them.
    pub depth: Depth,
    /// Totals.
    pub totals: SlotTotals,
    redundancy: Option<Redundancy>,
    codecs: Vec<Codec>,
    ids: SlotExtensionIds,
    /// For each payload type of the shown source the codec here.
    codec_by_payload: [Option<u8>; 128],
    /// What is being sent since the last route; nothing before it began.
    live: Option<Live>,
    /// Sealed packets, where NACK was negotiated without RFC 4588.
    sealed: Option<PacketCache>,
    rtx_sequence: u16,
}

#[derive(Clone, Copy, Debug)]
struct Live {
    origin: Origin,
    payload_type: u8,
    clock_rate: u32,
    keyframe_timestamp: Option<u32>,
}

impl Slot {
    /// An empty slot of a description. `seed` starts its numbering.
    pub fn new(media: &Media, seed: u64) -> Self {
        let mut slot = Self {
            mid: media.mid.clone(),
            kind: media.kind,
            ssrc: 0,
            rtx_ssrc: None,
            cname: String::new(),
            shown: None,
            tuning: Tuning::default(),
            target: Some(Target::BEST),
            paused: false,
            wants: LayerSet::default(),
            limit_bps: None,
            shown_since: Time(0),
            retuned: false,
            unstarted: true,
            temporal: TemporalFilter::default(),
            rewriter: Rewriter::new(seed),
            resends: ResendLimiter::default(),
            depth: Depth::default(),
            totals: SlotTotals::default(),
            redundancy: None,
            codecs: Vec::new(),
            ids: SlotExtensionIds::default(),
            codec_by_payload: [None; 128],
            live: None,
            sealed: None,
            rtx_sequence: (seed >> 32) as u16 & 0x7fff,
        };
        slot.describe(media);
        slot
    }

    /// What a path that falls behind does with its packets.
    pub fn priority(&self) -> Priority {
        match self.kind {
            MediaKind::Audio => Priority::Essential,
            MediaKind::Video => Priority::Picture,
        }
    }

    /// Take a new description.
    pub fn describe(&mut self, media: &Media) {
        self.ssrc = media.ssrc.unwrap_or(self.ssrc);
        self.rtx_ssrc = media.rtx_ssrc;
        self.cname.clone_from(&media.cname);
        self.codecs.clone_from(&media.codecs);
        self.redundancy = Redundancy::of(&self.codecs);
        self.ids = SlotExtensionIds::of(&media.extensions);
        let keeps_sealed = self.has_nack() && !self.repairs_by_rtx();
        self.sealed = keeps_sealed.then(|| {
            self.sealed
                .take()
                .unwrap_or_else(|| sealed_cache(self.kind))
        });
    }

    /// Show a source whose payload types are `codecs`; video waits for a keyframe of it.
    pub fn show(&mut self, shown: Shown, codecs: &[Codec]) {
        self.shown = Some(shown);
        self.live = None;
        self.unstarted = true;
        self.wants = LayerSet::default();
        self.map_codecs(codecs);
    }

    /// Show nothing.
    pub fn clear(&mut self) {
        self.shown = None;
        self.live = None;
        self.wants = LayerSet::default();
    }

    /// The source stops for a while: video goes on at a keyframe only.
    pub fn interrupt(&mut self) {
        self.live = None;
    }

    /// Find the own payload type for each of the source's, by equal keys.
    pub fn map_codecs(&mut self, codecs: &[Codec]) {
        self.codec_by_payload = [None; 128];
        for codec in codecs {
            let own = self.codecs.iter().position(|own| own.key == codec.key);
            self.codec_by_payload[usize::from(codec.payload_type & 0x7f)] =
                own.map(|index| index as u8);
        }
    }

    /// What to do with a packet of the shown source, of which these layers arrive.
    pub fn judge(&self, origin: Origin, arriving: LayerSet, packet: &Packet<'_>) -> Verdict {
        if self.codec(packet).is_none() {
            return Verdict::Ignore;
        }
        let continues = self
            .live
            .is_some_and(|live| live.origin == origin && self.same_codec(live, packet));
        if continues {
            return Verdict::Forward;
        }
        let Some(target) = self.target else {
            return Verdict::Ignore;
        };
        let wanted = arriving.nearest(target.layer) == Some(origin.layer);
        match packet.starts_keyframe {
            true if wanted || (self.live.is_none() && origin.layer <= target.layer) => {
                Verdict::Begin
            }
            false if wanted => Verdict::AwaitKeyframe,
            _ => Verdict::Ignore,
        }
    }

    /// The stream goes on from `origin`; the rewriter began it.
    pub fn begin(&mut self, origin: Origin, packet: &Packet<'_>) {
        let clock_rate = self.codec(packet).map_or(90_000, |codec| codec.clock_rate);
        let payload_type = packet.header.payload_type;
        self.live = Some(Live {
            origin,
            payload_type,
            clock_rate,
            keyframe_timestamp: None,
        });
        self.temporal = TemporalFilter::default();
        self.aim();
    }

    /// Show this from now on; another layer from its next keyframe on.
    pub fn aim_at(&mut self, target: Target) {
        self.target = Some(target);
        self.aim();
    }

    /// While a lower layer is awaited only the base of the present one is shown.
    fn aim(&mut self) {
        let Some(target) = self.target else { return };
        let live = self.live.map_or(target.layer, |live| live.origin.layer);
        self.temporal.aim(match live.cmp(&target.layer) {
            Ordering::Less => ALL_TEMPORAL,
            Ordering::Equal => target.temporal,
            Ordering::Greater => 0,
        });
    }

    /// The origin of what is sent since the last route.
    pub fn live_origin(&self) -> Option<Origin> {
        self.live.map(|live| live.origin)
    }

    /// Clock rate of what is sent.
    pub fn clock_rate(&self) -> u32 {
        self.live.map_or_else(
            || self.codecs.first().map_or(90_000, |codec| codec.clock_rate),
            |live| live.clock_rate,
        )
    }

    /// How many times each of its packets is sent: the first time, and as a copy in later ones.
    pub fn times_sent(&self) -> u64 {
        1 + self.redundancy.map_or(0, |_| self.depth.copies() as u64)
    }

    /// Whether its packets carry our transport-wide number.
    pub fn is_numbered(&self) -> bool {
        self.ids.transport_cc.is_some()
    }

    /// Whether the viewer will tell which of the numbers arrived.
    pub fn has_transport_feedback(&self) -> bool {
        self.codecs.iter().any(|codec| codec.transport_cc)
    }

    /// Whether the viewer may ask for packets again.
    pub fn has_nack(&self) -> bool {
        self.codecs.iter().any(|codec| codec.nack)
    }

    /// Whether lost packets are sent again by RFC 4588.
    pub fn repairs_by_rtx(&self) -> bool {
        self.rtx_ssrc.is_some()
            && self
                .codecs
                .iter()
                .any(|codec| codec.rtx_payload_type.is_some())
    }

    /// Keep a sealed packet where only the very same bytes may be sent again.
    pub fn keep_sealed(&mut self, sequence: u64, sealed: &[u8], now: Time) {
        if let Some(cache) = &mut self.sealed {
            cache.insert(sequence, sealed, now);
        }
    }

    /// Give a kept packet to `send`.
    pub fn resend_sealed(&mut self, sequence: u64, send: impl FnOnce(&[u8])) {
        let Some(sealed) = self.sealed.as_ref().and_then(|cache| cache.get(sequence)) else {
            return;
        };
        send(sealed);
        self.totals.packets += 1;
        self.totals.retransmitted += 1;
    }

    fn codec(&self, packet: &Packet<'_>) -> Option<&Codec> {
        let index = self.codec_by_payload[usize::from(packet.header.payload_type & 0x7f)]?;
        self.codecs.get(usize::from(index))
    }

    /// Sound may alternate between payload types (RED, comfort noise); pictures may not.
    fn same_codec(&self, live: Live, packet: &Packet<'_>) -> bool {
        self.kind == MediaKind::Audio || live.payload_type == packet.header.payload_type
    }
}

fn sealed_cache(kind: MediaKind) -> PacketCache {
    match kind {
        MediaKind::Audio => PacketCache::new(AUDIO_RECORDS, AUDIO_ARENA_BYTES),
        MediaKind::Video => PacketCache::new(VIDEO_RECORDS, VIDEO_ARENA_BYTES),
    }
}
