//! What may be spent on one viewer, and what the viewer's slots could use.

use crate::time::Time;

/// Below this even sound would be refused: a lower claim is a lie or a dead path.
pub const MIN_BPS: u64 = 30_000;
/// Above this no interview has a use for the difference.
pub const MAX_BPS: u64 = 30_000_000;

/// The path to one viewer.
#[derive(Debug, Default)]
pub struct Downlink {
    /// The receiver's own estimate (draft-alvestrand-rmcat-remb-03), once it told one.
    remb_bps: Option<u64>,
    /// What the slots could use next, and when that was said.
    #[allow(dead_code, reason = "probes read it")]
    wanted: Option<(u64, Time)>,
}

impl Downlink {
    /// What may be spent on the viewer altogether: sound, video and retransmissions.
    ///
    /// Nothing while no limit is known, because the viewer gives no feedback on the path.
    #[allow(dead_code, reason = "the choice of layers reads it")]
    pub fn available_bps(&self, _now: Time) -> Option<u64> {
        self.remb_bps
    }

    /// The slots could use `bps` altogether from now on.
    #[allow(dead_code, reason = "the choice of layers says it")]
    pub fn want_bps(&mut self, now: Time, bps: u64) {
        self.wanted = Some((bps, now));
    }

    /// The viewer told its own estimate.
    pub fn receive_remb(&mut self, bitrate_bps: u64) {
        self.remb_bps = Some(bitrate_bps.clamp(MIN_BPS, MAX_BPS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_known_until_the_viewer_tells_one() {
        let mut downlink = Downlink::default();
        assert_eq!(downlink.available_bps(Time(0)), None);
        downlink.receive_remb(800_000);
        assert_eq!(downlink.available_bps(Time(0)), Some(800_000));
    }

    #[test]
    fn absurd_claims_are_bounded() {
        let mut downlink = Downlink::default();
        downlink.receive_remb(0);
        assert_eq!(downlink.available_bps(Time(0)), Some(MIN_BPS));
        downlink.receive_remb(u64::MAX);
        assert_eq!(downlink.available_bps(Time(0)), Some(MAX_BPS));
    }
}
