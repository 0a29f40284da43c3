use std::net::SocketAddr;

use mianshi_engine_core::ice::{AddressChange, IceError, IceTable, IgnoredStun, StunOutcome};
use mianshi_engine_core::outbox::Outbox;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::stun::{Class, Message, MessageWriter, attribute, integrity_key};

const UFRAG: &str = "abcdefgh";
const PASSWORD: &str = "0123456789abcdefghijkl";
const NEXT_UFRAG: &str = "ijklmnop";
const NEXT_PASSWORD: &str = "lkjihgfedcba9876543210";
const PEER: u64 = 7;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn table() -> IceTable {
    let mut table = IceTable::new(42);
    table.add_peer(PEER, UFRAG, PASSWORD).expect("a new peer");
    table
}

/// A check as a browser sends it, with `change` before the integrity.
fn check_with(
    username: &str,
    password: &str,
    change: impl FnOnce(&mut MessageWriter<'_>),
) -> Vec<u8> {
    let mut buffer = [0; 400];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [3; 12]).expect("room");
    writer
        .attribute(attribute::USERNAME, username.as_bytes())
        .expect("room");
    writer
        .attribute(attribute::PRIORITY, &[0x6e, 0, 1, 0xff])
        .expect("room");
    change(&mut writer);
    writer.integrity(&integrity_key(password)).expect("room");
    writer.fingerprint().expect("room");
    let length = writer.finish();
    buffer[..length].to_vec()
}

fn check(ufrag: &str, password: &str, nominates: bool) -> Vec<u8> {
    check_with(&format!("{ufrag}:theirs"), password, |writer| {
        writer
            .attribute(attribute::ICE_CONTROLLING, &[9; 8])
            .expect("room");
        if nominates {
            writer
                .attribute(attribute::USE_CANDIDATE, &[])
                .expect("room");
        }
    })
}

fn receive(table: &mut IceTable, datagram: &[u8], port: u16, now: Time) -> StunOutcome {
    table.receive(datagram, address(port), now, &mut Outbox::new())
}

fn first_from(port: u16) -> Option<AddressChange> {
    Some(AddressChange {
        address: address(port),
        previous: None,
    })
}

/// Asserts that a datagram has no answer and no effect.
#[track_caller]
fn assert_ignored(table: &mut IceTable, datagram: &[u8], reason: IgnoredStun) {
    let mut outbox = Outbox::new();
    let outcome = table.receive(datagram, address(5), Time(0), &mut outbox);
    assert_eq!(outcome, StunOutcome::Ignored(reason));
    assert!(outbox.is_empty());
    assert_eq!(table.peer_of(address(5)), None);
}

#[test]
fn answers_an_authentic_check_with_its_address() {
    let mut table = table();
    let mut outbox = Outbox::new();
    let now = Time::from_millis(10);
    let outcome = table.receive(&check(UFRAG, PASSWORD, false), address(5), now, &mut outbox);
    assert_eq!(
        outcome,
        StunOutcome::Reply {
            peer: PEER,
            validated: first_from(5),
            nominated: false
        }
    );
    let (destination, datagram) = outbox.iter().next().expect("an answer");
    assert_eq!(destination, address(5));
    let answer = Message::parse(datagram).expect("a valid answer");
    assert_eq!(answer.class, Class::Success);
    assert_eq!(answer.transaction, [3; 12]);
    assert_eq!(answer.mapped_address(), Some(address(5)));
    assert!(answer.has_integrity_of(&integrity_key(PASSWORD)));
    assert!(answer.has_fingerprint());
    assert_eq!(table.peer_of(address(5)), Some(PEER));
    assert_eq!(table.address_of(PEER), Some(address(5)));
    assert_eq!(table.last_heard(PEER), Some(now));
}

#[test]
fn an_ipv4_peer_on_a_dual_stack_socket_is_told_its_ipv4_address() {
    let mut outbox = Outbox::new();
    let source: SocketAddr = "[::ffff:127.0.0.1]:5".parse().expect("an address");
    table().receive(&check(UFRAG, PASSWORD, false), source, Time(0), &mut outbox);
    let (destination, answer) = outbox.iter().next().expect("an answer");
    assert_eq!(destination, source);
    let answer = Message::parse(answer).expect("a valid answer");
    assert_eq!(answer.mapped_address(), Some(address(5)));
}

#[test]
fn strangers_get_silence() {
    let mut table = table();
    let wrong_password = check(UFRAG, NEXT_PASSWORD, true);
    assert_ignored(&mut table, &wrong_password, IgnoredStun::Unauthenticated);
    let wrong_ufrag = check(NEXT_UFRAG, PASSWORD, true);
    assert_ignored(&mut table, &wrong_ufrag, IgnoredStun::Unauthenticated);
    for username in ["abcdefgh", "abcdefgh:", ":theirs", "theirs:abcdefgh", ""] {
        let datagram = check_with(username, PASSWORD, |_| {});
        assert_ignored(&mut table, &datagram, IgnoredStun::Unauthenticated);
    }
    let mut forged = check(UFRAG, PASSWORD, false);
    forged[30] ^= 1;
    assert_ignored(&mut table, &forged, IgnoredStun::Malformed);
    assert_ignored(&mut table, b"", IgnoredStun::Malformed);
    assert_ignored(&mut table, &[0; 20], IgnoredStun::Malformed);
    assert_eq!(table.address_of(PEER), None);
    assert_eq!(table.last_heard(PEER), None);
}

#[test]
fn a_request_without_integrity_gets_silence() {
    let mut buffer = [0; 100];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [3; 12]).expect("room");
    writer
        .attribute(attribute::USERNAME, b"abcdefgh:theirs")
        .expect("room");
    writer.fingerprint().expect("room");
    let length = writer.finish();
    assert_ignored(
        &mut table(),
        &buffer[..length],
        IgnoredStun::Unauthenticated,
    );
}

#[test]
fn other_classes_and_methods_get_silence() {
    for class in [Class::Indication, Class::Success, Class::Error] {
        let mut buffer = [0; 200];
        let mut writer = MessageWriter::new(&mut buffer, class, [3; 12]).expect("room");
        writer
            .attribute(attribute::USERNAME, b"abcdefgh:theirs")
            .expect("room");
        writer.integrity(&integrity_key(PASSWORD)).expect("room");
        let length = writer.finish();
        assert_ignored(&mut table(), &buffer[..length], IgnoredStun::NotARequest);
    }
    let mut allocate = check(UFRAG, PASSWORD, false);
    allocate.truncate(allocate.len() - 8);
    allocate[1] = 0x03;
    allocate[3] -= 8;
    assert_ignored(&mut table(), &allocate, IgnoredStun::NotARequest);
}

#[test]
fn unknown_required_attributes_are_named() {
    let mut table = table();
    let mut outbox = Outbox::new();
    let datagram = check_with("abcdefgh:theirs", PASSWORD, |writer| {
        writer.attribute(0x7abc, &[1]).expect("room");
    });
    let outcome = table.receive(&datagram, address(5), Time(0), &mut outbox);
    assert_eq!(outcome, StunOutcome::Refused { peer: PEER });
    let (_, answer) = outbox.iter().next().expect("an answer");
    assert!(
        answer
            .windows(6)
            .any(|bytes| bytes == [0, 0x0a, 0, 2, 0x7a, 0xbc])
    );
    let answer = Message::parse(answer).expect("a valid answer");
    assert_eq!(answer.error_code, Some(420));
    assert!(answer.has_integrity_of(&integrity_key(PASSWORD)));
    assert_eq!(table.peer_of(address(5)), None);
}

#[test]
fn a_controlled_client_must_change_its_role() {
    let mut table = table();
    let mut outbox = Outbox::new();
    let datagram = check_with("abcdefgh:theirs", PASSWORD, |writer| {
        writer
            .attribute(attribute::ICE_CONTROLLED, &[1; 8])
            .expect("room");
    });
    let outcome = table.receive(&datagram, address(5), Time(0), &mut outbox);
    assert_eq!(outcome, StunOutcome::Refused { peer: PEER });
    let (_, answer) = outbox.iter().next().expect("an answer");
    let answer = Message::parse(answer).expect("a valid answer");
    assert_eq!((answer.class, answer.error_code), (Class::Error, Some(487)));
    assert_eq!(table.address_of(PEER), None);
}

#[test]
fn media_follows_the_nomination_alone() {
    let mut table = table();
    receive(&mut table, &check(UFRAG, PASSWORD, false), 5, Time(0));
    let second = receive(&mut table, &check(UFRAG, PASSWORD, false), 6, Time(0));
    assert_eq!(
        second,
        StunOutcome::Reply {
            peer: PEER,
            validated: None,
            nominated: false
        }
    );
    assert_eq!(table.address_of(PEER), Some(address(5)));
    assert_eq!(table.peer_of(address(6)), Some(PEER));
    let third = receive(&mut table, &check(UFRAG, PASSWORD, true), 6, Time(0));
    assert_eq!(
        third,
        StunOutcome::Reply {
            peer: PEER,
            validated: Some(AddressChange {
                address: address(6),
                previous: Some(address(5))
            }),
            nominated: true
        }
    );
    let again = receive(&mut table, &check(UFRAG, PASSWORD, true), 6, Time(0));
    assert!(matches!(
        again,
        StunOutcome::Reply {
            validated: None,
            ..
        }
    ));
}

#[test]
fn remembered_addresses_are_bounded_and_keep_the_selected_one() {
    let mut table = table();
    receive(&mut table, &check(UFRAG, PASSWORD, true), 5, Time(0));
    for port in 100..1_000 {
        let now = Time::from_millis(u64::from(port));
        receive(&mut table, &check(UFRAG, PASSWORD, false), port, now);
    }
    let known = (0..2_000)
        .filter(|port| table.peer_of(address(*port)).is_some())
        .count();
    assert_eq!(known, 8);
    assert_eq!(table.peer_of(address(5)), Some(PEER));
    assert_eq!(table.peer_of(address(999)), Some(PEER));
    assert_eq!(table.address_of(PEER), Some(address(5)));
}

#[test]
fn both_credentials_are_valid_until_the_new_ones_are_nominated() {
    let mut table = table();
    receive(&mut table, &check(UFRAG, PASSWORD, true), 5, Time(0));
    table
        .restart_peer(PEER, NEXT_UFRAG, NEXT_PASSWORD)
        .expect("a known peer");
    let old = check(UFRAG, PASSWORD, false);
    let new = check(NEXT_UFRAG, NEXT_PASSWORD, false);
    for datagram in [&old, &new] {
        let outcome = receive(&mut table, datagram, 6, Time(0));
        assert!(matches!(outcome, StunOutcome::Reply { .. }));
    }
    assert_eq!(table.address_of(PEER), Some(address(5)));
    let nominated = check(NEXT_UFRAG, NEXT_PASSWORD, true);
    receive(&mut table, &nominated, 6, Time(0));
    assert_eq!(table.address_of(PEER), Some(address(6)));
    assert_eq!(
        receive(&mut table, &old, 6, Time(0)),
        StunOutcome::Ignored(IgnoredStun::Unauthenticated)
    );
    assert!(matches!(
        receive(&mut table, &new, 6, Time(0)),
        StunOutcome::Reply { .. }
    ));
}

#[test]
fn a_second_restart_replaces_the_first() {
    let mut table = table();
    table
        .restart_peer(PEER, NEXT_UFRAG, NEXT_PASSWORD)
        .expect("a known peer");
    table
        .restart_peer(PEER, "third123", NEXT_PASSWORD)
        .expect("a known peer");
    assert_ignored(
        &mut table,
        &check(NEXT_UFRAG, NEXT_PASSWORD, true),
        IgnoredStun::Unauthenticated,
    );
    let third = check("third123", NEXT_PASSWORD, true);
    assert!(matches!(
        receive(&mut table, &third, 5, Time(0)),
        StunOutcome::Reply { .. }
    ));
}

#[test]
fn a_removed_peer_leaves_nothing_behind() {
    let mut table = table();
    receive(&mut table, &check(UFRAG, PASSWORD, true), 5, Time(0));
    table
        .restart_peer(PEER, NEXT_UFRAG, NEXT_PASSWORD)
        .expect("a known peer");
    assert!(table.remove_peer(PEER));
    assert!(!table.remove_peer(PEER));
    assert!(table.is_empty());
    assert_eq!(table.peer_of(address(5)), None);
    assert_eq!(table.address_of(PEER), None);
    for ufrag in [UFRAG, NEXT_UFRAG] {
        table
            .add_peer(PEER, ufrag, PASSWORD)
            .expect("the fragment is free again");
        table.remove_peer(PEER);
    }
}

#[test]
fn odd_or_taken_credentials_are_refused() {
    let mut table = table();
    assert_eq!(
        table.add_peer(PEER, NEXT_UFRAG, PASSWORD),
        Err(IceError::PeerExists)
    );
    assert_eq!(
        table.add_peer(8, UFRAG, PASSWORD),
        Err(IceError::UfragTaken)
    );
    assert_eq!(
        table.restart_peer(8, NEXT_UFRAG, PASSWORD),
        Err(IceError::UnknownPeer)
    );
    let long = "a".repeat(257);
    for (ufrag, password) in [
        ("abc", PASSWORD),
        ("ab:cd", PASSWORD),
        (&long, PASSWORD),
        (NEXT_UFRAG, "short"),
        (NEXT_UFRAG, &long),
    ] {
        assert_eq!(
            table.add_peer(8, ufrag, password),
            Err(IceError::Credentials)
        );
    }
    assert_eq!(table.len(), 1);
}

#[test]
fn a_heard_peer_keeps_its_address_and_a_silent_one_loses_it() {
    let mut table = table();
    table
        .add_peer(8, NEXT_UFRAG, NEXT_PASSWORD)
        .expect("a new peer");
    receive(&mut table, &check(UFRAG, PASSWORD, true), 5, Time(0));
    table.heard(PEER, Time::from_millis(1_500));
    let claim = check(NEXT_UFRAG, NEXT_PASSWORD, true);
    assert_eq!(
        receive(&mut table, &claim, 5, Time::from_millis(2_000)),
        StunOutcome::Ignored(IgnoredStun::AddressTaken)
    );
    assert_eq!(table.peer_of(address(5)), Some(PEER));
    let outcome = receive(&mut table, &claim, 5, Time::from_millis(2_500));
    assert!(matches!(outcome, StunOutcome::Reply { peer: 8, .. }));
    assert_eq!(table.peer_of(address(5)), Some(8));
    assert_eq!(table.address_of(PEER), None);
    table.remove_peer(PEER);
    assert_eq!(table.peer_of(address(5)), Some(8));
}

#[test]
fn a_source_that_fails_too_often_is_not_listened_to_for_a_while() {
    let mut table = table();
    let wrong = check(UFRAG, NEXT_PASSWORD, false);
    let mut refused = 0;
    while receive(&mut table, &wrong, 6, Time(0))
        == StunOutcome::Ignored(IgnoredStun::Unauthenticated)
    {
        refused += 1;
        assert!(refused < 1_000, "a source may not fail for ever");
    }
    let right = check(UFRAG, PASSWORD, false);
    assert_eq!(
        receive(&mut table, &right, 6, Time(0)),
        StunOutcome::Ignored(IgnoredStun::OverBudget)
    );
    assert!(matches!(
        receive(&mut table, &right, 6, Time::from_millis(1_000)),
        StunOutcome::Reply { .. }
    ));
}

#[test]
fn a_validated_address_needs_no_budget() {
    let mut table = table();
    let right = check(UFRAG, PASSWORD, false);
    receive(&mut table, &right, 5, Time(0));
    let wrong = check(UFRAG, NEXT_PASSWORD, false);
    for _ in 0..1_000 {
        receive(&mut table, &wrong, 6, Time(0));
    }
    assert!(matches!(
        receive(&mut table, &right, 5, Time(0)),
        StunOutcome::Reply { .. }
    ));
}

#[test]
fn every_truncation_and_every_changed_byte_is_ignored() {
    let datagram = check(UFRAG, PASSWORD, true);
    for length in 0..datagram.len() {
        let mut table = table();
        let outcome = receive(&mut table, &datagram[..length], 5, Time(0));
        assert!(matches!(outcome, StunOutcome::Ignored(_)));
    }
    // Without its type the fingerprint is an unknown attribute behind the integrity: ignored.
    let fingerprint_type = datagram.len() - 8..datagram.len() - 6;
    for at in (0..datagram.len()).filter(|at| !fingerprint_type.contains(at)) {
        let mut changed = datagram.clone();
        changed[at] ^= 0x10;
        let mut table = table();
        let outcome = receive(&mut table, &changed, 5, Time(0));
        assert!(matches!(outcome, StunOutcome::Ignored(_)), "byte {at}");
        assert_eq!(table.peer_of(address(5)), None);
    }
}

#[test]
fn a_closed_address_hands_over_to_the_one_checked_last() {
    let mut table = table();
    for (port, at) in [(1, 0), (2, 10), (3, 20), (4, 30)] {
        receive(
            &mut table,
            &check(UFRAG, PASSWORD, port == 4),
            port,
            Time::from_millis(at),
        );
    }
    assert_eq!(table.close(address(9)), None);
    assert_eq!(
        table.close(address(2)),
        Some((PEER, None)),
        "media went elsewhere"
    );
    let change = AddressChange {
        address: address(3),
        previous: Some(address(4)),
    };
    assert_eq!(table.close(address(4)), Some((PEER, Some(change))));
    assert_eq!(table.address_of(PEER), Some(address(3)));
    assert_eq!(table.peer_of(address(4)), None);
    table.close(address(3));
    assert_eq!(table.close(address(1)), Some((PEER, None)));
    assert_eq!(table.address_of(PEER), None);
    let first = receive(
        &mut table,
        &check(UFRAG, PASSWORD, false),
        5,
        Time::from_millis(40),
    );
    assert!(matches!(first, StunOutcome::Reply { validated, .. } if validated == first_from(5)));
}

#[test]
fn nobody_is_followed_to_an_address_that_another_uses() {
    let mut table = table();
    table
        .add_peer(8, NEXT_UFRAG, NEXT_PASSWORD)
        .expect("a new peer");
    receive(&mut table, &check(UFRAG, PASSWORD, true), 1, Time(0));
    receive(
        &mut table,
        &check(NEXT_UFRAG, NEXT_PASSWORD, true),
        2,
        Time(0),
    );
    assert_eq!(table.follow(8, address(1), Time::from_millis(500)), None);
    assert_eq!(table.address_of(8), Some(address(2)));
    let change = AddressChange {
        address: address(3),
        previous: Some(address(2)),
    };
    assert_eq!(
        table.follow(8, address(3), Time::from_millis(500)),
        Some(change)
    );
    assert_eq!(table.follow(9, address(4), Time::from_millis(500)), None);
    assert_eq!(table.peer_of(address(4)), None, "nobody has number 9");
}
