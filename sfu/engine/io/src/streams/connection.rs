//! One TCP connection: packets in and out of a non-blocking stream.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use mianshi_engine_core::outbox::Priority;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::framing::Deframer;

use super::queue::SendQueue;

/// Unsent bytes that the kernel may hold: what is queued there can be neither dropped nor
/// overtaken, so it is little. What is on its way and not acknowledged is not counted.
#[cfg(any(target_os = "linux", target_os = "android"))]
const KERNEL_UNSENT_BYTES: libc::c_int = 16 * 1024;

/// Why a connection cannot be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The peer closed it, or the path did.
    Closed,
    /// What came is no framed packet, or not what a stranger may say.
    Malformed,
}

/// A connection that a client opened. It closes when dropped.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    deframer: Deframer,
    queue: SendQueue,
    /// The engine's name for it.
    pub address: SocketAddr,
    pub opened: Time,
    /// When bytes came last.
    pub heard: Time,
    /// An authenticated check came over it.
    pub validated: bool,
    /// The poller was asked to tell when there is room.
    pub waits_for_room: bool,
}

impl Connection {
    /// Takes over an accepted stream.
    ///
    /// # Errors
    /// The stream broke already.
    pub fn new(stream: TcpStream, address: SocketAddr, now: Time) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        keep_kernel_queue_short(&stream);
        Ok(Self {
            stream,
            deframer: Deframer::default(),
            queue: SendQueue::default(),
            address,
            opened: now,
            heard: now,
            validated: false,
            waits_for_room: false,
        })
    }

    pub fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Reads once and hands every whole packet to `take`. What is left comes with the next turn.
    ///
    /// # Errors
    /// The connection is over.
    pub fn read(
        &mut self,
        scratch: &mut [u8],
        now: Time,
        take: impl FnMut(&mut [u8]),
    ) -> Result<(), Broken> {
        match self.stream.read(scratch) {
            Ok(0) => Err(Broken::Closed),
            Ok(bytes) => {
                self.heard = now;
                let packets = self.deframer.feed(&mut scratch[..bytes], take);
                packets.map_err(|_| Broken::Malformed)
            }
            Err(error) if is_passing(&error) => Ok(()),
            Err(_) => Err(Broken::Closed),
        }
    }

    /// Queues a packet, framed; false if the peer is too far behind for it.
    pub fn queue(&mut self, packet: &[u8], priority: Priority) -> bool {
        self.queue.push(packet, priority)
    }

    /// Writes what is queued, as far as the kernel takes it.
    ///
    /// # Errors
    /// The connection is over.
    pub fn flush(&mut self) -> Result<(), Broken> {
        while !self.queue.is_empty() {
            match self.stream.write(self.queue.bytes()) {
                Ok(0) => return Err(Broken::Closed),
                Ok(bytes) => self.queue.written(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Broken::Closed),
            }
        }
        Ok(())
    }

    /// Whether packets wait for the kernel.
    pub fn is_behind(&self) -> bool {
        !self.queue.is_empty()
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn keep_kernel_queue_short(stream: &TcpStream) {
    // An old kernel without it queues more; video is late there before it is dropped.
    let _ = crate::socket::set_option(
        stream,
        libc::IPPROTO_TCP,
        libc::TCP_NOTSENT_LOWAT,
        KERNEL_UNSENT_BYTES,
    );
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn keep_kernel_queue_short(_stream: &TcpStream) {}
