//! STUN parsing, and the ICE table: no unauthenticated datagram is answered.

use mianshi_engine_core::ice::{IceTable, StunOutcome};
use mianshi_engine_core::outbox::Outbox;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::stun::{Message, integrity_key};

/// Of RFC 5769, so that its samples are authentic here and reach further.
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

/// A datagram from a stranger.
///
/// # Panics
/// It was answered, or changed a path, without being authentic.
pub fn stun(datagram: &[u8]) {
    let is_authentic = Message::parse(datagram).is_ok_and(|message| {
        message.mapped_address();
        message.has_integrity_of(&integrity_key(PASSWORD))
    });
    let mut table = IceTable::new(1);
    table.add_peer(1, "evtj", PASSWORD).expect("a new peer");
    let mut outbox = Outbox::new();
    let source = ([127, 0, 0, 1], 9).into();
    let outcome = table.receive(datagram, source, Time(0), &mut outbox);
    if matches!(outcome, StunOutcome::Ignored(_)) {
        assert!(outbox.is_empty());
        assert_eq!(table.peer_of(source), None);
    } else {
        assert!(is_authentic);
        assert_eq!(outbox.len(), 1);
    }
}
