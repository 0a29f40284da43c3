//! One client: its keys, its sources and slots, and what both ends know of the path.

use std::net::SocketAddr;

use crate::PeerId;
use crate::allocation::Allocation;
use crate::command::{Direction, Media};
use crate::downlink::Downlink;
use crate::extensions::MeaningById;
use crate::feedback::ArrivalRecorder;
use crate::layer::Layer;
use crate::reports::{RoundTrip, SenderClock};
use crate::slot::Slot;
use crate::source::Source;
use crate::srtp::{Inbound, Outbound};
use crate::streams::StreamTable;
use crate::time::Time;

/// Most sections of one description that are looked at.
pub const MAX_MEDIA: usize = 256;

/// A client, from `AddPeer` to `RemovePeer`. Indices of sources and slots stay valid while the
/// section stays; a section that went leaves `None`, which a later one may fill.
pub struct Peer {
    /// The owner's number for it.
    pub id: PeerId,
    /// Where it is, once STUN said so.
    pub address: Option<SocketAddr>,
    /// Opens what it sends, once DTLS is done.
    pub inbound: Option<Inbound>,
    /// Seals what we send.
    pub outbound: Option<Outbound>,
    /// What its header-extension ids mean.
    pub meanings: MeaningById,
    /// What it sends.
    pub sources: Vec<Option<Source>>,
    /// What it shows.
    pub slots: Vec<Option<Slot>>,
    /// Its known SSRCs.
    pub streams: StreamTable,
    /// When its packets arrived.
    pub arrivals: ArrivalRecorder,
    /// The SSRC of our reports and requests to it.
    pub rtcp_ssrc: u32,
    /// What the path to it carries.
    pub downlink: Downlink,
    /// The round trip to it.
    pub round_trip: RoundTrip,
    /// Its wall clock.
    pub clock: SenderClock,
    /// When something authenticated came last.
    pub last_heard: Time,
    /// When something came last from an address of the peer, a packet seen before included.
    pub last_at_address: Time,
    /// When the ICE table was last told that media is heard.
    pub heard_told: Time,
    /// How many marks of silence were told since then.
    pub silence_told: usize,
    /// How its bandwidth was shared among its slots.
    pub allocation: Allocation,
    /// How many DTLS datagrams of it are passed on.
    pub dtls_budget: DtlsBudget,
}

/// A burst of datagrams, refilled steadily.
#[derive(Debug)]
pub struct DtlsBudget {
    left: u64,
    refilled: Time,
}

impl DtlsBudget {
    const BURST: u64 = 64;
    const MICROS_EACH: u64 = 50_000;

    fn new(now: Time) -> Self {
        Self {
            left: Self::BURST,
            refilled: now,
        }
    }

    /// Use up one datagram, if any is left.
    pub fn take(&mut self, now: Time) -> bool {
        let gained = now.since(self.refilled).as_micros() as u64 / Self::MICROS_EACH;
        self.left = (self.left + gained).min(Self::BURST);
        self.refilled = Time(self.refilled.0 + gained * Self::MICROS_EACH);
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

impl Peer {
    /// A client that nothing is known of.
    pub fn new(id: PeerId, rtcp_ssrc: u32, now: Time) -> Self {
        Self {
            id,
            address: None,
            inbound: None,
            outbound: None,
            meanings: MeaningById::default(),
            sources: Vec::new(),
            slots: Vec::new(),
            streams: StreamTable::default(),
            arrivals: ArrivalRecorder::default(),
            rtcp_ssrc,
            downlink: Downlink::default(),
            round_trip: RoundTrip::default(),
            clock: SenderClock::default(),
            last_heard: now,
            last_at_address: now,
            heard_told: Time(0),
            silence_told: 0,
            allocation: Allocation::default(),
            dtls_budget: DtlsBudget::new(now),
        }
    }

    /// Whether media can be sent to it: its address was validated and DTLS is done.
    pub fn is_reachable(&self) -> bool {
        self.address.is_some() && self.outbound.is_some()
    }

    /// The index of a source by its mid.
    pub fn source_by_mid(&self, mid: &str) -> Option<usize> {
        self.sources
            .iter()
            .position(|source| source.as_ref().is_some_and(|source| source.mid == mid))
    }

    /// The index of a slot by its mid.
    pub fn slot_by_mid(&self, mid: &str) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.as_ref().is_some_and(|slot| slot.mid == mid))
    }

    /// The index of a slot by its stream's SSRC, or its retransmissions'.
    pub fn slot_by_ssrc(&self, ssrc: u32) -> Option<usize> {
        self.slots.iter().position(|slot| {
            slot.as_ref()
                .is_some_and(|slot| slot.ssrc == ssrc || slot.rtx_ssrc == Some(ssrc))
        })
    }

    /// All layers of all sources.
    pub fn layers_mut(&mut self) -> impl Iterator<Item = &mut Layer> {
        self.sources
            .iter_mut()
            .flatten()
            .flat_map(|source| source.layers.iter_mut())
    }

    /// Sources and slots that a new description no longer has: indices of each.
    pub fn gone(&self, media: &[Media]) -> (Vec<usize>, Vec<usize>) {
        let has = |mid: &str, direction| {
            media
                .iter()
                .any(|m| m.mid == mid && m.direction == direction)
        };
        let sources = self
            .sources
            .iter()
            .enumerate()
            .filter_map(|(index, source)| {
                source
                    .as_ref()
                    .filter(|source| !has(&source.mid, Direction::Receive))
                    .map(|_| index)
            });
        let slots = self.slots.iter().enumerate().filter_map(|(index, slot)| {
            slot.as_ref()
                .filter(|slot| !has(&slot.mid, Direction::Send))
                .map(|_| index)
        });
        (sources.collect(), slots.collect())
    }
}

/// Put `item` into the first empty place, or a new one; its index.
pub fn place<T>(places: &mut Vec<Option<T>>, item: T) -> usize {
    match places.iter().position(Option::is_none) {
        Some(index) => {
            places[index] = Some(item);
            index
        }
        None => {
            places.push(Some(item));
            places.len() - 1
        }
    }
}
