//! The agents of all peers, found by user name fragment and by address.

use core::fmt;
use core::hash::BuildHasherDefault;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;

use super::agent::{Agent, Credentials, Generation};
use super::budget::SourceBudgets;
use super::reply::{self, Refusal};
use crate::PeerId;
use crate::hash::QuickMap;
use crate::outbox::Outbox;
use crate::time::Time;
use crate::wire::stun::{BINDING, Class, Message};

/// A peer that was heard within this time keeps its address, whoever claims it: else a peer
/// that forges source addresses could take another's media away.
const ADDRESS_HOLD: Duration = Duration::from_secs(1);

/// Fixed hash keys are safe here: all keys in the maps are ours or of authenticated peers, and
/// each peer has few.
type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// Why credentials were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IceError {
    /// The peer is there already.
    PeerExists,
    /// The peer is not there.
    UnknownPeer,
    /// Another agent uses the user name fragment.
    UfragTaken,
    /// Not 4 to 256 characters for the fragment, 22 to 256 for the password (RFC 8839, 5.4).
    Credentials,
}

impl IceError {
    /// A stable name for errors and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PeerExists => "ice_peer_exists",
            Self::UnknownPeer => "ice_unknown_peer",
            Self::UfragTaken => "ice_ufrag_taken",
            Self::Credentials => "ice_credentials",
        }
    }
}

impl fmt::Display for IceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl std::error::Error for IceError {}

/// Why a datagram had no effect and no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IgnoredStun {
    /// No well-formed STUN.
    Malformed,
    /// Well-formed, but no Binding request: nothing else is spoken here.
    NotARequest,
    /// No user name or none that is ours, no integrity or a wrong one.
    Unauthenticated,
    /// The source failed too often.
    OverBudget,
    /// The address belongs to another peer that is being heard.
    AddressTaken,
}

impl IgnoredStun {
    /// The name of the drop counter.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "stun_malformed",
            Self::NotARequest => "stun_not_request",
            Self::Unauthenticated => "stun_unauthenticated",
            Self::OverBudget => "stun_over_budget",
            Self::AddressTaken => "stun_address_taken",
        }
    }
}

/// The address that media goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressChange {
    /// Where media goes from now on.
    pub address: SocketAddr,
    /// Where it went before; `None` at first.
    pub previous: Option<SocketAddr>,
}

/// What a STUN datagram led to. A reply is in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StunOutcome {
    /// Nothing was sent and nothing changed.
    Ignored(IgnoredStun),
    /// An authenticated request was answered with an error and changed nothing.
    Refused {
        /// Whose request it was.
        peer: PeerId,
    },
    /// An authenticated request was answered; its source is now an address of the peer.
    Reply {
        /// Whose request it was.
        peer: PeerId,
        /// The peer's media address is new or changed.
        validated: Option<AddressChange>,
        /// Whether the request carried USE-CANDIDATE.
        nominated: bool,
    },
}

/// All ICE-lite agents of the port.
pub struct IceTable {
    agents: QuickMap<PeerId, Agent>,
    by_ufrag: Map<Box<[u8]>, (PeerId, Generation)>,
    by_address: QuickMap<SocketAddr, PeerId>,
    budgets: SourceBudgets,
}

impl IceTable {
    /// An empty table; `seed` spreads strangers over their budgets.
    pub fn new(seed: u64) -> Self {
        Self {
            agents: QuickMap::default(),
            by_ufrag: Map::default(),
            by_address: QuickMap::default(),
            budgets: SourceBudgets::new(seed),
        }
    }

    /// Answers STUN for our `ufrag` and `password` from now on.
    ///
    /// # Errors
    /// `PeerExists`, `UfragTaken`, `Credentials`; nothing changes then.
    pub fn add_peer(&mut self, peer: PeerId, ufrag: &str, password: &str) -> Result<(), IceError> {
        if self.agents.contains_key(&peer) {
            return Err(IceError::PeerExists);
        }
        let credentials = self.admit_credentials(ufrag, password)?;
        self.by_ufrag
            .insert(credentials.ufrag.clone(), (peer, Generation::Current));
        self.agents.insert(peer, Agent::new(credentials));
        Ok(())
    }

    /// Accepts new credentials beside the old ones, which end with the first nomination under
    /// the new ones (RFC 8445, section 2.4).
    ///
    /// # Errors
    /// `UnknownPeer`, `UfragTaken`, `Credentials`; nothing changes then.
    pub fn restart_peer(
        &mut self,
        peer: PeerId,
        ufrag: &str,
        password: &str,
    ) -> Result<(), IceError> {
        let credentials = self.admit_credentials(ufrag, password)?;
        let agent = self.agents.get_mut(&peer).ok_or(IceError::UnknownPeer)?;
        if let Some(abandoned) = agent.next.take() {
            self.by_ufrag.remove(&abandoned.ufrag);
        }
        self.by_ufrag
            .insert(credentials.ufrag.clone(), (peer, Generation::Next));
        agent.next = Some(credentials);
        Ok(())
    }

    /// Forgets a peer; returns whether it was there.
    pub fn remove_peer(&mut self, peer: PeerId) -> bool {
        let Some(agent) = self.agents.remove(&peer) else {
            return false;
        };
        self.by_ufrag.remove(&agent.current.ufrag);
        if let Some(next) = &agent.next {
            self.by_ufrag.remove(&next.ufrag);
        }
        for address in agent.addresses() {
            self.by_address.remove(&address);
        }
        true
    }

    /// Takes a STUN datagram; an answer goes to the outbox.
    ///
    /// Only an authenticated Binding request has any effect. Everything else costs no byte and
    /// no allocation.
    pub fn receive(
        &mut self,
        datagram: &[u8],
        source: SocketAddr,
        now: Time,
        outbox: &mut Outbox,
    ) -> StunOutcome {
        match self.authenticate(datagram, source, now) {
            Ok((request, peer, generation)) => {
                self.answer(&request, peer, generation, source, now, outbox)
            }
            Err(reason) => StunOutcome::Ignored(reason),
        }
    }

    /// Whose validated address this is.
    pub fn peer_of(&self, address: SocketAddr) -> Option<PeerId> {
        self.by_address.get(&address).copied()
    }

    /// Where a peer's media goes.
    pub fn address_of(&self, peer: PeerId) -> Option<SocketAddr> {
        self.agents.get(&peer)?.selected()
    }

    /// Forgets an address that cannot be reached any more: its connection was closed. Returns
    /// whose it was, and where media goes instead if it went there.
    pub fn close(&mut self, address: SocketAddr) -> Option<(PeerId, Option<AddressChange>)> {
        let peer = self.by_address.remove(&address)?;
        let next = self.agents.get_mut(&peer)?.close(address);
        let change = next.map(|next| AddressChange {
            address: next,
            previous: Some(address),
        });
        Some((peer, change))
    }

    /// The peer proved otherwise that it is at `address` now, which nobody else may have.
    /// Returns where media goes from now on, if that changed.
    pub fn follow(
        &mut self,
        peer: PeerId,
        address: SocketAddr,
        now: Time,
    ) -> Option<AddressChange> {
        if !self.agents.contains_key(&peer) || self.is_taken(address, peer, now) {
            return None;
        }
        self.learn(peer, address, true, now)
    }

    /// Takes note that something authentic of another protocol came from a peer.
    pub fn heard(&mut self, peer: PeerId, now: Time) {
        if let Some(agent) = self.agents.get_mut(&peer) {
            agent.last_heard = Some(now);
        }
    }

    /// When a peer was last heard: STUN, or what `heard` was told.
    pub fn last_heard(&self, peer: PeerId) -> Option<Time> {
        self.agents.get(&peer)?.last_heard
    }

    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether there is no peer.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    fn admit_credentials(&self, ufrag: &str, password: &str) -> Result<Credentials, IceError> {
        let sane = |text: &str, least: usize| {
            (least..=256).contains(&text.len()) && text.bytes().all(is_ice_char)
        };
        if !sane(ufrag, 4) || !sane(password, 22) {
            return Err(IceError::Credentials);
        }
        if self.by_ufrag.contains_key(ufrag.as_bytes()) {
            return Err(IceError::UfragTaken);
        }
        Ok(Credentials::new(ufrag, password))
    }

    /// Whose request this is, and under which credentials.
    fn authenticate<'a>(
        &mut self,
        datagram: &'a [u8],
        source: SocketAddr,
        now: Time,
    ) -> Result<(Message<'a>, PeerId, Generation), IgnoredStun> {
        let request = Message::parse(datagram).map_err(|_| IgnoredStun::Malformed)?;
        if request.class != Class::Request || request.method != BINDING {
            return Err(IgnoredStun::NotARequest);
        }
        let (peer, generation) = request
            .username
            .filter(|_| request.claims_integrity())
            .and_then(our_ufrag)
            .and_then(|ufrag| self.by_ufrag.get(ufrag))
            .copied()
            .ok_or(IgnoredStun::Unauthenticated)?;
        let is_stranger = self.by_address.get(&source) != Some(&peer);
        if is_stranger && !self.budgets.allows(source.ip(), now) {
            return Err(IgnoredStun::OverBudget);
        }
        let key = self
            .agents
            .get(&peer)
            .and_then(|agent| agent.key(generation));
        if key.is_some_and(|key| request.has_integrity_of(key)) {
            return Ok((request, peer, generation));
        }
        if is_stranger {
            self.budgets.spend(source.ip());
        }
        Err(IgnoredStun::Unauthenticated)
    }

    fn answer(
        &mut self,
        request: &Message<'_>,
        peer: PeerId,
        generation: Generation,
        source: SocketAddr,
        now: Time,
        outbox: &mut Outbox,
    ) -> StunOutcome {
        let ignored = StunOutcome::Ignored(IgnoredStun::Unauthenticated);
        let Some(key) = self
            .agents
            .get(&peer)
            .and_then(|agent| agent.key(generation))
        else {
            return ignored;
        };
        if let Some(refusal) = refusal_of(request) {
            reply::refuse(request, source, key, refusal, outbox);
            return StunOutcome::Refused { peer };
        }
        if self.is_taken(source, peer, now) {
            return StunOutcome::Ignored(IgnoredStun::AddressTaken);
        }
        reply::accept(request, source, key, outbox);
        let nominated = request.use_candidate;
        if nominated && generation == Generation::Next {
            self.complete_restart(peer);
        }
        StunOutcome::Reply {
            peer,
            validated: self.learn(peer, source, nominated, now),
            nominated,
        }
    }

    /// Whether `address` is another peer's that was heard a moment ago.
    fn is_taken(&self, address: SocketAddr, peer: PeerId, now: Time) -> bool {
        let owner = self.peer_of(address).filter(|owner| *owner != peer);
        owner
            .and_then(|owner| self.last_heard(owner))
            .is_some_and(|heard| now.since(heard) < ADDRESS_HOLD)
    }

    fn learn(
        &mut self,
        peer: PeerId,
        address: SocketAddr,
        nominated: bool,
        now: Time,
    ) -> Option<AddressChange> {
        if let Some(owner) = self.by_address.insert(address, peer) {
            if owner != peer {
                self.agents.get_mut(&owner)?.lose(address);
            }
        }
        let learned = self.agents.get_mut(&peer)?.learn(address, nominated, now);
        if let Some(forgotten) = learned.forgotten {
            self.by_address.remove(&forgotten);
        }
        learned
            .selected
            .map(|previous| AddressChange { address, previous })
    }

    fn complete_restart(&mut self, peer: PeerId) {
        let Some(agent) = self.agents.get_mut(&peer) else {
            return;
        };
        if let Some(next) = agent.next.take() {
            self.by_ufrag.remove(&agent.current.ufrag);
            self.by_ufrag
                .insert(next.ufrag.clone(), (peer, Generation::Current));
            agent.current = next;
        }
    }
}

impl fmt::Debug for IceTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IceTable({} peers)", self.agents.len())
    }
}

/// RFC 8839, section 5.1: ALPHA / DIGIT / "+" / "/".
const fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Our part of a request's user name, `ours:theirs` (RFC 8445, section 7.2.2).
fn our_ufrag(username: &[u8]) -> Option<&[u8]> {
    let colon = username.iter().position(|byte| *byte == b':')?;
    let (ours, theirs) = username.split_at(colon);
    (!theirs[1..].is_empty()).then_some(ours)
}

/// What is wrong with an authenticated request. A lite agent is always controlled, so a peer
/// that says the same of itself must change its role.
fn refusal_of(request: &Message<'_>) -> Option<Refusal> {
    if !request.unknown.types().is_empty() {
        return Some(Refusal::UnknownAttribute);
    }
    request.controlled.map(|_| Refusal::RoleConflict)
}
