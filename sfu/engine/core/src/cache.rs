//! Recent packets of one layer, so that a retransmission never has to ask the publisher.

use core::time::Duration;

use crate::time::Time;

/// How far back packets are wanted: several round trips of a bad mobile network.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// Larger packets are forwarded but not kept; nothing on a 1500-byte path is larger.
const MAX_PACKET_BYTES: usize = 1500;
/// Where an arena starts, enough for a second of 250 kb/s.
const FIRST_ARENA_BYTES: usize = 32 * 1024;
/// Where a video arena stops growing, enough for a second of 4 Mb/s.
pub const VIDEO_ARENA_BYTES: usize = 512 * 1024;
/// Where an audio arena stops growing.
pub const AUDIO_ARENA_BYTES: usize = 16 * 1024;
/// Packets remembered of a video layer.
pub const VIDEO_RECORDS: usize = 512;
/// Packets remembered of an audio source.
pub const AUDIO_RECORDS: usize = 64;

/// A ring of packets by extended sequence number over a ring of bytes.
///
/// Neither ring allocates in steady state: the bytes double while a lap takes less than
/// `KEPT_FOR`, up to a limit, and old packets are overwritten.
pub struct PacketCache {
    /// Empty, like the arena, until the first packet.
    records: Box<[Record]>,
    arena: Box<[u8]>,
    /// Bytes written since the start, holes at the arena's end included.
    head: u64,
    lap_started: Time,
    max_records: usize,
    max_arena_bytes: usize,
}

#[derive(Clone, Copy, Default)]
struct Record {
    sequence: u64,
    at: u64,
    bytes: usize,
}

impl PacketCache {
    /// An empty cache of `records` packets, a power of two, in at most `max_arena_bytes`.
    pub fn new(records: usize, max_arena_bytes: usize) -> Self {
        debug_assert!(records.is_power_of_two());
        Self {
            records: Box::default(),
            arena: Box::default(),
            head: 0,
            lap_started: Time(0),
            max_records: records,
            max_arena_bytes,
        }
    }

    /// Keep a copy of a plain packet.
    pub fn insert(&mut self, sequence: u64, packet: &[u8], now: Time) {
        if packet.len() > MAX_PACKET_BYTES {
            return;
        }
        if self.arena.is_empty() {
            self.allocate(FIRST_ARENA_BYTES.min(self.max_arena_bytes));
            self.lap_started = now;
        }
        if self.offset(self.head) + packet.len() > self.arena.len() {
            self.next_lap(now);
        }
        self.write(sequence, packet);
    }

    /// The packet, unless it was overwritten or never came.
    pub fn get(&self, sequence: u64) -> Option<&[u8]> {
        let record = self.records.get(self.slot(sequence))?;
        let kept = record.bytes > 0
            && record.sequence == sequence
            && self.head <= record.at + self.arena.len() as u64;
        let start = self.offset(record.at);
        kept.then(|| &self.arena[start..start + record.bytes])
    }

    /// Forget every packet: the stream began anew.
    pub fn clear(&mut self) {
        self.records.fill(Record::default());
    }

    fn write(&mut self, sequence: u64, packet: &[u8]) {
        let start = self.offset(self.head);
        self.arena[start..start + packet.len()].copy_from_slice(packet);
        let slot = self.slot(sequence);
        self.records[slot] = Record {
            sequence,
            at: self.head,
            bytes: packet.len(),
        };
        self.head += packet.len() as u64;
    }

    /// Go on at the arena's beginning, in a larger one if this was filled too fast.
    fn next_lap(&mut self, now: Time) {
        let fast = now.since(self.lap_started) < KEPT_FOR;
        self.lap_started = now;
        self.head = self.head.next_multiple_of(self.arena.len() as u64);
        if fast && self.arena.len() * 2 <= self.max_arena_bytes {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let mut larger = Self::new(self.max_records, self.max_arena_bytes);
        larger.allocate(self.arena.len() * 2);
        larger.lap_started = self.lap_started;
        let mut oldest_first: Vec<Record> = self.records.to_vec();
        oldest_first.sort_unstable_by_key(|record| record.at);
        for record in oldest_first.into_iter().filter(|record| record.bytes > 0) {
            if let Some(packet) = self.get(record.sequence) {
                larger.write(record.sequence, packet);
            }
        }
        *self = larger;
    }

    fn allocate(&mut self, arena_bytes: usize) {
        self.records = vec![Record::default(); self.max_records].into();
        self.arena = vec![0; arena_bytes].into();
    }

    fn slot(&self, sequence: u64) -> usize {
        sequence as usize & (self.max_records - 1)
    }

    fn offset(&self, at: u64) -> usize {
        (at % self.arena.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u64, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|i| (sequence as usize + i) as u8).collect()
    }

    #[test]
    fn what_went_in_comes_out_until_it_is_too_old() {
        let mut cache = PacketCache::new(512, VIDEO_ARENA_BYTES);
        for sequence in 0..2_000 {
            cache.insert(sequence, &packet(sequence, 1_000), Time(sequence * 3_000));
        }
        for sequence in 0..2_000 {
            match cache.get(sequence) {
                Some(kept) => assert_eq!(kept, packet(sequence, 1_000), "{sequence}"),
                None => assert!(
                    sequence < 2_000 - 300,
                    "{sequence} is younger than a second"
                ),
            }
        }
        assert_eq!(cache.get(100), None);
    }

    #[test]
    fn the_arena_grows_to_its_limit_and_no_further() {
        let mut cache = PacketCache::new(512, VIDEO_ARENA_BYTES);
        for sequence in 0..10_000 {
            cache.insert(sequence, &packet(sequence, 1_200), Time(sequence * 10));
        }
        assert_eq!(cache.arena.len(), VIDEO_ARENA_BYTES);
        assert_eq!(cache.get(9_999), Some(&packet(9_999, 1_200)[..]));
    }

    #[test]
    fn a_slow_layer_keeps_a_small_arena() {
        let mut cache = PacketCache::new(512, VIDEO_ARENA_BYTES);
        for sequence in 0..2_000 {
            cache.insert(sequence, &packet(sequence, 600), Time(sequence * 50_000));
        }
        assert_eq!(cache.arena.len(), FIRST_ARENA_BYTES);
    }

    #[test]
    fn oversized_and_cleared_packets_are_not_kept() {
        let mut cache = PacketCache::new(64, AUDIO_ARENA_BYTES);
        cache.insert(1, &[1; MAX_PACKET_BYTES + 1], Time(0));
        assert_eq!(cache.get(1), None);
        cache.insert(2, &[2; 20], Time(0));
        assert!(cache.get(2).is_some());
        cache.clear();
        assert_eq!(cache.get(2), None);
    }

    #[test]
    fn sizes_of_every_kind_never_mix_packets_up() {
        let mut cache = PacketCache::new(64, AUDIO_ARENA_BYTES);
        let mut bytes = 1;
        for sequence in 0..5_000 {
            bytes = (bytes * 31 + 7) % MAX_PACKET_BYTES + 1;
            cache.insert(
                sequence,
                &packet(sequence, bytes.min(MAX_PACKET_BYTES)),
                Time(sequence),
            );
            for back in 0..20.min(sequence) {
                if let Some(kept) = cache.get(sequence - back) {
                    assert_eq!(kept, packet(sequence - back, kept.len()));
                }
            }
        }
    }
}
