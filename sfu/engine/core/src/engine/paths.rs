//! Where a peer is: what STUN validated, what was closed, and a peer that moved unawares.

use std::net::SocketAddr;

use super::Engine;
use crate::drops::DropReason;
use crate::event::Event;
use crate::ice::AddressChange;
use crate::peer::Peer;
use crate::time::Time;
use crate::transport::is_tcp;
use crate::wire::rtp::RtpHeader;

/// A peer of which anything came from its own address within this time has not moved, whoever
/// says so: nobody who copies its packets can take its media away while it speaks.
const MOVED_AFTER_MICROS: u64 = 100_000;

/// Searches for the owner of a stranger's packet, at once and a second after that. Each looks
/// through all peers, so they are few however many strangers there are; a peer that moved needs
/// one.
const SEARCH_BURST: u64 = 200;
const MICROS_PER_SEARCH: u64 = 2_000;

/// What is left of the searches.
#[derive(Debug)]
pub(super) struct SearchBudget {
    left: u64,
    refilled: Time,
}

impl Default for SearchBudget {
    fn default() -> Self {
        Self {
            left: SEARCH_BURST,
            refilled: Time(0),
        }
    }
}

impl SearchBudget {
    fn take(&mut self, now: Time) -> bool {
        let gained = now.since(self.refilled).as_micros() as u64 / MICROS_PER_SEARCH;
        self.left = (self.left + gained).min(SEARCH_BURST);
        self.refilled = Time(self.refilled.0 + gained * MICROS_PER_SEARCH);
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

impl Engine {
    /// Whether an authenticated STUN request came from `source`: media may come from there.
    pub fn is_validated(&self, source: SocketAddr) -> bool {
        self.ice.peer_of(source).is_some()
    }

    /// A TCP connection was closed: nothing more comes from its address or can go there.
    pub fn close_path(&mut self, address: SocketAddr, now: Time) {
        let Some((peer, change)) = self.ice.close(address) else {
            return;
        };
        let next = self.ice.address_of(peer);
        let Some(index) = self.index_of(peer) else {
            return;
        };
        if let Some(peer) = self.peer_mut(index) {
            peer.address = next;
        }
        if let Some(change) = change {
            self.move_peer(index, change, now);
        }
    }

    /// Media goes to another address from now on. Addresses change a few times in a visit, so
    /// looking through all peers is cheap enough.
    pub(super) fn move_peer(&mut self, index: usize, change: AddressChange, now: Time) {
        let AddressChange { address, previous } = change;
        for (other, peer) in self.peers.iter_mut().enumerate() {
            let Some(peer) = peer else { continue };
            if other == index {
                peer.address = Some(address);
            } else if peer.address == Some(address) {
                peer.address = self.ice.address_of(peer.id);
            }
        }
        self.move_downlink(index, now);
        if let Some(peer) = self.peer(index).map(|peer| peer.id) {
            self.events.push_back(Event::IceConnected {
                peer,
                address,
                changed: previous.is_some(),
            });
        }
    }

    /// Whose media this may be that came from an unknown address: a NAT may have given its sender
    /// another one, which the browser does not notice and tells by a check only seconds later.
    ///
    /// What opens with the peer's keys is worth as much from there, so nothing said meanwhile is
    /// lost. Where media goes changes only by `follow`.
    pub(super) fn sender_elsewhere(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Time,
    ) -> Option<usize> {
        let header = RtpHeader::parse(datagram).ok()?;
        // Whoever opens a connection checks it first.
        if is_tcp(&from) || !self.searches.take(now) {
            return None;
        }
        self.peers
            .iter()
            .enumerate()
            .filter_map(|(index, peer)| Some((index, peer.as_deref()?)))
            .filter(|(_, peer)| peer.address.is_some() && peer.streams.get(header.ssrc).is_some())
            .min_by_key(|(_, peer)| peer.last_at_address)
            .map(|(index, _)| index)
    }

    /// A new, authentic packet of the peer came from the unknown address `from`. Who is silent at
    /// its own address meanwhile has moved. That proves as much as a check does, which anybody on
    /// the path could replay: a packet opens only once. Returns whether it has.
    pub(super) fn follow(&mut self, index: usize, from: SocketAddr, now: Time) -> bool {
        let Some(peer) = self.peer(index).filter(|peer| has_left(peer, now)) else {
            return false;
        };
        let peer = peer.id;
        if let Some(change) = self.ice.follow(peer, from, now) {
            self.move_peer(index, change, now);
            return true;
        }
        false
    }

    /// A packet came from the peer's own address, new or not.
    pub(super) fn seen_at_address(&mut self, index: usize, now: Time) {
        if let Some(peer) = self.peer_mut(index) {
            peer.last_at_address = now;
        }
    }

    /// The index of the peer whose validated address this is.
    pub(super) fn sender(&mut self, from: SocketAddr) -> Option<usize> {
        let index = self.ice.peer_of(from).and_then(|peer| self.index_of(peer));
        if index.is_none() {
            self.drop(DropReason::UnknownAddress);
        }
        index
    }
}

fn has_left(peer: &Peer, now: Time) -> bool {
    now.since(peer.last_at_address).as_micros() as u64 >= MOVED_AFTER_MICROS
}
