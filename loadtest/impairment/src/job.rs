//! What is asked of the relay.

use std::net::SocketAddr;

use mianshi_netsim::Scenario;
use serde::Deserialize;

use crate::Failure;

/// The first line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Where clients send to; port 0 lets the kernel choose.
    pub listen: SocketAddr,
    /// The node's media port.
    pub target: SocketAddr,
    /// Of all chance.
    #[serde(default)]
    pub seed: u64,
    /// Between two samples.
    #[serde(default = "default_sample_ms")]
    pub sample_ms: u64,
    /// It ends by itself after this time.
    pub most_s: u64,
    /// Pass TCP to the same port of the target on, untouched.
    #[serde(default)]
    pub tcp: bool,
    /// Whether addresses of other machines may be used.
    #[serde(default)]
    pub remote_allowed: bool,
    /// What plays for each client from the moment it appears.
    pub play: Option<Play>,
}

const fn default_sample_ms() -> u64 {
    100
}

/// A scenario and for whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// The text of the scenario file.
    pub scenario: String,
    /// Clients by the order of their appearance, from 1; without it everyone, later ones too.
    pub clients: Option<Vec<usize>>,
}

/// A later line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Command {
    /// From now on this scenario plays.
    Play(Play),
    /// The server sees these clients from other addresses.
    ChangeAddress {
        /// As in [`Play`].
        clients: Option<Vec<usize>>,
    },
}

/// A [`Play`] that was read.
pub struct Played {
    pub scenario: Scenario,
    clients: Option<Vec<usize>>,
    /// Moment on the relay's clock; without it each client's own appearance.
    pub begun_us: Option<u64>,
}

impl Job {
    /// Reads and judges the first line.
    pub fn read(line: &str) -> Result<Self, Failure> {
        let job: Self = serde_json::from_str(line)?;
        let is_near = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        let all_near = is_near(&job.listen) && is_near(&job.target);
        if !(job.remote_allowed || all_near) {
            return Err("only loopback addresses are relayed unless told otherwise".into());
        }
        if job.most_s == 0 || !(10..=60_000).contains(&job.sample_ms) {
            return Err("most_s must be at least 1 and sample_ms from 10 to 60000".into());
        }
        Ok(job)
    }
}

impl Play {
    /// Reads the scenario.
    pub fn read(self, begun_us: Option<u64>) -> Result<Played, Failure> {
        Ok(Played {
            scenario: Scenario::parse(&self.scenario)?,
            clients: self.clients,
            begun_us,
        })
    }
}

impl Played {
    /// Whether it plays for this client.
    pub fn is_for(&self, number: usize) -> bool {
        concerns(&self.clients, number)
    }
}

/// Whether a list of clients names this one; no list names everyone.
pub fn concerns(clients: &Option<Vec<usize>>, number: usize) -> bool {
    clients
        .as_ref()
        .is_none_or(|clients| clients.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_make_no_sense_are_refused() {
        let good = r#"{"listen":"127.0.0.1:0","target":"[::1]:9","most_s":5}"#;
        assert!(Job::read(good).is_ok());
        for (from, to) in [
            ("127.0.0.1:0", "0.0.0.0:0"),
            ("[::1]:9", "192.0.2.1:9"),
            ("[::1]:9", "nowhere"),
            ("\"most_s\":5", "\"most_s\":0"),
            ("\"most_s\":5", "\"most_s\":5,\"sample_ms\":1"),
            ("\"most_s\":5", "\"most_s\":5,\"speed\":1"),
            ("\"most_s\":5", "\"most_s\":-5"),
        ] {
            assert!(Job::read(&good.replace(from, to)).is_err(), "{to}");
        }
        let remote = good.replace("[::1]:9", "192.0.2.1:9");
        let told = remote.replace("\"most_s\"", "\"remote_allowed\":true,\"most_s\"");
        assert!(Job::read(&told).is_ok());
    }
}
