//! Other Unixes: poll, a pipe, `recvfrom` and `sendto`. Correct rather than fast.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use mianshi_engine_core::time::Time;

use crate::backlog::Backlog;
use crate::counters::{ReceiveCounters, SendCounters};
use crate::{BATCH_DATAGRAMS, MAX_DATAGRAM_BYTES};

/// A descriptor that another thread makes readable (one end of a socket pair).
#[derive(Debug)]
pub struct Signal {
    raised: UnixStream,
    watched: UnixStream,
}

impl Signal {
    /// A quiet signal.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let (raised, watched) = UnixStream::pair()?;
        raised.set_nonblocking(true)?;
        watched.set_nonblocking(true)?;
        Ok(Self { raised, watched })
    }

    /// Makes the descriptor readable; a full pair is readable already.
    pub fn raise(&self) {
        let _ = (&self.raised).write(&[1]);
    }

    /// Makes the descriptor quiet again.
    pub fn clear(&self) {
        let mut bytes = [0; 64];
        while (&self.watched)
            .read(&mut bytes)
            .is_ok_and(|count| count > 0)
        {}
    }

    /// For other event loops; stays ours.
    pub fn fd(&self) -> RawFd {
        self.watched.as_raw_fd()
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

/// Waits for one socket and one signal.
#[derive(Debug)]
pub struct Poller {
    socket: RawFd,
    signal: RawFd,
    streams: Option<Watched>,
    waits_for_room: bool,
}

impl Poller {
    /// Watches `socket` for datagrams and `signal`; both must outlive the poller.
    ///
    /// # Errors
    /// Never here; Linux may be out of descriptors.
    pub fn new(socket: &impl AsRawFd, signal: &Signal) -> io::Result<Self> {
        Ok(Self {
            socket: socket.as_raw_fd(),
            signal: signal.fd(),
            streams: None,
            waits_for_room: false,
        })
    }

    /// Wakes up for what `streams` watches, too.
    ///
    /// # Errors
    /// Never here; Linux may be out of memory.
    pub fn watch_streams(&mut self, streams: &StreamPoller) -> io::Result<()> {
        self.streams = Some(Arc::clone(&streams.watched));
        Ok(())
    }

    /// Says whether datagrams wait for room in the socket's send buffer.
    pub fn wait_for_room(&mut self, wanted: bool) {
        self.waits_for_room = wanted;
    }

    /// Sleeps until something is ready or the deadline has passed (`None`: for ever), rounded up
    /// to whole milliseconds.
    pub fn wait(&mut self, now: Time, deadline: Option<Time>) -> Readiness {
        let room = if self.waits_for_room {
            libc::POLLOUT
        } else {
            0
        };
        let mut watched = vec![
            watch(self.socket, libc::POLLIN | room),
            watch(self.signal, libc::POLLIN),
        ];
        if let Some(streams) = &self.streams {
            watched.extend(lock(streams).iter().map(|(fd, _)| *fd));
        }
        let milliseconds = deadline.map_or(-1, |deadline| {
            let left_us = deadline.0.saturating_sub(now.0);
            left_us.div_ceil(1000).min(i32::MAX as u64) as libc::c_int
        });
        // SAFETY: the pointer and count describe `watched`.
        let count = unsafe { libc::poll(watched.as_mut_ptr(), watched.len() as _, milliseconds) };
        if count <= 0 {
            return Readiness::default();
        }
        Readiness {
            readable: watched[0].revents & !libc::POLLOUT != 0,
            writable: watched[0].revents & libc::POLLOUT != 0,
            signalled: watched[1].revents != 0,
            streams: watched[2..].iter().any(|one| one.revents != 0),
        }
    }
}

fn watch(fd: RawFd, events: libc::c_short) -> libc::pollfd {
    libc::pollfd {
        fd,
        events,
        revents: 0,
    }
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

type Watched = Arc<Mutex<Vec<(libc::pollfd, u32)>>>;

/// Watches many streams.
#[derive(Debug, Default)]
pub struct StreamPoller {
    watched: Watched,
}

impl StreamPoller {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// Never here; Linux may be out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    /// Watches `fd` for input, under a name.
    ///
    /// # Errors
    /// Never here; Linux may be out of memory.
    pub fn watch(&mut self, fd: RawFd, token: u32) -> io::Result<()> {
        lock(&self.watched).push((watch(fd, libc::POLLIN), token));
        Ok(())
    }

    /// Says whether bytes wait for room in the send buffer of `fd`.
    ///
    /// # Errors
    /// Never here; on Linux for what is not watched.
    pub fn wait_for_room(&mut self, fd: RawFd, token: u32, wanted: bool) -> io::Result<()> {
        let room = if wanted { libc::POLLOUT } else { 0 };
        for one in lock(&self.watched).iter_mut() {
            if one.0.fd == fd {
                *one = (watch(fd, libc::POLLIN | room), token);
            }
        }
        Ok(())
    }

    /// Watches `fd` no more; to be called before it is closed.
    pub fn forget(&mut self, fd: RawFd) {
        lock(&self.watched).retain(|(one, _)| one.fd != fd);
    }

    /// Appends what is ready now to `into`, without waiting.
    pub fn ready(&mut self, into: &mut Vec<StreamReadiness>) {
        let watched = lock(&self.watched);
        let mut fds: Vec<_> = watched.iter().map(|(fd, _)| *fd).collect();
        // SAFETY: the pointer and count describe `fds`.
        unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as _, 0) };
        let ready = fds
            .iter()
            .zip(watched.iter())
            .filter(|(fd, _)| fd.revents != 0);
        into.extend(ready.map(|(fd, (_, token))| StreamReadiness {
            token: *token,
            readable: fd.revents & !libc::POLLOUT != 0,
            writable: fd.revents & libc::POLLOUT != 0,
        }));
    }
}

fn lock(watched: &Watched) -> std::sync::MutexGuard<'_, Vec<(libc::pollfd, u32)>> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes datagrams one by one.
pub struct Receiver {
    buffer: Box<[u8; MAX_DATAGRAM_BYTES + 1]>,
    counters: ReceiveCounters,
}

impl Receiver {
    /// Allocates the buffer.
    pub fn new() -> Self {
        Self {
            buffer: Box::new([0; MAX_DATAGRAM_BYTES + 1]),
            counters: ReceiveCounters::default(),
        }
    }

    /// Hands every waiting datagram, up to a batch, to `take`; returns true if more may wait.
    pub fn receive(
        &mut self,
        socket: &UdpSocket,
        mut take: impl FnMut(&mut [u8], SocketAddr),
    ) -> bool {
        for _ in 0..BATCH_DATAGRAMS {
            match socket.recv_from(&mut *self.buffer) {
                Ok((length, _)) if length > MAX_DATAGRAM_BYTES => self.counters.oversized += 1,
                Ok((length, source)) => {
                    self.counters.received += 1;
                    let ip = source.ip().to_canonical();
                    take(
                        &mut self.buffer[..length],
                        SocketAddr::new(ip, source.port()),
                    );
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => {}
            }
        }
        true
    }

    /// What was received and lost so far; the kernel does not say what it dropped.
    pub fn counters(&mut self, _socket: &UdpSocket) -> ReceiveCounters {
        self.counters
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

/// Sends datagrams one by one.
pub struct Sender {
    socket_is_v6: bool,
    backlog: Backlog,
    counters: SendCounters,
}

impl Sender {
    /// A sender for sockets like this one.
    pub fn new(_socket: &impl AsRawFd, local: SocketAddr) -> Self {
        Self {
            socket_is_v6: local.is_ipv6(),
            backlog: Backlog::default(),
            counters: SendCounters::default(),
        }
    }

    /// There is no offload here.
    pub fn without_offload(self) -> Self {
        self
    }

    /// Sends all in order. What the kernel has no room for waits for [`Sender::resume`], within a
    /// bound.
    pub fn send<'a>(
        &mut self,
        socket: &UdpSocket,
        datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>,
    ) {
        for (destination, datagram) in datagrams {
            if !self.backlog.is_empty() || !self.try_send(socket, destination, datagram) {
                self.postpone(destination, datagram);
            }
        }
    }

    /// Sends what was postponed; to be called when the socket is writable.
    pub fn resume(&mut self, socket: &UdpSocket) {
        let postponed = std::mem::take(&mut self.backlog);
        self.send(socket, postponed.iter());
    }

    /// True while datagrams wait for room in the kernel.
    pub fn is_blocked(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// What was sent and lost so far.
    pub fn counters(&self) -> SendCounters {
        self.counters
    }

    /// False if the kernel has no room.
    fn try_send(&mut self, socket: &UdpSocket, destination: SocketAddr, datagram: &[u8]) -> bool {
        self.counters.calls += 1;
        match socket.send_to(datagram, self.as_this_family(destination)) {
            Ok(_) => self.counters.sent += 1,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(_) => self.counters.failed += 1,
        }
        true
    }

    fn as_this_family(&self, destination: SocketAddr) -> SocketAddr {
        match destination {
            SocketAddr::V4(v4) if self.socket_is_v6 => {
                SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port())
            }
            other => other,
        }
    }

    fn postpone(&mut self, destination: SocketAddr, datagram: &[u8]) {
        if !self.backlog.push(destination, datagram) {
            self.counters.backlog_dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::bind;

    #[test]
    fn datagrams_and_signals_pass() {
        let here = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = here.local_addr().unwrap();
        let signal = Signal::new().unwrap();
        let mut poller = Poller::new(&here, &signal).unwrap();
        assert_eq!(poller.wait(Time(0), Some(Time(0))), Readiness::default());
        signal.raise();
        assert!(poller.wait(Time(0), None).signalled);
        signal.clear();
        assert_eq!(poller.wait(Time(0), Some(Time(0))), Readiness::default());

        let mut sender = Sender::new(&here, address).without_offload();
        let long = vec![9; MAX_DATAGRAM_BYTES + 1];
        let sent: [&[u8]; 3] = [b"first", &long, b"second"];
        sender.send(&here, sent.into_iter().map(|datagram| (address, datagram)));
        poller.wait_for_room(true);
        let readiness = poller.wait(Time(0), None);
        assert!(readiness.readable && readiness.writable);

        let mut receiver = Receiver::new();
        let mut taken = Vec::new();
        let more = receiver.receive(&here, |datagram, source| {
            taken.push((datagram.to_vec(), source));
        });
        assert!(!more);
        assert_eq!(
            taken,
            [(b"first".to_vec(), address), (b"second".to_vec(), address)]
        );
        assert_eq!(receiver.counters(&here).oversized, 1);
        assert_eq!(sender.counters().sent, 3);
    }

    #[test]
    fn streams_wake_the_loop_and_say_which_they_are() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut poller = Poller::new(&socket, &Signal::new().unwrap()).unwrap();
        let mut streams = StreamPoller::new().unwrap();
        poller.watch_streams(&streams).unwrap();
        let (here, there) = UnixStream::pair().unwrap();
        streams.watch(here.as_raw_fd(), 7).unwrap();
        streams.wait_for_room(here.as_raw_fd(), 7, true).unwrap();
        (&there).write_all(b"x").unwrap();
        assert!(poller.wait(Time(0), None).streams);
        let mut ready = Vec::new();
        streams.ready(&mut ready);
        let both = StreamReadiness {
            token: 7,
            readable: true,
            writable: true,
        };
        assert_eq!(ready, [both]);
        streams.forget(here.as_raw_fd());
        assert_eq!(poller.wait(Time(0), Some(Time(0))), Readiness::default());
    }

    #[test]
    fn what_waits_for_room_goes_first() {
        let here = bind("[::1]:0".parse().unwrap()).unwrap();
        let address = here.local_addr().unwrap();
        let mut sender = Sender::new(&here, address);
        sender.postpone(address, b"first");
        sender.send(&here, [(address, b"second".as_slice())].into_iter());
        assert!(sender.is_blocked());
        sender.resume(&here);
        assert!(!sender.is_blocked());
        let mut taken = Vec::new();
        Receiver::new().receive(&here, |datagram, _| taken.push(datagram.to_vec()));
        assert_eq!(taken, [b"first".to_vec(), b"second".to_vec()]);
    }
}
