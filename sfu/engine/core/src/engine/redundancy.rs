//! Sound that comes with copies of earlier packets: unpacked, and what was lost is mended.

use super::Engine;
use super::receive::Opened;
use crate::drops::DropReason;
use crate::layer::Via;
use crate::packet::{Marks, Packet};
use crate::redundancy::EarlierPlaces;
use crate::rewrite::Origin;
use crate::streams::StreamPlace;
use crate::time::Time;
use crate::wire::red::{Block, Blocks};
use crate::wire::rtp::RtpHeader;

impl Engine {
    /// The plain packet inside one with redundancy (RFC 2198), rebuilt in place, after the lost
    /// packets of which it holds copies were received from them. Any other comes back unchanged.
    pub(super) fn unwrap_redundancy<'a>(
        &mut self,
        index: usize,
        place: StreamPlace,
        plain: &'a mut [u8],
        opened: Opened,
        now: Time,
    ) -> Result<(&'a mut [u8], Opened), DropReason> {
        let redundancy = self
            .source(index, place.source)
            .and_then(|source| source.redundancy)
            .filter(|redundancy| redundancy.payload_type == opened.header.payload_type);
        let Some(redundancy) = redundancy else {
            return Ok((plain, opened));
        };
        let plain_type = redundancy.plain_payload_type;
        let payload = opened
            .header
            .payload(plain)
            .map_err(|_| DropReason::Malformed)?;
        let blocks = Blocks::parse(&plain[payload.clone()]).map_err(|_| DropReason::Malformed)?;
        if blocks
            .all()
            .iter()
            .any(|block| block.payload_type != plain_type)
        {
            return Err(DropReason::UnknownPayload);
        }
        self.mend(index, place, &plain[..payload.end], &opened, &blocks, now);
        // The header moves up against the newest block.
        let newest = blocks.newest().range();
        plain.copy_within(..payload.start, newest.start);
        let packet = &mut plain[newest.start..payload.end];
        packet[0] &= !PADDING;
        packet[1] = packet[1] & MARKER | plain_type;
        let header = RtpHeader::parse(packet).map_err(|_| DropReason::Malformed)?;
        Ok((packet, Opened { header, ..opened }))
    }

    /// Forward a packet of sound together with the ones before it, for viewers that want copies.
    pub(super) fn forward_sound(&mut self, origin: Origin, packet: &Packet<'_>, now: Time) {
        let mut buffer = core::mem::take(&mut self.earlier);
        let places = self.layer(origin).map(|layer| {
            EarlierPlaces::collect(&layer.cache, packet.sequence, &packet.header, &mut buffer)
        });
        let packet = Packet {
            earlier: places.unwrap_or_default().in_buffer(&buffer),
            ..packet.clone()
        };
        self.forward(origin, &packet, now);
        self.earlier = buffer;
    }

    /// Receive what is missing before a packet from the copies in it, the oldest first.
    fn mend(
        &mut self,
        index: usize,
        place: StreamPlace,
        plain: &[u8],
        opened: &Opened,
        blocks: &Blocks,
        now: Time,
    ) {
        let earlier = blocks.earlier();
        for (at, block) in earlier.iter().enumerate() {
            let distance = (earlier.len() - at) as u16;
            let sequence = opened.header.sequence.wrapping_sub(distance);
            let is_lost = self
                .source(index, place.source)
                .is_some_and(|source| source.layers[place.layer].lacks(sequence));
            if !is_lost || block.timestamp_offset == 0 || block.range().is_empty() {
                continue;
            }
            let mut bytes = core::mem::take(&mut self.mended);
            rebuild(plain, &opened.header, sequence, block, &mut bytes);
            if let Ok(header) = RtpHeader::parse(&bytes) {
                let place = StreamPlace {
                    via: Via::Redundancy,
                    ..place
                };
                // The level is the later packet's: heard with that one.
                let opened = Opened {
                    header,
                    plain_bytes: bytes.len(),
                    marks: Marks::default(),
                };
                // Refused for what the packet itself will be refused for.
                let _ = self.receive_packet(index, place, &bytes, &opened, now);
            }
            self.mended = bytes;
        }
    }
}

const PADDING: u8 = 0x20;
const MARKER: u8 = 0x80;

/// The earlier packet that a block is of, with the later packet's header extensions.
fn rebuild(plain: &[u8], later: &RtpHeader, sequence: u16, block: &Block, bytes: &mut Vec<u8>) {
    let timestamp = later.timestamp.wrapping_sub(block.timestamp_offset);
    let (header, payload) = plain.split_at(later.header_bytes);
    bytes.clear();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&payload[block.range()]);
    bytes[0] &= !PADDING;
    bytes[1] = block.payload_type;
    bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
    bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
}
