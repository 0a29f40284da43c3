//! The sans-IO media engine: datagrams and commands in, datagrams and events out.
//!
//! The core owns no clock, socket or randomness: `now`, addresses and seeds are arguments, so
//! whole calls run in virtual time.
#![forbid(unsafe_code)]
