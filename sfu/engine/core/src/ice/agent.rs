//! One peer's side of ICE: its credentials and the addresses it was heard from.

use core::net::SocketAddr;

use aws_lc_rs::hmac::Key;

use crate::time::Time;
use crate::wire::stun::integrity_key;

/// Addresses that are remembered as validated for one peer.
pub(super) const MAX_ADDRESSES: usize = 8;

/// What a peer must know to be answered.
pub(super) struct Credentials {
    pub(super) ufrag: Box<[u8]>,
    pub(super) key: Key,
}

impl Credentials {
    pub(super) fn new(ufrag: &str, password: &str) -> Self {
        Self {
            ufrag: ufrag.as_bytes().into(),
            key: integrity_key(password),
        }
    }
}

/// Which of a peer's credentials a request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    Current,
    /// Those of a restart that is not completed by a nomination yet.
    Next,
}

pub(super) struct Agent {
    pub(super) current: Credentials,
    pub(super) next: Option<Credentials>,
    addresses: Vec<Validated>,
    selected: Option<SocketAddr>,
    pub(super) last_heard: Option<Time>,
}

struct Validated {
    address: SocketAddr,
    checked: Time,
}

/// What an authenticated request did to the addresses.
pub(super) struct Learned {
    /// The address that media goes to changed; this is the one before.
    pub(super) selected: Option<Option<SocketAddr>>,
    /// An address that had to be forgotten for the new one.
    pub(super) forgotten: Option<SocketAddr>,
}

impl Agent {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            current: credentials,
            next: None,
            addresses: Vec::with_capacity(MAX_ADDRESSES),
            selected: None,
            last_heard: None,
        }
    }

    pub(super) fn key(&self, generation: Generation) -> Option<&Key> {
        match generation {
            Generation::Current => Some(&self.current.key),
            Generation::Next => self.next.as_ref().map(|credentials| &credentials.key),
        }
    }

    pub(super) const fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.addresses.iter().map(|validated| validated.address)
    }

    /// Takes note of an authenticated request from `address`; the first address is selected,
    /// and later the one that was nominated last.
    pub(super) fn learn(&mut self, address: SocketAddr, nominated: bool, now: Time) -> Learned {
        let forgotten = self.remember(address, now);
        self.last_heard = Some(now);
        let selects = self.selected.is_none() || nominated && self.selected != Some(address);
        Learned {
            selected: selects.then(|| self.selected.replace(address)),
            forgotten,
        }
    }

    /// Another peer proved that `address` is now its own.
    pub(super) fn lose(&mut self, address: SocketAddr) {
        self.addresses
            .retain(|validated| validated.address != address);
        if self.selected == Some(address) {
            self.selected = None;
        }
    }

    /// Nothing can be sent to `address` any more: media goes to the address that was checked last
    /// of those left. Returns that one if it had to be selected.
    pub(super) fn close(&mut self, address: SocketAddr) -> Option<SocketAddr> {
        let was_selected = self.selected == Some(address);
        self.lose(address);
        if was_selected {
            let newest = self.addresses.iter().max_by_key(|known| known.checked);
            self.selected = newest.map(|known| known.address);
        }
        self.selected.filter(|_| was_selected)
    }

    fn remember(&mut self, address: SocketAddr, now: Time) -> Option<SocketAddr> {
        let known = self
            .addresses
            .iter_mut()
            .find(|validated| validated.address == address);
        if let Some(validated) = known {
            validated.checked = now;
            return None;
        }
        let forgotten = self.make_room();
        self.addresses.push(Validated {
            address,
            checked: now,
        });
        forgotten
    }

    /// Forgets the address that was checked longest ago, if all places are taken.
    fn make_room(&mut self) -> Option<SocketAddr> {
        if self.addresses.len() < MAX_ADDRESSES {
            return None;
        }
        let oldest = self
            .addresses
            .iter()
            .enumerate()
            .filter(|(_, validated)| Some(validated.address) != self.selected)
            .min_by_key(|(_, validated)| validated.checked)
            .map(|(at, _)| at)?;
        Some(self.addresses.swap_remove(oldest).address)
    }
}
