//! Which pictures of a received stream could be shown, when, and how long each stood still.
//!
//! A picture can be shown once all its packets and all of the pictures before it came, back to a
//! keyframe; a complete keyframe also ends a gap (RFC 6386: nothing after it refers to before).

use std::time::Duration;

use mianshi_engine_core::time::Time;

/// Packets looked at: more than a second of 1080 lines.
const WINDOW: usize = 1_024;
/// A picture that stood for longer, however slow the camera, was a freeze that a person notices.
const LONG_FREEZE: Duration = Duration::from_millis(500);
/// Beyond the average distance of pictures, a freeze as W3C webrtc-stats defines it.
const FREEZE_BEYOND: Duration = Duration::from_millis(150);
/// Share of a new distance in the average.
const SMOOTHING: u32 = 30;

/// A packet as far as pictures are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Extended sequence number.
    pub sequence: u64,
    /// RTP timestamp: the same for all of a picture.
    pub timestamp: u32,
    /// Whether a keyframe begins here.
    pub starts_keyframe: bool,
    /// Whether its picture ends here.
    pub ends_picture: bool,
}

/// What pictures of one stream did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureTotals {
    /// Pictures shown.
    pub pictures: u64,
    /// Freezes as W3C webrtc-stats counts them.
    pub freezes: u64,
    /// Of which pictures stood for more than half a second, or still stand.
    pub long_freezes: u64,
    /// Time in freezes, in microseconds.
    pub frozen_us: u64,
}

/// The pictures of one slot.
#[derive(Debug)]
pub struct Frames {
    parts: Vec<Option<Part>>,
    /// The packet that comes next, once there was a keyframe.
    next: Option<u64>,
    /// The first packet of the newest keyframe that is not complete.
    keyframe: Option<(u64, u32)>,
    expected_since: Option<Time>,
    shown: Option<Time>,
    counted_as_long: bool,
    average: Option<Duration>,
    totals: PictureTotals,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            parts: vec![None; WINDOW],
            next: None,
            keyframe: None,
            expected_since: None,
            shown: None,
            counted_as_long: false,
            average: None,
            totals: PictureTotals::default(),
        }
    }
}

impl Frames {
    /// From now on somebody is to be seen, or somebody else; how long until then does not count.
    pub fn expect(&mut self, now: Time) {
        self.nothing_expected();
        self.expected_since = Some(now);
    }

    /// From now on there is nobody to see.
    pub fn nothing_expected(&mut self) {
        self.expected_since = None;
        self.shown = None;
        self.average = None;
        self.counted_as_long = false;
    }

    /// Takes a packet; how long the first picture took if this completed it.
    pub fn receive(&mut self, part: Part, now: Time) -> Option<Duration> {
        let was_shown = self.shown.is_some();
        let place = part.sequence as usize % WINDOW;
        self.parts[place] = Some(part);
        if part.starts_keyframe {
            self.note_keyframe(part);
        }
        self.consume(now);
        self.jump_to_keyframe(now);
        match (was_shown, self.shown, self.expected_since) {
            (false, Some(shown), Some(since)) => Some(shown.since(since)),
            _ => None,
        }
    }

    /// Whether nothing can be shown for want of a keyframe for `patience` already.
    pub fn is_stuck(&self, now: Time, patience: Duration) -> bool {
        self.expected_since.is_some_and(|since| {
            let last = self.shown.unwrap_or(since);
            now.since(last) > patience
        })
    }

    /// The first packet of the keyframe that ended the last gap or is about to: nothing before it
    /// is of use.
    pub fn next(&self) -> Option<u64> {
        self.next
    }

    /// Counts a picture that stands too long while it does.
    pub fn look(&mut self, now: Time) {
        if let Some(shown) = self.shown {
            if now.since(shown) > LONG_FREEZE && !self.counted_as_long {
                self.counted_as_long = true;
                self.totals.long_freezes += 1;
            }
        }
    }

    /// Since the beginning.
    pub fn totals(&self) -> PictureTotals {
        self.totals
    }

    fn note_keyframe(&mut self, part: Part) {
        let is_older = |next| part.sequence < next;
        if self.next.is_some_and(is_older) {
            return;
        }
        self.keyframe = match self.keyframe {
            // Several packets of a keyframe may look like its beginning (parameter sets, slices).
            Some((first, timestamp)) if timestamp == part.timestamp => {
                Some((first.min(part.sequence), timestamp))
            }
            _ => Some((part.sequence, part.timestamp)),
        };
    }

    fn consume(&mut self, now: Time) {
        while let Some(part) = self.next.and_then(|next| self.part(next)) {
            self.next = Some(part.sequence + 1);
            if part.ends_picture {
                self.show(now);
            }
        }
    }

    fn jump_to_keyframe(&mut self, now: Time) {
        let Some((first, _)) = self.keyframe else {
            return;
        };
        if self.next.is_some_and(|next| next > first) {
            self.keyframe = None;
            return;
        }
        let is_complete = (first..first + WINDOW as u64)
            .map_while(|sequence| self.part(sequence))
            .any(|part| part.ends_picture);
        if is_complete {
            self.keyframe = None;
            self.next = Some(first);
            self.consume(now);
        }
    }

    fn part(&self, sequence: u64) -> Option<Part> {
        self.parts[sequence as usize % WINDOW].filter(|part| part.sequence == sequence)
    }

    fn show(&mut self, now: Time) {
        self.totals.pictures += 1;
        if self.expected_since.is_none() {
            return;
        }
        if let Some(before) = self.shown.replace(now) {
            self.measure(now.since(before));
        }
        self.counted_as_long = false;
    }

    fn measure(&mut self, stood: Duration) {
        let average = self.average.unwrap_or(stood);
        if stood >= (average * 3).max(average + FREEZE_BEYOND) {
            self.totals.freezes += 1;
            self.totals.frozen_us += stood.as_micros() as u64;
            if stood > LONG_FREEZE && !self.counted_as_long {
                self.totals.long_freezes += 1;
            }
            return;
        }
        self.average = Some((average * (SMOOTHING - 1) + stood) / SMOOTHING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(sequence: u64, picture: u32, starts_keyframe: bool, ends_picture: bool) -> Part {
        Part {
            sequence,
            timestamp: picture,
            starts_keyframe,
            ends_picture,
        }
    }

    /// Pictures of two packets, 40 ms apart, of which the given are keyframes.
    fn pictures(count: u64, keys: &[u64]) -> Vec<(Time, Part)> {
        (0..count)
            .flat_map(|picture| {
                let at = Time::from_millis(picture * 40);
                let is_key = keys.contains(&picture);
                let first = part(1_000 + 2 * picture, picture as u32, is_key, false);
                let last = part(1_001 + 2 * picture, picture as u32, false, true);
                [(at, first), (at, last)]
            })
            .collect()
    }

    fn watched(parts: impl IntoIterator<Item = (Time, Part)>) -> Frames {
        let mut frames = Frames::default();
        frames.expect(Time(0));
        for (at, part) in parts {
            frames.receive(part, at);
        }
        frames
    }

    #[test]
    fn every_picture_of_a_whole_stream_is_shown() {
        let totals = watched(pictures(50, &[0])).totals();
        assert_eq!((totals.pictures, totals.freezes), (50, 0));
    }

    #[test]
    fn nothing_is_shown_before_a_keyframe() {
        assert_eq!(watched(pictures(50, &[10])).totals().pictures, 40);
        assert_eq!(watched(pictures(50, &[])).totals().pictures, 0);
    }

    #[test]
    fn packets_in_any_order_show_the_same() {
        let mut parts = pictures(20, &[0]);
        parts.chunks_mut(6).for_each(<[_]>::reverse);
        assert_eq!(watched(parts).totals().pictures, 20);
    }

    #[test]
    fn a_lost_packet_freezes_until_it_comes_or_a_keyframe_does() {
        let mut parts = pictures(60, &[0, 40]);
        let (_, late) = parts.remove(20);
        let totals = watched(parts.clone()).totals();
        assert_eq!(
            (totals.pictures, totals.freezes, totals.long_freezes),
            (30, 1, 1)
        );
        assert_eq!(totals.frozen_us, 31 * 40_000);
        parts.insert(28, (Time::from_millis(14 * 40), late));
        let totals = watched(parts).totals();
        assert_eq!(
            (totals.pictures, totals.freezes, totals.long_freezes),
            (60, 1, 0)
        );
    }

    #[test]
    fn a_picture_that_still_stands_is_counted_once() {
        let mut frames = watched(pictures(10, &[0]));
        for ms in (360..5_000).step_by(100) {
            frames.look(Time::from_millis(ms));
        }
        assert_eq!(frames.totals().long_freezes, 1);
        assert!(frames.is_stuck(Time::from_millis(5_000), LONG_FREEZE));
        // And not again when it goes on.
        frames.receive(part(1_020, 10, false, true), Time::from_millis(5_000));
        assert_eq!(frames.totals().long_freezes, 1);
    }

    #[test]
    fn somebody_else_in_the_slot_is_no_freeze() {
        let mut frames = Frames::default();
        frames.expect(Time(0));
        let first = frames.receive(part(1, 1, true, true), Time::from_millis(80));
        assert_eq!(first, Some(Duration::from_millis(80)));
        frames.expect(Time::from_millis(5_000));
        let next = frames.receive(part(2, 2, true, true), Time::from_millis(5_100));
        assert_eq!(next, Some(Duration::from_millis(100)));
        frames.nothing_expected();
        frames.look(Time::from_millis(9_000));
        assert_eq!(frames.totals().freezes + frames.totals().long_freezes, 0);
    }

    #[test]
    fn several_beginnings_of_one_keyframe_are_one() {
        // Parameter sets and a slice, each by itself a place to start; the first came last.
        let parts = [
            (Time(0), part(11, 7, true, false)),
            (Time(0), part(12, 7, false, true)),
            (Time(1), part(10, 7, true, false)),
        ];
        assert_eq!(watched(parts).totals().pictures, 1);
    }
}
