//! Datagrams that the kernel had no room for.

use std::collections::VecDeque;
use std::net::SocketAddr;

/// Bounds the backlog: about 80 ms at 200 Mbit/s. What is older than that is late anyway.
const MAX_BACKLOG_BYTES: usize = 2 * 1024 * 1024;

/// What one queued datagram costs besides its payload.
const ENTRY_BYTES: usize = 64;

/// A bounded queue in sending order.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    datagrams: VecDeque<(SocketAddr, Box<[u8]>)>,
    bytes: usize,
}

impl Backlog {
    /// Queues a copy; false if there is no room and the datagram is lost.
    pub fn push(&mut self, destination: SocketAddr, datagram: &[u8]) -> bool {
        let bytes = self.bytes + datagram.len() + ENTRY_BYTES;
        if bytes > MAX_BACKLOG_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.datagrams.push_back((destination, datagram.into()));
        true
    }

    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        self.datagrams
            .iter()
            .map(|(destination, datagram)| (*destination, &**datagram))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_in_bytes_however_small_the_datagrams() {
        let destination: SocketAddr = "127.0.0.1:9".parse().unwrap();
        for size in [0, 1, 1200] {
            let mut backlog = Backlog::default();
            let mut queued = 0;
            while backlog.push(destination, &vec![0; size]) {
                queued += 1;
            }
            assert_eq!(queued, MAX_BACKLOG_BYTES / (size + ENTRY_BYTES));
            assert_eq!(backlog.iter().count(), queued);
        }
    }
}
