//! What a layer costs: its bitrate as it arrives, by temporal layer.

use core::time::Duration;

use crate::time::Time;

/// Temporal layers that a VP8 descriptor can tell apart.
pub const TEMPORAL_LAYERS: usize = 4;
/// How long bytes are counted before they change the rate.
const WINDOW: Duration = Duration::from_millis(250);
/// A window that took longer had a pause in it and says nothing.
const MAX_WINDOW: Duration = Duration::from_millis(1_000);
/// The share of the newest window in the rate, of 8: keyframes are smoothed over about a second.
const NEWEST_EIGHTHS: u64 = 2;
/// Less than this is what is left of a temporal layer that ended.
const USED_BPS: u64 = 1_000;

/// The measured bitrate of a layer. What a paused layer cost before is remembered.
#[derive(Clone, Copy, Debug, Default)]
pub struct LayerRate {
    window_start: Option<Time>,
    window_bytes: [u64; TEMPORAL_LAYERS],
    window_frames: [u64; TEMPORAL_LAYERS],
    bps: [u64; TEMPORAL_LAYERS],
    millifps: [u64; TEMPORAL_LAYERS],
    known: bool,
}

impl LayerRate {
    /// A packet of a temporal layer arrived; the last one of a frame ends it.
    pub fn receive(&mut self, temporal: u8, bytes: usize, ends_frame: bool, now: Time) {
        let start = *self.window_start.get_or_insert(now);
        if now.since(start) >= WINDOW {
            self.close_window(now.since(start));
            self.window_start = Some(now);
        }
        let temporal = usize::from(temporal) % TEMPORAL_LAYERS;
        self.window_bytes[temporal] += bytes as u64;
        self.window_frames[temporal] += u64::from(ends_frame);
    }

    /// Bitrate of the temporal layers up to `temporal`; nothing before the first window.
    pub fn bps_up_to(&self, temporal: u8) -> Option<u64> {
        let end = usize::from(temporal).saturating_add(1).min(TEMPORAL_LAYERS);
        self.known.then(|| self.bps[..end].iter().sum())
    }

    /// Frames in a thousand seconds of the temporal layers up to `temporal`.
    pub fn millifps_up_to(&self, temporal: u8) -> u64 {
        let end = usize::from(temporal).saturating_add(1).min(TEMPORAL_LAYERS);
        self.millifps[..end].iter().sum()
    }

    /// The highest temporal layer in use.
    pub fn highest_temporal(&self) -> u8 {
        self.bps
            .iter()
            .rposition(|bps| *bps >= USED_BPS)
            .unwrap_or(0) as u8
    }

    fn close_window(&mut self, elapsed: Duration) {
        let bytes = core::mem::take(&mut self.window_bytes);
        let frames = core::mem::take(&mut self.window_frames);
        if elapsed > MAX_WINDOW {
            return;
        }
        let micros = elapsed.as_micros() as u64;
        let newest_bps = bytes.map(|bytes| bytes * 8_000_000 / micros);
        let newest_millifps = frames.map(|frames| frames * 1_000_000_000 / micros);
        for temporal in 0..TEMPORAL_LAYERS {
            self.bps[temporal] = self.smooth(self.bps[temporal], newest_bps[temporal]);
            self.millifps[temporal] =
                self.smooth(self.millifps[temporal], newest_millifps[temporal]);
        }
        self.known = true;
    }

    fn smooth(&self, before: u64, newest: u64) -> u64 {
        match self.known {
            true => (before * (8 - NEWEST_EIGHTHS) + newest * NEWEST_EIGHTHS) / 8,
            false => newest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 1000 bytes every 20 ms in the pattern 0 2 1 2.
    fn feed(rate: &mut LayerRate, from_ms: u64, frames: u64) {
        for frame in 0..frames {
            let temporal = [0, 2, 1, 2][frame as usize % 4];
            rate.receive(
                temporal,
                1_000,
                true,
                Time::from_millis(from_ms + frame * 20),
            );
        }
    }

    #[test]
    fn a_rate_is_known_by_temporal_layer_after_a_window() {
        let mut rate = LayerRate::default();
        assert_eq!(rate.bps_up_to(3), None);
        feed(&mut rate, 0, 200);
        let near = |value: Option<u64>, expected: u64| {
            let value = value.expect("known");
            assert!(value.abs_diff(expected) < expected / 8, "{value}");
        };
        near(rate.bps_up_to(0), 100_000);
        near(rate.bps_up_to(1), 200_000);
        near(rate.bps_up_to(2), 400_000);
        assert_eq!(rate.bps_up_to(3), rate.bps_up_to(2));
        assert_eq!(rate.bps_up_to(200), rate.bps_up_to(2));
        assert_eq!(rate.highest_temporal(), 2);
        assert!((24_000..=26_000).contains(&rate.millifps_up_to(1)));
        assert!((48_000..=52_000).contains(&rate.millifps_up_to(3)));
    }

    #[test]
    fn a_pause_changes_nothing() {
        let mut rate = LayerRate::default();
        feed(&mut rate, 0, 200);
        let before = rate.bps_up_to(3);
        rate.receive(0, 1_000, true, Time::from_millis(60_000));
        assert_eq!(rate.bps_up_to(3), before);
        feed(&mut rate, 60_000, 200);
        let after = rate.bps_up_to(3).expect("known");
        assert!(after.abs_diff(400_000) < 50_000, "{after}");
    }

    #[test]
    fn a_temporal_layer_that_ended_fades() {
        let mut rate = LayerRate::default();
        feed(&mut rate, 0, 100);
        for frame in 0..400 {
            rate.receive(0, 1_000, true, Time::from_millis(2_000 + frame * 20));
        }
        assert_eq!(rate.highest_temporal(), 0);
    }
}
