//! ICE over TCP: the passive end of RFC 6544, framed as RFC 4571 says.
//!
//! Connections stand beside the UDP socket and are watched by a poller of their own, so a node
//! without any pays nothing for them. A connection is a stranger until an authenticated check
//! came over it; strangers are few, short-lived and the oldest gives way to the newest, since an
//! honest client authenticates within a round trip.

mod connection;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use mianshi_engine_core::Engine;
use mianshi_engine_core::outbox::Priority;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::transport::{is_tcp, tcp_address};
use mianshi_engine_core::wire::{DatagramKind, classify};

use crate::counters::StreamCounters;
use crate::net::{StreamPoller, StreamReadiness};
use connection::{Broken, Connection};

/// Connections altogether; twice what a node admits as peers by default.
const MAX_CONNECTIONS: usize = 4096;
/// Connections that have not authenticated.
const MAX_STRANGERS: usize = 256;
/// Of these, from one IPv4 address or IPv6 network: a whole office may stand behind one.
const MAX_STRANGERS_PER_HOST: usize = 32;
/// A browser sends its first check as soon as the connection stands.
const STRANGER_LIFETIME: Duration = Duration::from_secs(5);
/// Browsers check even a path that they hold in reserve about every 25 s.
const IDLE_LIFETIME: Duration = Duration::from_secs(60);
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Bounds one turn, so that UDP has its turn too.
const MAX_ACCEPTS_PER_TURN: usize = 32;
const READ_BYTES: usize = 64 * 1024;
const LISTENER: u32 = u32::MAX;

/// The listener and its connections.
pub(crate) struct Streams {
    listener: TcpListener,
    poller: StreamPoller,
    /// The listener is watched; not while the process is out of descriptors.
    accepting: bool,
    connections: Vec<Option<Connection>>,
    vacant: Vec<u32>,
    token_of: HashMap<SocketAddr, u32>,
    /// Oldest first.
    strangers: VecDeque<u32>,
    /// Given something to send since the last flush.
    touched: Vec<u32>,
    /// Broke while they were written to.
    gone: Vec<u32>,
    closed_since_send: bool,
    next_sweep: Option<Time>,
    ready: Vec<StreamReadiness>,
    scratch: Box<[u8]>,
    counters: StreamCounters,
}

impl Streams {
    /// Serves a listener, which must not block.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new(listener: TcpListener) -> io::Result<Self> {
        let mut poller = StreamPoller::new()?;
        poller.watch(listener.as_raw_fd(), LISTENER)?;
        Ok(Self {
            listener,
            poller,
            accepting: true,
            connections: Vec::new(),
            vacant: Vec::new(),
            token_of: HashMap::new(),
            strangers: VecDeque::new(),
            touched: Vec::new(),
            gone: Vec::new(),
            closed_since_send: false,
            next_sweep: None,
            ready: Vec::new(),
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
            counters: StreamCounters::default(),
        })
    }

    /// What the loop's poller watches for us.
    pub fn poller(&self) -> &StreamPoller {
        &self.poller
    }

    /// Whether there is any connection, or was at the last `send`: what was meant for one that
    /// closed since must not leave by UDP.
    pub fn is_in_use(&self) -> bool {
        !self.token_of.is_empty() || self.closed_since_send
    }

    /// When `sweep` is due; nothing while there is no connection.
    pub fn deadline(&self) -> Option<Time> {
        self.next_sweep
    }

    /// What happened so far.
    pub fn counters(&self) -> StreamCounters {
        StreamCounters {
            open: self.token_of.len() as u64,
            ..self.counters
        }
    }

    /// Accepts, reads and writes what is ready, within bounds.
    pub fn serve(&mut self, engine: &mut Engine, now: Time) {
        let mut ready = std::mem::take(&mut self.ready);
        self.poller.ready(&mut ready);
        let mut knocked = false;
        for one in ready.drain(..) {
            if one.token == LISTENER {
                knocked = true;
                continue;
            }
            if one.writable {
                self.flush(one.token);
            }
            if one.readable {
                self.read(one.token, engine, now);
            }
        }
        self.ready = ready;
        self.close_gone(engine, now);
        // Last, so that a token of this turn's list cannot mean a newcomer.
        if knocked {
            self.accept(engine, now);
        }
    }

    /// Sends what goes to our connections and passes over the rest.
    pub fn send<'a>(&mut self, datagrams: impl Iterator<Item = (SocketAddr, &'a [u8], Priority)>) {
        for (destination, datagram, priority) in datagrams {
            if is_tcp(&destination) {
                self.queue(destination, datagram, priority);
            }
        }
        self.closed_since_send = false;
        let mut touched = std::mem::take(&mut self.touched);
        for token in touched.drain(..) {
            self.flush(token);
        }
        self.touched = touched;
    }

    /// Whether a connection broke while it was written to.
    pub fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// Tells the engine of connections that broke while they were written to.
    pub fn close_gone(&mut self, engine: &mut Engine, now: Time) {
        while let Some(token) = self.gone.pop() {
            self.close(token, engine, now);
        }
    }

    /// Closes who had their time; to be called when the deadline has passed.
    pub fn sweep(&mut self, engine: &mut Engine, now: Time) {
        for token in 0..self.connections.len() as u32 {
            let Some(connection) = self.connection(token) else {
                continue;
            };
            let is_over = if connection.validated {
                !engine.is_validated(connection.address)
                    || now.since(connection.heard) >= IDLE_LIFETIME
            } else {
                now.since(connection.opened) >= STRANGER_LIFETIME
            };
            if is_over {
                self.counters.expired += 1;
                self.close(token, engine, now);
            }
        }
        if !self.accepting {
            self.accepting = self
                .poller
                .watch(self.listener.as_raw_fd(), LISTENER)
                .is_ok();
        }
        let is_idle = self.token_of.is_empty() && self.accepting;
        self.next_sweep = (!is_idle).then(|| now + SWEEP_INTERVAL);
    }

    fn connection(&mut self, token: u32) -> Option<&mut Connection> {
        self.connections.get_mut(token as usize)?.as_mut()
    }

    fn accept(&mut self, engine: &mut Engine, now: Time) {
        for _ in 0..MAX_ACCEPTS_PER_TURN {
            match self.listener.accept() {
                Ok((stream, remote)) => self.admit(stream, remote, engine, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if is_out_of_descriptors(&error) => return self.stop_accepting(now),
                // Whoever knocked is gone already.
                Err(_) => {}
            }
        }
    }

    /// The listener stays readable while nobody can be let in: look away until the next sweep.
    fn stop_accepting(&mut self, now: Time) {
        self.counters.refused += 1;
        self.poller.forget(self.listener.as_raw_fd());
        self.accepting = false;
        self.next_sweep.get_or_insert(now + SWEEP_INTERVAL);
    }

    fn admit(&mut self, stream: TcpStream, remote: SocketAddr, engine: &mut Engine, now: Time) {
        self.make_room_among_strangers(remote.ip(), engine, now);
        let address = tcp_address(remote);
        let room = self.token_of.len() < MAX_CONNECTIONS && !self.token_of.contains_key(&address);
        let connection = Connection::new(stream, address, now);
        let (true, Ok(connection)) = (room, connection) else {
            self.counters.refused += 1;
            return;
        };
        let token = self.vacant.pop().unwrap_or(self.connections.len() as u32);
        if self.poller.watch(connection.fd(), token).is_err() {
            self.vacant.push(token);
            self.counters.refused += 1;
            return;
        }
        self.place(token, connection);
        self.token_of.insert(address, token);
        self.strangers.push_back(token);
        self.counters.accepted += 1;
        self.next_sweep.get_or_insert(now + SWEEP_INTERVAL);
    }

    fn place(&mut self, token: u32, connection: Connection) {
        let index = token as usize;
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || None);
        }
        self.connections[index] = Some(connection);
    }

    /// The oldest stranger of the host, or of all, gives way if there are too many.
    fn make_room_among_strangers(&mut self, host: IpAddr, engine: &mut Engine, now: Time) {
        let host = network_of(host);
        let of_host = |streams: &Self, token: &u32| {
            let connection = streams.connections[*token as usize].as_ref();
            connection.is_some_and(|one| network_of(one.address.ip()) == host)
        };
        let from_host = self.strangers.iter().filter(|token| of_host(self, token));
        let oldest = if from_host.clone().count() >= MAX_STRANGERS_PER_HOST {
            from_host.copied().next()
        } else if self.strangers.len() >= MAX_STRANGERS {
            self.strangers.front().copied()
        } else {
            None
        };
        if let Some(token) = oldest {
            self.counters.expired += 1;
            self.close(token, engine, now);
        }
    }

    fn read(&mut self, token: u32, engine: &mut Engine, now: Time) {
        let Self {
            connections,
            scratch,
            counters,
            ..
        } = self;
        let Some(connection) = connections.get_mut(token as usize).and_then(Option::as_mut) else {
            return;
        };
        let (address, was_validated) = (connection.address, connection.validated);
        let mut validated = was_validated;
        let mut is_foreign = false;
        let result = connection.read(scratch, now, |packet| {
            // Until it has authenticated, a connection may say nothing but STUN.
            is_foreign |= !validated && classify(packet) != DatagramKind::Stun;
            if !is_foreign {
                counters.received += 1;
                engine.receive(packet, address, now);
                validated = validated || engine.is_validated(address);
            }
        });
        connection.validated = validated;
        if validated && !was_validated {
            self.strangers.retain(|stranger| *stranger != token);
        }
        if is_foreign || result == Err(Broken::Malformed) {
            self.counters.malformed += 1;
        }
        if is_foreign || result.is_err() {
            self.close(token, engine, now);
        }
    }

    fn queue(&mut self, destination: SocketAddr, datagram: &[u8], priority: Priority) {
        let Some(token) = self.token_of.get(&destination).copied() else {
            self.counters.unsent += 1;
            return;
        };
        if self.try_queue(token, datagram, priority) {
            self.counters.sent += 1;
        } else {
            self.counters.behind += 1;
        }
    }

    /// A queue that a burst has filled is written out once before anything of it is dropped.
    fn try_queue(&mut self, token: u32, datagram: &[u8], priority: Priority) -> bool {
        let Some(connection) = self.connection(token) else {
            return false;
        };
        let blocked = connection.waits_for_room;
        if connection.queue(datagram, priority) {
            if self.touched.last() != Some(&token) {
                self.touched.push(token);
            }
            return true;
        }
        if blocked {
            return false;
        }
        self.flush(token);
        self.connection(token)
            .is_some_and(|connection| connection.queue(datagram, priority))
    }

    /// Writes what the kernel takes, and has the poller tell when it takes more.
    fn flush(&mut self, token: u32) {
        let Self {
            connections,
            poller,
            gone,
            ..
        } = self;
        let Some(connection) = connections.get_mut(token as usize).and_then(Option::as_mut) else {
            return;
        };
        if connection.flush().is_err() {
            gone.push(token);
            return;
        }
        let behind = connection.is_behind();
        if behind != connection.waits_for_room {
            let changed = poller.wait_for_room(connection.fd(), token, behind);
            connection.waits_for_room = behind && changed.is_ok();
        }
    }

    /// Closing twice is harmless.
    fn close(&mut self, token: u32, engine: &mut Engine, now: Time) {
        let Some(connection) = self
            .connections
            .get_mut(token as usize)
            .and_then(Option::take)
        else {
            return;
        };
        self.poller.forget(connection.fd());
        self.token_of.remove(&connection.address);
        self.strangers.retain(|stranger| *stranger != token);
        self.vacant.push(token);
        self.closed_since_send = true;
        engine.close_path(connection.address, now);
    }
}

/// An IPv4 address, or the /64 that one IPv6 host can have to itself.
fn network_of(host: IpAddr) -> IpAddr {
    match host.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        v4 => v4,
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let exhausted = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error
        .raw_os_error()
        .is_some_and(|code| exhausted.contains(&code))
}
