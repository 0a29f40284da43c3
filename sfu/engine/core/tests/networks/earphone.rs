//! How sound is played: a buffer that waits, stretches and hurries as browsers' do.

use std::collections::BTreeMap;

use mianshi_engine_core::time::Time;

const SOUND_US: u64 = 20_000;
/// Played this long behind the first that came.
const BEGIN_BEHIND_US: u64 = 60_000;
/// With this many waiting, each sound is played a quarter faster.
const HURRY_FROM: usize = 6;

/// What was played, a sound's length at a time.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    pub at: Time,
    /// There was nothing to play: the sound before it was stretched, or a lost one made up.
    pub made_up: bool,
}

/// Plays what was heard, by number with the time of its arrival.
///
/// What is not there when its turn comes is waited for if nothing behind it is there either, and
/// given up otherwise, so a sudden delay costs its length once.
pub fn play(heard: &BTreeMap<u32, Time>) -> Vec<Played> {
    let (Some((&first, &began)), Some((&last, _))) =
        (heard.first_key_value(), heard.last_key_value())
    else {
        return Vec::new();
    };
    let mut played = Vec::new();
    let (mut next, mut now_us) = (first, began.as_micros() + BEGIN_BEHIND_US);
    let mut waited = 0;
    while next <= last {
        let came = |(number, at): (&u32, &Time)| (at.as_micros() <= now_us).then_some(*number);
        let found = heard.range(next..).next().and_then(came);
        let made_up = match found {
            // What was waited for is not made up a second time.
            Some(number) if number <= next + waited => {
                (next, waited) = (number + 1, 0);
                false
            }
            Some(_) => {
                next += 1;
                true
            }
            None => {
                waited += 1;
                true
            }
        };
        played.push(Played {
            at: Time(now_us),
            made_up,
        });
        let behind = heard
            .range(next..)
            .take(HURRY_FROM)
            .filter_map(came)
            .count();
        now_us += match behind == HURRY_FROM {
            true => SOUND_US * 4 / 5,
            false => SOUND_US,
        };
    }
    played
}
