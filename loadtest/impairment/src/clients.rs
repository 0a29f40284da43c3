//! Who sends: addresses, the clients behind them, and each client's own network.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use mianshi_netsim::{Condition, Network, Scenario};

use crate::job::{Played, concerns};
use crate::source::{Source, connect};
use crate::stun;

/// More addresses than browsers of a whole rehearsal have.
const MAX_SOURCES: usize = 1_024;
const MAX_CLIENTS: usize = 4_096;
/// After this silence an address may be forgotten: longer than any packet is under way.
const SILENCE_US: u64 = 120_000_000;

/// A datagram on its way from or to an address.
#[derive(Clone)]
pub struct Packet {
    pub source: usize,
    pub bytes: Rc<[u8]>,
}

/// Somebody with a network of their own.
pub struct Client {
    /// From 1, by appearance.
    pub number: usize,
    pub network: Network<Packet>,
    pub heard_us: u64,
    /// The longest time between two datagrams since it was last asked for.
    longest_pause_us: u64,
}

impl Client {
    fn hear(&mut self, now_us: u64) {
        let pause_us = now_us.saturating_sub(self.heard_us);
        self.longest_pause_us = self.longest_pause_us.max(pause_us);
        self.heard_us = now_us;
    }

    /// The longest silence since the last call, one that lasts included.
    pub fn take_longest_pause_us(&mut self, now_us: u64) -> u64 {
        let lasting_us = now_us.saturating_sub(self.heard_us);
        std::mem::take(&mut self.longest_pause_us).max(lasting_us)
    }
}

/// Everybody.
pub struct Clients {
    target: SocketAddr,
    seed: u64,
    plays: Vec<Played>,
    pub sources: Vec<Source>,
    pub all: Vec<Client>,
    by_address: HashMap<SocketAddr, usize>,
    by_fragment: HashMap<Vec<u8>, usize>,
    /// Datagrams of addresses or clients too many.
    pub refused: u64,
}

impl Clients {
    pub fn new(target: SocketAddr, seed: u64) -> Self {
        Self {
            target,
            seed,
            plays: Vec::new(),
            sources: Vec::new(),
            all: Vec::new(),
            by_address: HashMap::new(),
            by_fragment: HashMap::new(),
            refused: 0,
        }
    }

    /// The source at this address, made if need be; the number of a client that is new.
    pub fn source_of(
        &mut self,
        address: SocketAddr,
        datagram: &[u8],
        now_us: u64,
    ) -> io::Result<(usize, Option<usize>)> {
        let fragment = stun::server_fragment(datagram);
        if let Some(&index) = self.by_address.get(&address) {
            let client = self.sources[index].client;
            // An ICE restart brings another name on the same path.
            if let Some(fragment) = fragment.filter(|name| !self.by_fragment.contains_key(*name)) {
                self.by_fragment.insert(fragment.to_vec(), client);
            }
            self.sources[index].heard_us = now_us;
            self.all[client].hear(now_us);
            return Ok((index, None));
        }
        let known = fragment.and_then(|name| self.by_fragment.get(name).copied());
        let upstream = connect(self.target)?;
        let place = self.place_for_source(now_us)?;
        let (client, appeared) = match known {
            Some(client) => (client, None),
            None => (self.add_client(fragment, now_us)?, Some(self.all.len())),
        };
        let source = Source {
            address,
            client,
            upstream,
            heard_us: now_us,
        };
        match place == self.sources.len() {
            true => self.sources.push(source),
            false => self.sources[place] = source,
        }
        self.by_address.insert(address, place);
        Ok((place, appeared))
    }

    /// From now on this plays.
    pub fn play(&mut self, played: Played, now_us: u64) {
        let concerned = self.all.iter_mut().filter(|c| played.is_for(c.number));
        for client in concerned {
            client.network.play(&played.scenario, now_us);
        }
        self.plays.push(played);
    }

    /// New sockets towards the server: what comes to the old ones is lost, as behind a NAT that
    /// forgot them.
    pub fn change_address(&mut self, clients: &Option<Vec<usize>>) -> io::Result<()> {
        for source in &mut self.sources {
            if concerns(clients, self.all[source.client].number) {
                source.upstream = connect(self.target)?;
            }
        }
        Ok(())
    }

    /// Address changes that scenarios ordered.
    pub fn change_addresses_due(&mut self) -> io::Result<()> {
        let due: Vec<usize> = self
            .all
            .iter_mut()
            .filter_map(|client| {
                (client.network.take_address_changes() > 0).then_some(client.number)
            })
            .collect();
        match due.is_empty() {
            true => Ok(()),
            false => self.change_address(&Some(due)),
        }
    }

    fn add_client(&mut self, fragment: Option<&[u8]>, now_us: u64) -> io::Result<usize> {
        if self.all.len() == MAX_CLIENTS {
            return Err(self.refuse("too many clients"));
        }
        let number = self.all.len() + 1;
        let clear = Scenario::steady(Condition::PERFECT);
        let played = self.plays.iter().rfind(|played| played.is_for(number));
        let (scenario, begun_us) = played.map_or((&clear, now_us), |played| {
            (&played.scenario, played.begun_us.unwrap_or(now_us))
        });
        let seed = self
            .seed
            .wrapping_mul(0x9e37_79b9)
            .wrapping_add(number as u64);
        let mut network = Network::new(scenario, seed, begun_us);
        // Steps that passed before it came have made their changes already.
        let _ = network.poll(now_us);
        network.take_address_changes();
        self.all.push(Client {
            number,
            network,
            heard_us: now_us,
            longest_pause_us: 0,
        });
        if let Some(fragment) = fragment {
            self.by_fragment.insert(fragment.to_vec(), number - 1);
        }
        Ok(number - 1)
    }

    fn place_for_source(&mut self, now_us: u64) -> io::Result<usize> {
        if self.sources.len() < MAX_SOURCES {
            return Ok(self.sources.len());
        }
        let oldest = (0..MAX_SOURCES).min_by_key(|&index| self.sources[index].heard_us);
        let index = oldest.expect("there are many");
        if self.sources[index].heard_us + SILENCE_US > now_us {
            return Err(self.refuse("too many addresses"));
        }
        self.by_address.remove(&self.sources[index].address);
        Ok(index)
    }

    fn refuse(&mut self, reason: &'static str) -> io::Error {
        self.refused += 1;
        io::Error::other(reason)
    }
}
