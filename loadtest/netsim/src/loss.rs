//! Which packets are lost: singly, and in a row.

use crate::chance::Chance;
use crate::condition::{Burst, Condition};

/// The state between packets of Gilbert's model (Gilbert 1960, Elliott 1963).
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses {
    bad: bool,
}

impl Losses {
    pub(crate) fn takes(&mut self, condition: &Condition, chance: &mut Chance) -> bool {
        self.step(condition.burst, chance);
        self.bad || chance.happens(condition.loss)
    }

    fn step(&mut self, burst: Burst, chance: &mut Chance) {
        if burst.share <= 0.0 {
            self.bad = false;
            return;
        }
        // In balance as many bursts begin as end: share of bad = enter / (enter + leave).
        let leave = 1.0 / burst.mean_packets;
        let enter = leave * burst.share / (1.0 - burst.share);
        self.bad = match self.bad {
            true => !chance.happens(leave),
            false => chance.happens(enter),
        };
    }
}
