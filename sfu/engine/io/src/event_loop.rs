//! Receive, tick, send, tell: the loop around the core.

use std::mem;
use std::net::UdpSocket;
use std::sync::Arc;

use mianshi_engine_core::time::Time;
use mianshi_engine_core::transport::is_tcp;
use mianshi_engine_core::{Engine, Event};

use crate::clock::Clock;
use crate::mailbox::{Inbox, Letter, Outbox};
use crate::net::{Poller, Receiver, Sender};
use crate::streams::Streams;

/// Batches received before commands, timers and events have their turn again.
const MAX_BATCHES_PER_TURN: usize = 4;

pub(crate) struct EventLoop {
    pub engine: Engine,
    pub clock: Clock,
    pub socket: UdpSocket,
    pub poller: Poller,
    pub receiver: Receiver,
    pub sender: Sender,
    /// Nothing where TCP is switched off.
    pub streams: Option<Streams>,
    pub inbox: Arc<Inbox>,
    pub outbox: Arc<Outbox>,
    pub letters: Vec<Letter>,
    pub events: Vec<Event>,
}

impl EventLoop {
    /// Runs until told to stop.
    pub fn run(mut self) {
        let mut now = self.clock.now();
        loop {
            let deadline = self.deadline();
            let readiness = self.poller.wait(now, deadline);
            now = self.clock.now();
            if readiness.signalled && self.obey(now) {
                return;
            }
            if readiness.readable {
                now = self.receive(now);
            }
            if readiness.streams {
                self.serve_streams(now);
            }
            self.tick(now);
            self.send();
            if readiness.writable {
                self.sender.resume(&self.socket);
            }
            self.poller.wait_for_room(self.sender.is_blocked());
            self.tell();
        }
    }

    fn deadline(&mut self) -> Option<Time> {
        let of_streams = self.streams.as_ref().and_then(Streams::deadline);
        let of_engine = self.engine.deadline();
        of_engine.into_iter().chain(of_streams).min()
    }

    /// Carries out what waits; true if that was to stop.
    fn obey(&mut self, now: Time) -> bool {
        self.inbox.take(&mut self.letters);
        let mut letters = mem::take(&mut self.letters);
        for letter in letters.drain(..) {
            match letter {
                Letter::Command(command) => self.engine.command(command, now),
                Letter::Stop => {
                    self.send();
                    return true;
                }
            }
        }
        self.letters = letters;
        false
    }

    /// Receives what waits, within a bound; returns when the last batch was taken.
    fn receive(&mut self, mut now: Time) -> Time {
        for _ in 0..MAX_BATCHES_PER_TURN {
            let engine = &mut self.engine;
            let more = self.receiver.receive(&self.socket, |datagram, source| {
                engine.receive(datagram, source, now);
            });
            if !more {
                break;
            }
            self.send();
            now = self.clock.now();
        }
        now
    }

    fn serve_streams(&mut self, now: Time) {
        if let Some(streams) = &mut self.streams {
            streams.serve(&mut self.engine, now);
        }
    }

    fn tick(&mut self, now: Time) {
        if let Some(streams) = &mut self.streams {
            if streams.deadline().is_some_and(|deadline| deadline <= now) {
                streams.sweep(&mut self.engine, now);
            }
        }
        self.engine.tick(now);
    }

    fn send(&mut self) {
        let outbox = self.engine.outbox();
        if outbox.is_empty() {
            return;
        }
        let Some(streams) = &mut self.streams else {
            self.sender.send(&self.socket, outbox.iter());
            return outbox.clear();
        };
        if streams.is_in_use() {
            let over_udp = outbox.iter().filter(|(to, _)| !is_tcp(to));
            self.sender.send(&self.socket, over_udp);
            streams.send(outbox.prioritised());
        } else {
            self.sender.send(&self.socket, outbox.iter());
        }
        outbox.clear();
        if streams.has_gone() {
            streams.close_gone(&mut self.engine, self.clock.now());
        }
    }

    fn tell(&mut self) {
        self.events.extend(self.engine.events());
        for event in &mut self.events {
            if let Event::Stats(stats) = event {
                let dropped = &mut stats.datagrams_dropped;
                let received = self.receiver.counters(&self.socket);
                let sent = self.sender.counters();
                let events = self.outbox.dropped();
                dropped.push(("receive_buffer_full", received.kernel_dropped));
                dropped.push(("oversized", received.oversized));
                dropped.push(("send_refused", sent.failed));
                dropped.push(("send_buffer_full", sent.backlog_dropped));
                if let Some(streams) = &self.streams {
                    let tcp = streams.counters();
                    stats.tcp_connections = tcp.open;
                    dropped.push(("tcp_behind", tcp.behind));
                    dropped.push(("tcp_closed", tcp.unsent));
                    dropped.push(("tcp_refused", tcp.refused));
                    dropped.push(("tcp_expired", tcp.expired));
                    dropped.push(("tcp_malformed", tcp.malformed));
                }
                dropped.push(("dtls_unread", events.dtls));
                dropped.push(("events_unread", events.others));
            }
        }
        self.outbox.put(&mut self.events);
    }
}
