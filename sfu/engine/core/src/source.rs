//! What a publisher sends in one m-section, and which slots show it.

use core::time::Duration;

use crate::command::{Codec, Media, MediaKind};
use crate::layer::Layer;
use crate::packet::Format;
use crate::redundancy::Redundancy;
use crate::speaker::Speech;
use crate::time::Time;
use crate::watched::WatchedLayers;

/// Most simulcast layers of a source; more in a description are ignored.
pub const MAX_LAYERS: usize = 4;

/// How often it is looked which layers stopped.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The layers of which packets arrive, a bit for each, lowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerSet(u8);

impl LayerSet {
    /// The lowest `count` layers.
    pub const fn first(count: usize) -> Self {
        match count {
            0 => Self(0),
            1..8 => Self(u8::MAX >> (8 - count)),
            _ => Self(u8::MAX),
        }
    }

    /// Less the others.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// With this layer too.
    #[must_use]
    pub const fn with(self, layer: usize) -> Self {
        Self(self.0 | 1 << layer)
    }

    /// Whether the layer is one of them.
    pub const fn has(self, layer: usize) -> bool {
        self.0 >> layer & 1 != 0
    }

    /// How many.
    pub const fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The highest.
    pub const fn highest(self) -> Option<usize> {
        match self.0 {
            0 => None,
            bits => Some(bits.ilog2() as usize),
        }
    }

    /// The highest that is not above `layer`, else the lowest.
    pub const fn nearest(self, layer: usize) -> Option<usize> {
        let layer = if layer < 8 { layer as u32 } else { 7 };
        let below = self.0 & (u8::MAX >> (7 - layer));
        match (below, self.0) {
            (0, 0) => None,
            (0, above) => Some(above.trailing_zeros() as usize),
            (below, _) => Some(below.ilog2() as usize),
        }
    }
}

/// A slot that shows a source: indices of viewer and slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The viewer's index.
    pub peer: usize,
    /// The slot's index in the viewer.
    pub slot: usize,
}

/// How a payload type of a source is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadMeaning {
    /// Media in the codec with this index.
    Media(usize),
    /// An RFC 4588 retransmission for the codec with this index.
    Retransmission(usize),
}

/// A microphone, camera or screen.
pub struct Source {
    /// The section's mid.
    pub mid: String,
    /// Sound or pictures.
    pub kind: MediaKind,
    /// False while muted by the server.
    pub enabled: bool,
    /// Its payload types.
    pub codecs: Vec<Codec>,
    /// How keyframes of each codec are found.
    formats: Vec<Format>,
    /// Its layers, lowest first; one without simulcast.
    pub layers: Vec<Layer>,
    /// The slots that show it.
    pub subscribers: Vec<Subscriber>,
    /// Voice activity.
    pub speech: Speech,
    /// How it repeats sound, if it may.
    pub redundancy: Option<Redundancy>,
    /// Which layers are watched.
    pub watched: WatchedLayers,
    arriving: LayerSet,
    looked: Time,
}

impl Source {
    /// A source of a description; `next_stream` gives numbers never used before.
    pub fn new(media: &Media, mut next_stream: impl FnMut() -> u64) -> Self {
        let mut source = Self {
            mid: media.mid.clone(),
            kind: media.kind,
            enabled: true,
            codecs: Vec::new(),
            formats: Vec::new(),
            layers: Vec::new(),
            subscribers: Vec::new(),
            speech: Speech::default(),
            redundancy: None,
            watched: WatchedLayers::default(),
            arriving: LayerSet::default(),
            looked: Time(0),
        };
        source.describe(media, &mut next_stream);
        source
    }

    /// Take a new description; layers that stay keep their state.
    pub fn describe(&mut self, media: &Media, mut next_stream: impl FnMut() -> u64) {
        self.codecs.clone_from(&media.codecs);
        self.redundancy = Redundancy::of(&self.codecs);
        self.formats = (media.codecs.iter().map(|codec| Format::of(&codec.key))).collect();
        let names: Vec<&str> = match media.rids.is_empty() {
            true => vec![""],
            false => media
                .rids
                .iter()
                .map(String::as_str)
                .take(MAX_LAYERS)
                .collect(),
        };
        if names
            .iter()
            .copied()
            .ne(self.layers.iter().map(|layer| layer.rid.as_str()))
        {
            let mut before = std::mem::take(&mut self.layers);
            self.layers = names
                .into_iter()
                .map(
                    |rid| match before.iter().position(|layer| layer.rid == rid) {
                        // The layer's place may differ: its origin must not find the old place.
                        Some(known) => {
                            let mut layer = before.swap_remove(known);
                            layer.restart(next_stream());
                            layer
                        }
                        None => Layer::new(rid, media.kind, next_stream()),
                    },
                )
                .collect();
            self.arriving = LayerSet::default();
            self.watched = WatchedLayers::default();
        }
        let has_nack = self.has_nack();
        self.layers
            .iter_mut()
            .for_each(|layer| layer.has_nack = has_nack);
        if self.layers.len() == 1 && media.rids.is_empty() {
            self.layers[0].ssrc = media.ssrc.or(self.layers[0].ssrc);
            self.layers[0].rtx_ssrc = media.rtx_ssrc.or(self.layers[0].rtx_ssrc);
        }
    }

    /// What a payload type means here.
    pub fn payload_meaning(&self, payload_type: u8) -> Option<PayloadMeaning> {
        self.codecs.iter().enumerate().find_map(|(index, codec)| {
            if codec.payload_type == payload_type {
                Some(PayloadMeaning::Media(index))
            } else if codec.rtx_payload_type == Some(payload_type) {
                Some(PayloadMeaning::Retransmission(index))
            } else {
                None
            }
        })
    }

    /// How keyframes of a payload type are found.
    pub fn format(&self, payload_type: u8) -> Format {
        match self.kind {
            MediaKind::Audio => Format::Opaque,
            MediaKind::Video => (self.codecs.iter().zip(&self.formats))
                .find(|(codec, _)| codec.payload_type == payload_type)
                .map_or(Format::Opaque, |(_, format)| *format),
        }
    }

    /// The index of a layer by its rid.
    pub fn layer_by_rid(&self, rid: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer.rid == rid)
    }

    /// True once anything of it arrived.
    pub fn has_begun(&self) -> bool {
        self.layers.iter().any(|layer| layer.totals.packets > 0)
    }

    /// True if layers are told apart by rid.
    pub fn is_simulcast(&self) -> bool {
        !self.layers[0].rid.is_empty()
    }

    /// A packet of `layer` just came.
    pub fn note_arrival(&mut self, layer: usize, now: Time) {
        if self.arriving.has(layer) && now.since(self.looked) < LOOK_INTERVAL {
            return;
        }
        self.looked = now;
        self.arriving = LayerSet::default();
        for (layer, state) in self.layers.iter().enumerate() {
            if state.is_arriving(now) {
                self.arriving = self.arriving.with(layer);
            }
        }
    }

    /// The layers that arrive, as of the last packets.
    pub fn arriving(&self) -> LayerSet {
        self.arriving
    }

    /// Whether others arrive, but not this one: it begins with a keyframe when it comes again.
    pub fn has_stopped(&self, layer: usize) -> bool {
        self.best_layer().is_some() && !self.arriving.has(layer)
    }

    /// The highest layer of which packets arrive, as of the last packet.
    pub fn best_layer(&self) -> Option<usize> {
        self.arriving.highest()
    }

    /// Whether any codec has generic NACK: then lost packets are asked for and kept.
    pub fn has_nack(&self) -> bool {
        self.codecs.iter().any(|codec| codec.nack)
    }

    /// Whether the publisher can be asked for a keyframe.
    pub fn can_refresh(&self) -> bool {
        self.codecs.iter().any(|codec| codec.pli || codec.fir)
    }

    /// Add a slot that shows this source.
    pub fn subscribe(&mut self, subscriber: Subscriber) {
        if !self.subscribers.contains(&subscriber) {
            self.subscribers.push(subscriber);
        }
    }

    /// Remove a slot.
    pub fn unsubscribe(&mut self, subscriber: Subscriber) {
        self.subscribers.retain(|other| *other != subscriber);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Direction;

    fn camera(rids: &[&str]) -> Media {
        Media {
            mid: "1".into(),
            kind: MediaKind::Video,
            direction: Direction::Receive,
            codecs: vec![],
            extensions: vec![],
            rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
            ssrc: Some(7),
            rtx_ssrc: None,
            cname: String::new(),
        }
    }

    fn source(rids: &[&str]) -> Source {
        let mut streams = 0..;
        Source::new(&camera(rids), || streams.next().expect("endless"))
    }

    fn arrive(source: &mut Source, layer: usize, at: Time) {
        source.layers[layer].last_packet = Some(at);
        source.note_arrival(layer, at);
    }

    #[test]
    fn the_highest_arriving_layer_is_the_best() {
        let mut source = source(&["q", "h", "f"]);
        assert_eq!(source.best_layer(), None);
        arrive(&mut source, 1, Time::from_millis(0));
        arrive(&mut source, 0, Time::from_millis(1));
        assert_eq!(source.best_layer(), Some(1));
        arrive(&mut source, 2, Time::from_millis(2));
        assert_eq!(source.best_layer(), Some(2));
        // The upper two stop: the lowest takes over once they are old.
        arrive(&mut source, 0, Time::from_millis(400));
        assert_eq!(source.best_layer(), Some(2));
        arrive(&mut source, 0, Time::from_millis(503));
        assert_eq!(source.best_layer(), Some(0));
    }

    #[test]
    fn the_nearest_layer_is_rather_too_low_than_too_high() {
        let set = LayerSet::default().with(1).with(3);
        assert_eq!(
            [0, 1, 2, 3, usize::MAX].map(|layer| set.nearest(layer)),
            [Some(1), Some(1), Some(1), Some(3), Some(3)]
        );
        assert_eq!(LayerSet::default().nearest(2), None);
        assert_eq!(
            (set.highest(), LayerSet::default().highest()),
            (Some(3), None)
        );
    }

    #[test]
    fn an_announced_ssrc_counts_only_without_simulcast() {
        assert_eq!(source(&[]).layers[0].ssrc, Some(7));
        assert_eq!(source(&["q", "f"]).layers[0].ssrc, None);
    }

    #[test]
    fn a_description_bounds_its_layers_and_keeps_those_that_stay() {
        let mut many = source(&["a", "b", "c", "d", "e", "f"]);
        assert_eq!(many.layers.len(), MAX_LAYERS);
        many.layers[1].ssrc = Some(5);
        let mut streams = 100..;
        many.describe(&camera(&["b", "x"]), || streams.next().expect("endless"));
        assert_eq!(
            (many.layers[0].rid.as_str(), many.layers[0].ssrc),
            ("b", Some(5))
        );
        assert!(
            many.layers[0].stream >= 100,
            "its old place means nothing any more"
        );
        assert_eq!(many.layers[1].ssrc, None);
    }
}
