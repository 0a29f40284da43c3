//! The sans-IO media engine: datagrams and commands in, datagrams and events out.
//!
//! The core owns no clock, socket or randomness: `now`, addresses and seeds are arguments, so
//! whole calls run in virtual time.
#![forbid(unsafe_code)]

mod allocation;
mod bwe;
pub mod cache;
pub mod command;
mod downlink;
mod drops;
mod encoder_yield;
pub mod engine;
pub mod event;
mod extensions;
pub mod feedback;
mod hash;
pub mod ice;
mod keyframe;
mod layer;
pub mod nack;
pub mod outbox;
mod pacer;
mod packet;
mod peer;
mod picture;
mod rate;
pub mod received;
mod redundancy;
pub mod reports;
mod resend;
mod rewrite;
pub mod seqnum;
mod slot;
mod source;
mod speaker;
pub mod srtp;
mod streams;
pub mod time;
mod timer;
mod transit;
pub mod transport;
mod watched;
pub mod wire;

/// A peer's number, allotted by the owner and never used twice.
pub type PeerId = u64;

pub use command::{Codec, Command, Direction, Media, MediaKind, Tuning};
pub use engine::{Config, Engine};
pub use event::{DownlinkStats, Event, PathStats, Stats, StreamStats, WantedLayer};
