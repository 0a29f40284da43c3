//! The sending side of one member's path: numbering, stamps, sealing.

use mianshi_engine_core::srtp::{MAX_TRAILER_BYTES, Outbound};
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use mianshi_engine_core::wire::rtp::{HeaderFields, write_header};

use super::job::Extensions;
use crate::publisher::STAMP_BYTES;

const MAX_DATAGRAM_BYTES: usize = 1_500;

/// What a member's datagrams are given to.
pub type Send<'a> = dyn FnMut(&[u8]) + 'a;

/// The names by which a stream is told from others of its connection (RFC 9143, RFC 8852).
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Of its section.
    pub mid: &'a str,
    /// Of its layer, and whether this is its repair stream.
    pub rid: Option<(&'a str, bool)>,
}

/// Seals RTP and RTCP of one member.
pub struct Wire {
    keys: Outbound,
    extensions: Extensions,
    transport_sequence: u16,
    buffer: [u8; MAX_DATAGRAM_BYTES],
}

impl Wire {
    /// With the member's keys, and the extensions' numbers of its offer.
    pub fn new(keys: Outbound, extensions: Extensions) -> Self {
        Self {
            keys,
            extensions,
            transport_sequence: 0,
            buffer: [0; MAX_DATAGRAM_BYTES],
        }
    }

    /// Seals and sends one packet whose payload is `parts` one behind the other, and then `stamp`
    /// if it is not a repetition; returns the plain payload's place for whoever wants to keep it.
    pub fn packet(
        &mut self,
        fields: &HeaderFields,
        names: Names<'_>,
        level: Option<u8>,
        parts: &[&[u8]],
        send: &mut Send<'_>,
    ) -> usize {
        let number = self.transport_sequence.to_be_bytes();
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        let mut elements: [(u8, &[u8]); 4] = [(0, &[]); 4];
        let mut count = 0;
        let mut add = |id: Option<u8>, value| {
            if let Some(id) = id {
                elements[count] = (id, value);
                count += 1;
            }
        };
        let level = level.map(|level| [level]);
        add(self.extensions.mid, names.mid.as_bytes());
        add(self.extensions.transport_cc, &number);
        if let Some((rid, repairs)) = names.rid {
            let id = match repairs {
                true => self.extensions.repaired_rid,
                false => self.extensions.rid,
            };
            add(id, rid.as_bytes());
        }
        if let Some(level) = &level {
            add(self.extensions.audio_level, level);
        }
        let Ok(header_bytes) = write_header(&mut self.buffer, fields, &elements[..count]) else {
            return 0;
        };
        let mut plain_bytes = header_bytes;
        for part in parts {
            let end = plain_bytes + part.len();
            if end + MAX_TRAILER_BYTES > MAX_DATAGRAM_BYTES {
                return 0;
            }
            self.buffer[plain_bytes..end].copy_from_slice(part);
            plain_bytes = end;
        }
        let sealed = self
            .keys
            .seal_rtp(&mut self.buffer, plain_bytes, header_bytes);
        if let Ok(bytes) = sealed {
            send(&self.buffer[..bytes]);
        }
        plain_bytes - header_bytes
    }

    /// Seals and sends what `write` writes, if anything.
    pub fn rtcp(&mut self, send: &mut Send<'_>, write: impl FnOnce(&mut RtcpWriter<'_>)) {
        let mut writer =
            RtcpWriter::new(&mut self.buffer[..MAX_DATAGRAM_BYTES - MAX_TRAILER_BYTES]);
        write(&mut writer);
        let plain_bytes = writer.finish();
        if plain_bytes == 0 {
            return;
        }
        if let Ok(bytes) = self.keys.seal_rtcp(&mut self.buffer, plain_bytes) {
            send(&self.buffer[..bytes]);
        }
    }
}

/// The moment of sending, as the last bytes of each payload.
pub fn stamp(now: Time) -> [u8; STAMP_BYTES] {
    now.as_micros().to_be_bytes()
}
