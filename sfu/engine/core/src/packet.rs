//! A plain packet of a source, described once and then forwarded to every slot.

use core::ops::Range;

use crate::extensions::{Meaning, MeaningById};
use crate::picture::PictureSize;
use crate::redundancy::{Earlier, MAX_DEPTH};
use crate::wire::extension::{identifier, transport_sequence};
use crate::wire::red::EARLIER_HEADER_BYTES;
use crate::wire::rtp::RtpHeader;
use crate::wire::{WireError, h264, vp8};

/// How keyframes are found in a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 7741, with a picture id to rewrite.
    Vp8,
    /// RFC 6184.
    H264,
    /// Forwarded as it comes: sound, and video whose keyframes are not known here.
    Opaque,
}

impl Format {
    /// The format of a codec key (see `Codec::key`).
    pub fn of(key: &str) -> Self {
        match key.split('/').next() {
            Some("vp8") => Self::Vp8,
            Some("h264") => Self::H264,
            _ => Self::Opaque,
        }
    }
}

/// What the header extensions of a received packet say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced<'a> {
    /// The m-section.
    pub mid: Option<&'a str>,
    /// The simulcast layer.
    pub rid: Option<&'a str>,
    /// The simulcast layer that a retransmission repairs.
    pub repaired_rid: Option<&'a str>,
    /// The sender's transport-wide sequence number.
    pub transport_sequence: Option<u16>,
    /// What goes on to viewers.
    pub marks: Marks,
}

/// What header extensions say of a packet's content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The byte of RFC 6464.
    pub audio_level: Option<u8>,
    /// The byte of video orientation.
    pub video_orientation: Option<u8>,
}

impl<'a> Announced<'a> {
    /// Read a packet's extensions; values of a wrong form are as if absent.
    pub fn read(packet: &'a [u8], header: &RtpHeader, meanings: &MeaningById) -> Self {
        let mut announced = Self::default();
        for (id, value) in header.extensions(packet) {
            match meanings.get(id) {
                Some(Meaning::Mid) => announced.mid = identifier(value),
                Some(Meaning::Rid) => announced.rid = identifier(value),
                Some(Meaning::RepairedRid) => announced.repaired_rid = identifier(value),
                Some(Meaning::TransportCc) => {
                    announced.transport_sequence = transport_sequence(value)
                }
                Some(Meaning::AudioLevel) => announced.marks.audio_level = value.first().copied(),
                Some(Meaning::VideoOrientation) => {
                    announced.marks.video_orientation = value.first().copied()
                }
                Some(Meaning::AbsSendTime) | None => {}
            }
        }
        announced
    }
}

/// A packet as forwarding sees it.
#[derive(Clone, Debug)]
pub struct Packet<'a> {
    /// The whole plain packet.
    pub bytes: &'a [u8],
    /// Its header.
    pub header: RtpHeader,
    /// Extended sequence number in its layer.
    pub sequence: u64,
    /// Where the payload is, without padding.
    pub payload: Range<usize>,
    /// The byte of RFC 6464.
    pub audio_level: Option<u8>,
    /// The byte of video orientation.
    pub video_orientation: Option<u8>,
    /// The VP8 payload descriptor, if it is VP8.
    pub vp8: Option<vp8::Descriptor>,
    /// A decoder can start here.
    pub starts_keyframe: bool,
    /// Packets of before that a packet of sound may repeat, the nearest first.
    pub earlier: [Option<Earlier<'a>>; MAX_DEPTH],
}

impl<'a> Packet<'a> {
    /// Describe a plain packet of a known source.
    ///
    /// # Errors
    /// The packet's padding or payload descriptor lies.
    pub fn describe(
        bytes: &'a [u8],
        header: RtpHeader,
        marks: Marks,
        sequence: u64,
        format: Format,
    ) -> Result<Self, WireError> {
        let payload = header.payload(bytes)?;
        let mut packet = Self {
            bytes,
            header,
            sequence,
            payload,
            audio_level: marks.audio_level,
            video_orientation: marks.video_orientation,
            vp8: None,
            starts_keyframe: false,
            earlier: [None; MAX_DEPTH],
        };
        packet.look_into_payload(format)?;
        Ok(packet)
    }

    /// How long the payload can become with all that it may repeat.
    pub fn longest_payload_bytes(&self) -> usize {
        let copies = self.earlier.iter().flatten();
        copies.fold(self.payload.len(), |bytes, earlier| {
            bytes + EARLIER_HEADER_BYTES + earlier.payload.len()
        })
    }

    /// The payload's bytes.
    pub fn payload_bytes(&self) -> &'a [u8] {
        &self.bytes[self.payload.clone()]
    }

    /// The temporal layer; 0 where the format does not tell.
    pub fn temporal_layer(&self) -> u8 {
        let temporal = self.vp8.and_then(|vp8| vp8.temporal);
        temporal.map_or(0, |temporal| temporal.index)
    }

    /// The packet with nothing in it.
    pub fn emptied(&self) -> Self {
        let mut empty = self.clone();
        empty.payload.end = empty.payload.start;
        empty.header.marker = false;
        (empty.vp8, empty.starts_keyframe) = (None, false);
        empty
    }

    /// The size of the picture that a VP8 keyframe's first packet begins.
    pub fn picture_size(&self) -> Option<PictureSize> {
        self.vp8?;
        let (width, height) = vp8::keyframe_size(self.payload_bytes())?;
        Some(PictureSize::shown(width, height, self.video_orientation))
    }

    fn look_into_payload(&mut self, format: Format) -> Result<(), WireError> {
        let payload = self.payload_bytes();
        if payload.is_empty() {
            return Ok(());
        }
        match format {
            Format::Vp8 => {
                let descriptor = vp8::Descriptor::parse(payload)?;
                self.starts_keyframe = descriptor.starts_keyframe(payload);
                self.vp8 = Some(descriptor);
            }
            Format::H264 => self.starts_keyframe = h264::starts_keyframe(payload),
            Format::Opaque => self.starts_keyframe = true,
        }
        Ok(())
    }
}
