//! Where media goes when a peer has several paths, or a new one.

use core::time::Duration;
use std::net::SocketAddr;

use mianshi_engine_core::Event;
use mianshi_engine_core::transport::{Transport, socket_address, tcp_address};

use crate::sim::World;

const SECOND: Duration = Duration::from_secs(1);

/// A publisher and a viewer of its microphone.
fn call(seed: u64) -> World {
    let mut world = World::new(seed);
    world.join(1, false);
    world.join(2, false);
    world.route(2, "a0", Some((1, "mic")));
    world.run_for(Duration::from_millis(1_200));
    world
}

/// Packets that the viewer gets in the next second.
fn heard(world: &mut World) -> usize {
    let before = world.client(2).received.len();
    world.run_for(SECOND);
    world.client(2).received.len() - before
}

/// The viewer's check arrives from `address`, which it uses from then on.
fn check_from(world: &mut World, address: SocketAddr) {
    let request = world.client(2).stun();
    world.client(2).address = address;
    world.inject_from(address, request);
}

fn last_address(world: &World) -> Option<SocketAddr> {
    let mut of_viewer = world.events.iter().filter_map(|event| match event {
        Event::IceConnected {
            peer: 2, address, ..
        } => Some(*address),
        _ => None,
    });
    of_viewer.next_back()
}

#[test]
fn media_goes_over_tcp_when_the_check_came_over_tcp() {
    let mut world = call(31);
    let remote: SocketAddr = "10.0.0.2:2".parse().unwrap();
    check_from(&mut world, tcp_address(remote));
    assert!(world.engine.is_validated(tcp_address(remote)));
    assert!(heard(&mut world) > 40);
    let told = last_address(&world).expect("the path was told");
    assert_eq!(Transport::of(&told), Transport::Tcp);
    assert_eq!(socket_address(told), remote);
}

#[test]
fn a_closed_connection_gives_the_media_back_to_the_path_that_is_left() {
    let mut world = call(32);
    let udp = world.client(2).address;
    let tcp = tcp_address("10.0.0.2:9".parse().unwrap());
    check_from(&mut world, tcp);
    world.run_for(SECOND);
    world.engine.close_path(tcp, world.now);
    world.client(2).address = udp;
    assert!(!world.engine.is_validated(tcp));
    assert!(heard(&mut world) > 40);
    assert_eq!(last_address(&world), Some(udp));
    world.engine.close_path(tcp, world.now);
}

/// The viewer's NAT gives it another address, and its next check is far away.
fn rebind(world: &mut World, address: SocketAddr) {
    let far = world.now + Duration::from_secs(60);
    let viewer = world.client(2);
    viewer.address = address;
    viewer.next_reports = far;
}

#[test]
fn a_peer_behind_a_nat_that_rebinds_is_followed_by_its_media() {
    let mut world = call(34);
    world.route(1, "a0", Some((2, "mic")));
    world.run_for(SECOND);
    rebind(&mut world, "10.7.7.7:777".parse().unwrap());
    let (to, from) = (
        world.client(2).received.len(),
        world.client(1).received.len(),
    );
    world.run_for(Duration::from_millis(500));
    // Nothing of what it says is lost; it hears again after 100 ms of silence and a round trip.
    assert!(world.client(2).received.len() > to + 15);
    assert!(world.client(1).received.len() >= from + 24);
    assert_eq!(last_address(&world), Some("10.7.7.7:777".parse().unwrap()));
}

#[test]
fn copied_packets_move_nobody_who_still_speaks() {
    let mut world = call(35);
    let thief: SocketAddr = "192.0.2.66:6".parse().unwrap();
    let home = world.client(2).address;
    for _ in 0..100 {
        let now = world.now;
        for packet in world.client(2).streams[0].frame_packets(now, &mut 0) {
            // The thief's copy arrives first.
            let sealed = world.client(2).seal(packet);
            world.inject_from(thief, sealed.clone());
            world.inject_from(home, sealed);
        }
        world.run_for(Duration::from_millis(10));
    }
    assert_ne!(last_address(&world), Some(thief));
    // Every copy was taken for its maker's, or for another's who uses the same SSRC.
    let (replayed, mistaken) = (world.dropped("srtp_replay"), world.dropped("srtp_auth"));
    assert_eq!(replayed + mistaken, 100);
    assert!(replayed > 30, "{replayed}");
    assert!(heard(&mut world) > 40);
}

#[test]
fn replayed_and_forged_packets_move_nobody_who_is_silent() {
    let mut world = call(36);
    let thief: SocketAddr = "192.0.2.66:6".parse().unwrap();
    let now = world.now;
    let packets = world.client(2).streams[0].frame_packets(now, &mut 0);
    let sealed = world.client(2).seal(packets[0].clone());
    world.inject(2, sealed.clone());
    let viewer = world.clients.pop().expect("the viewer joined last");
    world.run_for(SECOND);
    world.inject_from(thief, sealed.clone());
    let mut forged = sealed;
    forged[3] = forged[3].wrapping_add(50);
    let before = world.dropped("unknown_address");
    for _ in 0..1_000 {
        world.inject_from(thief, forged.clone());
    }
    assert!(!world.engine.is_validated(thief));
    assert_eq!(last_address(&world), Some(viewer.address));
    assert_eq!(world.dropped("srtp_replay"), 1);
    // After a burst of searches strangers are not even looked at.
    let unseen = world.dropped("unknown_address") - before;
    assert!((700..=900).contains(&unseen), "{unseen}");
}

#[test]
fn with_no_path_left_nothing_is_sent_until_the_next_check() {
    let mut world = call(33);
    let viewer = world.clients.pop().expect("the viewer joined last");
    let sent = |world: &mut World| {
        let before = world.stats().datagrams_sent;
        world.run_for(SECOND);
        world.stats().datagrams_sent - before
    };
    let with_viewer = sent(&mut world);
    world.engine.close_path(viewer.address, world.now);
    let without = sent(&mut world);
    assert!(without + 40 < with_viewer, "{without} of {with_viewer}");
    world.clients.push(viewer);
    check_from(&mut world, "10.0.0.2:10".parse().unwrap());
    assert!(heard(&mut world) > 40);
}
