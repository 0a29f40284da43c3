//! The sans-IO media engine: datagrams and commands in, datagrams and events out.
//!
//! The core owns no clock, socket or randomness: `now`, addresses and seeds are arguments, so
//! whole calls run in virtual time.
#![forbid(unsafe_code)]

pub mod command;
pub mod event;
pub mod ice;
pub mod outbox;
pub mod srtp;
pub mod time;
pub mod wire;

/// A peer's number, allotted by the owner and never used twice.
pub type PeerId = u64;

pub use command::{Codec, Command, Direction, Media, MediaKind};
pub use event::{Event, Stats, StreamStats};
