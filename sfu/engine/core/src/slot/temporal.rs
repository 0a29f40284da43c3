//! Which frames of a VP8 stream a slot shows: fewer a second where bandwidth is short.

use crate::packet::Packet;

/// Every frame.
pub const ALL: u8 = u8::MAX;

/// Frames above a temporal layer are left out. Down at once; up only where a frame depends on
/// nothing that was left out (RFC 7741, bit Y), or at a keyframe.
#[derive(Clone, Copy, Debug)]
pub struct TemporalFilter {
    target: u8,
    shown: u8,
    /// The newest frame by its timestamp, and whether it is shown: its packets share a fate.
    frame: Option<(u32, bool)>,
}

impl Default for TemporalFilter {
    fn default() -> Self {
        Self {
            target: ALL,
            shown: ALL,
            frame: None,
        }
    }
}

impl TemporalFilter {
    /// Show temporal layers up to `target` from the next frame on.
    pub fn aim(&mut self, target: u8) {
        self.target = target;
    }

    /// Whether a packet of the stream is shown.
    pub fn shows(&mut self, packet: &Packet<'_>) -> bool {
        if self.target == ALL && self.shown == ALL {
            return true;
        }
        let Some(temporal) = packet.vp8.and_then(|vp8| vp8.temporal) else {
            return true;
        };
        let timestamp = packet.header.timestamp;
        match self.frame {
            Some((known, shown)) if known == timestamp => return shown,
            Some((known, _)) if !crate::seqnum::timestamp_newer(timestamp, known) => {
                return temporal.index <= self.shown;
            }
            _ => {}
        }
        self.shown = match temporal.index {
            _ if packet.starts_keyframe => self.target,
            index if self.may_rise_to(index, temporal.sync) => index,
            _ => self.shown.min(self.target),
        };
        let shown = temporal.index <= self.shown;
        self.frame = Some((timestamp, shown));
        shown
    }

    fn may_rise_to(&self, index: u8, sync: bool) -> bool {
        sync && index <= self.target && self.shown != ALL && index == self.shown + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Format, Marks};
    use crate::wire::rtp::RtpHeader;

    struct Frames {
        timestamp: u32,
        filter: TemporalFilter,
    }

    impl Frames {
        fn new() -> Self {
            Self {
                timestamp: 7,
                filter: TemporalFilter::default(),
            }
        }

        fn packet_at(timestamp: u32, temporal: u8, sync: bool, key: bool) -> Vec<u8> {
            let mut bytes = vec![0x80, 96, 0, 0];
            bytes.extend_from_slice(&timestamp.to_be_bytes());
            let layer = temporal << 6 | u8::from(sync) << 5;
            bytes.extend_from_slice(&[0, 0, 0, 9, 0x90, 0x20, layer, u8::from(!key), 2, 3]);
            bytes
        }

        fn shows(&mut self, bytes: &[u8]) -> bool {
            let header = RtpHeader::parse(bytes).expect("RTP");
            let packet = Packet::describe(bytes, header, Marks::default(), 1, Format::Vp8);
            self.filter.shows(&packet.expect("a VP8 packet"))
        }

        /// The next frame.
        fn next(&mut self, temporal: u8, sync: bool, key: bool) -> bool {
            self.timestamp += 3_000;
            self.shows(&Self::packet_at(self.timestamp, temporal, sync, key))
        }
    }

    #[test]
    fn down_is_at_once_and_up_only_where_a_frame_stands_alone() {
        let mut frames = Frames::new();
        assert!(frames.next(2, false, false));
        frames.filter.aim(0);
        assert!(frames.next(0, false, false));
        assert!(!frames.next(2, true, false));
        frames.filter.aim(ALL);
        assert!(
            !frames.next(1, false, false),
            "it depends on what was left out"
        );
        assert!(
            !frames.next(2, true, false),
            "the layer below is not shown yet"
        );
        assert!(frames.next(1, true, false));
        assert!(frames.next(1, false, false));
        assert!(!frames.next(2, false, false));
        assert!(frames.next(2, true, false));
        assert!(frames.next(2, false, false));
    }

    #[test]
    fn a_keyframe_brings_every_layer_that_is_aimed_at() {
        let mut frames = Frames::new();
        frames.filter.aim(0);
        assert!(!frames.next(1, true, false));
        frames.filter.aim(1);
        assert!(frames.next(0, true, true));
        assert!(frames.next(1, false, false));
        assert!(!frames.next(2, true, false));
    }

    #[test]
    fn the_packets_of_a_frame_share_its_fate() {
        let mut frames = Frames::new();
        frames.filter.aim(1);
        let bytes = Frames::packet_at(10_000, 1, false, false);
        assert!(frames.shows(&bytes));
        frames.filter.aim(0);
        assert!(frames.shows(&bytes), "the frame has begun");
        assert!(!frames.shows(&Frames::packet_at(13_000, 1, false, false)));
        assert!(!frames.shows(&bytes), "late and of no use any more");
    }

    #[test]
    fn a_stream_without_temporal_layers_is_shown_whole() {
        let mut frames = Frames::new();
        frames.filter.aim(0);
        let mut bytes = vec![0x80, 96, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9];
        bytes.extend_from_slice(&[0x10, 1, 2, 3]);
        assert!(frames.shows(&bytes));
    }
}
