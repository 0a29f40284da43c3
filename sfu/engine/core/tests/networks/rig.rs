//! An engine, its participants, and a network of the participant's own before each.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use mianshi_engine_core::time::Time;
use mianshi_engine_core::{
    Codec, Command, Config, Engine, Event, Media, MediaKind, PeerId, Tuning,
};
use mianshi_netsim::{Condition, Counters, Direction, Network, Scenario};

use crate::decoder::Picture;
use crate::description::{opus, slot, slot_ssrc, source};
use crate::earphone::play;
use crate::microphone::RED;
use crate::participant::Participant;
use crate::sealing::{PROFILE, key};

pub const SECOND: Duration = Duration::from_secs(1);
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

#[derive(Clone)]
struct Datagram {
    /// The client's end.
    address: SocketAddr,
    bytes: Vec<u8>,
}

/// One direction at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub at: Time,
    pub queue_ms: u64,
    pub counters: Counters,
}

pub struct Rig {
    seed: u64,
    pub engine: Engine,
    pub participants: BTreeMap<PeerId, Participant>,
    pub now: Time,
    pub samples: BTreeMap<PeerId, Vec<Sample>>,
    pub events: Vec<(Time, Event)>,
    networks: BTreeMap<PeerId, Network<Datagram>>,
    next_sample: Time,
}

/// The scenario of the repository with this name.
pub fn scenario(name: &str) -> Scenario {
    Scenario::parse(&text_of(name)).expect("a valid scenario")
}

/// Likewise, but what happens at `at_s` happens a little later.
pub fn later(name: &str, at_s: u32, late_ms: u32) -> Scenario {
    let (step, moved) = (
        format!("at_s = {at_s}\n"),
        format!("at_s = {at_s}.{late_ms:03}\n"),
    );
    let text = text_of(name);
    assert!(text.contains(&step), "{name} has a step at {at_s} s");
    Scenario::parse(&text.replace(&step, &moved)).expect("a valid scenario")
}

fn text_of(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../loadtest/networks");
    std::fs::read_to_string(format!("{folder}/{name}.toml")).expect("a scenario")
}

/// A good line with this delay each way.
pub fn clear(delay_ms: u64) -> Scenario {
    Scenario::steady(Condition {
        delay_us: delay_ms * 1_000,
        ..Condition::PERFECT
    })
}

fn with_redundancy(media: Media) -> Media {
    let red = Codec {
        payload_type: RED,
        key: "red/opus".into(),
        ..opus()
    };
    Media {
        codecs: [vec![red], media.codecs].concat(),
        ..media
    }
}

fn sections(publishes: bool, slots: usize) -> Vec<Media> {
    let mut media = Vec::new();
    if publishes {
        media.push(with_redundancy(source("mic", MediaKind::Audio, &[])));
        media.push(source("cam", MediaKind::Video, &["q", "h", "f"]));
    }
    for number in 0..slots {
        media.push(with_redundancy(slot(
            &format!("a{number}"),
            MediaKind::Audio,
        )));
        media.push(slot(&format!("v{number}"), MediaKind::Video));
    }
    media
}

impl Rig {
    pub fn new(seed: u8) -> Self {
        let config = Config {
            seed: [seed; 32],
            ntp_epoch: 0xE000_0000_0000_0000,
        };
        Self {
            engine: Engine::new(config, Time(0)),
            seed: u64::from(seed) << 8,
            participants: BTreeMap::new(),
            now: Time::from_millis(1),
            samples: BTreeMap::new(),
            events: Vec::new(),
            networks: BTreeMap::new(),
            next_sample: Time(0),
        }
    }

    /// One publisher on a good line, and one viewer on this network who draws it full size.
    pub fn pair(seed: u8, network: &Scenario) -> Self {
        let mut rig = Self::new(seed);
        rig.join(1, true, 0, &clear(5));
        rig.join(2, false, 1, network);
        rig.watch(2, 0, 1, (1920, 1080));
        rig
    }

    pub fn join(&mut self, id: PeerId, publishes: bool, slots: usize, network: &Scenario) {
        let participant = Participant::new(id, publishes, self.now);
        self.command(Command::AddPeer {
            peer: id,
            ice_ufrag: participant.ufrag.clone(),
            ice_pwd: participant.password.clone(),
        });
        self.command(Command::SetMedia {
            peer: id,
            media: sections(publishes, slots),
        });
        self.command(Command::SetKeys {
            peer: id,
            profile: PROFILE.id(),
            receive: key(id, true),
            send: key(id, false),
        });
        let (mut request, from) = (participant.stun(), participant.address);
        self.networks.insert(
            id,
            Network::new(network, self.seed ^ id, self.now.as_micros()),
        );
        self.participants.insert(id, participant);
        self.engine.receive(&mut request, from, self.now);
        self.flush();
    }

    /// Slots `a<number>` and `v<number>` show this publisher, drawn this large.
    pub fn watch(&mut self, viewer: PeerId, number: usize, publisher: PeerId, drawn: (u16, u16)) {
        self.command(Command::SetSlot {
            viewer,
            slot: format!("v{number}"),
            tuning: Tuning {
                drawn: Some(drawn),
                ..Tuning::default()
            },
        });
        for (slot, source) in [("a", "mic"), ("v", "cam")] {
            self.command(Command::Route {
                viewer,
                slot: format!("{slot}{number}"),
                source: Some((publisher, source.to_owned())),
            });
        }
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    /// A publisher's camera takes this much of each limit that was raised, for a while.
    pub fn camera_overshoots(&mut self, id: PeerId, percent: u64) {
        let participant = self.participants.get_mut(&id).expect("joined");
        let publisher = participant.publisher.as_mut().expect("a publisher");
        for layer in &mut publisher.layers {
            layer.overshoot_percent = percent;
        }
    }

    /// The pictures that a viewer decoded in a slot from `from` seconds on, until `until`.
    pub fn pictures(&self, viewer: PeerId, number: usize, from: f64, until: f64) -> Vec<Picture> {
        let decoders = &self.participants[&viewer].viewer.decoders;
        let Some(decoder) = decoders.get(&slot_ssrc(&format!("v{number}"))) else {
            return Vec::new();
        };
        let inside = |at: Time| (from..until).contains(&seconds(at));
        decoder
            .pictures
            .iter()
            .filter(|p| inside(p.at))
            .copied()
            .collect()
    }

    /// The share of the sound played from second `from` until `until` that had to be made up.
    pub fn made_up_sound(&self, viewer: PeerId, number: usize, from: f64, until: f64) -> f64 {
        let sounds = &self.participants[&viewer].viewer.sounds;
        let heard = &sounds[&slot_ssrc(&format!("a{number}"))];
        let played = play(heard);
        let inside: Vec<_> = played
            .iter()
            .filter(|sound| (from..until).contains(&seconds(sound.at)))
            .collect();
        assert!(!inside.is_empty(), "no sound from {from} s to {until} s");
        inside.iter().filter(|sound| sound.made_up).count() as f64 / inside.len() as f64
    }

    /// Samples of what goes down to a participant, from second `from` until `until`.
    pub fn down(&self, id: PeerId, from: f64, until: f64) -> Vec<Sample> {
        let samples = self.samples[&id].iter();
        samples
            .filter(|sample| (from..until).contains(&seconds(sample.at)))
            .copied()
            .collect()
    }

    /// Mean rate that went down through the bottleneck.
    pub fn down_bps(&self, id: PeerId, from: f64, until: f64) -> f64 {
        let samples = self.down(id, from, until);
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        let bytes = last.counters.sent_bytes - first.counters.sent_bytes;
        bytes as f64 * 8.0 / last.at.since(first.at).as_secs_f64()
    }

    /// The first picture of at least this height from second `from` on: how long it took.
    pub fn seconds_until(&self, viewer: PeerId, height: u16, from: f64) -> Option<f64> {
        let pictures = self.pictures(viewer, 0, from, f64::INFINITY);
        let found = pictures.iter().find(|picture| picture.height >= height)?;
        Some(seconds(found.at) - from)
    }

    fn command(&mut self, command: Command) {
        self.engine.command(command, self.now);
        self.flush();
    }

    fn next_moment(&mut self) -> Option<Time> {
        let participants = self.participants.values().map(Participant::next_due).min();
        let networks = self.networks.values().filter_map(Network::deadline).min();
        [
            participants,
            networks.map(Time),
            self.engine.deadline(),
            Some(self.next_sample),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn step(&mut self) {
        let (now, now_us) = (self.now, self.now.as_micros());
        for (id, participant) in &mut self.participants {
            let network = self.networks.get_mut(id).expect("one each");
            for bytes in participant.poll(now) {
                push_up(network, participant.address, bytes, now_us);
            }
            for _ in 0..network.take_address_changes() {
                let port = participant.address.port();
                participant.address.set_port(port + 1);
            }
        }
        self.deliver();
        self.engine.tick(now);
        self.flush();
        if self.next_sample <= now {
            self.next_sample = now + SAMPLE_EVERY;
            self.sample();
        }
    }

    fn deliver(&mut self) {
        let (now, now_us) = (self.now, self.now.as_micros());
        for (id, participant) in &mut self.participants {
            let network = self.networks.get_mut(id).expect("one each");
            while let Some((direction, mut datagram)) = network.poll(now_us) {
                if direction == Direction::Up {
                    self.engine
                        .receive(&mut datagram.bytes, datagram.address, now);
                } else if datagram.address == participant.address {
                    for bytes in participant.receive(datagram.bytes, now) {
                        push_up(network, participant.address, bytes, now_us);
                    }
                }
            }
        }
    }

    fn flush(&mut self) {
        let now_us = self.now.as_micros();
        for (to, bytes) in self.engine.outbox().iter() {
            let owner = self
                .participants
                .iter()
                .find(|(_, participant)| participant.address.ip() == to.ip());
            let Some((id, _)) = owner else { continue };
            let datagram = Datagram {
                address: to,
                bytes: bytes.to_vec(),
            };
            let network = self.networks.get_mut(id).expect("one each");
            network.push(Direction::Down, bytes.len(), datagram, now_us);
        }
        self.engine.outbox().clear();
        let now = self.now;
        let events: Vec<Event> = self.engine.events().collect();
        for event in &events {
            self.obey(event);
        }
        self.events
            .extend(events.into_iter().map(|event| (now, event)));
    }

    /// The publisher pauses what nobody watches.
    fn obey(&mut self, event: &Event) {
        if let Event::LayersWanted { peer, mid, layers } = event
            && mid == "cam"
            && let Some(participant) = self.participants.get_mut(peer)
            && let Some(publisher) = &mut participant.publisher
        {
            publisher.wanted = Some(layers.clone());
        }
    }

    fn sample(&mut self) {
        let now_us = self.now.as_micros();
        for (id, network) in &mut self.networks {
            let link = network.link_mut(Direction::Down);
            let waits_us = link.queue_delay_us(now_us).unwrap_or(0);
            let sample = Sample {
                at: self.now,
                queue_ms: link.take_peak_wait_us().max(waits_us) / 1_000,
                counters: link.counters(),
            };
            self.samples.entry(*id).or_default().push(sample);
        }
    }
}

fn push_up(network: &mut Network<Datagram>, address: SocketAddr, bytes: Vec<u8>, now_us: u64) {
    let count = bytes.len();
    network.push(Direction::Up, count, Datagram { address, bytes }, now_us);
}

pub fn seconds(at: Time) -> f64 {
    at.as_micros() as f64 / 1e6
}

/// The longest time without a new picture, in milliseconds.
/// By how much the latest picture came later than the promptest.
pub fn latest_ms(pictures: &[Picture]) -> i64 {
    let transits = || pictures.iter().map(|picture| picture.transit_us);
    let (most, least) = (transits().max(), transits().min());
    (most.unwrap_or(0) - least.unwrap_or(0)) / 1_000
}

pub fn longest_gap_ms(pictures: &[Picture]) -> u64 {
    let gaps = pictures
        .windows(2)
        .map(|pair| pair[1].shown.since(pair[0].shown));
    gaps.max().map_or(u64::MAX, |gap| gap.as_millis() as u64)
}

/// Freezes as W3C webrtc-stats counts them: an interval longer than both three times the mean of
/// the 30 before and that mean plus 150 ms.
pub fn freezes(pictures: &[Picture]) -> Vec<Duration> {
    let gaps: Vec<Duration> = pictures
        .windows(2)
        .map(|pair| pair[1].shown.since(pair[0].shown))
        .collect();
    let frozen = (30..gaps.len()).filter(|&at| {
        let mean = gaps[at - 30..at].iter().sum::<Duration>() / 30;
        gaps[at] > (mean * 3).max(mean + Duration::from_millis(150))
    });
    frozen.map(|at| gaps[at]).collect()
}

/// The share of the time in which pictures were frozen.
pub fn frozen_share(pictures: &[Picture]) -> f64 {
    let [first, .., last] = pictures else {
        return 1.0;
    };
    let frozen: Duration = freezes(pictures).iter().sum();
    frozen.as_secs_f64() / last.shown.since(first.shown).as_secs_f64()
}
