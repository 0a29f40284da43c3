//! What arrives at one peer: media to count, feedback to obey.

use mianshi_engine_core::srtp::Inbound;
use mianshi_engine_core::wire::rtcp::{Packet, packets};
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::{DatagramKind, classify};

use crate::publisher::STAMP_BYTES;

/// What a datagram turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A packet of media for the first time, and when its publisher sent it.
    Media { sent_us: u64 },
    /// The server wants a keyframe.
    KeyframeRequest,
    /// An answer to a consent check, a report, a probe of the path.
    Other,
    /// Could not be opened.
    Unreadable,
}

/// The receiving half of a peer.
pub struct Viewer {
    keys: Inbound,
    payload_type: u8,
}

impl Viewer {
    /// A receiver with the server's keys; media is what has this payload type.
    pub fn new(keys: Inbound, payload_type: u8) -> Self {
        Self { keys, payload_type }
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
        if header.payload_type != self.payload_type {
            // A retransmission that nobody asked for probes the path: its stamp is an old one.
            return Some(Arrival::Other);
        }
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
    use mianshi_engine_core::srtp::{MAX_TRAILER_BYTES, Outbound, Profile};
    use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
    use mianshi_engine_core::wire::rtp::{HeaderFields, write_header};

    use super::*;

    const KEY: [u8; 28] = [9; 28];
    const MEDIA: u8 = 96;
    const RETRANSMISSION: u8 = 97;

    fn viewer() -> Viewer {
        Viewer::new(Inbound::new(Profile::AeadAes128Gcm, &KEY).unwrap(), MEDIA)
    }

    /// A sealed packet of a stream of its own whose payload is `payload`.
    fn packet(payload_type: u8, payload: &[u8]) -> Vec<u8> {
        let mut buffer = [0; 200];
        let fields = HeaderFields {
            marker: false,
            payload_type,
            sequence: 5,
            timestamp: 0,
            ssrc: u32::from(payload_type),
            padded: false,
        };
        let header_bytes = write_header(&mut buffer, &fields, &[]).unwrap();
        let plain_bytes = header_bytes + payload.len();
        assert!(plain_bytes + MAX_TRAILER_BYTES <= buffer.len());
        buffer[header_bytes..plain_bytes].copy_from_slice(payload);
        let mut keys = Outbound::new(Profile::AeadAes128Gcm, &KEY).unwrap();
        let bytes = keys
            .seal_rtp(&mut buffer, plain_bytes, header_bytes)
            .unwrap();
        buffer[..bytes].to_vec()
    }

    #[test]
    fn probes_of_the_path_are_not_media() {
        let stamp = 42u64.to_be_bytes();
        let again = [&[0, 4][..], &stamp].concat();
        for (payload_type, payload, expected) in [
            (MEDIA, &stamp[..], Arrival::Media { sent_us: 42 }),
            (RETRANSMISSION, &again, Arrival::Other),
            (RETRANSMISSION, &[], Arrival::Other),
        ] {
            let mut packet = packet(payload_type, payload);
            assert_eq!(viewer().receive(&mut packet), expected);
        }
    }

    #[test]
    fn media_without_a_stamp_is_not_counted() {
        assert_eq!(viewer().receive(&mut packet(MEDIA, &[])), Arrival::Other);
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
