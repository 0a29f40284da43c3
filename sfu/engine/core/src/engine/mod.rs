//! The engine: one mutation at a time, then drain the outbox and the events.

mod commands;
mod downlink;
mod forward;
mod layers;
mod pacing;
mod paths;
mod receive;
mod redundancy;
mod rtcp;
mod statistics;
mod tasks;
mod wanted;

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::PeerId;
use crate::allocation::Demand;
use crate::command::Command;
use crate::drops::{DropCounts, DropReason};
use crate::event::Event;
use crate::hash::QuickMap;
use crate::ice::IceTable;
use crate::layer::Layer;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::rewrite::Origin;
use crate::slot::Slot;
use crate::source::{Source, Subscriber};
use crate::time::{NtpTime, Time};
use crate::timer::Timers;

/// What the engine is told of the world at its start.
#[derive(Clone, Copy)]
pub struct Config {
    /// Secret randomness: starts numbers that should not be guessed.
    pub seed: [u8; 32],
    /// The wall clock at `Time(0)`, NTP 32.32.
    pub ntp_epoch: u64,
}

/// The sans-IO media engine.
///
/// Call `receive`, `command` and `tick` with a `now` that never goes back; after each batch send
/// what is in `outbox` and clear it, take the `events`, and call `tick` no later than `deadline`.
pub struct Engine {
    ntp_epoch: NtpTime,
    numbers: Numbers,
    ice: IceTable,
    peers: Vec<Option<Box<Peer>>>,
    index_by_id: QuickMap<PeerId, usize>,
    timers: Timers,
    outbox: Outbox,
    events: VecDeque<Event>,
    drops: DropCounts,
    searches: paths::SearchBudget,
    received: u64,
    sent: u64,
    /// A packet on its way from a cache to a slot.
    scratch: Vec<u8>,
    /// A lost packet, rebuilt from a later one.
    mended: Vec<u8>,
    /// Payloads that a packet of sound may repeat.
    earlier: Vec<u8>,
    /// The slots among which bandwidth is being shared.
    demands: Vec<Demand>,
}

impl Engine {
    /// An engine without peers.
    pub fn new(config: Config, _now: Time) -> Self {
        let mut numbers = Numbers::new(config.seed);
        Self {
            ntp_epoch: NtpTime(config.ntp_epoch),
            ice: IceTable::new(numbers.random()),
            numbers,
            peers: Vec::new(),
            index_by_id: QuickMap::default(),
            timers: Timers::default(),
            outbox: Outbox::new(),
            events: VecDeque::new(),
            drops: DropCounts::default(),
            searches: paths::SearchBudget::default(),
            received: 0,
            sent: 0,
            scratch: Vec::with_capacity(2048),
            demands: Vec::new(),
            mended: Vec::with_capacity(2048),
            earlier: Vec::with_capacity(2048),
        }
    }

    /// Apply an instruction. One about something that is gone does nothing.
    pub fn command(&mut self, command: Command, now: Time) {
        self.counting_sent(|engine| engine.apply(command, now));
    }

    /// Take a datagram; its content is arbitrary afterwards.
    pub fn receive(&mut self, datagram: &mut [u8], source: SocketAddr, now: Time) {
        self.received += 1;
        self.counting_sent(|engine| engine.dispatch(datagram, source, now));
    }

    /// Do what is due at `now`.
    pub fn tick(&mut self, now: Time) {
        self.counting_sent(|engine| engine.run_due(now));
    }

    /// When `tick` must be called next; nothing while there is nothing to do.
    pub fn deadline(&mut self) -> Option<Time> {
        self.timers.deadline()
    }

    /// What is to be sent, in order. The caller clears it.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Takes the events that wait, oldest first.
    pub fn events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    fn counting_sent(&mut self, work: impl FnOnce(&mut Self)) {
        let before = self.outbox.len();
        work(self);
        self.sent += (self.outbox.len() - before) as u64;
    }

    fn drop(&mut self, reason: DropReason) {
        self.drops.count(reason);
    }

    fn index_of(&self, peer: PeerId) -> Option<usize> {
        self.index_by_id.get(&peer).copied()
    }

    fn peer(&self, index: usize) -> Option<&Peer> {
        self.peers.get(index)?.as_deref()
    }

    fn peer_mut(&mut self, index: usize) -> Option<&mut Peer> {
        self.peers.get_mut(index)?.as_deref_mut()
    }

    fn source(&self, peer: usize, source: usize) -> Option<&Source> {
        self.peer(peer)?.sources.get(source)?.as_ref()
    }

    fn source_mut(&mut self, peer: usize, source: usize) -> Option<&mut Source> {
        self.peer_mut(peer)?.sources.get_mut(source)?.as_mut()
    }

    /// The layer of an origin, unless its stream began anew since.
    fn layer(&self, origin: Origin) -> Option<&Layer> {
        let layer = self
            .source(origin.peer, origin.source)?
            .layers
            .get(origin.layer)?;
        (layer.stream == origin.stream).then_some(layer)
    }

    fn slot(&self, at: Subscriber) -> Option<&Slot> {
        self.peer(at.peer)?.slots.get(at.slot)?.as_ref()
    }

    fn slot_mut(&mut self, at: Subscriber) -> Option<&mut Slot> {
        self.peer_mut(at.peer)?.slots.get_mut(at.slot)?.as_mut()
    }

    fn ntp(&self, now: Time) -> NtpTime {
        now.to_ntp(self.ntp_epoch)
    }
}

/// Numbers from the seed (SplitMix64): they start counters; no secret depends on them.
struct Numbers {
    state: u64,
    next_stream: u64,
}

impl Numbers {
    fn new(seed: [u8; 32]) -> Self {
        let state = seed.chunks_exact(8).fold(0, |state, chunk| {
            state
                ^ chunk
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte))
        });
        Self {
            state,
            next_stream: 1,
        }
    }

    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The number of a stream's incarnation, never given twice.
    fn stream(&mut self) -> u64 {
        self.next_stream += 1;
        self.next_stream
    }
}
