//! What an encoder makes of the limit that it was given, so that the limit can be put right.
//!
//! Encoders of real-time video stay some percent below their limit or above it, each in its own
//! way, and what they count need not be what the path carries. On a narrow path that is a picture
//! less sharp than it could be, or a queue.

use core::time::Duration;

use crate::time::Time;

/// The rate sways by tens of percent from second to second; what counts is its mean.
const MEMORY: Duration = Duration::from_secs(6);
/// A longer pause between two looks says nothing more.
const MAX_STEP: Duration = Duration::from_millis(500);
/// Below this part of the limit it is the picture that needs no more, not the encoder that errs.
const EASY: f64 = 0.75;
/// A limit is changed by no more than this: it may be the picture after all.
const LEAST: f64 = 0.95;
const MOST: f64 = 1.04;

/// The mean part of its limit that an encoder sends; 1 until known.
#[derive(Clone, Copy, Debug)]
pub struct EncoderYield {
    part: f64,
    looked: Option<Time>,
}

impl Default for EncoderYield {
    fn default() -> Self {
        Self {
            part: 1.0,
            looked: None,
        }
    }
}

impl EncoderYield {
    /// The encoder sends `bps`, and has had time to follow the limit that it was told.
    pub fn note(&mut self, bps: u64, told_bps: u64, now: Time) {
        let since = self.looked.replace(now).map(|before| now.since(before));
        let step = since.unwrap_or_default().min(MAX_STEP);
        let part = match bps as f64 / told_bps.max(1) as f64 {
            part if part < EASY => 1.0,
            part => part,
        };
        let weight = step.as_secs_f64() / MEMORY.as_secs_f64();
        self.part += weight * (part - self.part);
    }

    /// What to tell the encoder so that it sends as much as this on average.
    pub fn limit_for(&self, bps: u64) -> u64 {
        (bps as f64 / self.part.clamp(LEAST, MOST)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told after half a minute to an encoder that makes this of its limits.
    fn told(sends: impl Fn(u64) -> u64) -> u64 {
        let mut encoder = EncoderYield::default();
        for step in 0..300 {
            let told_bps = encoder.limit_for(500_000);
            encoder.note(sends(told_bps), told_bps, Time::from_millis(step * 100));
        }
        encoder.limit_for(500_000)
    }

    fn is_about(bps: u64, expected_bps: u64) -> bool {
        bps.abs_diff(expected_bps) < expected_bps / 100
    }

    #[test]
    fn what_the_encoder_leaves_is_told_on_top_and_what_it_takes_more_is_taken_back() {
        assert_eq!(EncoderYield::default().limit_for(500_000), 500_000);
        assert!(is_about(told(|bps| bps), 500_000));
        assert!(is_about(told(|bps| bps * 96 / 100), 521_000));
        assert!(is_about(told(|bps| bps * 103 / 100), 485_000));
    }

    #[test]
    fn it_is_bounded_and_an_easy_picture_changes_nothing() {
        assert!(is_about(told(|bps| bps * 80 / 100), 526_000));
        assert!(is_about(told(|bps| bps * 3), 481_000));
        assert!(is_about(told(|_| 100_000), 500_000));
        assert!(is_about(told(|_| 0), 500_000));
    }

    #[test]
    fn one_keyframe_hardly_counts_and_a_pause_not_at_all() {
        let mut encoder = EncoderYield::default();
        encoder.note(2_000_000, 500_000, Time::from_millis(0));
        assert_eq!(encoder.limit_for(500_000), 500_000);
        encoder.note(700_000, 500_000, Time::from_millis(100));
        assert!(is_about(encoder.limit_for(500_000), 497_000));
        encoder.note(460_000, 500_000, Time::from_millis(3_600_000));
        assert!(encoder.limit_for(500_000) < 506_000);
    }
}
