//! What arrives at one peer: media to count, feedback to obey.

use mianshi_engine_core::srtp::Inbound;
use mianshi_engine_core::wire::rtcp::{Packet, packets};
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::{DatagramKind, classify};

use crate::publisher::STAMP_BYTES;

/// What a datagram turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A media packet and the time when it was sent.
    Media { sent_us: u64 },
    /// The server wants a keyframe.
    KeyframeRequest,
    /// An answer to a consent check, a report.
    Other,
    /// Could not be opened.
    Unreadable,
}

/// The receiving half of a peer.
pub struct Viewer {
    keys: Inbound,
}

impl Viewer {
    /// A receiver with the server's keys.
    pub fn new(keys: Inbound) -> Self {
        Self { keys }
    }

    /// Opens one datagram in place.
    pub fn receive(&mut self, datagram: &mut [u8]) -> Arrival {
        match classify(datagram) {
            DatagramKind::Rtp => self.media(datagram).unwrap_or(Arrival::Unreadable),
            DatagramKind::Rtcp => self.feedback(datagram),
            _ => Arrival::Other,
        }
    }

    fn media(&mut self, packet: &mut [u8]) -> Option<Arrival> {
        let header = RtpHeader::parse(packet).ok()?;
        let bytes = self.keys.open_rtp(packet, &header).ok()?;
        let payload = &packet[header.payload(&packet[..bytes]).ok()?];
        let Some(stamp) = payload.last_chunk::<STAMP_BYTES>() else {
            // Padding that probes the path.
            return Some(Arrival::Other);
        };
        Some(Arrival::Media {
            sent_us: u64::from_be_bytes(*stamp),
        })
    }

    fn feedback(&mut self, compound: &mut [u8]) -> Arrival {
        let Ok(bytes) = self.keys.open_rtcp(compound) else {
            return Arrival::Unreadable;
        };
        let wants_keyframe = packets(&compound[..bytes])
            .flatten()
            .any(|packet| matches!(packet, Packet::Pli { .. } | Packet::Fir { .. }));
        if wants_keyframe {
            Arrival::KeyframeRequest
        } else {
            Arrival::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use mianshi_engine_core::srtp::{Outbound, Profile};
    use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;

    use super::*;

    const KEY: [u8; 28] = [9; 28];

    fn viewer() -> Viewer {
        Viewer::new(Inbound::new(Profile::AeadAes128Gcm, &KEY).unwrap())
    }

    #[test]
    fn a_picture_loss_indication_is_a_keyframe_request() {
        let mut buffer = [0; 64];
        let mut writer = RtcpWriter::new(&mut buffer);
        writer.pli(1, 2).unwrap();
        let plain_bytes = writer.finish();
        let mut keys = Outbound::new(Profile::AeadAes128Gcm, &KEY).unwrap();
        let bytes = keys.seal_rtcp(&mut buffer, plain_bytes).unwrap();
        assert_eq!(
            viewer().receive(&mut buffer[..bytes]),
            Arrival::KeyframeRequest
        );
    }

    #[test]
    fn forgeries_are_unreadable_and_the_rest_is_none_of_ours() {
        let mut forged = [0x80; 100];
        assert_eq!(viewer().receive(&mut forged), Arrival::Unreadable);
        forged[1] = 200;
        assert_eq!(viewer().receive(&mut forged), Arrival::Unreadable);
        assert_eq!(viewer().receive(&mut [0; 20]), Arrival::Other);
        assert_eq!(viewer().receive(&mut []), Arrival::Other);
    }
}
