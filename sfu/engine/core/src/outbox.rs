//! Outgoing datagrams of one poll, in one arena that is reused: no allocation in steady state.

use std::net::SocketAddr;
use std::ops::Range;

/// Datagrams waiting to be sent, in order.
///
/// `begin` lends room for a datagram and `commit` keeps its first bytes; a `begin` that is not
/// followed by a `commit` leaves nothing. The caller sends what `iter` yields, then calls `clear`.
#[derive(Default)]
pub struct Outbox {
    arena: Vec<u8>,
    used_bytes: usize,
    pending: Option<Pending>,
    datagrams: Vec<Datagram>,
}

struct Pending {
    destination: SocketAddr,
    capacity: usize,
}

struct Datagram {
    destination: SocketAddr,
    bytes: Range<usize>,
    priority: Priority,
}

/// What a path that falls behind keeps longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Pictures: the first to go, since they can be asked for again.
    Picture,
    /// Sound, reports, handshakes and checks.
    Essential,
}

impl Outbox {
    /// An empty outbox with room for a typical batch.
    pub fn new() -> Self {
        Self {
            arena: vec![0; 64 * 1024],
            used_bytes: 0,
            pending: None,
            datagrams: Vec::with_capacity(64),
        }
    }

    /// Lends `capacity` bytes for a datagram to `destination`; their content is arbitrary.
    pub fn begin(&mut self, destination: SocketAddr, capacity: usize) -> &mut [u8] {
        let end = self.used_bytes + capacity;
        if self.arena.len() < end {
            self.arena.resize(end.max(self.arena.len() * 2), 0);
        }
        self.pending = Some(Pending {
            destination,
            capacity,
        });
        &mut self.arena[self.used_bytes..end]
    }

    /// Keeps the first `bytes` of what `begin` lent last as a datagram.
    ///
    /// # Panics
    /// Without a `begin`, or for more than it lent: a defect of the caller.
    pub fn commit(&mut self, bytes: usize) {
        self.commit_as(bytes, Priority::Essential);
    }

    /// As `commit`, saying how much depends on the datagram.
    ///
    /// # Panics
    /// As `commit`.
    pub fn commit_as(&mut self, bytes: usize, priority: Priority) {
        let pending = self.pending.take().expect("commit follows begin");
        assert!(bytes <= pending.capacity, "a datagram outgrew its room");
        let start = self.used_bytes;
        self.used_bytes += bytes;
        self.datagrams.push(Datagram {
            destination: pending.destination,
            bytes: start..self.used_bytes,
            priority,
        });
    }

    /// Copies a ready datagram.
    pub fn push(&mut self, destination: SocketAddr, datagram: &[u8]) {
        self.begin(destination, datagram.len())
            .copy_from_slice(datagram);
        self.commit(datagram.len());
    }

    /// The datagrams in the order of their commits.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SocketAddr, &[u8])> {
        self.datagrams
            .iter()
            .map(|datagram| (datagram.destination, &self.arena[datagram.bytes.clone()]))
    }

    /// As `iter`, with each datagram's priority.
    pub fn prioritised(&self) -> impl ExactSizeIterator<Item = (SocketAddr, &[u8], Priority)> {
        self.datagrams.iter().map(|datagram| {
            let bytes = &self.arena[datagram.bytes.clone()];
            (datagram.destination, bytes, datagram.priority)
        })
    }

    /// Forgets the datagrams and keeps the memory.
    pub fn clear(&mut self) {
        self.datagrams.clear();
        self.used_bytes = 0;
        self.pending = None;
    }

    /// How many datagrams wait.
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// The bytes of all waiting datagrams together.
    pub fn bytes(&self) -> usize {
        self.used_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn keeps_datagrams_in_order_with_their_destinations() {
        let mut outbox = Outbox::new();
        outbox.begin(address(1), 100)[..3].copy_from_slice(b"abc");
        outbox.commit(3);
        outbox.push(address(2), b"de");
        let sent: Vec<_> = outbox.iter().collect();
        assert_eq!(sent, [(address(1), &b"abc"[..]), (address(2), &b"de"[..])]);
        assert_eq!(outbox.bytes(), 5);
    }

    #[test]
    fn a_datagram_is_essential_unless_it_is_said_to_be_a_picture() {
        let mut outbox = Outbox::new();
        outbox.push(address(1), b"report");
        outbox.begin(address(1), 7).copy_from_slice(b"picture");
        outbox.commit_as(7, Priority::Picture);
        let priorities: Vec<_> = outbox
            .prioritised()
            .map(|(.., priority)| priority)
            .collect();
        assert_eq!(priorities, [Priority::Essential, Priority::Picture]);
    }

    #[test]
    fn an_uncommitted_datagram_leaves_nothing() {
        let mut outbox = Outbox::new();
        outbox.begin(address(1), 10).fill(1);
        outbox.push(address(2), b"x");
        assert_eq!(outbox.iter().collect::<Vec<_>>(), [(address(2), &b"x"[..])]);
    }

    #[test]
    fn clear_keeps_the_arena() {
        let mut outbox = Outbox::new();
        for _ in 0..100 {
            outbox.push(address(1), &[7; 1_400]);
        }
        let capacity = outbox.arena.len();
        outbox.clear();
        assert!(outbox.is_empty());
        for _ in 0..100 {
            outbox.push(address(1), &[7; 1_400]);
        }
        assert_eq!(outbox.arena.len(), capacity);
    }

    #[test]
    #[should_panic(expected = "outgrew")]
    fn refuses_to_commit_more_than_was_lent() {
        let mut outbox = Outbox::new();
        outbox.begin(address(1), 4);
        outbox.commit(5);
    }
}
