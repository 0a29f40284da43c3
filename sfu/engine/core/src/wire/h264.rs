//! What an H.264 RTP payload carries (RFC 6184): enough to find key frames.

use super::read_u16;

const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const FU_START: u8 = 0x80;

/// The units of interest that begin in one payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Units {
    /// A sequence parameter set.
    pub sequence_parameters: bool,
    /// A picture parameter set.
    pub picture_parameters: bool,
    /// The start of an IDR slice.
    pub instant_refresh: bool,
}

impl Units {
    fn note(&mut self, nal_header: u8) {
        match nal_header & 0x1f {
            NAL_IDR => self.instant_refresh = true,
            NAL_SPS => self.sequence_parameters = true,
            NAL_PPS => self.picture_parameters = true,
            _ => {}
        }
    }

    /// Whether a decoder that starts here can show the frame: parameter sets come first when
    /// they are in band, and an IDR slice alone is enough when they came by other means.
    pub const fn starts_keyframe(self) -> bool {
        self.sequence_parameters || self.instant_refresh
    }
}

/// Looks into a single NAL unit, an aggregate (STAP-A) or a fragment (FU-A).
///
/// Lying lengths end the look; other packetisations (STAP-B, MTAP, FU-B) carry nothing here,
/// since packetization modes 0 and 1 forbid them.
pub fn units(payload: &[u8]) -> Units {
    let mut units = Units::default();
    match payload {
        [header, rest @ ..] if header & 0x1f == STAP_A => note_aggregate(rest, &mut units),
        [header, fragment, ..] if header & 0x1f == FU_A => {
            if fragment & FU_START != 0 {
                units.note(*fragment);
            }
        }
        [header, ..] => units.note(*header),
        [] => {}
    }
    units
}

/// Whether a decoder can start at this payload; see [`Units::starts_keyframe`].
pub fn starts_keyframe(payload: &[u8]) -> bool {
    units(payload).starts_keyframe()
}

fn note_aggregate(mut rest: &[u8], units: &mut Units) {
    while let Some(size) = read_u16(rest, 0) {
        let end = 2 + usize::from(size);
        let Some(unit) = rest.get(2..end) else { return };
        if let Some(header) = unit.first() {
            units.note(*header);
        }
        rest = &rest[end..];
    }
}
