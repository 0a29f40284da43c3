//! The only clock: microseconds since the engine started, and the NTP time of that moment.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mianshi_engine_core::time::Time;

/// Seconds between the NTP era (1900) and the Unix epoch (RFC 5905, section 6).
const NTP_UNIX_OFFSET_SECONDS: u64 = 2_208_988_800;

/// A monotonic clock that began at `Time(0)`.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    ntp_epoch: u64,
}

impl Clock {
    /// Starts the clock: now is `Time(0)`.
    pub fn start() -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self {
            started: Instant::now(),
            ntp_epoch: ntp_from_unix(wall),
        }
    }

    /// Microseconds since the start.
    pub fn now(&self) -> Time {
        Time(self.started.elapsed().as_micros() as u64)
    }

    /// NTP time (32.32 fixed point) at `Time(0)`.
    pub fn ntp_epoch(&self) -> u64 {
        self.ntp_epoch
    }
}

fn ntp_from_unix(wall: Duration) -> u64 {
    let seconds = wall.as_secs().wrapping_add(NTP_UNIX_OFFSET_SECONDS) << 32;
    let fraction = (u64::from(wall.subsec_nanos()) << 32) / 1_000_000_000;
    seconds | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unix_epoch_is_70_years_into_the_ntp_era() {
        let half_a_second = Duration::from_millis(500);
        assert_eq!(
            ntp_from_unix(half_a_second),
            (2_208_988_800 << 32) | 0x8000_0000
        );
    }
}
