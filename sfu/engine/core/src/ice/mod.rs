//! ICE-lite (RFC 8445): who may talk from which address, decided by authenticated STUN alone.

mod agent;
mod budget;
mod reply;
mod table;

pub use table::{AddressChange, IceError, IceTable, IgnoredStun, StunOutcome};
