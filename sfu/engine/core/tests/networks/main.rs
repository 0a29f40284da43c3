//! Whole calls in virtual time over the networks of `loadtest/networks`: an encoder that follows
//! its uplink, the engine, and receivers that decode, ask for what is lost and send feedback.

#[path = "../calls/sim/description.rs"]
#[allow(dead_code, reason = "shared with the calls")]
mod description;
#[path = "../calls/sim/sealing.rs"]
mod sealing;

mod camera;
mod decoder;
mod earphone;
mod harsh;
mod microphone;
mod participant;
mod publisher;
mod rig;
mod steady;
mod uplink;
mod viewer;
