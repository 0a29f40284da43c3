//! The formats of media: what was read is inside the packet, and reads the same written again.

use mianshi_engine_core::srtp::{Inbound, Profile};
use mianshi_engine_core::wire::framing::{Deframer, HEADER_BYTES, MAX_PACKET_BYTES};
use mianshi_engine_core::wire::h264;
use mianshi_engine_core::wire::red::{Blocks, MAX_BLOCKS, write_headers};
use mianshi_engine_core::wire::rtcp::{Packet, packets};
use mianshi_engine_core::wire::rtp::{HeaderFields, RtpHeader, contributing_sources, write_header};
use mianshi_engine_core::wire::vp8::{Descriptor, MAX_DESCRIPTOR_BYTES, keyframe_size};

/// RTP headers with their extensions, and SRTP: nothing that is not sealed is opened.
///
/// # Panics
/// A header or a payload reaches past the packet, or reads otherwise when it was written again.
pub fn rtp(packet: &[u8]) {
    let Ok(header) = RtpHeader::parse(packet) else {
        return;
    };
    assert!(header.header_bytes <= packet.len());
    assert!(contributing_sources(packet, &header).count() <= 15);
    if let Ok(payload) = header.payload(packet) {
        assert!(packet.get(payload).is_some());
    }
    write_back(packet, &header);
    for profile in [Profile::Aes128CmSha1_80, Profile::AeadAes128Gcm] {
        let keys = vec![3; profile.key_and_salt_bytes()];
        let mut inbound = Inbound::new(profile, &keys).expect("keys of the right length");
        let mut sealed = packet.to_vec();
        assert!(inbound.open_rtp(&mut sealed, &header).is_err());
        assert!(inbound.open_rtcp(&mut sealed).is_err());
    }
}

fn write_back(packet: &[u8], header: &RtpHeader) {
    let elements: Vec<(u8, &[u8])> = header.extensions(packet).collect();
    let fields = HeaderFields {
        marker: header.marker,
        payload_type: header.payload_type,
        sequence: header.sequence,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
        padded: header.padded,
    };
    let mut buffer = vec![0; 4 * packet.len() + 64];
    let length = write_header(&mut buffer, &fields, &elements).expect("room");
    let again = RtpHeader::parse(&buffer[..length]).expect("our own header");
    let read: Vec<(u8, &[u8])> = again.extensions(&buffer[..length]).collect();
    assert_eq!(read, elements);
}

/// RTCP compounds and every iterator that they lead to.
///
/// # Panics
/// A packet gives more than it can hold.
pub fn rtcp(compound: &[u8]) {
    for packet in packets(compound) {
        match packet {
            Ok(Packet::SenderReport { reports, .. } | Packet::ReceiverReport { reports, .. }) => {
                assert!(reports.count() <= 31);
            }
            Ok(Packet::SourceDescription(names)) => assert!(names.cnames().count() <= 31),
            Ok(Packet::Goodbye(streams)) => assert!(streams.count() <= 31),
            Ok(Packet::Nack { lost, .. }) => assert!(lost.count() <= compound.len() * 5),
            Ok(Packet::Fir { requests, .. }) => assert!(requests.count() <= compound.len() / 8),
            Ok(Packet::TransportFeedback(feedback)) => {
                if let Ok(statuses) = feedback.statuses() {
                    assert_eq!(statuses.count(), usize::from(feedback.status_count));
                }
            }
            Ok(Packet::Remb(estimate)) => assert!(estimate.ssrcs().count() <= 255),
            Ok(Packet::Pli { .. } | Packet::Other { .. }) | Err(_) => {}
        }
    }
}

/// VP8 descriptors, read and rewritten, and H.264 units.
///
/// # Panics
/// A rewritten descriptor is of another length, or the picture behind it changed.
pub fn payload(payload: &[u8]) {
    h264::units(payload);
    keyframe_size(payload);
    let Ok(descriptor) = Descriptor::parse(payload) else {
        return;
    };
    let mut copy = payload.to_vec();
    descriptor.rewrite(&mut copy, 0x1234, 0x56);
    assert_eq!(copy[descriptor.bytes..], payload[descriptor.bytes..]);
    let again = Descriptor::parse(&copy).expect("as valid as before");
    assert_eq!(again.bytes, descriptor.bytes);
    assert!(descriptor.write(&mut [0; MAX_DESCRIPTOR_BYTES]).is_ok());
}

/// Redundant sound: the blocks lie behind the headers, one after another, to the end.
///
/// # Panics
/// They do not, or the headers read otherwise when they were written again.
pub fn red(payload: &[u8]) {
    let Ok(blocks) = Blocks::parse(payload) else {
        return;
    };
    assert!(blocks.all().len() <= MAX_BLOCKS);
    let headers_bytes = blocks.all()[0].range().start;
    let end = blocks.all().iter().fold(headers_bytes, |at, block| {
        assert_eq!(block.range().start, at);
        block.range().end
    });
    assert_eq!(end, payload.len());
    let earlier = blocks
        .earlier()
        .iter()
        .map(|block| (block.timestamp_offset, block.range().len()));
    let payload_type = blocks.newest().payload_type;
    let mut written = vec![0; headers_bytes];
    let bytes = write_headers(&mut written, payload_type, earlier).expect("room");
    assert_eq!(bytes, headers_bytes);
    for (at, block) in blocks.all().iter().enumerate() {
        if block.payload_type == payload_type {
            let header = 4 * at..(4 * at + 4).min(headers_bytes);
            assert_eq!(written[header.clone()], payload[header]);
        }
    }
}

/// Packets on a byte stream: however it is cut, the same packets come out.
///
/// # Panics
/// They do not, or more is kept than one packet.
pub fn framing(stream: &[u8]) {
    let Some((&step, stream)) = stream.split_first() else {
        return;
    };
    let whole = cut(stream, stream.len().max(1));
    let pieces = cut(stream, usize::from(step).max(1));
    assert_eq!(whole, pieces);
}

/// The packets of a stream that comes in pieces, and whether it can be read to its end.
fn cut(stream: &[u8], piece_bytes: usize) -> (Vec<Vec<u8>>, bool) {
    let mut deframer = Deframer::default();
    let mut packets = Vec::new();
    let mut is_readable = true;
    for piece in stream.chunks(piece_bytes) {
        let fed = deframer.feed(&mut piece.to_vec(), |packet| packets.push(packet.to_vec()));
        is_readable &= fed.is_ok();
        assert!(deframer.unfinished_bytes() <= HEADER_BYTES + MAX_PACKET_BYTES);
    }
    let fit = |packet: &Vec<u8>| (1..=MAX_PACKET_BYTES).contains(&packet.len());
    assert!(packets.iter().all(fit));
    (packets, is_readable)
}
