//! A stretch of one stream whose packets are mapped by constant offsets.

use super::{Numbers, Origin};
use crate::packet::Packet;
use crate::wire::vp8::PictureId;

/// Ticks that a replay never spans: eleven seconds of video.
pub const LONGEST_REPLAY: u32 = 1 << 20;

/// Packets of one stream, mapped by constant offsets, up to where the next segment begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub origin: Origin,
    pub first_source: u64,
    pub first_own: u64,
    pub timestamp_offset: u32,
    /// The source's timestamp of the newest packet that was replayed when the segment began.
    pub replayed_until: u32,
    /// The packets before it have timestamps that are closer together by this factor.
    pub squeeze: u32,
    /// The last picture id of the source and what it became.
    pub picture: Option<(u16, u16)>,
    pub tl0_offset: Option<u8>,
    /// The source's timestamp of the frame that was left out before this segment, if one was:
    /// then the segment goes on with the stream of the one before.
    pub skipped: Option<u32>,
}

impl Segment {
    pub fn number(
        &mut self,
        packet: &Packet<'_>,
        sequence: u64,
        last_picture_id: u16,
        last_tl0: u8,
    ) -> Numbers {
        let vp8 = packet.vp8;
        Numbers {
            sequence,
            timestamp: self.timestamp(packet.header.timestamp),
            picture_id: vp8
                .and_then(|vp8| vp8.picture_id)
                .map_or(0, |id| self.picture_id(id, last_picture_id)),
            tl0_picture_index: vp8
                .and_then(|vp8| vp8.tl0_picture_index)
                .map_or(0, |index| {
                    let offset = *self
                        .tl0_offset
                        .get_or_insert(last_tl0.wrapping_add(1).wrapping_sub(index.value));
                    index.value.wrapping_add(offset)
                }),
        }
    }

    /// What becomes of a source's timestamp.
    pub fn timestamp(&self, source: u32) -> u32 {
        let before = self.replayed_until.wrapping_sub(source);
        let source = match before <= LONGEST_REPLAY {
            true => self.replayed_until.wrapping_sub(before / self.squeeze),
            false => source,
        };
        self.timestamp_of_live(source)
    }

    /// What becomes of a source's timestamp that was not replayed.
    pub fn timestamp_of_live(&self, source: u32) -> u32 {
        source.wrapping_add(self.timestamp_offset)
    }

    /// Picture ids are followed by differences: a source may count in 7 bits, a slot in 15.
    fn picture_id(&mut self, id: PictureId, last: u16) -> u16 {
        let (source, own) = *self
            .picture
            .get_or_insert((id.value, last.wrapping_add(1) & 0x7fff));
        let bits = if id.wide { 15 } else { 7 };
        let difference = ((id.value.wrapping_sub(source) << (16 - bits)) as i16) >> (16 - bits);
        let mapped = own.wrapping_add_signed(difference) & 0x7fff;
        if difference > 0 {
            self.picture = Some((id.value, mapped));
        }
        mapped
    }

    /// The number that a packet of the segment has, or would have if it was not left out.
    pub fn own(&self, source_sequence: u64) -> Option<u64> {
        Some(self.first_own + source_sequence.checked_sub(self.first_source)?)
    }

    /// The segment behind the packet with this source's number, which is left out: what follows
    /// takes its own number and its picture's.
    pub fn behind(&self, packet: &Packet<'_>, first_own: u64, last_picture_id: u16) -> Self {
        let mut next = *self;
        next.first_source = packet.sequence + 1;
        next.first_own = first_own;
        let timestamp = Some(packet.header.timestamp);
        if core::mem::replace(&mut next.skipped, timestamp) != timestamp {
            next.skip_picture(packet, last_picture_id);
        }
        next
    }

    fn skip_picture(&mut self, packet: &Packet<'_>, last_picture_id: u16) {
        let Some(id) = packet.vp8.and_then(|vp8| vp8.picture_id) else {
            return;
        };
        let mapped = self.picture_id(id, last_picture_id);
        if self.picture == Some((id.value, mapped)) {
            self.picture = Some((id.value, mapped.wrapping_sub(1) & 0x7fff));
        }
    }
}
