//! Who speaks: RFC 6464 levels, smoothed, with hysteresis.

use core::time::Duration;

use crate::time::Time;

/// A level this loud (dBov) begins speech. Room noise through a laptop microphone lies near -60.
const BEGIN_DBOV: f32 = -42.0;
/// Below this level (dBov) speech ends.
const END_DBOV: f32 = -50.0;
/// Speech begins after this long above `BEGIN_DBOV`, so that a click does not count.
const BEGIN_AFTER: Duration = Duration::from_millis(80);
/// Speech ends after this long below `END_DBOV`, so that a breath does not end it.
const END_AFTER: Duration = Duration::from_millis(600);
/// Weight of a rising level in the smoothed one, for each packet.
const ATTACK: f32 = 0.4;
/// Weight of a falling level.
const DECAY: f32 = 0.15;
/// The level of silence.
const FLOOR_DBOV: f32 = -127.0;

/// A change of an audio source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeechChange {
    /// True when speech began.
    pub speaking: bool,
    /// The smoothed level, 0 to -127.
    pub level_dbov: i8,
}

/// The voice activity of one audio source.
#[derive(Clone, Copy, Debug)]
pub struct Speech {
    level_dbov: f32,
    speaking: bool,
    /// Since when the level has been on the other side of its threshold.
    crossed: Option<Time>,
    last_packet: Time,
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            level_dbov: FLOOR_DBOV,
            speaking: false,
            crossed: None,
            last_packet: Time(0),
        }
    }
}

impl Speech {
    /// Take the level byte of a packet: the top bit is the sender's voice flag, the rest -dBov.
    pub fn receive(&mut self, level: u8, now: Time) -> Option<SpeechChange> {
        self.last_packet = now;
        let measured = -f32::from(level & 0x7f);
        let weight = if measured > self.level_dbov {
            ATTACK
        } else {
            DECAY
        };
        self.level_dbov += (measured - self.level_dbov) * weight;
        self.judge(now)
    }

    /// The source was muted or is gone, or sent nothing for a while (DTX).
    pub fn check(&mut self, now: Time) -> Option<SpeechChange> {
        if !self.speaking || now.since(self.last_packet) < END_AFTER {
            return None;
        }
        self.silence()
    }

    /// End speech at once.
    pub fn silence(&mut self) -> Option<SpeechChange> {
        self.level_dbov = FLOOR_DBOV;
        self.crossed = None;
        core::mem::take(&mut self.speaking).then(|| self.change())
    }

    /// True between the events.
    pub fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// When `check` should be called next, while speaking.
    pub fn deadline(&self) -> Time {
        self.last_packet + END_AFTER
    }

    fn judge(&mut self, now: Time) -> Option<SpeechChange> {
        let (beyond, patience) = if self.speaking {
            (self.level_dbov < END_DBOV, END_AFTER)
        } else {
            (self.level_dbov > BEGIN_DBOV, BEGIN_AFTER)
        };
        if !beyond {
            self.crossed = None;
            return None;
        }
        let since = *self.crossed.get_or_insert(now);
        if now.since(since) < patience {
            return None;
        }
        self.crossed = None;
        self.speaking = !self.speaking;
        Some(self.change())
    }

    fn change(&self) -> SpeechChange {
        SpeechChange {
            speaking: self.speaking,
            level_dbov: self.level_dbov as i8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Duration = Duration::from_millis(20);

    /// Feed `count` packets of one level; the changes with the packet's number.
    fn feed(speech: &mut Speech, now: &mut Time, level: u8, count: usize) -> Vec<(usize, bool)> {
        let mut changes = Vec::new();
        for i in 0..count {
            *now += PACKET;
            changes.extend(
                speech
                    .receive(level, *now)
                    .map(|change| (i, change.speaking)),
            );
        }
        changes
    }

    #[test]
    fn speech_begins_within_a_fifth_of_a_second_and_ends_once() {
        let (mut speech, mut now) = (Speech::default(), Time(0));
        let began = feed(&mut speech, &mut now, 25, 50);
        assert_eq!(began.len(), 1);
        assert!(began[0].1 && began[0].0 <= 10, "{began:?}");
        let ended = feed(&mut speech, &mut now, 90, 100);
        assert_eq!(ended.len(), 1);
        assert!(!ended[0].1);
    }

    #[test]
    fn a_click_and_room_noise_do_not_begin_speech() {
        let (mut speech, mut now) = (Speech::default(), Time(0));
        assert!(feed(&mut speech, &mut now, 62, 100).is_empty());
        assert!(feed(&mut speech, &mut now, 20, 2).is_empty());
        assert!(feed(&mut speech, &mut now, 62, 100).is_empty());
    }

    #[test]
    fn a_pause_for_breath_does_not_end_speech() {
        let (mut speech, mut now) = (Speech::default(), Time(0));
        feed(&mut speech, &mut now, 25, 50);
        assert!(feed(&mut speech, &mut now, 100, 15).is_empty());
        assert!(feed(&mut speech, &mut now, 25, 50).is_empty());
        assert!(speech.is_speaking());
    }

    #[test]
    fn a_source_that_stops_sending_falls_silent_at_its_deadline() {
        let (mut speech, mut now) = (Speech::default(), Time(0));
        feed(&mut speech, &mut now, 25, 50);
        assert_eq!(speech.check(now), None);
        let change = speech.check(speech.deadline()).expect("speech ends");
        assert_eq!(
            change,
            SpeechChange {
                speaking: false,
                level_dbov: -127
            }
        );
        assert_eq!(speech.check(speech.deadline()), None);
    }

    #[test]
    fn the_voice_flag_is_not_part_of_the_level() {
        let (mut speech, mut now) = (Speech::default(), Time(0));
        assert_eq!(feed(&mut speech, &mut now, 0x80 | 25, 50).len(), 1);
        assert_eq!(
            feed(&mut Speech::default(), &mut now, 0x80 | 127, 50).len(),
            0
        );
    }
}
