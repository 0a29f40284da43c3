//! The loop: datagrams in, through the sender's network, and out when they are due.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mianshi_netsim::Direction;
use serde_json::json;

use crate::Failure;
use crate::clients::{Clients, Packet};
use crate::job::{Command, Job};
use crate::lines::Lines;
use crate::report::{Sampler, print, totals, wall_ms};
use crate::wait::Watch;
use crate::{source, tcp};

const MAX_DATAGRAM_BYTES: usize = 65_536;
/// Read from one socket before the others have their turn.
const BATCH: usize = 64;
static SOCKET_BUFFER_BYTES: libc::c_int = 4 << 20;

/// A running relay.
pub struct Relay {
    listener: UdpSocket,
    clients: Clients,
    sampler: Sampler,
    started: Instant,
    ends_us: u64,
    buffer: Vec<u8>,
    unsent: u64,
}

impl Relay {
    /// Opens the port and says so.
    pub fn open(job: Job) -> Result<Self, Failure> {
        let listener = UdpSocket::bind(job.listen)?;
        listener.set_nonblocking(true)?;
        grow_buffers(&listener);
        // Fails early if the target has no route.
        drop(source::connect(job.target)?);
        let address = listener.local_addr()?;
        if job.tcp {
            tcp::listen(address, job.target)?;
        }
        let mut clients = Clients::new(job.target, job.seed);
        if let Some(play) = job.play {
            clients.play(play.read(None)?, 0);
        }
        print("listening", json!({"address": address.to_string()}));
        Ok(Self {
            listener,
            clients,
            sampler: Sampler::new(job.sample_ms * 1_000),
            started: Instant::now(),
            ends_us: job.most_s.saturating_mul(1_000_000),
            buffer: vec![0; MAX_DATAGRAM_BYTES],
            unsent: 0,
        })
    }

    /// Relays until the input ends or the time is up.
    pub fn run(mut self, input: &mut Lines) -> Result<(), Failure> {
        let mut watch = Watch::new();
        let reason = loop {
            while let Some(line) = input.next_line() {
                self.obey(&line);
            }
            if input.has_ended() {
                break "asked";
            }
            let now_us = self.now_us();
            if now_us >= self.ends_us {
                break "time";
            }
            self.hand_out(now_us)?;
            self.sampler.sample(&mut self.clients.all, now_us);
            let timeout = Duration::from_micros(self.deadline_us().saturating_sub(self.now_us()));
            let sockets = self.clients.sources.iter().map(|s| s.upstream.as_raw_fd());
            let own = [input.fd(), self.listener.as_raw_fd()];
            watch.wait(own.into_iter().chain(sockets), timeout);
            if watch.is_readable(0) {
                input.read()?;
            }
            // New sources stand behind the watched ones.
            for index in 0..self.clients.sources.len() {
                if watch.is_readable(2 + index) {
                    self.take_down(index);
                }
            }
            if watch.is_readable(1) {
                self.take_up();
            }
        };
        let ended = json!({
            "reason": reason,
            "clients": totals(&self.clients.all),
            "refused": self.clients.refused,
            "unsent": self.unsent,
        });
        print("ended", ended);
        Ok(())
    }

    fn now_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    fn deadline_us(&self) -> u64 {
        let networks = self.clients.all.iter().filter_map(|c| c.network.deadline());
        let own = [self.sampler.deadline_us(), self.ends_us];
        networks.chain(own).min().expect("never empty")
    }

    fn obey(&mut self, line: &str) {
        let now_us = self.now_us();
        let outcome = match serde_json::from_str(line) {
            Ok(Command::Play(play)) => play
                .read(Some(now_us))
                .map(|played| self.clients.play(played, now_us)),
            Ok(Command::ChangeAddress { clients }) => {
                self.clients.change_address(&clients).map_err(Failure::from)
            }
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(()) => print("done", json!({"at_ms": wall_ms()})),
            Err(error) => print("refused", json!({"reason": error.to_string()})),
        }
    }

    fn take_up(&mut self) {
        for _ in 0..BATCH {
            let Ok((bytes, address)) = self.listener.recv_from(&mut self.buffer) else {
                return;
            };
            let now_us = self.now_us();
            let datagram = &self.buffer[..bytes];
            let Ok((source, appeared)) = self.clients.source_of(address, datagram, now_us) else {
                continue;
            };
            if let Some(number) = appeared {
                print("client", json!({"number": number, "at_ms": wall_ms()}));
            }
            self.push(Direction::Up, source, bytes, now_us);
        }
    }

    fn take_down(&mut self, source: usize) {
        for _ in 0..BATCH {
            let received = self.clients.sources[source].upstream.recv(&mut self.buffer);
            match received {
                Ok(bytes) => self.push(Direction::Down, source, bytes, self.now_us()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nothing waits, or nobody listens at the target just now.
                Err(_) => return,
            }
        }
    }

    fn push(&mut self, direction: Direction, source: usize, bytes: usize, now_us: u64) {
        let packet = Packet {
            source,
            bytes: self.buffer[..bytes].into(),
        };
        let client = self.clients.sources[source].client;
        let network = &mut self.clients.all[client].network;
        network.push(direction, bytes, packet, now_us);
    }

    fn hand_out(&mut self, now_us: u64) -> io::Result<()> {
        for client in &mut self.clients.all {
            while let Some((direction, packet)) = client.network.poll(now_us) {
                let source = &self.clients.sources[packet.source];
                let sent = match direction {
                    Direction::Up => source.upstream.send(&packet.bytes),
                    Direction::Down => self.listener.send_to(&packet.bytes, source.address),
                };
                self.unsent += u64::from(sent.is_err());
            }
        }
        self.clients.change_addresses_due()
    }
}

/// A wish: a kernel that grants less still works.
fn grow_buffers(socket: &UdpSocket) {
    for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
        // SAFETY: the pointer and the length describe the number.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const SOCKET_BUFFER_BYTES).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            );
        }
    }
}
