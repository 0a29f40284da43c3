//! A peer that is who it says it is, and means harm: sealed packets of any content.

use core::net::SocketAddr;

use mianshi_engine_core::srtp::{Inbound, MAX_TRAILER_BYTES, Outbound, Profile};
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::extension::{AUDIO_LEVEL_URI, MID_URI, TRANSPORT_CC_URI};
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::stun::{Class, MessageWriter, attribute, integrity_key};
use mianshi_engine_core::wire::{DatagramKind, classify};
use mianshi_engine_core::{Codec, Command, Config, Direction, Engine, Media, MediaKind, PeerId};

const PROFILE: Profile = Profile::AeadAes128Gcm;
const PASSWORD: &str = "passwordOfTwentyTwoChars";
const RECORD_HEADER_BYTES: usize = 2;
/// A tick of the clock instead of a packet.
const TICK: u8 = 2;

/// Records of a kind (0: RTP, 1: RTCP, 2: time passes), a length and so many bytes, which a
/// publisher seals and sends in this order to an engine with a viewer.
///
/// # Panics
/// The viewer got something that it cannot open or read.
pub fn peer(mut records: &[u8]) {
    let mut engine = call();
    let mut sealer = Outbound::new(PROFILE, &key(1, true)).expect("keys");
    let mut opener = Inbound::new(PROFILE, &key(2, false)).expect("keys");
    let mut now = Time::from_millis(10);
    while let Some((&[kind, bytes], rest)) = records.split_first_chunk::<RECORD_HEADER_BYTES>() {
        let (plain, rest) = rest.split_at(usize::from(bytes).min(rest.len()));
        records = rest;
        now += core::time::Duration::from_millis(3);
        if kind % 3 == TICK {
            now += core::time::Duration::from_millis(u64::from(bytes));
            engine.tick(now);
        } else if let Some(mut sealed) = seal(&mut sealer, plain, kind % 3 == 1) {
            engine.receive(&mut sealed, address(1), now);
        }
        read(&mut engine, &mut opener);
    }
}

/// Everything that goes to the viewer.
fn read(engine: &mut Engine, opener: &mut Inbound) {
    let viewer = address(2);
    for (_, datagram) in engine.outbox().iter().filter(|(to, _)| *to == viewer) {
        let mut datagram = datagram.to_vec();
        match classify(&datagram) {
            DatagramKind::Rtp => {
                let header = RtpHeader::parse(&datagram).expect("a header of ours");
                let plain = opener.open_rtp(&mut datagram, &header).expect("sealed");
                assert!(header.payload(&datagram[..plain]).is_ok());
            }
            DatagramKind::Rtcp => {
                let plain = opener.open_rtcp(&mut datagram).expect("sealed");
                crate::rtcp(&datagram[..plain]);
            }
            other => panic!("the viewer got {other:?}"),
        }
    }
    engine.outbox().clear();
    engine.events().for_each(drop);
}

fn seal(sealer: &mut Outbound, plain: &[u8], is_report: bool) -> Option<Vec<u8>> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + MAX_TRAILER_BYTES, 0);
    let sealed = match is_report {
        true => sealer.seal_rtcp(&mut buffer, plain.len()).ok()?,
        false => {
            let header = RtpHeader::parse(plain).ok()?;
            let header_bytes = header.header_bytes;
            sealer
                .seal_rtp(&mut buffer, plain.len(), header_bytes)
                .ok()?
        }
    };
    buffer.truncate(sealed);
    Some(buffer)
}

/// A publisher with a microphone and a camera, and a viewer of both.
fn call() -> Engine {
    let config = Config {
        seed: [9; 32],
        ntp_epoch: 1 << 63,
    };
    let mut engine = Engine::new(config, Time(0));
    join(&mut engine, 1, Direction::Receive);
    join(&mut engine, 2, Direction::Send);
    for (slot, source) in [("a", "mic"), ("v", "cam")] {
        let route = Command::Route {
            viewer: 2,
            slot: slot.to_owned(),
            source: Some((1, source.to_owned())),
        };
        engine.command(route, Time(0));
    }
    engine.outbox().clear();
    engine
}

fn join(engine: &mut Engine, peer: PeerId, direction: Direction) {
    let commands = [
        Command::AddPeer {
            peer,
            ice_ufrag: format!("ufrag{peer}"),
            ice_pwd: PASSWORD.to_owned(),
        },
        Command::SetMedia {
            peer,
            media: media(direction),
        },
        Command::SetKeys {
            peer,
            profile: PROFILE.id(),
            receive: key(peer, true),
            send: key(peer, false),
        },
    ];
    for command in commands {
        engine.command(command, Time(0));
    }
    engine.receive(&mut check(peer), address(peer), Time(0));
}

fn address(peer: PeerId) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, peer as u8], 5_000))
}

fn key(peer: PeerId, towards_engine: bool) -> Vec<u8> {
    let first = peer as u8 * 2 + u8::from(towards_engine);
    (0..PROFILE.key_and_salt_bytes() as u8)
        .map(|at| at.wrapping_mul(7) ^ first)
        .collect()
}

/// A nominating connectivity check.
fn check(peer: PeerId) -> Vec<u8> {
    let mut buffer = vec![0; 256];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [7; 12]).expect("room");
    let username = format!("ufrag{peer}:theirs");
    let attributes: [(u16, &[u8]); 3] = [
        (attribute::USERNAME, username.as_bytes()),
        (attribute::ICE_CONTROLLING, &[1; 8]),
        (attribute::USE_CANDIDATE, &[]),
    ];
    for (kind, value) in attributes {
        writer.attribute(kind, value).expect("room");
    }
    writer.integrity(&integrity_key(PASSWORD)).expect("room");
    writer.fingerprint().expect("room");
    let bytes = writer.finish();
    buffer.truncate(bytes);
    buffer
}

fn media(direction: Direction) -> Vec<Media> {
    let names = match direction {
        Direction::Receive => ["mic", "cam"],
        Direction::Send => ["a", "v"],
    };
    let sound = section(names[0], MediaKind::Audio, direction);
    let pictures = section(names[1], MediaKind::Video, direction);
    vec![sound, pictures]
}

fn section(mid: &str, kind: MediaKind, direction: Direction) -> Media {
    let codec = |payload_type: u8, key: &str, rtx: Option<u8>| Codec {
        payload_type,
        key: key.to_owned(),
        clock_rate: if kind == MediaKind::Audio {
            48_000
        } else {
            90_000
        },
        rtx_payload_type: rtx,
        nack: true,
        pli: true,
        fir: true,
        transport_cc: true,
    };
    let (codecs, ssrc) = match kind {
        MediaKind::Audio => (
            vec![codec(63, "red/opus", None), codec(111, "opus", None)],
            100,
        ),
        MediaKind::Video => {
            let h264 = codec(102, "h264/42e01f/1", Some(103));
            (vec![codec(96, "vp8", Some(97)), h264], 200)
        }
    };
    let extensions = [(MID_URI, 1), (AUDIO_LEVEL_URI, 6), (TRANSPORT_CC_URI, 4)];
    Media {
        mid: mid.to_owned(),
        kind,
        direction,
        codecs,
        extensions: extensions.map(|(uri, id)| (uri.to_owned(), id)).to_vec(),
        rids: Vec::new(),
        ssrc: Some(ssrc),
        rtx_ssrc: (kind == MediaKind::Video).then_some(ssrc + 1),
        cname: "mianshi".to_owned(),
    }
}
