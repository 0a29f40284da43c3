//! What Python tells the crowd, a JSON object a message.

use std::net::SocketAddr;
use std::path::PathBuf;

use mianshi_engine_core::srtp::Profile;
use serde::Deserialize;

use super::clip::Codec;
use crate::job::Secret;

/// One message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Message {
    /// The clips that members play, by their index from now on.
    Clips(Vec<PathBuf>),
    /// Somebody is connected; the socket comes with the message.
    Join(Box<Join>),
    /// What others watch of somebody.
    Layers(Layers),
    /// Whom somebody's slots show.
    Slots(Slots),
    /// Somebody hangs up.
    Leave(Leave),
}

/// A connected member.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Chosen by the caller, never used twice.
    pub user: u64,
    /// Where everything goes.
    pub server: SocketAddr,
    /// SRTP protection profile (RFC 5764, RFC 7714).
    pub profile: u16,
    /// Master key and salt of what we send.
    pub send_key: Secret,
    /// Master key and salt of what we receive.
    pub receive_key: Secret,
    /// A ready STUN binding request that renews the consent (RFC 7675).
    pub consent_check: Secret,
    /// Numbers of header extensions in the offer.
    pub extensions: Extensions,
    /// Payload types in the offer.
    pub formats: Vec<Format>,
    /// What the member sends.
    pub sends: Vec<Sends>,
    /// The streams that the server's answer announces.
    pub receives: Vec<Receives>,
}

impl Join {
    /// The profile, if it is one of ours.
    pub fn profile(&self) -> Result<Profile, String> {
        Profile::from_id(self.profile).ok_or_else(|| format!("profile {} unknown", self.profile))
    }
}

/// Header extension numbers, 1 to 14; what is absent is not used.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Extensions {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`
    pub rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`
    pub repaired_rid: Option<u8>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level`
    pub audio_level: Option<u8>,
}

/// A payload type.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Of the media.
    pub payload_type: u8,
    /// What it is.
    pub codec: Codec,
    /// Of its retransmissions (RFC 4588).
    pub repair: Option<u8>,
}

/// One outgoing stream: a microphone, a camera or a layer of one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sends {
    /// Of its section.
    pub mid: String,
    /// Of its layer, in simulcast.
    pub rid: Option<String>,
    /// What it plays; its codec chooses the payload type.
    pub clip: usize,
    /// Its SSRC.
    pub ssrc: u32,
    /// Of its retransmissions.
    pub repair_ssrc: Option<u32>,
}

/// One incoming stream: a slot.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receives {
    /// Its SSRC.
    pub ssrc: u32,
    /// Of its retransmissions.
    pub repair_ssrc: Option<u32>,
    /// Sound or pictures.
    pub is_video: bool,
}

/// The layers of the camera that somebody watches; by rid, `""` for the only one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layers {
    /// Whose.
    pub user: u64,
    /// The others are not sent.
    pub wanted: Vec<String>,
}

/// What the video slots show: who is there, as a number that changes with the person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// Whose.
    pub user: u64,
    /// SSRC of the slot, and whom it shows. The others show nobody.
    pub shown: Vec<(u32, u64)>,
}

/// The end of a membership.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// Whose.
    pub user: u64,
}
