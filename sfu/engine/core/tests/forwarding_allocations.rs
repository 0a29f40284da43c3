//! Forwarding allocates nothing per packet once a call is under way: one to one, and one to eight.

use core::time::Duration;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;

use mianshi_engine_core::srtp::MAX_TRAILER_BYTES;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::{Codec, Command, Config, Engine, Event, Media, MediaKind};

// The client's other abilities are used by the whole-call tests.
#[allow(dead_code)]
#[path = "calls/sim/mod.rs"]
mod sim;

use sim::client::Client;
use sim::description::{opus, visit};
use sim::sealing::{PROFILE, key};
use sim::stream::Stream;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; the counter is a plain cell of
// the calling thread and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from `System.alloc` with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A publisher (peer 1) with a camera, and viewers that show it.
fn call(viewers: u64, mid: &str, slot: &str) -> (Engine, Client) {
    let mut engine = Engine::new(
        Config {
            seed: [3; 32],
            ntp_epoch: 1 << 63,
        },
        Time(0),
    );
    for peer in 1..=viewers + 1 {
        let client = Client::new(peer);
        let (ice_ufrag, ice_pwd) = (client.ufrag.clone(), client.password.clone());
        let (receive, send) = (key(peer, true), key(peer, false));
        engine.command(
            Command::AddPeer {
                peer,
                ice_ufrag,
                ice_pwd,
            },
            Time(0),
        );
        engine.command(
            Command::SetMedia {
                peer,
                media: media(),
            },
            Time(0),
        );
        engine.command(
            Command::SetKeys {
                peer,
                profile: PROFILE.id(),
                receive,
                send,
            },
            Time(0),
        );
        engine.receive(&mut client.stun(), client.address, Time(0));
        if peer > 1 {
            let source = Some((1, mid.to_owned()));
            engine.command(
                Command::Route {
                    viewer: peer,
                    slot: slot.into(),
                    source,
                },
                Time(0),
            );
        }
    }
    (engine, Client::new(1))
}

/// A visit with redundant sound.
fn media() -> Vec<Media> {
    let mut media = visit(false, 1);
    for section in media
        .iter_mut()
        .filter(|section| section.kind == MediaKind::Audio)
    {
        section.codecs.push(Codec {
            payload_type: 63,
            key: "red/opus".into(),
            ..opus()
        });
    }
    media
}

/// Sealed packets of the next `frames` frames, with every twentieth packet left out.
fn traffic(
    client: &mut Client,
    stream: &mut Stream,
    frames: u64,
    now: &mut Time,
) -> Vec<(Time, Vec<u8>)> {
    let mut transport = 0;
    let mut packets = Vec::new();
    for _ in 0..frames {
        *now += stream.frame_interval;
        for packet in stream.frame_packets(*now, &mut transport) {
            packets.push((*now, client.seal(packet)));
        }
    }
    packets
        .into_iter()
        .enumerate()
        .filter(|(at, _)| at % 20 != 7)
        .map(|(_, packet)| packet)
        .collect()
}

fn run(engine: &mut Engine, from: SocketAddr, packets: &mut [(Time, Vec<u8>)]) -> usize {
    let mut sent = 0;
    for (now, packet) in packets {
        engine.receive(packet, from, *now);
        engine.tick(*now);
        sent += engine.outbox().len();
        engine.outbox().clear();
    }
    sent
}

fn assert_free_of_allocations(viewers: u64, mut stream: Stream, slot: &str) {
    let (mut engine, mut client) = call(viewers, &stream.mid, slot);
    let mut now = Time::from_millis(5);
    let mut warm = traffic(&mut client, &mut stream, 400, &mut now);
    let mut steady = traffic(&mut client, &mut stream, 1_000, &mut now);
    assert!(RtpHeader::parse(&steady[0].1).is_ok() && steady[0].1.len() > MAX_TRAILER_BYTES);
    run(&mut engine, client.address, &mut warm);
    engine.events().for_each(drop);
    let before = ALLOCATIONS.get();
    let sent = run(&mut engine, client.address, &mut steady);
    let allocated = ALLOCATIONS.get() - before;
    let least = 933 * u64::from(stream.packets_per_frame) * viewers;
    assert!(sent as u64 > least, "{sent} datagrams were sent");
    // Silence of the viewers, who never speak here, is told by events: their queue may grow once.
    assert!(
        allocated <= 1,
        "{allocated} allocations for {} packets",
        steady.len()
    );
}

/// Names that an event about layers carries: the section's, the layer's, and the list of layers.
const ALLOCATIONS_OF_LAYERS: usize = 3;

/// Feedback is read, the path probed, and pictures wait: what the clients allocate is not counted.
#[test]
fn a_viewer_with_feedback_and_a_crowded_path_costs_no_allocation() {
    let mut stream = camera();
    let (mut engine, mut publisher) = call(1, &stream.mid, "v0");
    let mut viewer = Client::new(2);
    stream.packets_per_frame = 2;
    let mut now = Time::from_millis(5);
    stream.packets_per_keyframe = 60;
    let mut packets = Vec::new();
    for _ in 0..28 {
        // A viewer that fell behind goes on with the next keyframe.
        stream.keyframe_wanted = true;
        packets.extend(traffic(&mut publisher, &mut stream, 25, &mut now));
    }
    let (mut sent, mut allocated, mut next_feedback, mut told) = (0u64, 0, Time(0), 0);
    for (at, packet) in &mut packets {
        if *at >= next_feedback {
            next_feedback = *at + Duration::from_millis(50);
            for mut feedback in viewer.tell_arrivals() {
                let before = ALLOCATIONS.get();
                engine.receive(&mut feedback, viewer.address, *at);
                allocated += count_when(*at, before);
            }
        }
        let before = ALLOCATIONS.get();
        engine.receive(packet, publisher.address, *at);
        engine.tick(*at);
        allocated += count_when(*at, before);
        let address = viewer.address;
        for (_, datagram) in engine.outbox().iter().filter(|(to, _)| *to == address) {
            sent += 1;
            // Some packets are kept a little on the way.
            let arrived = *at + Duration::from_millis(sent % 7);
            viewer.receive(datagram.to_vec(), arrived);
        }
        engine.outbox().clear();
        told += engine
            .events()
            .filter(|event| matches!(event, Event::LayersWanted { .. }))
            .count();
    }
    engine.command(Command::RequestStats { token: 1 }, now);
    let stats = engine.events().find_map(|event| match event {
        Event::Stats(stats) => Some(stats),
        _ => None,
    });
    let path = stats.expect("statistics").downlinks[0].clone();
    assert!(
        path.paced_packets > 100 && path.acknowledged_bps > 0,
        "{path:?}"
    );
    assert!(told * 50 < packets.len(), "layers told {told} times");
    assert!(
        allocated <= 1 + told * ALLOCATIONS_OF_LAYERS,
        "{allocated} allocations for {sent} packets, layers told {told} times"
    );
}

/// Allocations since `before`, once the call is under way.
fn count_when(now: Time, before: usize) -> usize {
    let warm = now > Time::from_millis(14_000);
    if warm { ALLOCATIONS.get() - before } else { 0 }
}

fn camera() -> Stream {
    Stream::video("cam", None, 2_000)
}

#[test]
fn sound_with_copies_costs_no_allocation() {
    assert_free_of_allocations(2, Stream::audio("mic", 1_000), "a0");
}

#[test]
fn one_viewer_costs_no_allocation() {
    assert_free_of_allocations(1, camera(), "v0");
}

#[test]
fn eight_viewers_cost_no_allocation() {
    assert_free_of_allocations(8, camera(), "v0");
}
