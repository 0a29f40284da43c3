//! Inherited sockets: which of many are readable, and when a datagram really arrived.

use std::io;
use std::mem;
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
    stamp_arrivals(&socket)?;
    Ok(socket)
}

/// Has the kernel note when each datagram arrived.
///
/// # Errors
/// As setsockopt(2).
pub fn stamp_arrivals(socket: &UdpSocket) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the pointer and the length describe `on`.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const on).cast(),
            mem::size_of_val(&on) as libc::socklen_t,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Receives one datagram; returns its length and when it arrived, in microseconds of the wall
/// clock, if the kernel noted that.
///
/// # Errors
/// As recvmsg(2); `WouldBlock` if nothing waits.
pub fn receive_stamped(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, Option<u64>)> {
    let mut vector = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let mut control = [0u64; 8];
    // SAFETY: all-zero bytes are a valid msghdr (null pointers and zero lengths).
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = mem::size_of_val(&control) as _;
    // SAFETY: `message` points at `vector`, `buffer` and `control`, which outlive the call.
    let bytes = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let bytes = usize::try_from(bytes).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel filled `message`; the header, if any, lies in `control`.
    let arrived = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (!header.is_null() && (*header).cmsg_type == libc::SCM_TIMESTAMPNS)
            .then(|| ptr::read_unaligned(libc::CMSG_DATA(header).cast::<libc::timespec>()))
    };
    let arrived_us = arrived.map(|stamp| microseconds(&stamp));
    Ok((bytes, arrived_us))
}

/// Two clocks are read at once if not more than this passes meanwhile.
const AT_ONCE_US: u64 = 2;

/// How often that is tried.
const READINGS: usize = 8;

/// The moment of CLOCK_MONOTONIC at which the wall clock showed `wall_us`, a little while ago.
pub fn monotonic_of(wall_us: u64) -> u64 {
    moment_of(wall_us, || (monotonic_us(), wall_clock_us()))
}

/// The same, by `clocks`, which reads the monotonic clock and then the wall clock. Where this
/// thread lost the processor between the two, they are read again: the pause would be taken for
/// latency.
fn moment_of(wall_us: u64, mut clocks: impl FnMut() -> (u64, u64)) -> u64 {
    let (mut before_us, mut now_us) = clocks();
    for _ in 0..READINGS {
        let (after_us, next_us) = clocks();
        if after_us - before_us <= AT_ONCE_US {
            break;
        }
        (before_us, now_us) = (after_us, next_us);
    }
    before_us.saturating_sub(now_us.saturating_sub(wall_us))
}

fn wall_clock_us() -> u64 {
    clock_us(libc::CLOCK_REALTIME)
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

    /// Asks which sockets are readable now. It never waits in the kernel: a receiver that does is
    /// woken by the server's send, at the server's expense, as no remote receiver ever would be.
    pub fn look(&mut self) {
        let at_once = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointers and the count describe `self.0` and `at_once`.
        let count = unsafe {
            libc::ppoll(
                self.0.as_mut_ptr(),
                self.0.len() as libc::nfds_t,
                &raw const at_once,
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
    clock_us(libc::CLOCK_MONOTONIC)
}

fn clock_us(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to `now`; both clocks in use always exist.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    microseconds(&now)
}

fn microseconds(time: &libc::timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
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
    fn a_pause_between_two_clocks_is_no_latency() {
        // The wall clock is 1,000 ahead; the datagram came at 50.
        let mut readings = [(100, 5_100), (5_000, 6_000), (5_001, 6_001)].into_iter();
        assert_eq!(moment_of(1_050, || readings.next().unwrap()), 50);
        let mut late = 0;
        let never_at_once = || {
            late += 1_000;
            (late, late + 1_000)
        };
        assert_eq!(moment_of(1_050, never_at_once), 50);
    }

    #[test]
    fn a_datagram_is_seen_and_has_the_time_of_its_arrival() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        stamp_arrivals(&socket).unwrap();
        let mut watch = Watch::new([&socket].into_iter());
        watch.look();
        assert!(!watch.is_readable(0));
        let before_us = wall_clock_us();
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        while !watch.is_readable(0) {
            watch.look();
        }
        let (bytes, arrived_us) = receive_stamped(&socket, &mut [0; 8]).unwrap();
        assert_eq!(bytes, 1);
        assert!((before_us..=wall_clock_us()).contains(&arrived_us.unwrap()));
        assert!(monotonic_of(before_us) <= monotonic_us());
        let empty = receive_stamped(&socket, &mut [0; 8]).unwrap_err();
        assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
    }
}
