//! The engine's clock values; nothing here reads a clock.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// Microseconds since the engine started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub u64);

/// NTP time in 32.32 fixed point (RFC 5905, section 6), as carried by sender reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NtpTime(pub u64);

const MICROS_PER_SECOND: u64 = 1_000_000;

impl Time {
    /// The instant `micros` microseconds after the engine's start.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The instant `millis` milliseconds after the engine's start.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000)
    }

    /// Microseconds since the engine's start.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the engine's start.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The wall clock at this instant, `epoch` being the wall clock at `Time(0)`.
    pub const fn to_ntp(self, epoch: NtpTime) -> NtpTime {
        let seconds = self.0 / MICROS_PER_SECOND;
        let fraction = ((self.0 % MICROS_PER_SECOND) << 32) / MICROS_PER_SECOND;
        NtpTime(epoch.0.wrapping_add((seconds << 32) | fraction))
    }

    /// The value of the abs-send-time extension: 24 bits of seconds in 6.18 fixed point.
    ///
    /// Source: <http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time>.
    pub const fn abs_send_time(self) -> u32 {
        let seconds = (self.0 / MICROS_PER_SECOND) << 18;
        let fraction = ((self.0 % MICROS_PER_SECOND) << 18) / MICROS_PER_SECOND;
        ((seconds | fraction) & 0x00ff_ffff) as u32
    }
}

impl NtpTime {
    /// The middle 32 bits (16.16 seconds): LSR and DLSR of RFC 3550, section 6.4.1.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// Microseconds from `earlier` to this, negative when this is before it.
    pub const fn micros_since(self, earlier: NtpTime) -> i64 {
        let difference = self.0.wrapping_sub(earlier.0) as i64 as i128;
        ((difference * MICROS_PER_SECOND as i128) >> 32) as i64
    }
}

/// A duration in the 16.16 seconds of DLSR (RFC 3550, section 6.4.1), saturating at 65536 s.
pub fn to_compact_ntp(duration: Duration) -> u32 {
    let units = (duration.as_micros() << 16) / u128::from(MICROS_PER_SECOND);
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The duration of a 16.16 difference, such as a round-trip time computed from LSR and DLSR.
pub const fn from_compact_ntp(units: u32) -> Duration {
    Duration::from_micros((units as u64 * MICROS_PER_SECOND) >> 16)
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(duration.as_micros() as u64))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Time {
    type Output = Time;

    fn sub(self, duration: Duration) -> Time {
        Time(self.0.saturating_sub(duration.as_micros() as u64))
    }
}

impl Sub for Time {
    type Output = Duration;

    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}.{:06}s",
            self.0 / MICROS_PER_SECOND,
            self.0 % MICROS_PER_SECOND
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_to_ntp_relative_to_the_epoch() {
        let epoch = NtpTime(0xe000_0000_8000_0000);
        assert_eq!(Time::from_micros(0).to_ntp(epoch), epoch);
        assert_eq!(
            Time::from_micros(1_500_000).to_ntp(epoch),
            NtpTime(0xe000_0002_0000_0000)
        );
        assert_eq!(NtpTime(0x1234_5678_9abc_def0).middle(), 0x5678_9abc);
    }

    #[test]
    fn measures_signed_ntp_differences() {
        let epoch = NtpTime(0xffff_ffff_ffff_0000);
        let later = Time::from_millis(2_500).to_ntp(epoch);
        assert!((later.micros_since(epoch) - 2_500_000).abs() <= 1);
        assert!((epoch.micros_since(later) + 2_500_000).abs() <= 1);
    }

    #[test]
    fn abs_send_time_wraps_every_64_seconds() {
        assert_eq!(Time::from_millis(0).abs_send_time(), 0);
        assert_eq!(Time::from_millis(1_500).abs_send_time(), 0x06_0000);
        assert_eq!(Time::from_millis(64_000).abs_send_time(), 0);
        assert_eq!(Time::from_millis(63_999).abs_send_time(), 0xff_fef9);
    }

    #[test]
    fn compact_ntp_round_trips_within_its_resolution() {
        for micros in [0, 15, 1_000, 999_999, 60_000_000] {
            let duration = Duration::from_micros(micros);
            let back = from_compact_ntp(to_compact_ntp(duration));
            assert!(duration.abs_diff(back) <= Duration::from_micros(16));
        }
        assert_eq!(to_compact_ntp(Duration::from_secs(1 << 20)), u32::MAX);
    }

    #[test]
    fn differences_never_go_below_zero() {
        assert_eq!(Time::from_millis(1) - Time::from_millis(2), Duration::ZERO);
        assert_eq!(Time::from_millis(1) - Duration::from_secs(1), Time(0));
    }
}
