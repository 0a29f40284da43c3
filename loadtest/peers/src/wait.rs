//! Inherited sockets and waiting for many of them with microsecond deadlines.

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// Takes over a socket that the parent process connected.
///
/// # Errors
/// `fd` is a standard stream or not an open socket.
pub fn adopt(fd: RawFd) -> io::Result<UdpSocket> {
    // SAFETY: a pure question about a number.
    let is_open = fd > 2 && unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0;
    if !is_open {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the descriptor is open, was inherited for us, and nothing else here owns it: the
    // job names each once and the Rust runtime owns only the standard streams.
    let socket = UdpSocket::from(unsafe { OwnedFd::from_raw_fd(fd) });
    socket.local_addr()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The sockets to watch.
pub struct Watch(Vec<libc::pollfd>);

impl Watch {
    /// Watches all for reading.
    pub fn new<'a>(sockets: impl Iterator<Item = &'a UdpSocket>) -> Self {
        Self(
            sockets
                .map(|socket| libc::pollfd {
                    fd: socket.as_raw_fd(),
                    events: libc::POLLIN,
                    revents: 0,
                })
                .collect(),
        )
    }

    /// Sleeps until a socket is readable or `timeout_us` has passed.
    pub fn wait(&mut self, timeout_us: u64) {
        let timeout = libc::timespec {
            tv_sec: (timeout_us / 1_000_000) as libc::time_t,
            tv_nsec: (timeout_us % 1_000_000 * 1_000) as libc::c_long,
        };
        // SAFETY: the pointers and the count describe `self.0` and `timeout`.
        let count = unsafe {
            libc::ppoll(
                self.0.as_mut_ptr(),
                self.0.len() as libc::nfds_t,
                &raw const timeout,
                ptr::null(),
            )
        };
        if count <= 0 {
            self.0.iter_mut().for_each(|watched| watched.revents = 0);
        }
    }

    /// Whether the socket of this number is readable.
    pub fn is_readable(&self, index: usize) -> bool {
        self.0[index].revents != 0
    }
}

/// Microseconds of CLOCK_MONOTONIC, as Python's `time.monotonic_ns` counts them.
pub fn monotonic_us() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to `now`; the clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_closed_descriptors_are_refused() {
        for fd in [-1, 0, 2, 1_000_000] {
            assert!(adopt(fd).is_err());
        }
    }

    #[test]
    fn waiting_ends_with_a_datagram_or_the_deadline() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut watch = Watch::new([&socket].into_iter());
        let before = monotonic_us();
        watch.wait(2_000);
        assert!(monotonic_us() - before >= 2_000);
        assert!(!watch.is_readable(0));
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        watch.wait(10_000_000);
        assert!(watch.is_readable(0));
    }
}
