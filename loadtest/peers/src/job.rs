//! What Python asks for and what it gets back.

use std::fmt;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use mianshi_engine_core::srtp::Profile;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Send and receive on sockets that are already connected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateJob {
    /// When the first packet leaves, in microseconds of CLOCK_MONOTONIC.
    pub start_us: u64,
    /// Traffic before the measured window, so that keyframes and caches have settled.
    pub warmup_us: u64,
    /// Each measured window.
    pub window_us: u64,
    /// How many of them, in a row.
    pub windows: usize,
    /// Whether to go before what else runs, so that packets leave when they are due and not in
    /// bursts; that costs the server, whose thread then has to make room.
    pub punctual: bool,
    /// Everyone.
    pub peers: Vec<PeerJob>,
}

/// One socket with its keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerJob {
    /// An inherited UDP socket.
    pub fd: RawFd,
    /// Where everything goes.
    pub server: SocketAddr,
    /// SRTP protection profile (RFC 5764, RFC 7714).
    pub profile: u16,
    /// Master key and salt of what we send.
    pub send_key: Secret,
    /// Master key and salt of what we receive.
    pub receive_key: Secret,
    /// Of the media to watch. Whatever comes with another one, such as probes, does not count.
    pub payload_type: u8,
    /// A ready STUN binding request that keeps the path alive; empty for a relay.
    pub consent_check: Secret,
    /// What this peer publishes, if anything.
    pub publish: Option<PublishJob>,
}

impl PeerJob {
    /// The profile, if it is one of ours.
    pub fn profile(&self) -> Result<Profile, String> {
        Profile::from_id(self.profile).ok_or_else(|| format!("profile {} unknown", self.profile))
    }
}

/// A VP8 stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishJob {
    /// Its SSRC.
    pub ssrc: u32,
    /// The payload type of VP8 in the answer.
    pub payload_type: u8,
    /// Evenly paced.
    pub packets_per_second: u32,
    /// The plain RTP packet, header included.
    pub packet_bytes: usize,
    /// When in the pacing interval this stream has its turn, so that streams interleave.
    pub phase_us: u64,
    /// Header extension id and value of the mid.
    pub mid: Option<(u8, String)>,
    /// Header extension id and value of the rid.
    pub rid: Option<(u8, String)>,
    /// Header extension id of the transport-wide sequence number.
    pub transport_cc: Option<u8>,
}

/// Forward without looking.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayJob {
    /// From whom to whom.
    pub routes: Vec<Route>,
}

/// Whatever comes from `from` goes to each of `to`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// A source.
    pub from: SocketAddr,
    /// Its receivers.
    pub to: Vec<SocketAddr>,
}

/// What `generate` counted inside the windows.
#[derive(Debug, Serialize)]
pub struct GenerateReport {
    /// Packets that publishers sent.
    pub sent: u64,
    /// Media packets that arrived and could be opened, over all receivers.
    pub received: u64,
    /// Datagrams that could not be opened, and sends that the kernel refused.
    pub failed: u64,
    /// Keyframes that were asked for.
    pub keyframe_requests: u64,
    /// From just before the publisher sealed and sent a packet to the kernel's note of its arrival.
    pub latency_us: Latency,
    /// Likewise, of the packets sent in each window.
    pub windows_latency_us: Vec<Latency>,
}

/// Percentiles in microseconds.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// The median.
    pub p50: u64,
    /// 95 in 100 are faster.
    pub p95: u64,
    /// 99 in 100 are faster.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

/// Bytes written as hexadecimal; never shown.
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        unhex(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom("not hexadecimal"))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_strict() {
        assert_eq!(unhex("00ff1A"), Some(vec![0x00, 0xff, 0x1a]));
        assert_eq!(unhex(""), Some(vec![]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0g"), None);
    }

    #[test]
    fn keys_never_reach_debug_text() {
        let secret: Secret = serde_json::from_str("\"c0ffee\"").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
