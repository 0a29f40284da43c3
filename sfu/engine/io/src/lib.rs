//! The engine's thread: one UDP socket, TCP connections beside it, one loop around the sans-IO
//! core.
//!
//! [`MediaThread`] owns the sockets and the thread. Commands go in through a queue with one wake-up
//! per batch; events come out in batches behind one readable descriptor. On Linux the loop uses
//! epoll, `recvmmsg`, `sendmmsg` and UDP segmentation offload; elsewhere `poll`, `recvfrom` and
//! `sendto` ([`portable`]).
//!
//! [`net`] is public because the traffic generator of the benchmarks uses the same calls.

mod address;
mod backlog;
mod clock;
mod counters;
mod error;
mod event_loop;
mod grouping;
mod mailbox;
mod socket;
mod streams;
mod thread;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(test, not(any(target_os = "linux", target_os = "android"))))]
mod portable;

/// The system's calls behind one surface.
pub mod net {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub use crate::linux::{
        Poller, Readiness, Receiver, Sender, Signal, StreamPoller, StreamReadiness, come_first,
    };
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub use crate::portable::{
        Poller, Readiness, Receiver, Sender, Signal, StreamPoller, StreamReadiness,
    };
    pub use crate::socket::bind;
}

pub use clock::Clock;
pub use counters::{ReceiveCounters, SendCounters, StreamCounters};
pub use error::{Crashed, StartError};
pub use thread::MediaThread;

/// Datagrams taken from the kernel in one call.
pub const BATCH_DATAGRAMS: usize = 64;

/// Room for one datagram; a longer one is dropped and counted. WebRTC keeps to about 1200 bytes,
/// a ClientHello with post-quantum key shares comes in fragments.
pub const MAX_DATAGRAM_BYTES: usize = 2048;
