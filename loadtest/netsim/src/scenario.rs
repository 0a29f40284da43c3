//! How a network changes over time, as a TOML file says it.
//!
//! ```toml
//! title = "A tunnel"          # for people
//! lasts_s = 60                # how long it is worth watching; by default until the last step
//!
//! [[step]]
//! at_s = 0
//! both = { delay_ms = 25 }    # up and down; `up` and `down` speak of one direction and win
//! down = { rate_kbps = 4000, queue_ms = 300 }
//!
//! [[step]]                    # says only what changes
//! at_s = 20
//! both = { dark = true }
//!
//! [[step]]
//! at_s = 24
//! both = { dark = false }
//! down = { rate_kbps = inf }
//! address_change = true       # the client is seen from another address from here on
//! ```

use core::ops::RangeInclusive;

use serde::Deserialize;
use toml::Spanned;

use crate::condition::{Condition, QueueLimit};
use crate::error::ScenarioError;

/// A day: more is a mistake in the unit.
const MOST_SECONDS: f64 = 86_400.0;
const MOST_STEPS: usize = 10_000;

/// From `at_us` on both directions are like this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Microseconds since the scenario's beginning.
    pub at_us: u64,
    /// To the server.
    pub up: Condition,
    /// From the server.
    pub down: Condition,
    /// Whether the client's address changes at this moment.
    pub address_change: bool,
}

/// Steps in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// For people.
    pub title: String,
    /// How long it is worth watching, in microseconds; the last step's condition stays.
    pub lasts_us: u64,
    steps: Vec<Step>,
}

impl Scenario {
    /// Reads the text of a scenario file.
    ///
    /// # Errors
    /// The text is no TOML, a field is unknown or out of its range, or steps go back in time.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            ScenarioError::at(text, at, error.message())
        })?;
        Reader { text }.scenario(file)
    }

    /// The same condition both ways, forever.
    pub fn steady(condition: Condition) -> Self {
        Self {
            title: "Steady".into(),
            lasts_us: 0,
            steps: vec![Step {
                at_us: 0,
                up: condition,
                down: condition,
                address_change: false,
            }],
        }
    }

    /// In the order of time.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What is so `at_us` after the beginning; `None` before the first step.
    pub fn at(&self, at_us: u64) -> Option<&Step> {
        let passed = self.steps.partition_point(|step| step.at_us <= at_us);
        self.steps[..passed].last()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    title: String,
    lasts_s: Option<Spanned<f64>>,
    step: Spanned<Vec<Spanned<StepFields>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    at_s: Spanned<f64>,
    #[serde(default)]
    both: Fields,
    #[serde(default)]
    up: Fields,
    #[serde(default)]
    down: Fields,
    #[serde(default)]
    address_change: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Fields {
    rate_kbps: Option<Spanned<f64>>,
    queue_ms: Option<Spanned<f64>>,
    queue_bytes: Option<Spanned<f64>>,
    delay_ms: Option<Spanned<f64>>,
    jitter_ms: Option<Spanned<f64>>,
    loss_percent: Option<Spanned<f64>>,
    burst_loss_percent: Option<Spanned<f64>>,
    burst_packets: Option<Spanned<f64>>,
    reorder_percent: Option<Spanned<f64>>,
    reorder_ms: Option<Spanned<f64>>,
    duplicate_percent: Option<Spanned<f64>>,
    dark: Option<bool>,
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn scenario(&self, file: File) -> Result<Scenario, ScenarioError> {
        let listed = file.step.span().start;
        let fields = file.step.into_inner();
        if fields.is_empty() || fields.len() > MOST_STEPS {
            let reason = format!("a scenario has 1 to {MOST_STEPS} steps");
            return Err(ScenarioError::at(self.text, listed, reason));
        }
        let mut steps: Vec<Step> = Vec::with_capacity(fields.len());
        for each in fields {
            let step = self.step(each.into_inner(), steps.last())?;
            steps.push(step);
        }
        let last_us = steps.last().map_or(0, |step| step.at_us);
        let lasts_us = match file.lasts_s {
            Some(lasts_s) => self.scaled(&lasts_s, 0.0..=MOST_SECONDS, 1e6)?,
            None => last_us,
        };
        Ok(Scenario {
            title: file.title,
            lasts_us,
            steps,
        })
    }

    fn step(&self, fields: StepFields, before: Option<&Step>) -> Result<Step, ScenarioError> {
        let at_us = self.scaled(&fields.at_s, 0.0..=MOST_SECONDS, 1e6)?;
        if before.is_some_and(|before| at_us < before.at_us) {
            let at = fields.at_s.span().start;
            let reason = "is earlier than the step before it";
            return Err(ScenarioError::at(self.text, at, reason));
        }
        let mut up = before.map_or(Condition::PERFECT, |step| step.up);
        let mut down = before.map_or(Condition::PERFECT, |step| step.down);
        for condition in [&mut up, &mut down] {
            self.change(condition, &fields.both)?;
        }
        self.change(&mut up, &fields.up)?;
        self.change(&mut down, &fields.down)?;
        Ok(Step {
            at_us,
            up,
            down,
            address_change: fields.address_change,
        })
    }

    fn change(&self, condition: &mut Condition, fields: &Fields) -> Result<(), ScenarioError> {
        const MILLISECONDS: RangeInclusive<f64> = 0.0..=60_000.0;
        if let Some(rate_kbps) = &fields.rate_kbps {
            condition.rate_bps = match *rate_kbps.get_ref() == f64::INFINITY {
                true => None,
                false => Some(self.scaled(rate_kbps, 1.0..=10e6, 1e3)?),
            };
        }
        if let Some(bytes) = &fields.queue_bytes {
            condition.queue = QueueLimit::Bytes(self.scaled(bytes, 0.0..=1e9, 1.0)?);
        }
        if let Some(queue_ms) = &fields.queue_ms {
            condition.queue = QueueLimit::Microseconds(self.scaled(queue_ms, MILLISECONDS, 1e3)?);
        }
        let times = [
            (&mut condition.delay_us, &fields.delay_ms),
            (&mut condition.jitter_us, &fields.jitter_ms),
            (&mut condition.reorder_us, &fields.reorder_ms),
        ];
        for (time_us, field) in times {
            if let Some(time_ms) = field {
                *time_us = self.scaled(time_ms, MILLISECONDS, 1e3)?;
            }
        }
        self.change_chances(condition, fields)
    }

    fn change_chances(
        &self,
        condition: &mut Condition,
        fields: &Fields,
    ) -> Result<(), ScenarioError> {
        let chances = [
            (&mut condition.loss, &fields.loss_percent, 100.0),
            // A share of 1 would be a burst without end: that is what `dark` is for.
            (&mut condition.burst.share, &fields.burst_loss_percent, 99.0),
            (&mut condition.reorder, &fields.reorder_percent, 100.0),
            (&mut condition.duplicate, &fields.duplicate_percent, 100.0),
        ];
        for (share, field, most) in chances {
            if let Some(percent) = field {
                *share = self.number(percent, 0.0..=most)? / 100.0;
            }
        }
        if let Some(packets) = &fields.burst_packets {
            condition.burst.mean_packets = self.number(packets, 1.0..=10_000.0)?;
        }
        condition.dark = fields.dark.unwrap_or(condition.dark);
        Ok(())
    }

    fn scaled(
        &self,
        value: &Spanned<f64>,
        range: RangeInclusive<f64>,
        factor: f64,
    ) -> Result<u64, ScenarioError> {
        Ok((self.number(value, range)? * factor).round() as u64)
    }

    fn number(
        &self,
        value: &Spanned<f64>,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ScenarioError> {
        let number = *value.get_ref();
        if range.contains(&number) {
            return Ok(number);
        }
        let (least, most) = (range.start(), range.end());
        let reason = format!("{number} is not between {least} and {most}");
        Err(ScenarioError::at(self.text, value.span().start, reason))
    }
}
