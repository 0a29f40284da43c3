//! Real sockets on loopback, an engine, and a clock of our own.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use mianshi_engine_core::wire::stun::{Class, Message, MessageWriter, attribute, integrity_key};
use mianshi_engine_core::{Command, Config};

use super::*;
use crate::net::{Poller, Signal};
use crate::socket::{bind, listen};

const PASSWORD: &str = "0123456789abcdefghijkl";
const PEER: u64 = 7;

/// A listener with an engine behind it, in which one peer is known.
struct Node {
    engine: Engine,
    streams: Streams,
    poller: Poller,
    address: SocketAddr,
    now: Time,
    _udp: UdpSocket,
    _signal: Signal,
}

impl Node {
    fn new() -> Self {
        let config = Config {
            seed: [3; 32],
            ntp_epoch: 0,
        };
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let udp = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let signal = Signal::new().unwrap();
        let mut poller = Poller::new(&udp, &signal).unwrap();
        let streams = Streams::new(listener).unwrap();
        poller.watch_streams(streams.poller()).unwrap();
        let mut engine = Engine::new(config, Time(0));
        let add = Command::AddPeer {
            peer: PEER,
            ice_ufrag: "ours".into(),
            ice_pwd: PASSWORD.into(),
        };
        engine.command(add, Time(0));
        Self {
            engine,
            streams,
            poller,
            address,
            now: Time::from_millis(1),
            _udp: udp,
            _signal: signal,
        }
    }

    /// Serves what is ready until `done`; panics if nothing gets ready for 5 s.
    fn serve_until(&mut self, done: impl Fn(&Streams) -> bool) {
        while !done(&self.streams) {
            let readiness = self.poller.wait(Time(0), Some(Time::from_millis(5_000)));
            assert!(readiness.streams, "nothing happens any more");
            self.streams.serve(&mut self.engine, self.now);
            self.streams.send(self.engine.outbox().prioritised());
            self.engine.outbox().clear();
            self.streams.close_gone(&mut self.engine, self.now);
        }
    }

    fn connect(&mut self) -> TcpStream {
        let accepted = self.streams.counters().accepted;
        let client = TcpStream::connect(self.address).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        self.serve_until(|streams| streams.counters().accepted > accepted);
        client
    }

    fn connect_validated(&mut self) -> TcpStream {
        let mut client = self.connect();
        client.write_all(&framed(&check(PASSWORD))).unwrap();
        self.serve_until(|streams| streams.counters().sent > 0);
        client
    }

    fn sweep_after(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.streams.sweep(&mut self.engine, self.now);
    }

    fn open(&self) -> u64 {
        self.streams.counters().open
    }
}

fn framed(packet: &[u8]) -> Vec<u8> {
    let mut framed = (packet.len() as u16).to_be_bytes().to_vec();
    framed.extend_from_slice(packet);
    framed
}

/// A browser's check of the peer.
fn check(password: &str) -> Vec<u8> {
    let mut buffer = [0; 200];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [3; 12]).unwrap();
    writer
        .attribute(attribute::USERNAME, b"ours:theirs")
        .unwrap();
    writer
        .attribute(attribute::ICE_CONTROLLING, &[9; 8])
        .unwrap();
    writer.attribute(attribute::USE_CANDIDATE, &[]).unwrap();
    writer.integrity(&integrity_key(password)).unwrap();
    writer.fingerprint().unwrap();
    let length = writer.finish();
    buffer[..length].to_vec()
}

fn read_packet(client: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    client.read_exact(&mut length).unwrap();
    let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
    client.read_exact(&mut packet).unwrap();
    packet
}

/// The other side closed it, with or without a reset.
fn is_closed(client: &mut TcpStream) -> bool {
    !matches!(client.read(&mut [0; 64]), Ok(bytes) if bytes > 0)
}

#[test]
fn a_check_is_answered_on_its_connection_with_the_address_it_came_from() {
    let mut node = Node::new();
    let mut client = node.connect_validated();
    let answer = read_packet(&mut client);
    let message = Message::parse(&answer).unwrap();
    assert_eq!(message.class, Class::Success);
    assert_eq!(message.mapped_address(), Some(client.local_addr().unwrap()));
    assert!(
        node.engine
            .is_validated(tcp_address(client.local_addr().unwrap()))
    );
    assert!(!node.engine.is_validated(client.local_addr().unwrap()));
}

#[test]
fn a_check_in_single_bytes_is_answered_too() {
    let mut node = Node::new();
    let mut client = node.connect();
    for byte in framed(&check(PASSWORD)) {
        client.write_all(&[byte]).unwrap();
        assert!(
            node.poller
                .wait(Time(0), Some(Time::from_millis(5_000)))
                .streams
        );
        node.streams.serve(&mut node.engine, node.now);
    }
    assert_eq!(node.streams.counters().received, 1);
    assert_eq!(node.engine.outbox().len(), 1);
}

#[test]
fn strangers_have_a_few_seconds_and_no_say() {
    let mut node = Node::new();
    let mut silent = node.connect();
    let mut guessing = node.connect();
    guessing
        .write_all(&framed(&check("wrongwrongwrongwrongwr")))
        .unwrap();
    node.serve_until(|streams| streams.counters().received == 1);
    node.sweep_after(4);
    assert_eq!(node.open(), 2);
    node.sweep_after(1);
    assert_eq!(node.open(), 0);
    assert!(is_closed(&mut silent) && is_closed(&mut guessing));
    assert_eq!(node.streams.deadline(), None, "nothing is left to watch");
}

#[test]
fn other_protocols_are_shown_the_door_at_once() {
    let mut node = Node::new();
    let foreign: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        &framed(&[0x80; 200]),
        &framed(b"\x16\xfe\xfd\x00"),
    ];
    for (number, bytes) in foreign.into_iter().enumerate() {
        let mut client = node.connect();
        client.write_all(bytes).unwrap();
        node.serve_until(|streams| streams.counters().malformed == number as u64 + 1);
        assert!(is_closed(&mut client));
    }
    assert_eq!(node.open(), 0);
    assert_eq!(node.streams.counters().received, 0);
}

#[test]
fn the_oldest_stranger_of_a_host_gives_way() {
    let mut node = Node::new();
    let mut clients: Vec<_> = (0..=MAX_STRANGERS_PER_HOST)
        .map(|_| node.connect())
        .collect();
    assert_eq!(node.open(), MAX_STRANGERS_PER_HOST as u64);
    assert!(is_closed(&mut clients[0]));
    // Who has authenticated does not count and stays.
    let mut known = node.connect_validated();
    read_packet(&mut known);
    for _ in 0..2 * MAX_STRANGERS_PER_HOST {
        clients.push(node.connect());
    }
    assert_eq!(node.open(), MAX_STRANGERS_PER_HOST as u64 + 1);
    known.write_all(&framed(&check(PASSWORD))).unwrap();
    node.serve_until(|streams| streams.counters().sent == 2);
}

#[test]
fn silence_and_the_end_of_the_peer_close_a_connection() {
    let mut node = Node::new();
    let client = node.connect_validated();
    node.sweep_after(59);
    assert_eq!(node.open(), 1);
    node.sweep_after(1);
    assert_eq!(node.open(), 0);
    let address = tcp_address(client.local_addr().unwrap());
    assert!(!node.engine.is_validated(address));

    let _again = node.connect();
    let mut client = node.connect();
    client.write_all(&framed(&check(PASSWORD))).unwrap();
    node.serve_until(|streams| streams.counters().sent == 2);
    let gone = Command::RemovePeer { peer: PEER };
    node.engine.command(gone, node.now);
    node.sweep_after(1);
    assert_eq!(node.open(), 1, "the stranger has its time still");
}

#[test]
fn a_client_that_hangs_up_is_forgotten_at_once() {
    let mut node = Node::new();
    let client = node.connect_validated();
    let address = tcp_address(client.local_addr().unwrap());
    drop(client);
    node.serve_until(|streams| streams.counters().open == 0);
    assert!(!node.engine.is_validated(address));
    assert!(!node.streams.is_in_use());
    let late = [(address, b"late".as_slice(), Priority::Essential)];
    node.streams.send(late.into_iter());
    assert_eq!(node.streams.counters().unsent, 1);
}

#[test]
fn what_was_meant_for_a_connection_that_closed_is_still_ours_to_drop() {
    let mut node = Node::new();
    let mut client = node.connect();
    client.write_all(&framed(&check(PASSWORD))).unwrap();
    client.write_all(b"\xff\xffno packet").unwrap();
    while node.open() > 0 {
        assert!(
            node.poller
                .wait(Time(0), Some(Time::from_millis(5_000)))
                .streams
        );
        node.streams.serve(&mut node.engine, node.now);
    }
    assert!(!node.engine.outbox().is_empty(), "the check was answered");
    assert!(node.streams.is_in_use());
    node.streams.send(node.engine.outbox().prioritised());
    assert_eq!(node.streams.counters().unsent, 1);
    assert!(!node.streams.is_in_use());
}

#[test]
fn a_slow_reader_loses_pictures_first_and_keeps_its_connection() {
    let mut node = Node::new();
    let mut client = node.connect_validated();
    read_packet(&mut client);
    let address = tcp_address(client.local_addr().unwrap());
    let send = |node: &mut Node, first: u8, priority| {
        let before = node.streams.counters().behind;
        let packet = [first; 1_000];
        let all = (0..20_000).map(|_| (address, packet.as_slice(), priority));
        node.streams.send(all);
        node.streams.counters().behind - before
    };
    let pictures_lost = send(&mut node, b'p', Priority::Picture);
    assert!(pictures_lost > 10_000, "{pictures_lost}");
    let sounds = [(address, b"sound".as_slice(), Priority::Essential)];
    let before = node.streams.counters().behind;
    node.streams.send(sounds.into_iter());
    assert_eq!(node.streams.counters().behind, before);

    let sent = node.streams.counters().sent - 1;
    let reader = std::thread::spawn(move || {
        let packets = (0..sent).map(|_| read_packet(&mut client));
        packets.collect::<Vec<_>>()
    });
    let token = node.streams.token_of[&address];
    node.serve_until(|streams| {
        let connection = streams.connections[token as usize].as_ref();
        !connection.expect("it stays").is_behind()
    });
    let packets = reader.join().unwrap();
    assert_eq!(packets.last().unwrap(), b"sound");
    let whole = |packet: &Vec<u8>| packet.len() == 1_000 && packet.iter().all(|byte| *byte == b'p');
    assert!(packets[..packets.len() - 1].iter().all(whole));
}
