//! What was negotiated decides what is sent: payload types, extensions, feedback, repair.

use core::time::Duration;

use mianshi_engine_core::srtp::{Inbound, MAX_TRAILER_BYTES};
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::extension::{AUDIO_LEVEL_URI, MID_URI, VIDEO_ORIENTATION_URI};
use mianshi_engine_core::wire::rtcp::{Packet, packets};
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use mianshi_engine_core::wire::rtp::{HeaderFields, RtpHeader, write_header};
use mianshi_engine_core::{Codec, Command, Config, Engine, Media, MediaKind, PeerId};

use super::sim::client::Client;
use super::sim::description::{opus, slot, slot_ssrc, source, vp8};
use super::sim::sealing::{PROFILE, key};

/// A client that sends and reads single packets.
pub struct End {
    pub client: Client,
    reading: Inbound,
}

pub fn join(engine: &mut Engine, peer: PeerId, media: Vec<Media>) -> End {
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
    engine.command(Command::SetMedia { peer, media }, Time(0));
    engine.command(
        Command::SetKeys {
            peer,
            profile: PROFILE.id(),
            receive: receive.clone(),
            send: send.clone(),
        },
        Time(0),
    );
    engine.receive(&mut client.stun(), client.address, Time(0));
    engine.outbox().clear();
    End {
        client,
        reading: Inbound::new(PROFILE, &send).expect("keys fit"),
    }
}

pub fn engine() -> Engine {
    Engine::new(
        Config {
            seed: [5; 32],
            ntp_epoch: 1 << 62,
        },
        Time(0),
    )
}

pub fn route(engine: &mut Engine, slot: &str, mid: &str) {
    let (slot, source) = (slot.to_owned(), Some((1, mid.to_owned())));
    engine.command(
        Command::Route {
            viewer: 2,
            slot,
            source,
        },
        Time(0),
    );
}

impl End {
    pub fn send(
        &mut self,
        engine: &mut Engine,
        fields: HeaderFields,
        elements: &[(u8, &[u8])],
        payload: &[u8],
    ) {
        let mut packet = vec![0; 300];
        let header_bytes = write_header(&mut packet, &fields, elements).expect("room");
        packet.truncate(header_bytes);
        packet.extend_from_slice(payload);
        let mut sealed = self.client.seal(packet);
        engine.receive(&mut sealed, self.client.address, Time::from_millis(20));
    }

    pub fn report(
        &mut self,
        engine: &mut Engine,
        now: Time,
        write: impl FnOnce(&mut RtcpWriter<'_>),
    ) {
        let mut sealed = self.client.rtcp(write).expect("a report");
        engine.receive(&mut sealed, self.client.address, now);
    }

    /// Sealed RTP that waits for this client.
    pub fn waiting(&self, engine: &mut Engine) -> Vec<Vec<u8>> {
        let mine = engine
            .outbox()
            .iter()
            .filter(|(to, _)| *to == self.client.address);
        let rtp = mine.filter(|(_, datagram)| datagram[1] & 0x7f < 64 || datagram[1] & 0x7f > 95);
        let rtp: Vec<Vec<u8>> = rtp.map(|(_, datagram)| datagram.to_vec()).collect();
        engine.outbox().clear();
        rtp
    }

    /// What the engine asks this client for again.
    pub fn nacked(&mut self, engine: &mut Engine) -> Vec<u16> {
        let mine = engine
            .outbox()
            .iter()
            .filter(|(to, _)| *to == self.client.address);
        let datagrams: Vec<Vec<u8>> = mine.map(|(_, datagram)| datagram.to_vec()).collect();
        engine.outbox().clear();
        let mut lost = Vec::new();
        for mut sealed in datagrams {
            let Ok(plain) = self.reading.open_rtcp(&mut sealed) else {
                continue;
            };
            for packet in packets(&sealed[..plain]) {
                if let Ok(Packet::Nack { lost: asked, .. }) = packet {
                    lost.extend(asked);
                }
            }
        }
        lost
    }

    pub fn open(&mut self, mut sealed: Vec<u8>) -> (RtpHeader, Vec<u8>) {
        let header = RtpHeader::parse(&sealed).expect("a header");
        let plain = self
            .reading
            .open_rtp(&mut sealed, &header)
            .expect("authentic");
        sealed.truncate(plain);
        (header, sealed)
    }
}

pub fn fields(payload_type: u8, sequence: u16, ssrc: u32) -> HeaderFields {
    HeaderFields {
        marker: false,
        payload_type,
        sequence,
        timestamp: u32::from(sequence) * 960,
        ssrc,
        padded: false,
    }
}

const VP8_KEYFRAME: [u8; 9] = [0x90, 0xe0, 0x80, 1, 1, 0, 0, 1, 2];

#[test]
fn extensions_are_mapped_by_uri_and_rids_stay_behind() {
    let mut engine = engine();
    let uris = |pairs: &[(&str, u8)]| {
        pairs
            .iter()
            .map(|(uri, id)| ((*uri).to_owned(), *id))
            .collect::<Vec<_>>()
    };
    let theirs = Media {
        extensions: uris(&[
            (MID_URI, 9),
            (AUDIO_LEVEL_URI, 1),
            (VIDEO_ORIENTATION_URI, 2),
            ("urn:secret", 5),
        ]),
        ..source("mic", MediaKind::Audio, &[])
    };
    // Ids above 14 need the two-byte form.
    let ours = Media {
        extensions: uris(&[
            (MID_URI, 20),
            (AUDIO_LEVEL_URI, 3),
            (VIDEO_ORIENTATION_URI, 4),
        ]),
        ..slot("a0", MediaKind::Audio)
    };
    let mut publisher = join(&mut engine, 1, vec![theirs]);
    let mut viewer = join(&mut engine, 2, vec![ours]);
    route(&mut engine, "a0", "mic");
    let elements: [(u8, &[u8]); 4] = [(9, b"mic"), (1, &[0x92]), (2, &[3]), (5, &[7; 8])];
    publisher.send(&mut engine, fields(111, 10, 44), &elements, &[1, 2, 3]);
    let sealed = viewer.waiting(&mut engine).remove(0);
    let (header, plain) = viewer.open(sealed);
    let seen: Vec<(u8, Vec<u8>)> = header
        .extensions(&plain)
        .map(|(id, value)| (id, value.to_vec()))
        .collect();
    assert_eq!(seen, [(20, b"a0".to_vec()), (3, vec![0x92]), (4, vec![3])]);
    assert_eq!((header.ssrc, header.payload_type), (slot_ssrc("a0"), 111));
    assert_eq!(plain[header.header_bytes..], [1, 2, 3]);
}

#[test]
fn payload_types_are_matched_by_key_and_unknown_ones_stay_behind() {
    let mut engine = engine();
    let red = Codec {
        payload_type: 63,
        key: "red".into(),
        ..opus()
    };
    let theirs = Media {
        codecs: vec![opus(), red.clone()],
        ..source("mic", MediaKind::Audio, &[])
    };
    let ours = Media {
        codecs: vec![Codec {
            payload_type: 100,
            ..opus()
        }],
        ..slot("a0", MediaKind::Audio)
    };
    let mut publisher = join(&mut engine, 1, vec![theirs]);
    let mut viewer = join(&mut engine, 2, vec![ours]);
    route(&mut engine, "a0", "mic");
    for (sequence, payload_type) in [(1, 111), (2, 63), (3, 111), (4, 77)] {
        publisher.send(
            &mut engine,
            fields(payload_type, sequence, 44),
            &[(1, b"mic")],
            &[9],
        );
    }
    let waiting = viewer.waiting(&mut engine);
    assert_eq!(waiting.len(), 2);
    assert!(
        waiting
            .into_iter()
            .all(|sealed| viewer.open(sealed).0.payload_type == 100)
    );
}

#[test]
fn a_flood_of_dtls_reaches_the_owner_as_a_trickle() {
    let mut engine = engine();
    let peer = join(&mut engine, 1, vec![]);
    let _ = engine.events().count();
    let mut passed_on = |from_ms: u64| {
        for n in 0..1_000 {
            let mut datagram = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let now = Time::from_millis(from_ms + n / 100);
            engine.receive(&mut datagram, peer.client.address, now);
        }
        engine.events().count()
    };
    assert_eq!(passed_on(0), 64);
    assert_eq!(passed_on(1_000), 20);
}

/// What a viewer gets at once when a keyframe comes after `overtaking` packets that follow it.
fn sent_by_a_late_keyframe(overtaking: u16) -> usize {
    const VP8_DELTA: [u8; 9] = [0x90, 0xe0, 0x80, 1, 1, 0, 1, 1, 2];
    let mut engine = engine();
    let mut publisher = join(&mut engine, 1, vec![source("cam", MediaKind::Video, &[])]);
    let viewer = join(&mut engine, 2, vec![slot("v0", MediaKind::Video)]);
    route(&mut engine, "v0", "cam");
    let payload_type = vp8().payload_type;
    let mid: [(u8, &[u8]); 1] = [(1, b"cam")];
    for sequence in 101..101 + overtaking {
        publisher.send(
            &mut engine,
            fields(payload_type, sequence, 44),
            &mid,
            &VP8_DELTA,
        );
    }
    assert_eq!(viewer.waiting(&mut engine).len(), 0);
    publisher.send(
        &mut engine,
        fields(payload_type, 100, 44),
        &mid,
        &VP8_KEYFRAME,
    );
    viewer.waiting(&mut engine).len()
}

#[test]
fn a_late_keyframe_brings_what_overtook_it_but_is_no_lever() {
    assert_eq!(sent_by_a_late_keyframe(10), 11);
    assert_eq!(sent_by_a_late_keyframe(400), 1);
}

#[test]
fn h264_begins_at_its_parameter_sets() {
    let mut engine = engine();
    let h264 = Codec {
        key: "h264/42e01f/1".into(),
        ..vp8()
    };
    let theirs = Media {
        codecs: vec![h264.clone()],
        ..source("cam", MediaKind::Video, &[])
    };
    let ours = Media {
        codecs: vec![h264],
        ..slot("v0", MediaKind::Video)
    };
    let mut publisher = join(&mut engine, 1, vec![theirs]);
    let mut viewer = join(&mut engine, 2, vec![ours]);
    route(&mut engine, "v0", "cam");
    let payloads: [&[u8]; 4] = [
        &[0x41, 1, 2],
        &[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1],
        &[0x7c, 0x85, 1],
        &[0x41, 3],
    ];
    for (sequence, payload) in (1..).zip(payloads) {
        publisher.send(
            &mut engine,
            fields(96, sequence, 44),
            &[(1, b"cam")],
            payload,
        );
    }
    let waiting = viewer.waiting(&mut engine);
    assert_eq!(waiting.len(), 3);
    let (header, plain) = viewer.open(waiting[0].clone());
    assert_eq!(plain[header.header_bytes..], *payloads[1]);
}

#[test]
fn without_pli_a_fir_asks_and_each_has_a_new_number() {
    let mut engine = engine();
    let codec = Codec {
        pli: false,
        ..vp8()
    };
    let theirs = Media {
        codecs: vec![codec],
        ..source("cam", MediaKind::Video, &[])
    };
    let mut publisher = join(&mut engine, 1, vec![theirs]);
    publisher.send(
        &mut engine,
        fields(96, 1, 44),
        &[(1, b"cam")],
        &VP8_KEYFRAME,
    );
    let mut commands = Vec::new();
    for at in [1_000, 2_000] {
        engine.command(
            Command::RequestKeyframe {
                peer: 1,
                mid: "cam".into(),
            },
            Time::from_millis(at),
        );
        let mut sealed: Vec<u8> = engine.outbox().iter().last().expect("a request").1.to_vec();
        engine.outbox().clear();
        let plain = publisher.reading.open_rtcp(&mut sealed).expect("authentic");
        for packet in packets(&sealed[..plain]) {
            let Ok(Packet::Fir { requests, .. }) = packet else {
                panic!("{packet:?}")
            };
            commands.extend(requests);
        }
    }
    assert_eq!(commands, [(44, 1), (44, 2)]);
}

#[test]
fn without_rtx_a_resend_is_the_same_datagram() {
    let mut engine = engine();
    let codec = Codec {
        rtx_payload_type: None,
        ..vp8()
    };
    let ours = Media {
        codecs: vec![codec],
        rtx_ssrc: None,
        ..slot("v0", MediaKind::Video)
    };
    let mut publisher = join(&mut engine, 1, vec![source("cam", MediaKind::Video, &[])]);
    let mut viewer = join(&mut engine, 2, vec![ours]);
    route(&mut engine, "v0", "cam");
    publisher.send(
        &mut engine,
        fields(96, 1, 44),
        &[(1, b"cam")],
        &VP8_KEYFRAME,
    );
    let sent = viewer.waiting(&mut engine).remove(0);
    let sequence = u16::from_be_bytes([sent[2], sent[3]]);
    viewer.report(&mut engine, Time::from_millis(90), |writer| {
        writer
            .nack(1, slot_ssrc("v0"), &[sequence, sequence.wrapping_add(1)])
            .expect("room");
    });
    // Another plaintext under the same number would betray the key of the authentication.
    assert_eq!(viewer.waiting(&mut engine), [sent]);
}

#[test]
fn a_probe_of_padding_only_is_not_forwarded() {
    let mut engine = engine();
    let mut publisher = join(
        &mut engine,
        1,
        vec![source("cam", MediaKind::Video, &["q"])],
    );
    let viewer = join(&mut engine, 2, vec![slot("v0", MediaKind::Video)]);
    route(&mut engine, "v0", "cam");
    let elements: [(u8, &[u8]); 3] = [(1, b"cam"), (3, b"q"), (4, &[0, 9])];
    let padding = HeaderFields {
        padded: true,
        ..fields(97, 1, 45)
    };
    let mut payload = [0; 200];
    payload[199] = 200;
    publisher.send(&mut engine, padding, &elements, &payload);
    assert_eq!(viewer.waiting(&mut engine), Vec::<Vec<u8>>::new());
    // But it counts for the bandwidth: feedback follows, with no packet to go along with.
    let deadline = loop {
        let deadline = engine.deadline().expect("feedback is due");
        engine.tick(deadline);
        if !engine.outbox().is_empty() {
            break deadline;
        }
    };
    let mut sealed: Vec<u8> = engine.outbox().iter().next().expect("feedback").1.to_vec();
    assert!(
        sealed.len() > MAX_TRAILER_BYTES
            && deadline <= Time::from_millis(20) + Duration::from_millis(70)
    );
    let plain = publisher.reading.open_rtcp(&mut sealed).expect("authentic");
    let Some(Ok(Packet::TransportFeedback(feedback))) = packets(&sealed[..plain]).next() else {
        panic!("no feedback")
    };
    assert_eq!((feedback.base_sequence, feedback.status_count), (9, 1));
}
