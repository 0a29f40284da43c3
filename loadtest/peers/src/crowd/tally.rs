//! What all members together saw, and how it is told.

use mianshi_engine_core::time::Time;
use serde::Serialize;

use super::frames::PictureTotals;
use super::watching::PacketTotals;
use crate::histogram::Histogram;

/// Counted by the process as a whole.
#[derive(Debug, Default)]
pub struct Tally {
    /// RTP packets of media sent, repetitions left out.
    pub sent: u64,
    /// Datagrams sent, and their bytes.
    pub datagrams_sent: u64,
    /// As above.
    pub bytes_sent: u64,
    /// Datagrams received, and their bytes.
    pub datagrams_received: u64,
    /// As above.
    pub bytes_received: u64,
    /// Datagrams that the kernel would not send.
    pub refused: u64,
    /// Datagrams that could not be opened.
    pub unreadable: u64,
    /// Keyframes that members asked for.
    pub keyframes_asked: u64,
    /// Keyframes that members were asked for.
    pub keyframes_wanted: u64,
    /// Packets that members asked for again, requests counted.
    pub packets_asked: u64,
    /// Of members that have left.
    pub left: Totals,
    /// The most that a frame was late since the last sample: how well the generator keeps up.
    pub late_us: u64,
    /// From just before sealing to the kernel's note of the arrival, since the last sample.
    pub latency: Histogram,
}

/// Of streams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Packets.
    pub packets: PacketTotals,
    /// Pictures.
    pub pictures: PictureTotals,
}

impl Totals {
    /// Adds a stream's.
    pub fn add(&mut self, packets: PacketTotals, pictures: PictureTotals) {
        self.packets.received += packets.received;
        self.packets.lost += packets.lost;
        self.packets.repaired += packets.repaired;
        self.packets.duplicates += packets.duplicates;
        self.packets.reordered += packets.reordered;
        self.pictures.pictures += pictures.pictures;
        self.pictures.freezes += pictures.freezes;
        self.pictures.long_freezes += pictures.long_freezes;
        self.pictures.frozen_us += pictures.frozen_us;
    }
}

/// One line of output.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The state of things, once a second and at the end: counters since the beginning.
    Sample(Box<Sample>),
    /// Somebody sees the first picture of somebody.
    FirstPicture {
        /// Who sees.
        user: u64,
        /// In which slot.
        ssrc: u32,
        /// Since the slot began to show that person.
        after_ms: f64,
    },
    /// What one member saw, when it left and at the end.
    Member(MemberReport),
}

/// See [`Tally`], [`PacketTotals`] and [`PictureTotals`].
#[derive(Debug, Serialize)]
pub struct Sample {
    /// Microseconds of CLOCK_MONOTONIC.
    pub at_us: u64,
    pub users: usize,
    pub sent: u64,
    pub datagrams_sent: u64,
    pub bytes_sent: u64,
    pub datagrams_received: u64,
    pub bytes_received: u64,
    pub refused: u64,
    pub unreadable: u64,
    pub keyframes_asked: u64,
    pub keyframes_wanted: u64,
    pub packets_asked: u64,
    pub received: u64,
    pub lost: u64,
    pub repaired: u64,
    pub duplicates: u64,
    pub reordered: u64,
    pub pictures: u64,
    pub freezes: u64,
    pub long_freezes: u64,
    pub frozen_ms: u64,
    pub late_us: u64,
    /// Upper bounds in microseconds and how many packets took no longer, since the last sample.
    pub latency_us: Vec<(u64, u64)>,
}

/// What one member saw.
#[derive(Debug, Serialize)]
pub struct MemberReport {
    pub user: u64,
    pub received: u64,
    pub lost: u64,
    pub repaired: u64,
    pub pictures: u64,
    pub freezes: u64,
    pub long_freezes: u64,
    pub frozen_ms: u64,
    pub worst_latency_us: u64,
}

impl Tally {
    /// The sample at `now`; latency and lateness begin anew. `present`: of members still there.
    pub fn sample(&mut self, now: Time, users: usize, present: Totals) -> Sample {
        let mut all = self.left;
        all.add(present.packets, present.pictures);
        let latency = std::mem::take(&mut self.latency);
        Sample {
            at_us: now.as_micros(),
            users,
            sent: self.sent,
            datagrams_sent: self.datagrams_sent,
            bytes_sent: self.bytes_sent,
            datagrams_received: self.datagrams_received,
            bytes_received: self.bytes_received,
            refused: self.refused,
            unreadable: self.unreadable,
            keyframes_asked: self.keyframes_asked,
            keyframes_wanted: self.keyframes_wanted,
            packets_asked: self.packets_asked,
            received: all.packets.received,
            lost: all.packets.lost,
            repaired: all.packets.repaired,
            duplicates: all.packets.duplicates,
            reordered: all.packets.reordered,
            pictures: all.pictures.pictures,
            freezes: all.pictures.freezes,
            long_freezes: all.pictures.long_freezes,
            frozen_ms: all.pictures.frozen_us / 1_000,
            late_us: std::mem::take(&mut self.late_us),
            latency_us: latency.counts(),
        }
    }
}
