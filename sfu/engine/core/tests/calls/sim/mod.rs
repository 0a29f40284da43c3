//! Whole calls in virtual time: an engine, its clients and the line between them.

pub mod arrivals;
pub mod client;
pub mod description;
pub mod link;
pub mod sealing;
pub mod stream;
pub mod watched;

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use mianshi_engine_core::time::Time;
use mianshi_engine_core::{Command, Config, Engine, Event, Media, PeerId, Stats};

use mianshi_netsim::{Direction, Network, Scenario};

use client::{Client, Received};
use description::{slot_ssrc, visit};
use link::{Delivery, Link};
use sealing::{PROFILE, key};
use stream::Stream;

/// Our wall clock at `Time(0)`.
pub const EPOCH: u64 = 0xE000_0000_0000_0000;

pub struct World {
    pub engine: Engine,
    pub clients: Vec<Client>,
    pub link: Link,
    /// Who is behind a network of their own, instead of the line that all others share.
    pub networks: BTreeMap<SocketAddr, Network<Vec<u8>>>,
    pub events: Vec<Event>,
    pub now: Time,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let config = Config {
            seed: [seed as u8; 32],
            ntp_epoch: EPOCH,
        };
        Self {
            engine: Engine::new(config, Time(0)),
            clients: Vec::new(),
            link: Link::new(seed),
            networks: BTreeMap::new(),
            events: Vec::new(),
            now: Time::from_millis(1),
        }
    }

    /// A connected client with a microphone and a camera (SSRCs 1000 and 2000 times its number).
    pub fn join(&mut self, id: PeerId, simulcast: bool) -> &mut Client {
        self.join_with(id, visit(simulcast, 3));
        let client = self.client(id);
        client.streams.push(Stream::audio("mic", id as u32 * 1_000));
        if simulcast {
            client
                .streams
                .push(Stream::video("cam", Some("q"), id as u32 * 2_000));
            client
                .streams
                .push(Stream::video("cam", Some("f"), id as u32 * 2_000 + 500));
        } else {
            client
                .streams
                .push(Stream::video("cam", None, id as u32 * 2_000));
        }
        client
    }

    /// A connected client that sends nothing.
    pub fn join_with(&mut self, id: PeerId, media: Vec<Media>) {
        self.announce(id, media);
        self.give_keys(id);
    }

    /// A client that sends nothing and whose handshake is not over.
    pub fn announce(&mut self, id: PeerId, media: Vec<Media>) {
        let client = Client::new(id);
        let (ice_ufrag, ice_pwd) = (client.ufrag.clone(), client.password.clone());
        self.command(Command::AddPeer {
            peer: id,
            ice_ufrag,
            ice_pwd,
        });
        self.command(Command::SetMedia { peer: id, media });
        let mut request = client.stun();
        self.engine.receive(&mut request, client.address, self.now);
        self.clients.push(client);
        self.flush();
    }

    /// The end of a client's handshake.
    pub fn give_keys(&mut self, id: PeerId) {
        let (receive, send) = (key(id, true), key(id, false));
        self.command(Command::SetKeys {
            peer: id,
            profile: PROFILE.id(),
            receive,
            send,
        });
        self.flush();
    }

    pub fn client(&mut self, id: PeerId) -> &mut Client {
        self.clients
            .iter_mut()
            .find(|client| client.id == id)
            .expect("a client that joined")
    }

    pub fn command(&mut self, command: Command) {
        self.engine.command(command, self.now);
        self.flush();
    }

    pub fn route(&mut self, viewer: PeerId, slot: &str, source: Option<(PeerId, &str)>) {
        let source = source.map(|(peer, mid)| (peer, mid.to_owned()));
        self.command(Command::Route {
            viewer,
            slot: slot.to_owned(),
            source,
        });
    }

    /// A client is behind a network from now on.
    pub fn behind(&mut self, id: PeerId, scenario: &str) {
        let scenario = Scenario::parse(scenario).expect("a valid scenario");
        let address = self.client(id).address;
        let network = Network::new(&scenario, id, self.now.as_micros());
        self.networks.insert(address, network);
    }

    /// The network of a client, to change and to look at.
    pub fn network(&mut self, id: PeerId) -> &mut Network<Vec<u8>> {
        let address = self.client(id).address;
        self.networks.get_mut(&address).expect("a network")
    }

    /// `from` sends this past the line's faults.
    pub fn inject(&mut self, from: PeerId, datagram: Vec<u8>) {
        let from = self.client(from).address;
        self.inject_from(from, datagram);
    }

    pub fn inject_from(&mut self, from: SocketAddr, mut datagram: Vec<u8>) {
        self.engine.receive(&mut datagram, from, self.now);
        self.flush();
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    pub fn stats(&mut self) -> Stats {
        self.command(Command::RequestStats { token: 7 });
        let found = self.events.iter().rev().find_map(|event| match event {
            Event::Stats(stats) => Some(stats.clone()),
            _ => None,
        });
        found.expect("statistics were asked for")
    }

    pub fn dropped(&mut self, reason: &str) -> u64 {
        let stats = self.stats();
        stats
            .datagrams_dropped
            .iter()
            .find(|(name, _)| *name == reason)
            .expect("a known reason")
            .1
    }

    /// What a client saw in one slot, in the order of the slot's numbers.
    pub fn seen(&mut self, viewer: PeerId, slot: &str) -> Vec<Received> {
        let ssrc = slot_ssrc(slot);
        let mut seen: Vec<Received> = self
            .client(viewer)
            .received
            .iter()
            .filter(|packet| packet.ssrc == ssrc)
            .cloned()
            .collect();
        seen.sort_by_key(|packet| packet.sequence);
        seen.dedup_by_key(|packet| packet.sequence);
        seen
    }

    fn next_moment(&mut self) -> Option<Time> {
        let clients = self.clients.iter().map(Client::next_due).min();
        let networks = self
            .networks
            .values()
            .filter_map(|network| network.deadline().map(Time))
            .min();
        let arrival = self.link.next_arrival();
        [clients, arrival, networks, self.engine.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn step(&mut self) {
        for at in 0..self.clients.len() {
            let from = self.clients[at].address;
            for datagram in self.clients[at].poll(self.now) {
                self.upload(from, datagram);
            }
        }
        while let Some(delivery) = self.link.take_arrived(self.now) {
            match delivery {
                Delivery::ToEngine { from, mut datagram } => {
                    self.engine.receive(&mut datagram, from, self.now)
                }
                Delivery::ToClient { to, datagram } => self.deliver(to, datagram),
            }
        }
        self.poll_networks();
        self.engine.tick(self.now);
        self.flush();
    }

    fn poll_networks(&mut self) {
        let addresses: Vec<SocketAddr> = self.networks.keys().copied().collect();
        for address in addresses {
            while let Some((direction, mut datagram)) = self
                .networks
                .get_mut(&address)
                .and_then(|network| network.poll(self.now.as_micros()))
            {
                match direction {
                    Direction::Up => self.engine.receive(&mut datagram, address, self.now),
                    Direction::Down => self.deliver(address, datagram),
                }
            }
        }
    }

    fn deliver(&mut self, to: SocketAddr, datagram: Vec<u8>) {
        let Some(client) = self.clients.iter_mut().find(|client| client.address == to) else {
            return;
        };
        let from = client.address;
        for answer in client.receive(datagram, self.now) {
            self.upload(from, answer);
        }
    }

    fn upload(&mut self, from: SocketAddr, datagram: Vec<u8>) {
        let now = self.now;
        match self.networks.get_mut(&from) {
            Some(network) => network.push(Direction::Up, datagram.len(), datagram, now.as_micros()),
            None => self.link.send(now, || Delivery::ToEngine {
                from,
                datagram: datagram.clone(),
            }),
        }
    }

    fn flush(&mut self) {
        let now = self.now;
        for (to, datagram) in self.engine.outbox().iter() {
            match self.networks.get_mut(&to) {
                Some(network) => {
                    network.push(
                        Direction::Down,
                        datagram.len(),
                        datagram.to_vec(),
                        now.as_micros(),
                    );
                }
                None => self.link.send(now, || Delivery::ToClient {
                    to,
                    datagram: datagram.to_vec(),
                }),
            }
        }
        self.engine.outbox().clear();
        self.events.extend(self.engine.events());
    }
}
