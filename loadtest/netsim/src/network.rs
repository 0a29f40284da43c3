//! The access of one client: both directions, changed by a scenario as time goes by.

use crate::condition::Condition;
use crate::link::Link;
use crate::scenario::{Scenario, Step};

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// Two links and the scenario that plays on them.
#[derive(Debug)]
pub struct Network<T> {
    up: Link<T>,
    down: Link<T>,
    steps: Vec<Step>,
    next_step: usize,
    begun_us: u64,
    address_changes: u32,
}

impl<T: Clone> Network<T> {
    /// The scenario begins at `now_us`.
    pub fn new(scenario: &Scenario, seed: u64, now_us: u64) -> Self {
        let mut network = Self {
            up: Link::new(Condition::PERFECT, seed ^ 0x5570),
            down: Link::new(Condition::PERFECT, seed ^ 0xd0_4e00_0000),
            steps: Vec::new(),
            next_step: 0,
            begun_us: now_us,
            address_changes: 0,
        };
        network.play(scenario, now_us);
        network
    }

    /// Begins a scenario anew; what is under way or waits stays so.
    pub fn play(&mut self, scenario: &Scenario, now_us: u64) {
        self.apply_steps(now_us);
        self.steps = scenario.steps().to_vec();
        self.next_step = 0;
        self.begun_us = now_us;
        self.apply_steps(now_us);
    }

    /// One direction, to look at.
    pub const fn link(&self, direction: Direction) -> &Link<T> {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// One direction, to change by hand; the next step overrules what it says.
    pub const fn link_mut(&mut self, direction: Direction) -> &mut Link<T> {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// A datagram of `payload_bytes` (UDP payload) enters.
    pub fn push(&mut self, direction: Direction, payload_bytes: usize, packet: T, now_us: u64) {
        self.apply_steps(now_us);
        self.link_mut(direction).push(payload_bytes, packet, now_us);
    }

    /// The next packet that has arrived by `now_us`, the earlier direction first.
    pub fn poll(&mut self, now_us: u64) -> Option<(Direction, T)> {
        self.apply_steps(now_us);
        let (_, direction) = [Direction::Up, Direction::Down]
            .into_iter()
            .filter_map(|each| Some((self.link_mut(each).next_arrival_us(now_us)?, each)))
            .min()?;
        let packet = self.link_mut(direction).poll(now_us)?;
        Some((direction, packet))
    }

    /// When to poll next; `None` if nothing will happen by itself.
    pub fn deadline(&self) -> Option<u64> {
        let step = self.steps.get(self.next_step);
        let step_us = step.map(|step| self.begun_us + step.at_us);
        [self.up.deadline(), self.down.deadline(), step_us]
            .into_iter()
            .flatten()
            .min()
    }

    /// How often the client's address has changed since this was last asked: whoever owns the
    /// sockets gives it another one.
    pub fn take_address_changes(&mut self) -> u32 {
        core::mem::take(&mut self.address_changes)
    }

    fn apply_steps(&mut self, now_us: u64) {
        while let Some(step) = self.steps.get(self.next_step) {
            let at_us = self.begun_us + step.at_us;
            if at_us > now_us {
                return;
            }
            self.up.set(step.up, at_us);
            self.down.set(step.down, at_us);
            self.address_changes += u32::from(step.address_change);
            self.next_step += 1;
        }
    }
}
