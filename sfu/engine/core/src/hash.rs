//! A hash for keys that no stranger chooses: addresses that were authenticated, and our own numbers.

use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

/// A map with this hash.
pub type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<QuickHasher>>;

/// Odd, without pattern: the fraction of the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Folds each word in by one wide multiplication.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuickHasher(u64);

impl QuickHasher {
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word).wrapping_mul(u128::from(MULTIPLIER));
        self.0 = (product as u64) ^ (product >> 64) as u64 ^ MULTIPLIER.rotate_left(17);
    }
}

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.fold(value.into());
    }

    fn write_u16(&mut self, value: u16) {
        self.fold(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.fold(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.fold(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.fold(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use core::hash::{BuildHasher, BuildHasherDefault};
    use core::net::SocketAddr;
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn neighbours_spread_over_all_bits() {
        let build = BuildHasherDefault::<QuickHasher>::default();
        let hashes: Vec<u64> = (0..4096u16)
            .map(|port| build.hash_one(SocketAddr::from(([10, 0, 0, 1], 40_000 + port))))
            .chain((0..4096u64).map(|id| build.hash_one(id)))
            .collect();
        for shift in [0, 20, 52] {
            let distinct: HashSet<u64> = hashes.iter().map(|hash| hash >> shift & 0xfff).collect();
            assert!(distinct.len() > 3000, "{} at bit {shift}", distinct.len());
        }
    }
}
