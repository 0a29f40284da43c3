//! What the owner of the engine tells it; one to one with the methods in `sfu/_engine.pyi`.
//!
//! A command for a peer, mid or slot that does not exist (any more) does nothing: Python and the
//! media thread run side by side, so a command may cross a departure.

use core::fmt;

use crate::PeerId;

/// Whether a section carries sound or pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// Opus and the like: forwarded at once, never waits for a keyframe.
    Audio,
    /// Starts at a keyframe and may have simulcast layers.
    Video,
}

/// The direction of a section as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A source: the peer sends, we receive.
    Receive,
    /// A slot: we send, the peer receives.
    Send,
}

/// One payload type of a media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    /// The RTP payload type (0 to 127).
    pub payload_type: u8,
    /// The format across peers, e.g. `vp8`, `h264/42e01f/1`, `opus`; equal keys are forwardable.
    pub key: String,
    /// RTP clock rate in Hz.
    pub clock_rate: u32,
    /// The RFC 4588 payload type, if negotiated.
    pub rtx_payload_type: Option<u8>,
    /// Generic NACK (RFC 4585) is negotiated.
    pub nack: bool,
    /// Picture Loss Indication (RFC 4585) is negotiated.
    pub pli: bool,
    /// Full Intra Request (RFC 5104) is negotiated.
    pub fir: bool,
    /// Transport-wide congestion control feedback is negotiated.
    pub transport_cc: bool,
}

/// One m= section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The section's identification tag (RFC 8843).
    pub mid: String,
    /// Sound or pictures.
    pub kind: MediaKind,
    /// Source or slot.
    pub direction: Direction,
    /// Payload types, preferred first.
    pub codecs: Vec<Codec>,
    /// Header extensions (RFC 8285): URI and id.
    pub extensions: Vec<(String, u8)>,
    /// Simulcast layers (RFC 8853), lowest first; empty without simulcast.
    pub rids: Vec<String>,
    /// For a source what a=ssrc announced, if anything; for a slot its own SSRC.
    pub ssrc: Option<u32>,
    /// The SSRC of the RFC 4588 stream, likewise.
    pub rtx_ssrc: Option<u32>,
    /// For a slot: the canonical name in its reports (RFC 3550, 6.5.1).
    pub cname: String,
}

/// How a video slot is used by its viewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Width and height on the viewer's screen in pixels; (0, 0): it is not drawn; nothing: unknown.
    pub drawn: Option<(u16, u16)>,
    /// The most picture lines, of a picture that lies on its side; 0: no pictures.
    pub max_height: Option<u16>,
    /// Slots of a higher one get bandwidth first.
    pub priority: u8,
}

/// An instruction to the engine, applied in order.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Answer STUN for our credentials (RFC 8445, lite).
    AddPeer {
        /// A number never used before.
        peer: PeerId,
        /// Our user fragment.
        ice_ufrag: String,
        /// Our password.
        ice_pwd: String,
    },
    /// Accept new credentials; the old stay valid until the new are nominated.
    RestartIce {
        /// Whose.
        peer: PeerId,
        /// Our new user fragment.
        ice_ufrag: String,
        /// Our new password.
        ice_pwd: String,
    },
    /// Send one DTLS datagram to the peer's nominated address.
    SendDtls {
        /// To whom.
        peer: PeerId,
        /// The whole datagram.
        datagram: Vec<u8>,
    },
    /// Install SRTP keys: the DTLS handshake is done.
    SetKeys {
        /// Whose.
        peer: PeerId,
        /// DTLS-SRTP protection profile (RFC 5764, RFC 7714).
        profile: u16,
        /// Master key and salt of what the peer sends.
        receive: Vec<u8>,
        /// Master key and salt of what we send.
        send: Vec<u8>,
    },
    /// The whole description, at first and after a renegotiation; known mids keep their state.
    SetMedia {
        /// Whose.
        peer: PeerId,
        /// Every section.
        media: Vec<Media>,
    },
    /// Show a source in a slot, or nothing.
    Route {
        /// The peer that watches.
        viewer: PeerId,
        /// The slot's mid.
        slot: String,
        /// The publisher and its source's mid.
        source: Option<(PeerId, String)>,
    },
    /// How to serve a video slot, whatever it shows.
    SetSlot {
        /// The peer that watches.
        viewer: PeerId,
        /// The slot's mid.
        slot: String,
        /// What is known of its use.
        tuning: Tuning,
    },
    /// Drop or forward what a source sends.
    SetEnabled {
        /// The publisher.
        peer: PeerId,
        /// The source's mid.
        mid: String,
        /// False mutes on the server.
        enabled: bool,
    },
    /// Ask the publisher for a keyframe (throttled per layer).
    RequestKeyframe {
        /// The publisher.
        peer: PeerId,
        /// The source's mid.
        mid: String,
    },
    /// Answer with one `Event::Stats` carrying this token.
    RequestStats {
        /// Echoed in the answer.
        token: u64,
    },
    /// Forget a peer: its sources end in every slot, its addresses mean nothing any more.
    RemovePeer {
        /// Whom.
        peer: PeerId,
    },
}

impl fmt::Debug for Command {
    /// Passwords, keys and datagrams are left out: this text may reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddPeer { peer, .. } => write!(f, "AddPeer({peer})"),
            Self::RestartIce { peer, .. } => write!(f, "RestartIce({peer})"),
            Self::SendDtls { peer, datagram } => {
                write!(f, "SendDtls({peer}, {} bytes)", datagram.len())
            }
            Self::SetKeys { peer, profile, .. } => write!(f, "SetKeys({peer}, profile {profile})"),
            Self::SetMedia { peer, media } => {
                write!(f, "SetMedia({peer}, {} sections)", media.len())
            }
            Self::Route {
                viewer,
                slot,
                source,
            } => write!(f, "Route({viewer}, {slot}, {source:?})"),
            Self::SetSlot {
                viewer,
                slot,
                tuning,
            } => write!(f, "SetSlot({viewer}, {slot}, {tuning:?})"),
            Self::SetEnabled { peer, mid, enabled } => {
                write!(f, "SetEnabled({peer}, {mid}, {enabled})")
            }
            Self::RequestKeyframe { peer, mid } => write!(f, "RequestKeyframe({peer}, {mid})"),
            Self::RequestStats { token } => write!(f, "RequestStats({token})"),
            Self::RemovePeer { peer } => write!(f, "RemovePeer({peer})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_never_reach_debug_text() {
        let add = Command::AddPeer {
            peer: 7,
            ice_ufrag: "ufrag".into(),
            ice_pwd: "hunter2".into(),
        };
        assert_eq!(format!("{add:?}"), "AddPeer(7)");
        let keys = Command::SetKeys {
            peer: 7,
            profile: 7,
            receive: vec![0xAB; 28],
            send: vec![0xCD; 28],
        };
        assert_eq!(format!("{keys:?}"), "SetKeys(7, profile 7)");
    }
}
