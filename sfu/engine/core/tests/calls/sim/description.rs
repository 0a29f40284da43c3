//! The description that simulated clients and engine agree on, as an answer would say it.

use mianshi_engine_core::wire::extension::{
    ABS_SEND_TIME_URI, AUDIO_LEVEL_URI, MID_URI, REPAIRED_RID_URI, RID_URI, TRANSPORT_CC_URI,
};
use mianshi_engine_core::{Codec, Direction, Media, MediaKind};

pub const MID: u8 = 1;
pub const RID: u8 = 2;
pub const REPAIRED_RID: u8 = 3;
pub const TRANSPORT_CC: u8 = 4;
pub const ABS_SEND_TIME: u8 = 5;
pub const AUDIO_LEVEL: u8 = 6;

/// SSRC of the slot with this mid.
pub fn slot_ssrc(mid: &str) -> u32 {
    0x5000_0000 + mid.bytes().fold(0, |sum, byte| sum * 31 + u32::from(byte)) * 2
}

fn extensions() -> Vec<(String, u8)> {
    [
        (MID_URI, MID),
        (RID_URI, RID),
        (REPAIRED_RID_URI, REPAIRED_RID),
        (TRANSPORT_CC_URI, TRANSPORT_CC),
        (ABS_SEND_TIME_URI, ABS_SEND_TIME),
        (AUDIO_LEVEL_URI, AUDIO_LEVEL),
    ]
    .map(|(uri, id)| (uri.to_owned(), id))
    .into()
}

pub fn opus() -> Codec {
    Codec {
        payload_type: 111,
        key: "opus".into(),
        clock_rate: 48_000,
        rtx_payload_type: None,
        nack: false,
        pli: false,
        fir: false,
        transport_cc: true,
    }
}

pub fn vp8() -> Codec {
    Codec {
        payload_type: 96,
        key: "vp8".into(),
        clock_rate: 90_000,
        rtx_payload_type: Some(97),
        nack: true,
        pli: true,
        fir: true,
        transport_cc: true,
    }
}

pub fn source(mid: &str, kind: MediaKind, rids: &[&str]) -> Media {
    Media {
        mid: mid.into(),
        kind,
        direction: Direction::Receive,
        codecs: vec![if kind == MediaKind::Audio {
            opus()
        } else {
            vp8()
        }],
        extensions: extensions(),
        rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
        ssrc: None,
        rtx_ssrc: None,
        cname: String::new(),
    }
}

pub fn slot(mid: &str, kind: MediaKind) -> Media {
    Media {
        direction: Direction::Send,
        ssrc: Some(slot_ssrc(mid)),
        rtx_ssrc: (kind == MediaKind::Video).then(|| slot_ssrc(mid) + 1),
        cname: "mianshi".into(),
        ..source(mid, kind, &[])
    }
}

/// Two sources, `mic` and `cam` (with layers q and f if `simulcast`), and slots `a0…` and `v0…`.
pub fn visit(simulcast: bool, slots: usize) -> Vec<Media> {
    let rids: &[&str] = if simulcast { &["q", "f"] } else { &[] };
    let mut media = vec![
        source("mic", MediaKind::Audio, &[]),
        source("cam", MediaKind::Video, rids),
    ];
    for number in 0..slots {
        media.push(slot(&format!("a{number}"), MediaKind::Audio));
        media.push(slot(&format!("v{number}"), MediaKind::Video));
    }
    media
}
