//! What waits for a slow reader: bounded, pictures first to be left out.

use mianshi_engine_core::outbox::Priority;
use mianshi_engine_core::wire::framing;

/// Beyond this many waiting bytes pictures are dropped: about a second at 1 Mbit/s, and room for
/// a 1080p keyframe on a path that takes it.
const MAX_BYTES_FOR_PICTURES: usize = 128 * 1024;

/// Beyond this everything is: the rest above pictures is 13 s of sound.
const MAX_BYTES: usize = 192 * 1024;

/// Framed packets in sending order.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    bytes: Vec<u8>,
    sent: usize,
}

impl SendQueue {
    /// Appends a packet behind its length; false if there is no room for one of this priority.
    /// Packets are queued whole or not at all: a stream must not lose its framing.
    pub fn push(&mut self, packet: &[u8], priority: Priority) -> bool {
        let bound = match priority {
            Priority::Picture => MAX_BYTES_FOR_PICTURES,
            Priority::Essential => MAX_BYTES,
        };
        let Ok(header) = framing::header(packet.len()) else {
            return false;
        };
        if self.waiting() + header.len() + packet.len() > bound {
            return false;
        }
        self.make_room();
        self.bytes.extend_from_slice(&header);
        self.bytes.extend_from_slice(packet);
        true
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Takes note that the first `bytes` of what waits are on their way.
    pub fn written(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.sent >= self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn waiting(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Moves what waits to the front once it is the smaller part, so that the memory stays
    /// within twice the bound.
    fn make_room(&mut self) {
        if self.sent > self.waiting() {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(queue: &mut SendQueue, priority: Priority) -> usize {
        (0..10_000)
            .take_while(|_| queue.push(&[7; 1_000], priority))
            .count()
    }

    #[test]
    fn pictures_go_first_and_sound_last_and_there_is_an_end() {
        let mut queue = SendQueue::default();
        let pictures = fill(&mut queue, Priority::Picture);
        assert_eq!(pictures, MAX_BYTES_FOR_PICTURES / 1_002);
        let sounds = fill(&mut queue, Priority::Essential);
        assert_eq!(pictures + sounds, MAX_BYTES / 1_002);
        queue.written(MAX_BYTES / 2);
        assert!(queue.push(&[8], Priority::Picture));
    }

    #[test]
    fn the_memory_stays_bounded_however_long_the_reader_is_behind() {
        let mut queue = SendQueue::default();
        fill(&mut queue, Priority::Essential);
        for _ in 0..10_000 {
            queue.written(1_002);
            assert!(queue.push(&[9; 1_000], Priority::Essential));
        }
        assert!(queue.bytes.capacity() <= 4 * MAX_BYTES);
        assert!(queue.waiting() <= MAX_BYTES);
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut queue = SendQueue::default();
        let mut expected = Vec::new();
        let mut seen = Vec::new();
        for number in 0..200_u8 {
            assert!(queue.push(&[number; 100], Priority::Picture));
            expected.extend([0, 100]);
            expected.extend([number; 100]);
            let written = queue.bytes().len().min(77 + usize::from(number));
            seen.extend_from_slice(&queue.bytes()[..written]);
            queue.written(written);
        }
        seen.extend_from_slice(queue.bytes());
        assert_eq!(seen, expected);
    }
}
