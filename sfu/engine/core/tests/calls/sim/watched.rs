//! A call of three layers, each with three temporal layers, and a publisher that pauses what nobody
//! watches.

use core::time::Duration;

use mianshi_engine_core::command::Tuning;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use mianshi_engine_core::{Codec, Command, Event, Media, MediaKind, PeerId};

use super::World;
use super::client::Received;
use super::description::{slot, source, vp8};
use super::stream::Stream;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MILLISECOND: Duration = Duration::from_millis(1);
pub const Q: u32 = 2_000;
pub const H: u32 = 2_200;
pub const F: u32 = 2_400;
/// As libvpx makes three temporal layers: 0 2 1 2, the upper ones beginning anew each time.
const TEMPORAL: &[(u8, bool)] = &[(0, false), (2, true), (1, true), (2, false)];
/// Kilobits a second of the layers, headers included, and of sound with what is kept for it.
pub const PLENTY_KBPS: u64 = 8_000;
pub const H_KBPS: u64 = 865;
pub const Q_KBPS: u64 = 275;
pub const HALF_Q_KBPS: u64 = 195;
pub const NOTHING_KBPS: u64 = 65;

/// A description whose viewer tells its bandwidth by REMB alone.
fn by_remb(mut media: Media) -> Media {
    media.codecs = media
        .codecs
        .into_iter()
        .map(|codec| Codec {
            transport_cc: false,
            ..codec
        })
        .collect();
    media
}

/// Peer 1 publishes, the others watch it in `v0`.
pub struct Call {
    pub world: World,
    /// A well-behaved publisher pauses layers after this.
    pub publisher_delay: Duration,
    pub told: Vec<(Time, Vec<String>)>,
    pub paused: Vec<(PeerId, bool)>,
    pending: Vec<(Time, Vec<String>)>,
    seen_events: usize,
}

impl Call {
    pub fn new(seed: u64, viewers: u64) -> Self {
        let mut world = World::new(seed);
        let camera = Media {
            codecs: vec![vp8()],
            ..source("cam", MediaKind::Video, &["q", "h", "f"])
        };
        world.join_with(1, vec![source("mic", MediaKind::Audio, &[]), camera]);
        let publisher = world.client(1);
        publisher.streams.push(Stream::audio("mic", 1_000));
        for (rid, ssrc, packets_per_frame) in [("q", Q, 1), ("h", H, 3), ("f", F, 10)] {
            publisher.streams.push(Stream {
                packets_per_frame,
                temporal: TEMPORAL,
                frame_interval: Duration::from_millis(33),
                ..Stream::video("cam", Some(rid), ssrc)
            });
        }
        for viewer in 2..2 + viewers {
            let slots = [
                slot("a0", MediaKind::Audio),
                slot("v0", MediaKind::Video),
                slot("v1", MediaKind::Video),
            ];
            world.join_with(viewer, slots.map(by_remb).into());
        }
        Self {
            world,
            publisher_delay: Duration::from_millis(30),
            told: Vec::new(),
            paused: Vec::new(),
            pending: Vec::new(),
            seen_events: 0,
        }
    }

    /// Viewers see and hear peer 1.
    pub fn watched(seed: u64, viewers: u64) -> Self {
        let mut call = Self::new(seed, viewers);
        call.run(500);
        for viewer in 2..2 + viewers {
            call.has(viewer, PLENTY_KBPS);
            call.world.route(viewer, "a0", Some((1, "mic")));
            call.world.route(viewer, "v0", Some((1, "cam")));
        }
        call
    }

    pub fn run(&mut self, millis: u64) {
        let end = self.world.now + Duration::from_millis(millis);
        while self.world.now < end {
            self.world.run_for(5 * MILLISECOND);
            self.hear();
            self.obey();
        }
    }

    fn hear(&mut self) {
        let now = self.world.now;
        for event in &self.world.events[self.seen_events..] {
            match event {
                Event::LayersWanted { layers, .. } => {
                    let rids: Vec<String> = layers.iter().map(|layer| layer.rid.clone()).collect();
                    self.told.push((now, rids.clone()));
                    self.pending
                        .push((now + self.publisher_delay, rids.clone()));
                }
                Event::SlotPaused { viewer, paused, .. } => self.paused.push((*viewer, *paused)),
                _ => {}
            }
        }
        self.seen_events = self.world.events.len();
    }

    /// An encoder that is resumed begins with a keyframe.
    fn obey(&mut self) {
        let now = self.world.now;
        let (due, later): (Vec<_>, Vec<_>) = core::mem::take(&mut self.pending)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.pending = later;
        for (_, rids) in due {
            for stream in self.world.client(1).streams.iter_mut().filter(|s| s.video) {
                let active = rids.contains(stream.rid.as_ref().expect("a rid"));
                if active && stream.paused {
                    stream.keyframe_wanted = true;
                    // Its clock went on.
                    let ticks = now.since(stream.last_frame_at).as_millis() as u32 * 90;
                    stream.timestamp = stream.last_frame_timestamp.wrapping_add(ticks);
                }
                stream.paused = !active;
            }
        }
    }

    pub fn has(&mut self, viewer: PeerId, kbps: u64) {
        self.has_for(viewer, kbps, &[]);
    }

    /// The viewer tells what there is for these streams.
    pub fn has_for(&mut self, viewer: PeerId, kbps: u64, ssrcs: &[u32]) {
        let write =
            |writer: &mut RtcpWriter<'_>| writer.remb(1, kbps * 1_000, ssrcs).expect("room");
        let remb = self.world.client(viewer).rtcp(write).expect("a message");
        self.world.inject(viewer, remb);
    }

    pub fn tune(&mut self, viewer: PeerId, slot: &str, tuning: Tuning) {
        let slot = slot.to_owned();
        self.world.command(Command::SetSlot {
            viewer,
            slot,
            tuning,
        });
    }

    pub fn draw(&mut self, viewer: PeerId, width: u16, height: u16) {
        let tuning = Tuning {
            drawn: Some((width, height)),
            ..Tuning::default()
        };
        self.tune(viewer, "v0", tuning);
    }

    pub fn seen(&mut self, viewer: PeerId) -> Vec<Received> {
        self.world.seen(viewer, "v0")
    }

    /// The layer that was shown last, and its temporal layers in the last second.
    pub fn shows(&mut self, viewer: PeerId) -> Option<(u32, u8)> {
        self.shows_in(viewer, "v0")
    }

    pub fn shows_in(&mut self, viewer: PeerId, slot: &str) -> Option<(u32, u8)> {
        let since = self.world.now.since(Time(0)) - SECOND;
        let seen = self.world.seen(viewer, slot);
        let lately = seen.iter().filter(|p| p.at.since(Time(0)) >= since);
        let last = lately.clone().next_back()?.mark.source_ssrc;
        let temporal = lately
            .filter(|packet| packet.mark.source_ssrc == last)
            .map(|packet| packet.temporal)
            .max();
        Some((last, temporal?))
    }

    /// How long after `since` the layer appeared, and the longest time without a frame since then.
    pub fn switch(&mut self, viewer: PeerId, to: u32, since: Time) -> Option<Duration> {
        let seen = self.seen(viewer);
        let first = seen
            .iter()
            .find(|packet| packet.at >= since && packet.mark.source_ssrc == to)?;
        assert!(first.keyframe, "a layer begins with a keyframe");
        Some(first.at.since(since))
    }

    pub fn longest_freeze(&mut self, viewer: PeerId, since: Time) -> Duration {
        let mut shown: Vec<Time> = self.seen(viewer).iter().map(|packet| packet.at).collect();
        shown.sort_unstable();
        shown.retain(|at| *at >= since);
        let gaps = shown.windows(2).map(|pair| pair[1].since(pair[0]));
        gaps.max().unwrap_or(Duration::MAX)
    }

    pub fn last_told(&self) -> Vec<&str> {
        // All are wanted of a publisher that was told nothing.
        self.told.last().map_or(vec!["q", "h", "f"], |(_, rids)| {
            rids.iter().map(String::as_str).collect()
        })
    }
}

/// Numbers, picture ids and timestamps go on as if one encoder had made all of it.
pub fn assert_seamless(seen: &[Received]) {
    for pair in seen.windows(2) {
        let [before, after] = pair else {
            unreachable!("windows of two")
        };
        assert_eq!(after.sequence, before.sequence + 1, "{before:?} {after:?}");
        let same_frame = after.timestamp == before.timestamp;
        let pictures = after.picture_id.wrapping_sub(before.picture_id) & 0x7fff;
        assert_eq!(pictures, u16::from(!same_frame), "{before:?} {after:?}");
        let ticks = after.timestamp.wrapping_sub(before.timestamp);
        // By capture; or, before the first sender reports, by when they left: the one before may
        // have waited its turn.
        let by_capture = after.mark.sent.since(before.mark.sent).as_millis() as u32 * 90;
        let by_departure = after.at.since(before.at).as_millis() as u32 * 90;
        let least = by_capture.min(by_departure).saturating_sub(9_000);
        let most = by_capture.max(by_departure) + 9_000;
        assert!((least..most).contains(&ticks), "{before:?} {after:?}");
        let base = after.temporal == 0 && !same_frame;
        let bases = after.tl0.wrapping_sub(before.tl0);
        assert_eq!(bases, u8::from(base), "{before:?} {after:?}");
    }
}
