//! How often a viewer may have a packet again: NACKs are requests, not orders.

use core::time::Duration;

use crate::time::Time;

/// Retransmissions of one packet to one viewer: at 20 % loss the last one is needed once in
/// fifteen thousand packets.
const MAX_RESENDS: u8 = 5;
/// A second request sooner than this crossed the first answer on the way.
const MIN_INTERVAL: Duration = Duration::from_millis(10);
/// A viewer on a slow path may ask again after this at the latest.
const MAX_INTERVAL: Duration = Duration::from_millis(100);
/// Packets whose resends are counted; a collision forgets the older packet.
const REMEMBERED: usize = 256;

/// How often a packet was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// For the first time.
    First,
    /// Again: the answer was lost, or late.
    Repeated,
}

/// The resends of one slot.
#[derive(Debug, Default)]
pub struct ResendLimiter {
    /// Empty until the first request: most viewers of audio never make one.
    resends: Vec<Resend>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Resend {
    sequence: u64,
    at: Time,
    count: u8,
}

impl ResendLimiter {
    /// Which request this is if the packet may be sent again now; it is counted then.
    pub fn allow(&mut self, sequence: u64, round_trip: Duration, now: Time) -> Option<Request> {
        if self.resends.is_empty() {
            self.resends.resize(REMEMBERED, Resend::default());
        }
        let resend = &mut self.resends[sequence as usize % REMEMBERED];
        if resend.sequence != sequence {
            *resend = Resend {
                sequence,
                at: now,
                count: 1,
            };
            return Some(Request::First);
        }
        // Somewhat less than a round trip: the estimate lags behind a shrinking one.
        let interval = (round_trip * 3 / 4).clamp(MIN_INTERVAL, MAX_INTERVAL);
        if resend.count >= MAX_RESENDS || now.since(resend.at) < interval {
            return None;
        }
        resend.count += 1;
        resend.at = now;
        Some(Request::Repeated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(40);

    #[test]
    fn a_packet_is_resent_a_few_times_and_not_faster_than_the_path() {
        let mut limiter = ResendLimiter::default();
        let sent = (0..1_000)
            .filter(|millis| {
                limiter
                    .allow(7, ROUND_TRIP, Time::from_millis(*millis))
                    .is_some()
            })
            .collect::<Vec<_>>();
        assert_eq!(sent, [0, 30, 60, 90, 120]);
    }

    #[test]
    fn packets_are_counted_apart() {
        let mut limiter = ResendLimiter::default();
        assert_eq!(limiter.allow(7, ROUND_TRIP, Time(0)), Some(Request::First));
        assert_eq!(limiter.allow(8, ROUND_TRIP, Time(0)), Some(Request::First));
        assert_eq!(limiter.allow(8, ROUND_TRIP, Time(0)), None);
        let later = Time(0) + ROUND_TRIP;
        assert_eq!(limiter.allow(8, ROUND_TRIP, later), Some(Request::Repeated));
    }
}
