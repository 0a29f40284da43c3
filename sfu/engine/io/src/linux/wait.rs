//! Waiting for datagrams, commands or a deadline.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use mianshi_engine_core::time::Time;

use super::alarm::Alarm;

const SOCKET: u64 = 0;
const SIGNAL: u64 = 1;
const STREAMS: u64 = 2;
const ALARM: u64 = 3;

/// What a poller watches at most: see the tokens.
const MAX_READY: usize = 4;

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
    /// The poller of streams has something ready.
    pub streams: bool,
}

/// Waits for one socket and one signal (epoll).
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    socket: RawFd,
    waits_for_room: bool,
    alarm: Alarm,
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
            alarm: Alarm::new()?,
        };
        let add = libc::EPOLL_CTL_ADD;
        let alarm = poller.alarm.fd();
        control(&poller.epoll, add, alarm, libc::EPOLLIN, ALARM)?;
        control(&poller.epoll, add, poller.socket, libc::EPOLLIN, SOCKET)?;
        control(&poller.epoll, add, signal.fd(), libc::EPOLLIN, SIGNAL)?;
        Ok(poller)
    }

    /// Wakes up for what `streams` watches, too; it must outlive this poller.
    ///
    /// # Errors
    /// The kernel is out of memory.
    pub fn watch_streams(&mut self, streams: &StreamPoller) -> io::Result<()> {
        control(
            &self.epoll,
            libc::EPOLL_CTL_ADD,
            streams.fd(),
            libc::EPOLLIN,
            STREAMS,
        )
    }

    /// Says whether datagrams wait for room in the socket's send buffer.
    pub fn wait_for_room(&mut self, wanted: bool) {
        if wanted == self.waits_for_room {
            return;
        }
        let interest = libc::EPOLLIN | if wanted { libc::EPOLLOUT } else { 0 };
        let modify = libc::EPOLL_CTL_MOD;
        if control(&self.epoll, modify, self.socket, interest, SOCKET).is_ok() {
            self.waits_for_room = wanted;
        }
    }

    /// Sleeps until something is ready or the deadline has passed (`None`: for ever). It may wake
    /// before the deadline with nothing ready.
    pub fn wait(&mut self, now: Time, deadline: Option<Time>) -> Readiness {
        let timeout = match deadline {
            Some(deadline) if deadline <= now => 0,
            Some(deadline) => {
                self.alarm.set_by(now, deadline);
                -1
            }
            None => -1,
        };
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; MAX_READY];
        // SAFETY: the pointer and count describe `events`.
        let count = unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                events.len() as libc::c_int,
                timeout,
            )
        };
        // An interrupted call is an early wake-up with nothing ready.
        let ready = usize::try_from(count).unwrap_or(0);
        if events[..ready].iter().any(|event| event.u64 == ALARM) {
            self.alarm.clear();
        }
        events[..ready].iter().fold(Readiness::default(), merge)
    }
}

fn merge(mut readiness: Readiness, event: &libc::epoll_event) -> Readiness {
    let flags = event.events as libc::c_int;
    match event.u64 {
        SIGNAL => readiness.signalled = true,
        STREAMS => readiness.streams = true,
        ALARM => {}
        _ => {
            // EPOLLERR and EPOLLHUP are cleared by reading.
            readiness.readable |= flags & !libc::EPOLLOUT != 0;
            readiness.writable |= flags & libc::EPOLLOUT != 0;
        }
    }
    readiness
}

/// Which stream is ready for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamReadiness {
    /// What `watch` called it.
    pub token: u32,
    /// Bytes wait, or a connection, or the end.
    pub readable: bool,
    /// The kernel takes bytes again.
    pub writable: bool,
}

/// Watches many streams (an epoll of its own, which another one can watch).
#[derive(Debug)]
pub struct StreamPoller {
    epoll: OwnedFd,
}

/// Streams looked at in one turn.
const MAX_READY_STREAMS: usize = 64;

impl StreamPoller {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        Ok(Self { epoll })
    }

    /// Watches `fd` for input, under a name.
    ///
    /// # Errors
    /// The kernel is out of memory.
    pub fn watch(&mut self, fd: RawFd, token: u32) -> io::Result<()> {
        let add = libc::EPOLL_CTL_ADD;
        control(&self.epoll, add, fd, libc::EPOLLIN, u64::from(token))
    }

    /// Says whether bytes wait for room in the send buffer of `fd`.
    ///
    /// # Errors
    /// `fd` is not watched.
    pub fn wait_for_room(&mut self, fd: RawFd, token: u32, wanted: bool) -> io::Result<()> {
        let interest = libc::EPOLLIN | if wanted { libc::EPOLLOUT } else { 0 };
        let modify = libc::EPOLL_CTL_MOD;
        control(&self.epoll, modify, fd, interest, u64::from(token))
    }

    /// Watches `fd` no more; to be called before it is closed.
    pub fn forget(&mut self, fd: RawFd) {
        // It fails only for what is not watched.
        let _ = control(&self.epoll, libc::EPOLL_CTL_DEL, fd, 0, 0);
    }

    /// Appends what is ready now to `into`, without waiting.
    pub fn ready(&mut self, into: &mut Vec<StreamReadiness>) {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; MAX_READY_STREAMS];
        // SAFETY: the pointer and count describe `events`.
        let count = unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                events.as_mut_ptr(),
                events.len() as libc::c_int,
                0,
            )
        };
        let ready = usize::try_from(count).unwrap_or(0);
        into.extend(events[..ready].iter().map(|event| StreamReadiness {
            token: event.u64 as u32,
            readable: event.events as libc::c_int & !libc::EPOLLOUT != 0,
            writable: event.events as libc::c_int & libc::EPOLLOUT != 0,
        }));
    }

    fn fd(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }
}

fn control(
    epoll: &OwnedFd,
    operation: libc::c_int,
    fd: RawFd,
    interest: libc::c_int,
    token: u64,
) -> io::Result<()> {
    let mut event = libc::epoll_event {
        events: interest as u32,
        u64: token,
    };
    // SAFETY: `event` is valid for the call; the kernel refuses descriptors that are not open.
    let result = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, fd, &raw mut event) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

pub(super) fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` was just made by the kernel and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::socket::bind;

    const NOW: Time = Time(0);

    #[test]
    fn each_kind_of_readiness_is_told_apart() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let signal = Signal::new().unwrap();
        let mut poller = Poller::new(&socket, &signal).unwrap();
        assert_eq!(poller.wait(NOW, Some(NOW)), Readiness::default());

        signal.raise();
        signal.raise();
        let signalled = Readiness {
            signalled: true,
            ..Readiness::default()
        };
        assert_eq!(poller.wait(NOW, None), signalled);
        signal.clear();
        assert_eq!(poller.wait(NOW, Some(NOW)), Readiness::default());

        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        poller.wait_for_room(true);
        let both = Readiness {
            readable: true,
            writable: true,
            ..Readiness::default()
        };
        assert_eq!(poller.wait(NOW, None), both);
    }

    #[test]
    fn streams_wake_the_loop_and_say_which_they_are() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut poller = Poller::new(&socket, &Signal::new().unwrap()).unwrap();
        let mut streams = StreamPoller::new().unwrap();
        poller.watch_streams(&streams).unwrap();
        let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
        streams.watch(here.as_raw_fd(), 7).unwrap();
        assert_eq!(poller.wait(NOW, Some(NOW)), Readiness::default());

        streams.wait_for_room(here.as_raw_fd(), 7, true).unwrap();
        std::io::Write::write_all(&mut &there, b"x").unwrap();
        assert!(poller.wait(NOW, None).streams);
        let mut ready = Vec::new();
        streams.ready(&mut ready);
        let both = StreamReadiness {
            token: 7,
            readable: true,
            writable: true,
        };
        assert_eq!(ready, [both]);

        streams.forget(here.as_raw_fd());
        streams.forget(here.as_raw_fd());
        assert_eq!(poller.wait(NOW, Some(NOW)), Readiness::default());
    }

    #[test]
    fn the_alarm_wakes_for_a_deadline_that_was_brought_forward_and_one_that_was_put_off() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut poller = Poller::new(&socket, &Signal::new().unwrap()).unwrap();
        let clock = Clock::start();
        let distant = Time(3_600_000_000);
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        assert!(poller.wait(clock.now(), Some(distant)).readable);
        socket.recv(&mut [0; 8]).unwrap();
        for deadline in [clock.now() + Duration::from_millis(20), Time(100_000)] {
            let mut wakings = 0;
            while clock.now() < deadline {
                let ready = poller.wait(clock.now(), Some(deadline));
                assert_eq!(ready, Readiness::default());
                wakings += 1;
            }
            assert!((1..=2).contains(&wakings), "{wakings} wakings");
        }
    }

    #[test]
    fn a_deadline_far_beyond_all_time_is_none_to_wait_for() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let signal = Signal::new().unwrap();
        let mut poller = Poller::new(&socket, &signal).unwrap();
        signal.raise();
        assert!(poller.wait(NOW, Some(Time(u64::MAX))).signalled);
    }
}
