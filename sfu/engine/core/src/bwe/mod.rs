//! How much the path to one viewer carries, from the viewer's transport-wide feedback.
//!
//! Every packet that is sent gets a number in the [`SendHistory`]; feedback turns numbers into
//! fates. From these come the acknowledged rate ([`throughput`]), the trend of one-way delays
//! ([`trendline`], after Carlucci et al., "Analysis and Design of the Google Congestion Control
//! for Web Real-time Communication", 2016), the standing queue ([`queue`]), losses ([`loss`]) and
//! the results of probe clusters ([`probe`]). The [`Estimator`] makes one number of them.
//!
//! Everything here is pure: `now` is an argument, and nothing allocates in steady state.

mod alarm;
mod estimator;
mod groups;
mod history;
mod loss;
mod probe;
mod queue;
#[cfg(test)]
mod simulation;
mod surprise;
mod throughput;
mod trendline;

pub use estimator::Estimator;
pub use probe::PROBE_TICK;

/// What a viewer is assumed to have before anything was measured: enough for sound and a small
/// picture, and three times this is the first probe.
pub const START_BPS: u64 = 600_000;
/// Below this even sound would be refused: a lower claim is a lie or a dead path.
pub const MIN_BPS: u64 = 30_000;
/// Above this no interview has a use for the difference.
pub const MAX_BPS: u64 = 30_000_000;
