//! Whole calls through the engine in virtual time over a seeded, faulty line.

mod adaptation;
mod codecs;
mod downlink;
mod forwarding;
mod handoff;
mod hostile;
mod layers;
mod loss;
mod paths;
mod reports;
mod sim;
mod sound;
