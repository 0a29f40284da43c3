//! Waiting for datagrams, commands or a deadline.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

const SOCKET: u64 = 0;
const SIGNAL: u64 = 1;

/// A descriptor that another thread makes readable (eventfd).
#[derive(Debug)]
pub struct Signal(OwnedFd);

impl Signal {
    /// A quiet signal.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        owned(fd).map(Self)
    }

    /// Makes the descriptor readable. It cannot fail: the counter would need 2^64 calls.
    pub fn raise(&self) {
        let one = 1u64;
        // SAFETY: the pointer and length describe `one`.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), 8) };
    }

    /// Makes the descriptor quiet again.
    pub fn clear(&self) {
        let mut count = 0u64;
        // SAFETY: the pointer and length describe `count`.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), 8) };
    }

    /// For other event loops; stays ours.
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// What the loop has to look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Datagrams wait.
    pub readable: bool,
    /// The kernel takes datagrams again.
    pub writable: bool,
    /// The signal was raised.
    pub signalled: bool,
}

/// Waits for one socket and one signal (epoll).
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    socket: RawFd,
    waits_for_room: bool,
}

impl Poller {
    /// Watches `socket` for datagrams and `signal`; both must outlive the poller.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new(socket: &impl AsRawFd, signal: &Signal) -> io::Result<Self> {
        // SAFETY: no pointers.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let poller = Self {
            epoll,
            socket: socket.as_raw_fd(),
            waits_for_room: false,
        };
        poller.control(libc::EPOLL_CTL_ADD, poller.socket, libc::EPOLLIN, SOCKET)?;
        poller.control(libc::EPOLL_CTL_ADD, signal.fd(), libc::EPOLLIN, SIGNAL)?;
        Ok(poller)
    }

    /// Says whether datagrams wait for room in the socket's send buffer.
    pub fn wait_for_room(&mut self, wanted: bool) {
        if wanted == self.waits_for_room {
            return;
        }
        let interest = libc::EPOLLIN | if wanted { libc::EPOLLOUT } else { 0 };
        if self
            .control(libc::EPOLL_CTL_MOD, self.socket, interest, SOCKET)
            .is_ok()
        {
            self.waits_for_room = wanted;
        }
    }

    /// Sleeps until something is ready or `timeout` has passed (`None`: for ever), rounded up to
    /// whole milliseconds.
    pub fn wait(&self, timeout: Option<Duration>) -> Readiness {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 2];
        // SAFETY: the pointer and count describe `events`.
        let count = unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                events.len() as libc::c_int,
                milliseconds(timeout),
            )
        };
        // An interrupted call is an early wake-up with nothing ready.
        let ready = usize::try_from(count).unwrap_or(0);
        events[..ready].iter().fold(Readiness::default(), merge)
    }

    fn control(
        &self,
        operation: libc::c_int,
        fd: RawFd,
        interest: libc::c_int,
        token: u64,
    ) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: interest as u32,
            u64: token,
        };
        // SAFETY: `event` is valid for the call and both descriptors are open.
        let result =
            unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd, &raw mut event) };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

fn merge(mut readiness: Readiness, event: &libc::epoll_event) -> Readiness {
    let flags = event.events as libc::c_int;
    if event.u64 == SIGNAL {
        readiness.signalled = true;
    } else {
        // EPOLLERR and EPOLLHUP are cleared by reading.
        readiness.readable |= flags & !libc::EPOLLOUT != 0;
        readiness.writable |= flags & libc::EPOLLOUT != 0;
    }
    readiness
}

fn milliseconds(timeout: Option<Duration>) -> libc::c_int {
    match timeout {
        None => -1,
        Some(timeout) => timeout.as_micros().div_ceil(1000).min(i32::MAX as u128) as libc::c_int,
    }
}

fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` was just made by the kernel and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::bind;

    #[test]
    fn each_kind_of_readiness_is_told_apart() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let signal = Signal::new().unwrap();
        let mut poller = Poller::new(&socket, &signal).unwrap();
        assert_eq!(poller.wait(Some(Duration::ZERO)), Readiness::default());

        signal.raise();
        signal.raise();
        let signalled = Readiness {
            signalled: true,
            ..Readiness::default()
        };
        assert_eq!(poller.wait(None), signalled);
        signal.clear();
        assert_eq!(poller.wait(Some(Duration::ZERO)), Readiness::default());

        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        poller.wait_for_room(true);
        let both = Readiness {
            readable: true,
            writable: true,
            signalled: false,
        };
        assert_eq!(poller.wait(None), both);
    }

    #[test]
    fn a_deadline_is_never_rounded_down() {
        assert_eq!(milliseconds(None), -1);
        assert_eq!(milliseconds(Some(Duration::ZERO)), 0);
        assert_eq!(milliseconds(Some(Duration::from_micros(1))), 1);
        assert_eq!(milliseconds(Some(Duration::from_micros(1001))), 2);
        assert_eq!(milliseconds(Some(Duration::MAX)), i32::MAX);
    }
}
