//! Receive, tick, send, tell: the loop around the core.

use std::mem;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use mianshi_engine_core::{Engine, Event};

use crate::clock::Clock;
use crate::mailbox::{Inbox, Letter, Outbox};
use crate::net::{Poller, Receiver, Sender};

/// Batches received before commands, timers and events have their turn again.
const MAX_BATCHES_PER_TURN: usize = 4;

pub(crate) struct EventLoop {
    pub engine: Engine,
    pub clock: Clock,
    pub socket: UdpSocket,
    pub poller: Poller,
    pub receiver: Receiver,
    pub sender: Sender,
    pub inbox: Arc<Inbox>,
    pub outbox: Arc<Outbox>,
    pub letters: Vec<Letter>,
    pub events: Vec<Event>,
}

impl EventLoop {
    /// Runs until told to stop.
    pub fn run(mut self) {
        loop {
            let timeout = self.until_deadline();
            let readiness = self.poller.wait(timeout);
            if readiness.signalled && self.obey() {
                return;
            }
            if readiness.readable {
                self.receive();
            }
            self.tick();
            self.send();
            if readiness.writable {
                self.sender.resume(&self.socket);
            }
            self.poller.wait_for_room(self.sender.is_blocked());
            self.tell();
        }
    }

    fn until_deadline(&mut self) -> Option<Duration> {
        let deadline = self.engine.deadline()?;
        let left_us = deadline.0.saturating_sub(self.clock.now().0);
        Some(Duration::from_micros(left_us))
    }

    /// Carries out what waits; true if that was to stop.
    fn obey(&mut self) -> bool {
        self.inbox.take(&mut self.letters);
        let mut letters = mem::take(&mut self.letters);
        let now = self.clock.now();
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

    /// Receives what waits, within a bound.
    fn receive(&mut self) {
        for _ in 0..MAX_BATCHES_PER_TURN {
            let now = self.clock.now();
            let engine = &mut self.engine;
            let more = self.receiver.receive(&self.socket, |datagram, source| {
                engine.receive(datagram, source, now);
            });
            if !more {
                return;
            }
            self.send();
        }
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        if self
            .engine
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.engine.tick(now);
        }
    }

    fn send(&mut self) {
        let outbox = self.engine.outbox();
        if !outbox.is_empty() {
            self.sender.send(&self.socket, outbox.iter());
            outbox.clear();
        }
    }

    fn tell(&mut self) {
        self.events.extend(self.engine.events());
        for event in &mut self.events {
            if let Event::Stats(stats) = event {
                let dropped = &mut stats.datagrams_dropped;
                let received = self.receiver.counters();
                let sent = self.sender.counters();
                let events = self.outbox.dropped();
                dropped.push(("receive_buffer_full", received.kernel_dropped));
                dropped.push(("oversized", received.oversized));
                dropped.push(("send_refused", sent.failed));
                dropped.push(("send_buffer_full", sent.backlog_dropped));
                dropped.push(("dtls_unread", events.dtls));
                dropped.push(("events_unread", events.others));
            }
        }
        self.outbox.put(&mut self.events);
    }
}
