//! SRTP and SRTCP (RFC 3711) with AES-CM and HMAC-SHA1 (RFC 5764) or AES-GCM (RFC 7714).
//!
//! Contexts open and seal in place and allocate only when a new stream (SSRC) appears.

mod aead;
mod counter;
mod error;
mod inbound;
mod index;
mod kdf;
mod outbound;
mod profile;
mod replay;
mod session;
mod streams;

pub use error::SrtpError;
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use profile::{MAX_TRAILER_BYTES, Profile};
