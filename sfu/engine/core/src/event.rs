//! What the engine tells its owner; one to one with the event classes in `sfu/_engine.pyi`.

use std::net::SocketAddr;

use crate::PeerId;
use crate::command::{Direction, MediaKind};

/// Something happened that policy or people care about; never once per packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A peer's address was validated by an authenticated STUN request, or changed.
    IceConnected {
        /// Whose.
        peer: PeerId,
        /// Where the peer is now.
        address: SocketAddr,
        /// False for the first address.
        changed: bool,
    },
    /// A DTLS datagram from a validated address.
    DtlsReceived {
        /// From whom.
        peer: PeerId,
        /// The whole datagram.
        datagram: Vec<u8>,
    },
    /// Nothing authenticated has arrived for this long: sent at 2 s, 5 s, 15 s and 30 s.
    PeerSilent {
        /// Who.
        peer: PeerId,
        /// Which of the marks was passed.
        silent_ms: u32,
    },
    /// The first valid packet of a source, or of one of its layers.
    SourceStarted {
        /// The publisher.
        peer: PeerId,
        /// The source's mid.
        mid: String,
        /// The layer, "" outside simulcast.
        rid: String,
    },
    /// The layers of a video source that somebody watches now: the publisher may pause the others.
    LayersWanted {
        /// The publisher.
        peer: PeerId,
        /// The source's mid.
        mid: String,
        /// The layers, lowest first.
        layers: Vec<WantedLayer>,
    },
    /// A viewer's path cannot hold the smallest picture of a slot, or can again.
    SlotPaused {
        /// The viewer.
        viewer: PeerId,
        /// The slot's mid.
        slot: String,
        /// True while no pictures are sent for want of bandwidth.
        paused: bool,
    },
    /// Voice began or ended (RFC 6464 levels, smoothed, with hysteresis).
    Speaking {
        /// The publisher.
        peer: PeerId,
        /// The source's mid.
        mid: String,
        /// True when it began.
        speaking: bool,
        /// The smoothed level, 0 (loudest) down to -127.
        level_dbov: i8,
    },
    /// The answer to `Command::RequestStats`.
    Stats(Stats),
}

/// A layer that somebody watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedLayer {
    /// Its rid; "" for the layer of a source without simulcast.
    pub rid: String,
    /// No more than this is of use, in bits a second: its only viewer's path carries no more.
    pub max_bps: Option<u64>,
}

/// Everything counted, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// The request's token.
    pub token: u64,
    /// Peers the engine knows.
    pub peers: u64,
    /// Datagrams given to the engine since its start.
    pub datagrams_received: u64,
    /// Datagrams the engine gave to be sent since its start.
    pub datagrams_sent: u64,
    /// TCP connections that are open; the loop's to say.
    pub tcp_connections: u64,
    /// Datagrams dropped since the start, by reason.
    pub datagrams_dropped: Vec<(&'static str, u64)>,
    /// One for every peer.
    pub paths: Vec<PathStats>,
    /// One for every received layer and every slot in use.
    pub streams: Vec<StreamStats>,
    /// One for every viewer that gives feedback on its path.
    pub downlinks: Vec<DownlinkStats>,
}

/// The path to one viewer, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DownlinkStats {
    /// The viewer.
    pub peer: PeerId,
    /// What may be spent on it altogether.
    pub available_bps: u64,
    /// What arrived over the last half second, as the viewer told; 0 while it did not.
    pub acknowledged_bps: u64,
    /// What stands in the queue of the path.
    pub queue_ms: f64,
    /// The share of packets lost on the path, smoothed over seconds.
    pub loss_ratio: f64,
    /// How long the oldest picture packet waits for its turn here.
    pub pacer_queue_ms: f64,
    /// Picture packets that had to wait for their turn, since the beginning.
    pub paced_packets: u64,
    /// Probe clusters sent, since the beginning.
    pub probe_clusters: u64,
}

/// The path to one peer, now.
#[derive(Clone, Debug, PartialEq)]
pub struct PathStats {
    /// Whose.
    pub peer: PeerId,
    /// How long nothing authenticated has arrived.
    pub silent_ms: u64,
    /// Round trip as reports tell it; nothing before the first.
    pub round_trip_time_ms: Option<f64>,
}

/// Totals since the stream began, named as in W3C webrtc-stats.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamStats {
    /// The publisher of a received layer, the viewer of a slot.
    pub peer: PeerId,
    /// The section.
    pub mid: String,
    /// The layer, "" outside simulcast.
    pub rid: String,
    /// Sound or pictures.
    pub kind: MediaKind,
    /// Received layer or sent slot.
    pub direction: Direction,
    /// The stream's SSRC.
    pub ssrc: u32,
    /// Packets, retransmissions included.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Lost packets as RFC 3550 counts them (may go down when a late one arrives).
    pub packets_lost: i64,
    /// Interarrival jitter (RFC 3550, 6.4.1).
    pub jitter_ms: f64,
    /// Round trip as reports tell it; 0 before the first.
    pub round_trip_time_ms: f64,
    /// NACK messages: sent for a received layer, received for a slot.
    pub nack_count: u64,
    /// PLI messages, likewise.
    pub pli_count: u64,
    /// FIR messages, likewise.
    pub fir_count: u64,
    /// Packets that arrived or were sent again because of a NACK.
    pub retransmitted_packets: u64,
    /// Keyframes that passed.
    pub key_frames: u64,
}
