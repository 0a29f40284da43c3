//! How a viewer's bandwidth is shared among its video slots.
//!
//! Everybody's smallest picture comes first, in the order of precedence, then everybody's whole
//! lowest layer, then the most important slots as far as they go. Less is taken at once; more only
//! when there was room for it for a while, and later each time that it did not hold.

mod ladder;

use core::time::Duration;

use crate::time::Time;
pub use ladder::{Elastic, Ladder, Offer, Step};

/// What is shown may cost this much more than there is: rates are averages, and the estimate
/// falls by itself where the path is too narrow.
const KEEP_PERCENT: u64 = 105;
/// The smallest picture, which cannot get smaller, may cost this much more: an estimate that is a
/// little too low, as under loss, is no reason for no picture.
const FLOOR_PERCENT: u64 = 150;
/// Who falls to another layer waits for its keyframe, which is several pictures in one. A layer that
/// takes more than this of what there is is gone for from a lower one, once the path is free again.
const LANDING_PERCENT: u64 = 60;
/// What is not shown yet must fit into this much.
const RAISE_PERCENT: u64 = 95;
/// There must be room for so long before more is shown.
const FIRST_HOLD: Duration = Duration::from_millis(400);
/// Likewise once more did not hold; doubled each further time.
const FAILED_HOLD: Duration = Duration::from_millis(1_000);
/// But no longer than this.
const MAX_HOLD: Duration = Duration::from_secs(6);
/// Where there is this much for each hundred that is to be shown, what did not hold before will.
const AMPLE_PERCENT: u64 = 200;
/// A fall so soon after a rise means that the rise did not hold.
const FAILED_WITHIN: Duration = Duration::from_secs(4);
/// Without a fall for so long nothing is held against the path any more.
const FORGIVEN_AFTER: Duration = Duration::from_secs(20);

/// Shares of loss from which on, and until which, only smaller pictures are shown: the more
/// packets a picture has, the likelier one of them is not repaired in time.
const MUCH: f64 = 0.15;
const BEARABLE: f64 = 0.1;
const CAUTIOUS_HEIGHT: u16 = 720;

/// Where a slot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It shows nothing yet: what it gets is no rise.
    New,
    /// It had to be paused.
    Paused,
    /// It shows this step of its ladder.
    At(usize),
}

/// A slot that could use bandwidth.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// The slot's index in its viewer.
    pub slot: usize,
    /// Higher ones first.
    pub priority: u8,
    /// What it may be given.
    pub ladder: Ladder,
    /// Where it stands.
    pub standing: Standing,
    /// Its use has just changed: more is taken at once, as by who is new.
    pub eager: bool,
    /// It is not paused, whatever there seems to be: that is still being found out.
    pub patient: bool,
    /// The step that it gets; nothing: it is paused.
    pub chosen: Option<usize>,
    /// What its layer should cost at most, if that is less than it could use.
    pub limit_bps: Option<u64>,
    /// What it gets without a rise.
    kept: Option<usize>,
}

impl Demand {
    /// A slot that wants to climb.
    pub fn new(slot: usize, priority: u8, ladder: Ladder, standing: Standing) -> Self {
        Self {
            slot,
            priority,
            ladder,
            standing,
            eager: matches!(standing, Standing::New),
            patient: false,
            chosen: None,
            limit_bps: None,
            kept: None,
        }
    }

    /// What it gets.
    pub fn step(&self) -> Option<Step> {
        self.ladder.steps().get(self.chosen?).copied()
    }

    /// The whole layer that it gets, or would get first.
    fn whole(&self) -> Option<Step> {
        let step = self.step().or(self.ladder.steps().first().copied())?;
        self.ladder.whole(step.layer)
    }

    fn layer_at(&self, step: Option<usize>) -> Option<usize> {
        Some(self.ladder.steps()[step?].layer)
    }

    /// It gets more frames of what it has, whose publisher spends less on it now: no rise.
    fn thaws(&self) -> bool {
        self.chosen > self.kept
            && self.layer_at(self.chosen) == self.layer_at(self.kept)
            && self.whole().is_some_and(|whole| whole.is_elastic())
    }

    /// It loses something that its publisher will not give it for less in a moment.
    fn falls(&self) -> bool {
        let Standing::At(stood) = self.standing else {
            return false;
        };
        let stays = self.layer_at(self.chosen) == self.layer_at(Some(stood))
            && self.whole().is_some_and(|whole| whole.is_elastic());
        self.chosen < Some(stood) && !stays
    }

    /// Of the layers below the one that it has, go for one that takes no more than this.
    fn land(&mut self, light_bps: u64) {
        let (Standing::At(stood), Some(kept)) = (self.standing, self.kept) else {
            return;
        };
        let steps = self.ladder.steps();
        let is_light = |layer| {
            let whole = self.ladder.whole(layer);
            whole.is_some_and(|whole| whole.bps <= light_bps)
        };
        let light = (0..=kept)
            .rev()
            .find(|step| steps[*step].layer == steps[stood].layer || is_light(steps[*step].layer));
        self.kept = Some(light.unwrap_or_else(|| kept.min(self.ladder.whole_picture())));
    }

    fn bps(&self, step: Option<usize>) -> u64 {
        step.map_or(0, |step| self.ladder.steps()[step].bps)
    }
}

/// What a viewer's slots went through.
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    spent_bps: Option<u64>,
    room_since: Option<Time>,
    hold: Duration,
    raised: Option<Time>,
    fell: Option<Time>,
    loses_much: bool,
}

impl Default for Allocation {
    fn default() -> Self {
        Self {
            spent_bps: None,
            room_since: None,
            hold: FIRST_HOLD,
            raised: None,
            fell: None,
            loses_much: false,
        }
    }
}

impl Allocation {
    /// The viewer loses this share of what is sent to it.
    pub fn note_loss(&mut self, ratio: f64) {
        self.loses_much = ratio >= if self.loses_much { BEARABLE } else { MUCH };
    }

    /// No picture should have more lines than these, whatever the path carries.
    pub fn ceiling(&self) -> Option<u16> {
        self.loses_much.then_some(CAUTIOUS_HEIGHT)
    }

    /// There is this much, sound included.
    pub fn spend(&mut self, available_bps: u64) {
        self.spent_bps = Some(available_bps);
    }

    /// Whether there is less than there was.
    pub fn falls_short(&self, available_bps: u64) -> bool {
        self.spent_bps.is_none_or(|spent| available_bps < spent)
    }

    /// Choose a step for each demand; all together take about `budget_bps`.
    ///
    /// `demands` are sorted by precedence. False if what they had did not fit.
    pub fn choose(&mut self, demands: &mut [Demand], budget_bps: u64, now: Time) -> bool {
        demands.sort_unstable_by_key(|demand| (u8::MAX - demand.priority, demand.slot));
        self.forgive(now);
        let fits = keep(demands, budget_bps);
        if demands.iter().any(Demand::falls) {
            self.note_fall(now);
        }
        self.raise(demands, percent(budget_bps, RAISE_PERCENT), now);
        fits
    }

    /// The viewer's slots show more, once there was room for long enough.
    fn raise(&mut self, demands: &mut [Demand], budget_bps: u64, now: Time) {
        let kept_bps: u64 = demands.iter().map(|demand| demand.bps(demand.kept)).sum();
        climb_all(demands, budget_bps.saturating_sub(kept_bps));
        let rises =
            |demand: &Demand| !demand.eager && demand.chosen > demand.kept && !demand.thaws();
        let mut has_room = demands.iter().any(rises);
        if !has_room {
            has_room = take_precedence(demands, budget_bps);
        }
        if !has_room {
            self.room_since = None;
        }
        let chosen_bps: u64 = demands.iter().map(|demand| demand.bps(demand.chosen)).sum();
        let hold = match percent(chosen_bps, AMPLE_PERCENT) <= budget_bps {
            true => FIRST_HOLD,
            false => self.hold,
        };
        let ripe = has_room && now.since(*self.room_since.get_or_insert(now)) >= hold;
        for demand in demands.iter_mut() {
            if !ripe && !demand.eager && !demand.thaws() {
                demand.chosen = demand.kept;
            }
        }
        if ripe {
            (self.room_since, self.raised) = (None, Some(now));
        }
    }

    fn note_fall(&mut self, now: Time) {
        let failed = self
            .raised
            .take()
            .is_some_and(|raised| now.since(raised) < FAILED_WITHIN);
        if failed {
            self.hold = (self.hold * 2).clamp(FAILED_HOLD, MAX_HOLD);
        }
        self.fell = Some(now);
        self.room_since = None;
    }

    fn forgive(&mut self, now: Time) {
        if self
            .fell
            .is_some_and(|fell| now.since(fell) >= FORGIVEN_AFTER)
        {
            (self.hold, self.fell) = (FIRST_HOLD, None);
        }
    }
}

/// Share what is left of `budget_bps` among the demands whose publishers can be told to spend less:
/// in the order of precedence, and evenly among equals.
pub fn limit(demands: &mut [Demand], budget_bps: u64) {
    let least_bps: u64 = demands
        .iter()
        .filter_map(|demand| Some(demand.whole()?.least_bps))
        .sum();
    let mut left_bps = budget_bps.saturating_sub(least_bps);
    for at in 0..demands.len() {
        let priority = demands[at].priority;
        let equals = demands[at..]
            .iter()
            .take_while(|demand| demand.priority == priority);
        let share_bps = left_bps / equals.count() as u64;
        let Some(whole) = demands[at].whole() else {
            continue;
        };
        let given_bps = share_bps.min(whole.most_bps - whole.least_bps);
        left_bps -= given_bps;
        let limit_bps = whole.least_bps + given_bps;
        demands[at].limit_bps = Some(limit_bps).filter(|bps| *bps < whole.most_bps);
    }
}

/// Choose what each demand can keep: all that it has, if all of that fits. False if not.
fn keep(demands: &mut [Demand], budget_bps: u64) -> bool {
    let (floor_bps, budget_bps) = (
        percent(budget_bps, FLOOR_PERCENT),
        percent(budget_bps, KEEP_PERCENT),
    );
    for demand in demands.iter_mut() {
        demand.chosen = match demand.standing {
            // Who is new is to be seen before there is talk of how well.
            Standing::New => demand.ladder.steps().first().map(|_| 0),
            Standing::Paused => None,
            Standing::At(step) => Some(step),
        };
        demand.kept = demand.chosen;
    }
    let total_bps: u64 = demands.iter().map(|demand| demand.bps(demand.kept)).sum();
    if total_bps <= budget_bps {
        return true;
    }
    let mut left_bps = floor_bps;
    for demand in demands.iter_mut() {
        demand.chosen = None;
        if demand.kept.is_some() {
            climb(demand, 0, &mut left_bps);
        }
    }
    climb_all(demands, budget_bps.saturating_sub(floor_bps - left_bps));
    for demand in demands.iter_mut() {
        let floor = demand.kept.filter(|_| demand.patient).map(|_| 0);
        demand.kept = demand.kept.min(demand.chosen).or(floor);
        demand.land(percent(budget_bps, LANDING_PERCENT));
        demand.chosen = demand.kept;
    }
    false
}

/// Share anew, so that who comes first takes from who comes later. False, and nothing changed, if
/// the first for whom that makes a difference would lose by it.
fn take_precedence(demands: &mut [Demand], budget_bps: u64) -> bool {
    if demands.iter().any(|demand| demand.eager) {
        return false;
    }
    demands.iter_mut().for_each(|demand| demand.chosen = None);
    climb_all(demands, budget_bps);
    let first = demands.iter().find(|demand| demand.chosen != demand.kept);
    let gains = first.is_some_and(|demand| demand.chosen > demand.kept);
    if !gains {
        demands
            .iter_mut()
            .for_each(|demand| demand.chosen = demand.kept);
    }
    gains
}

fn percent(bps: u64, percent: u64) -> u64 {
    bps.saturating_mul(percent) / 100
}

/// Spend `left_bps` on steps above those that the demands have.
fn climb_all(demands: &mut [Demand], mut left_bps: u64) {
    for demand in demands.iter_mut() {
        climb(demand, 0, &mut left_bps);
    }
    for demand in demands.iter_mut() {
        climb(demand, demand.ladder.whole_picture(), &mut left_bps);
    }
    let mut from = 0;
    while let Some(priority) = demands.get(from).map(|demand| demand.priority) {
        let equals = demands[from..]
            .iter()
            .take_while(|demand| demand.priority == priority);
        let to = from + equals.count();
        climb_together(&mut demands[from..to], &mut left_bps);
        from = to;
    }
}

/// One step each in turn, until nobody gets further.
fn climb_together(equals: &mut [Demand], left_bps: &mut u64) {
    let mut climbed = true;
    while climbed {
        climbed = false;
        for demand in equals.iter_mut() {
            if let Some(step) = demand.chosen {
                climb(demand, step + 1, left_bps);
                climbed |= demand.chosen > Some(step);
            }
        }
    }
}

/// Raise a demand step by step up to `goal`, while it can pay. Who has nothing begins at 0 only.
fn climb(demand: &mut Demand, goal: usize, left_bps: &mut u64) {
    let first = match demand.chosen {
        Some(step) => step + 1,
        None if goal == 0 => 0,
        None => return,
    };
    for step in first..=goal {
        let Some(next) = demand.ladder.steps().get(step) else {
            return;
        };
        let price = next.bps - demand.bps(demand.chosen);
        if price > *left_bps {
            return;
        }
        *left_bps -= price;
        demand.chosen = Some(step);
    }
}

#[cfg(test)]
mod tests;
