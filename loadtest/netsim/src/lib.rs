//! A bad network, as a model: what is pushed in at one moment comes out later, twice or never.
//!
//! Nothing here reads a clock, a socket or randomness. Moments are microseconds since the user's
//! own beginning (`now_us`) and never go back; the same seed and the same calls give the same
//! outcome. A [`Link`] is one direction. A [`Network`] is the access of one client: a link up to
//! the server, a link down from it, and the [`Scenario`] that changes both over time.
//!
//! ```
//! use mianshi_netsim::{Direction, Network, Scenario};
//!
//! let scenario = Scenario::parse("[[step]]\nat_s = 0\ndown = { rate_kbps = 800, delay_ms = 20 }")?;
//! let mut network = Network::new(&scenario, 7, 0);
//! network.push(Direction::Down, 1_000, "packet", 0);
//! let arrives_us = network.deadline().unwrap();
//! assert_eq!(network.poll(arrives_us), None, "it has left the queue and is under way");
//! let arrives_us = network.deadline().unwrap();
//! assert_eq!(network.poll(arrives_us), Some((Direction::Down, "packet")));
//! # Ok::<(), mianshi_netsim::ScenarioError>(())
//! ```

#![forbid(unsafe_code)]

mod chance;
mod condition;
mod error;
mod link;
mod loss;
mod network;
mod queue;
mod scenario;

pub use chance::Chance;
pub use condition::{Burst, Condition, QueueLimit};
pub use error::ScenarioError;
pub use link::{Counters, Link};
pub use network::{Direction, Network};
pub use scenario::{Scenario, Step};

/// What IPv4 and UDP add to each datagram: capacity is counted as the wire counts it.
pub const UDP_IP_OVERHEAD_BYTES: usize = 28;
