//! Linux: epoll, eventfd and timerfd, `recvmmsg`, `sendmmsg` with UDP segmentation offload.

mod alarm;
mod receive;
mod schedule;
mod send;
mod wait;

pub use receive::Receiver;
pub use schedule::come_first;
pub use send::Sender;
pub use wait::{Poller, Readiness, Signal, StreamPoller, StreamReadiness};
