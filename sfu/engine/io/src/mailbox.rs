//! The two queues between Python's thread and the media thread.

use std::mem;
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use std::io;

use mianshi_engine_core::{Command, Event};

use crate::net::Signal;

/// Events that may wait for Python, about 10 MB. A Python that is stuck for so long loses news.
const MAX_EVENTS: usize = 32_768;

/// DTLS datagrams among them: they come from the network, so they are cut first.
const MAX_DTLS_EVENTS: usize = 4_096;

/// What the media thread takes from Python.
#[derive(Debug)]
pub(crate) enum Letter {
    Command(Command),
    Stop,
}

/// Commands on their way to the media thread: one wake-up for all that wait.
#[derive(Debug)]
pub(crate) struct Inbox {
    letters: Mutex<Vec<Letter>>,
    signal: Signal,
}

impl Inbox {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            letters: Mutex::default(),
            signal: Signal::new()?,
        })
    }

    pub fn signal(&self) -> &Signal {
        &self.signal
    }

    pub fn put(&self, letter: Letter) {
        let mut letters = lock(&self.letters);
        letters.push(letter);
        if letters.len() == 1 {
            self.signal.raise();
        }
    }

    /// Exchanges `taken`, which must be empty, for what waits.
    pub fn take(&self, taken: &mut Vec<Letter>) {
        let mut letters = lock(&self.letters);
        self.signal.clear();
        mem::swap(&mut *letters, taken);
    }
}

#[derive(Debug, Default)]
struct Waiting {
    events: Vec<Event>,
    dtls: usize,
    dropped: DroppedEvents,
    crashed: bool,
}

/// Events that Python was too slow for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DroppedEvents {
    pub dtls: u64,
    pub others: u64,
}

/// Events on their way to Python; the descriptor is readable while any wait.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    signal: Signal,
}

impl Outbox {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            waiting: Mutex::default(),
            signal: Signal::new()?,
        })
    }

    pub fn fd(&self) -> RawFd {
        self.signal.fd()
    }

    /// Queues a batch, raising the signal once if nothing waited before.
    pub fn put(&self, batch: &mut Vec<Event>) {
        if batch.is_empty() {
            return;
        }
        let mut waiting = lock(&self.waiting);
        let was_empty = waiting.events.is_empty();
        for event in batch.drain(..) {
            waiting.admit(event);
        }
        if was_empty && !waiting.events.is_empty() {
            self.signal.raise();
        }
    }

    /// Takes everything that waits; `None` after a crash, when nothing will come any more.
    pub fn take(&self) -> Option<Vec<Event>> {
        let mut waiting = lock(&self.waiting);
        if waiting.crashed && waiting.events.is_empty() {
            return None;
        }
        if !waiting.crashed {
            self.signal.clear();
        }
        waiting.dtls = 0;
        Some(mem::take(&mut waiting.events))
    }

    pub fn dropped(&self) -> DroppedEvents {
        lock(&self.waiting).dropped
    }

    /// Says that the media thread is dead; the descriptor stays readable.
    pub fn crash(&self) {
        lock(&self.waiting).crashed = true;
        self.signal.raise();
    }
}

impl Waiting {
    fn admit(&mut self, event: Event) {
        if matches!(event, Event::DtlsReceived { .. }) {
            if self.dtls >= MAX_DTLS_EVENTS || self.events.len() >= MAX_EVENTS {
                self.dropped.dtls += 1;
                return;
            }
            self.dtls += 1;
        } else if self.events.len() >= MAX_EVENTS {
            self.dropped.others += 1;
            return;
        }
        self.events.push(event);
    }
}

/// A queue is never left half-written, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dtls(peer: u64) -> Event {
        Event::DtlsReceived {
            peer,
            datagram: vec![22; 64],
        }
    }

    fn silent(peer: u64) -> Event {
        Event::PeerSilent {
            peer,
            silent_ms: 2000,
        }
    }

    #[test]
    fn letters_arrive_in_order() {
        let inbox = Inbox::new().unwrap();
        for token in 0..5 {
            inbox.put(Letter::Command(Command::RequestStats { token }));
        }
        inbox.put(Letter::Stop);
        let mut taken = Vec::new();
        inbox.take(&mut taken);
        let tokens: Vec<_> = taken
            .iter()
            .filter_map(|letter| match letter {
                Letter::Command(Command::RequestStats { token }) => Some(*token),
                _ => None,
            })
            .collect();
        assert_eq!(tokens, [0, 1, 2, 3, 4]);
        assert!(matches!(taken.last(), Some(Letter::Stop)));
    }

    #[test]
    fn a_flood_of_dtls_leaves_room_for_other_events() {
        let outbox = Outbox::new().unwrap();
        outbox.put(&mut (0..10_000).map(dtls).collect());
        outbox.put(&mut vec![silent(1)]);
        let events = outbox.take().unwrap();
        assert_eq!(events.len(), MAX_DTLS_EVENTS + 1);
        assert_eq!(events.last(), Some(&silent(1)));
        let lost = 10_000 - MAX_DTLS_EVENTS as u64;
        assert_eq!(
            outbox.dropped(),
            DroppedEvents {
                dtls: lost,
                others: 0
            }
        );

        outbox.put(&mut vec![dtls(7)]);
        assert_eq!(outbox.take().unwrap(), [dtls(7)]);
    }

    #[test]
    fn a_reader_that_never_comes_costs_bounded_memory() {
        let outbox = Outbox::new().unwrap();
        for round in 0..10 {
            outbox.put(
                &mut (0..5_000)
                    .map(|peer| silent(round * 5_000 + peer))
                    .collect(),
            );
        }
        let events = outbox.take().unwrap();
        assert_eq!(events.len(), MAX_EVENTS);
        assert_eq!(events[0], silent(0));
        assert_eq!(outbox.dropped().others, 50_000 - MAX_EVENTS as u64);
    }

    #[test]
    fn after_a_crash_the_last_events_come_and_then_none() {
        let outbox = Outbox::new().unwrap();
        outbox.put(&mut vec![silent(1)]);
        outbox.crash();
        assert_eq!(outbox.take(), Some(vec![silent(1)]));
        assert_eq!(outbox.take(), None);
    }
}
