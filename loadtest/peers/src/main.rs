//! Virtual users for load tests, traffic generator and bare relay for the benchmarks.
//!
//! `mianshi-peers relay` and `mianshi-peers generate` read one JSON job from standard input (one
//! line) and print one JSON object when it is done. The sockets of `generate` are inherited:
//! Python has already connected them with ICE and DTLS. `mianshi-peers crowd`: see [`crowd`].

mod crowd;
mod generate;
mod histogram;
mod job;
mod publisher;
mod relay;
mod viewer;
mod wait;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use serde::de::DeserializeOwned;

const USAGE: &str = "usage: mianshi-peers relay|generate|crowd";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "relay" => {
            come_first(); // as the engine does, whose measure it is
            read_job().and_then(relay::run)
        }
        "generate" => read_job().and_then(generate::run),
        "crowd" => control_socket().and_then(crowd::run),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Wait for nobody who runs, where the system can be asked for that.
fn come_first() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    mianshi_engine_io::net::come_first();
}

/// Standard input, which has to be a socket.
fn control_socket() -> Result<OwnedFd, Failure> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?)
}

type Failure = Box<dyn std::error::Error>;

fn read_job<Job: DeserializeOwned>() -> Result<Job, Failure> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
