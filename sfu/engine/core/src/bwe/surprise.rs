//! Delay that our own bursts do not explain: the first sign that a path carries less than believed.

/// So many of the newest packets of a feedback have to agree: one alone was held up by chance.
const NEWEST: usize = 3;
/// Unexplained delay this much above the most of the feedback before is a surprise: what a path's
/// jitter does, it did there as well.
const SURPRISING_US: i64 = 12_000;

/// What a path that carries the estimate would make wait, against what waited.
#[derive(Debug, Default)]
pub struct Surprise {
    /// When a path of the estimate's rate had sent on all that was given to it; our clock.
    drained_us: i64,
    /// Of the feedback that is being read, the newest last: one-way delay less what is explained.
    newest_us: [i64; NEWEST],
    count: usize,
    most_us: i64,
    /// The most of the feedback before.
    before_us: Option<i64>,
}

impl Surprise {
    /// A packet was sent, whatever became of it; its own queue at `bps`.
    fn explain(&mut self, sent_us: i64, bytes: u32, bps: f64) -> i64 {
        let takes_us = f64::from(bytes) * 8e6 / bps.max(1.0);
        self.drained_us = self.drained_us.max(sent_us) + takes_us as i64;
        self.drained_us - sent_us
    }

    /// Take a packet that was lost, or arrived after `one_way_us` on clocks of any offset.
    pub fn add(&mut self, sent_us: i64, one_way_us: Option<i64>, bytes: u32, bps: f64) {
        let explained_us = self.explain(sent_us, bytes, bps);
        let Some(one_way_us) = one_way_us else { return };
        let unexplained_us = one_way_us - explained_us;
        self.most_us = match self.count {
            0 => unexplained_us,
            _ => self.most_us.max(unexplained_us),
        };
        self.newest_us.rotate_left(1);
        self.newest_us[NEWEST - 1] = unexplained_us;
        self.count += 1;
    }

    /// A feedback was read. `base_us` is the path's own delay on the same clocks.
    pub fn judge(&mut self, base_us: i64) -> bool {
        if self.count < NEWEST {
            return false;
        }
        self.count = 0;
        let least_us = self.newest_us.iter().copied().min().unwrap_or(base_us);
        let before_us = self.before_us.replace(self.most_us);
        before_us.is_some_and(|before_us| least_us > before_us.max(base_us) + SURPRISING_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET_BYTES: u32 = 1_250;

    /// Feedback every 50 ms about bursts of 12 packets at 10 Mb/s every 50 ms, over a path that
    /// carries 4 Mb/s and from `falls_us` on 1: which feedback was a surprise.
    fn surprises(falls_us: i64, jitter_us: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut surprise = Surprise::default();
        let mut found = Vec::new();
        let mut free_us = 0;
        let mut arrivals = Vec::new();
        for number in 0..480 {
            let sent_us = number / 12 * 50_000 + number % 12 * 1_000;
            let bps = if sent_us >= falls_us { 1 } else { 4 };
            free_us = sent_us.max(free_us) + i64::from(PACKET_BYTES) * 8 / bps;
            arrivals.push((sent_us, free_us + 25_000 + jitter_us(number)));
        }
        for feedback in 1..=40 {
            let told = arrivals
                .iter()
                .filter(|(_, at)| (feedback * 50_000 - 50_000..feedback * 50_000).contains(at));
            for (sent_us, at) in told {
                surprise.add(*sent_us, Some(at - sent_us), PACKET_BYTES, 3.6e6);
            }
            if surprise.judge(27_500) {
                found.push(feedback);
            }
        }
        found
    }

    #[test]
    fn own_bursts_are_explained_and_a_fall_is_seen_in_the_first_feedback_that_tells_of_it() {
        assert_eq!(surprises(i64::MAX, |_| 0), []);
        // From 1 s on; by 1.05 s the first packets of that burst are told of.
        assert_eq!(surprises(1_000_000, |_| 0).first(), Some(&22));
    }

    #[test]
    fn jitter_is_no_surprise() {
        assert_eq!(surprises(i64::MAX, |number| number * 7_919 % 25_000), []);
    }

    #[test]
    fn few_packets_tell_nothing_and_lost_ones_explain() {
        let mut surprise = Surprise::default();
        surprise.add(0, Some(20_000), PACKET_BYTES, 1e6);
        assert!(!surprise.judge(10_000));
        for number in 0..40 {
            surprise.add(number * 100, None, PACKET_BYTES, 1e6);
        }
        for number in 0..4 {
            let sent_us = 4_000 + number * 100;
            surprise.add(sent_us, Some(60_000), PACKET_BYTES, 1e6);
        }
        assert!(!surprise.judge(10_000));
    }
}
