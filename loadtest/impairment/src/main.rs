//! A UDP relay in front of a node's media port that is as bad as a scenario says.
//!
//! `mianshi-netsim` reads one JSON object a line from standard input, a [`job::Job`] first and
//! [`job::Command`]s after it, and ends when the input does. It prints one JSON object a line:
//! `listening`, `client` (someone new), `done` or `refused` (for each command), `sample` (what
//! each direction does) and, last, `ended`.

mod clients;
mod job;
mod lines;
mod relay;
mod report;
mod source;
mod stun;
mod tcp;
mod wait;

use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let mut input = lines::Lines::of_standard_input()?;
    let Some(line) = input.wait_for_line()? else {
        return Err("no job came on standard input".into());
    };
    relay::Relay::open(job::Job::read(&line)?)?.run(&mut input)
}
