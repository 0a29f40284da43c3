//! What sender and receiver reports say: loss, jitter, round trips and the publisher's clock.

use core::time::Duration;

use crate::time::{NtpTime, Time, from_compact_ntp, to_compact_ntp};

/// Reception statistics of one received SSRC (RFC 3550, A.3 and A.8).
#[derive(Clone, Copy, Debug, Default)]
pub struct Reception {
    first: Option<u64>,
    highest: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    /// Jitter in timestamp units, times 16.
    jitter_x16: u64,
    transit: Option<u32>,
}

/// The numbers of one report block, less the SSRC and the sender-report fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceptionReport {
    /// Loss since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Loss since the beginning; negative with duplicates.
    pub cumulative_lost: i32,
    /// Extended highest sequence number received.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
}

impl Reception {
    /// Take a packet that came on the stream itself, not by retransmission.
    pub fn receive(&mut self, sequence: u64, timestamp: u32, clock_rate: u32, now: Time) {
        let first = *self.first.get_or_insert(sequence);
        self.first = Some(first.min(sequence));
        self.highest = self.highest.max(sequence);
        self.received += 1;
        self.measure_jitter(timestamp, clock_rate, now);
    }

    /// The report block for the time since the last one.
    pub fn report(&mut self) -> Option<ReceptionReport> {
        self.first?;
        let expected = self.expected();
        let interval = expected.saturating_sub(self.expected_before);
        let arrived = self.received - self.received_before;
        self.expected_before = expected;
        self.received_before = self.received;
        let lost = interval.saturating_sub(arrived);
        let fraction = (lost * 256).checked_div(interval).unwrap_or(0);
        Some(ReceptionReport {
            fraction_lost: fraction.min(255) as u8,
            cumulative_lost: self.lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: self.highest as u32,
            jitter: self.jitter(),
        })
    }

    /// Packets lost since the beginning (RFC 3550: expected less received).
    pub fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// Interarrival jitter in timestamp units.
    pub fn jitter(&self) -> u32 {
        u32::try_from(self.jitter_x16 >> 4).unwrap_or(u32::MAX)
    }

    fn expected(&self) -> u64 {
        self.first.map_or(0, |first| self.highest - first + 1)
    }

    fn measure_jitter(&mut self, timestamp: u32, clock_rate: u32, now: Time) {
        let arrival = (u128::from(now.as_micros()) * u128::from(clock_rate) / 1_000_000) as u32;
        let transit = arrival.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = u64::from((transit.wrapping_sub(before) as i32).unsigned_abs());
            self.jitter_x16 = self.jitter_x16 + difference - ((self.jitter_x16 + 8) >> 4);
        }
    }
}

/// The last sender report of one received SSRC.
#[derive(Clone, Copy, Debug)]
pub struct SenderReportSeen {
    /// The publisher's wall clock.
    pub ntp: NtpTime,
    /// The same moment in the stream's timestamps.
    pub timestamp: u32,
    /// When it arrived.
    pub arrived: Time,
}

impl SenderReportSeen {
    /// LSR and DLSR for a report block.
    pub fn last_and_delay(&self, now: Time) -> (u32, u32) {
        (self.ntp.middle(), to_compact_ntp(now - self.arrived))
    }

    /// The stream's timestamp at a moment of the publisher's clock.
    pub fn timestamp_at(&self, ntp: NtpTime, clock_rate: u32) -> u32 {
        self.timestamp_after(ntp.micros_since(self.ntp), clock_rate)
    }

    /// The stream's timestamp so many microseconds of the publisher's clock after this report.
    pub fn timestamp_after(&self, micros: i64, clock_rate: u32) -> u32 {
        let ticks = i128::from(micros) * i128::from(clock_rate) / 1_000_000;
        self.timestamp.wrapping_add(ticks as u32)
    }

    /// Microseconds of the publisher's clock from this report to a timestamp near it.
    pub fn micros_to(&self, timestamp: u32, clock_rate: u32) -> i64 {
        let ticks = i64::from(timestamp.wrapping_sub(self.timestamp) as i32);
        ticks * 1_000_000 / i64::from(clock_rate.max(1))
    }
}

/// How far the publisher's wall clock is from ours.
///
/// One for all streams of a publisher, so that sound and picture keep their distance exactly:
/// an error here shifts both. The shortest path seen counts most; drift is followed slowly.
#[derive(Clone, Copy, Debug, Default)]
pub struct SenderClock {
    /// Our clock less theirs, as NTP, wrapping.
    offset: Option<u64>,
}

/// Weight of a report that came later than the estimate says: 1 / 2^DRIFT_SHIFT.
const DRIFT_SHIFT: u32 = 4;
/// A jump of the publisher's clock beyond this starts the estimate anew.
const MAX_STEP_NTP: i64 = 5 << 32;

impl SenderClock {
    /// Take the wall clock of a sender report that arrived at `now` of ours.
    pub fn receive(&mut self, theirs: NtpTime, now: NtpTime) {
        let measured = now.0.wrapping_sub(theirs.0);
        let offset = self.offset.map_or(measured, |offset| {
            let late = measured.wrapping_sub(offset) as i64;
            if late <= 0 || late > MAX_STEP_NTP {
                measured
            } else {
                offset.wrapping_add((late >> DRIFT_SHIFT) as u64)
            }
        });
        self.offset = Some(offset);
    }

    /// The publisher's clock at a moment of ours, once a report came.
    pub fn at(&self, now: NtpTime) -> Option<NtpTime> {
        self.offset
            .map(|offset| NtpTime(now.0.wrapping_sub(offset)))
    }
}

/// The round trip to a peer, from LSR and DLSR of its report blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundTrip {
    smoothed: Option<Duration>,
}

/// Assumed before the first report: a mobile network.
const ASSUMED_ROUND_TRIP: Duration = Duration::from_millis(100);
/// A longer one is a lie or a clock error.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(5);

impl RoundTrip {
    /// Take a report block; zero `last_report` means that the peer had none yet.
    pub fn receive(&mut self, last_report: u32, delay: u32, now: NtpTime) -> Option<Duration> {
        if last_report == 0 {
            return None;
        }
        let elapsed = now.middle().wrapping_sub(last_report).wrapping_sub(delay);
        // A difference in the upper half is negative: the peer's rounding on a very short path.
        let units = if elapsed > u32::MAX / 2 { 0 } else { elapsed };
        let measured = from_compact_ntp(units);
        if measured > MAX_ROUND_TRIP {
            return None;
        }
        self.smoothed = Some(
            self.smoothed
                .map_or(measured, |old| (old * 7 + measured) / 8),
        );
        Some(measured)
    }

    /// The smoothed round trip, or a guess before the first report.
    pub fn estimate(&self) -> Duration {
        self.smoothed.unwrap_or(ASSUMED_ROUND_TRIP)
    }

    /// The smoothed round trip, if one was measured.
    pub fn measured(&self) -> Option<Duration> {
        self.smoothed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 1 << 32;

    #[test]
    fn loss_is_counted_per_interval_and_in_total() {
        let mut reception = Reception::default();
        assert_eq!(reception.report(), None);
        for sequence in (0..100).filter(|sequence| sequence % 4 != 0 || *sequence == 0) {
            reception.receive(
                BASE + sequence,
                sequence as u32 * 960,
                48_000,
                Time(sequence * 20_000),
            );
        }
        let report = reception.report().expect("packets came");
        assert_eq!(report.cumulative_lost, 24);
        assert_eq!(report.fraction_lost, (24 * 256 / 100) as u8);
        assert_eq!(report.highest_sequence, 99);
        for sequence in 100..200 {
            reception.receive(
                BASE + sequence,
                sequence as u32 * 960,
                48_000,
                Time(sequence * 20_000),
            );
        }
        let report = reception.report().expect("packets came");
        assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 24));
    }

    #[test]
    fn an_even_stream_has_no_jitter_and_an_uneven_one_the_textbook_value() {
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for i in 0..500u64 {
            even.receive(BASE + i, (i * 960) as u32, 48_000, Time(i * 20_000));
            let wobble = if i % 2 == 0 { 0 } else { 5_000 };
            uneven.receive(
                BASE + i,
                (i * 960) as u32,
                48_000,
                Time(i * 20_000 + wobble),
            );
        }
        assert_eq!(even.jitter(), 0);
        // Each difference is 5 ms = 240 units, and the filter converges to it.
        assert!(uneven.jitter().abs_diff(240) <= 1, "{}", uneven.jitter());
    }

    #[test]
    fn the_publishers_clock_is_mapped_through_its_fastest_report() {
        let mut clock = SenderClock::default();
        let ours = |millis: u64| Time::from_millis(millis).to_ntp(NtpTime(0xE000_0000_0000_0000));
        let theirs = |millis: u64| Time::from_millis(millis).to_ntp(NtpTime(0x1000_0000_0000_0000));
        assert_eq!(clock.at(ours(0)), None);
        clock.receive(theirs(1_000), ours(1_200));
        clock.receive(theirs(2_000), ours(2_050));
        let mapped = clock.at(ours(3_050)).expect("a report came");
        assert!(mapped.micros_since(theirs(3_000)).abs() < 10);
        // A late report hardly moves it.
        clock.receive(theirs(3_000), ours(3_210));
        let mapped = clock.at(ours(4_050)).expect("a report came");
        assert!(mapped.micros_since(theirs(4_000)).abs() <= 10_010);
    }

    #[test]
    fn timestamps_follow_the_clock_over_their_wrap() {
        let seen = SenderReportSeen {
            ntp: NtpTime(5 << 32),
            timestamp: u32::MAX - 100,
            arrived: Time(0),
        };
        assert_eq!(seen.timestamp_at(NtpTime(6 << 32), 90_000), 90_000 - 101);
        assert_eq!(
            seen.timestamp_at(NtpTime(4 << 32), 90_000),
            (u32::MAX - 100) - 90_000
        );
        assert_eq!(seen.micros_to(90_000 - 101, 90_000), 1_000_000);
    }

    #[test]
    fn round_trips_come_from_reports_and_lies_are_ignored() {
        let mut trip = RoundTrip::default();
        let epoch = NtpTime(0xE000_0000_0000_0000);
        let sent = Time::from_millis(10_000).to_ntp(epoch);
        let now = Time::from_millis(10_180).to_ntp(epoch);
        assert_eq!(trip.receive(0, 0, now), None);
        let delay = to_compact_ntp(Duration::from_millis(100));
        let measured = trip
            .receive(sent.middle(), delay, now)
            .expect("a sane report");
        assert!(measured.abs_diff(Duration::from_millis(80)) < Duration::from_millis(1));
        assert_eq!(
            trip.receive(sent.middle().wrapping_sub(60 << 16), 0, now),
            None
        );
        assert_eq!(trip.receive(now.middle() + 5, 0, now), Some(Duration::ZERO));
    }
}
