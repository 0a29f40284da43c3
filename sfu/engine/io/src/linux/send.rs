//! Sending: grouped per destination, one offloaded call for each run of equal sizes.
//!
//! UDP segmentation offload cuts one large write into datagrams of equal size (the last may be
//! shorter) inside the kernel, which costs less than half of as many separate sends. Some devices
//! and paths refuse it: that destination is then served plainly from there on.

use std::collections::HashSet;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::ptr;

use crate::address::RawAddress;
use crate::backlog::Backlog;
use crate::counters::SendCounters;
use crate::grouping::{Grouping, Run};
use crate::socket::set_option;

/// Calls are made for this many runs at a time; the kernel takes at most 1024.
const MAX_RUNS_PER_CALL: usize = 256;

/// Destinations remembered as refusing the offload; beyond it the socket sends plainly.
const MAX_PLAIN_DESTINATIONS: usize = 1024;

/// Room for one UDP_SEGMENT control message, aligned for `cmsghdr`.
type Control = [u64; 3];

/// Sends the outbox of the engine.
pub struct Sender {
    offload: bool,
    plain_destinations: HashSet<SocketAddr>,
    socket_is_v6: bool,
    grouping: Grouping,
    names: Vec<(RawAddress, libc::socklen_t)>,
    controls: Vec<Control>,
    headers: Vec<libc::mmsghdr>,
    backlog: Backlog,
    counters: SendCounters,
}

// SAFETY: the raw pointers in `grouping`, and those in `headers` that lead into the vectors of
// this value, are written at the beginning of a call and read only within it.
unsafe impl Send for Sender {}

enum Refusal {
    Interrupted,
    Full,
    Offload,
    Datagram,
}

impl Sender {
    /// A sender for sockets like this one; asks the kernel whether it can offload.
    pub fn new(socket: &impl AsRawFd, local: SocketAddr) -> Self {
        Self {
            offload: set_option(socket, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok(),
            plain_destinations: HashSet::new(),
            socket_is_v6: local.is_ipv6(),
            grouping: Grouping::default(),
            names: Vec::new(),
            controls: Vec::new(),
            headers: Vec::new(),
            backlog: Backlog::default(),
            counters: SendCounters::default(),
        }
    }

    /// Uses plain sends only, for comparison.
    pub fn without_offload(mut self) -> Self {
        self.offload = false;
        self
    }

    /// Sends all, in order for each destination. What the kernel has no room for waits for
    /// [`Sender::resume`], within a bound.
    pub fn send<'a>(
        &mut self,
        socket: &impl AsRawFd,
        mut datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>,
    ) {
        if self.backlog.is_empty() {
            match (datagrams.next(), datagrams.next()) {
                (Some((destination, datagram)), None) => {
                    self.send_one(socket, destination, datagram)
                }
                (first, second) => {
                    let first = first.into_iter().chain(second);
                    self.transmit(socket, first.chain(datagrams));
                }
            }
        } else {
            for (destination, datagram) in datagrams {
                self.postpone(destination, datagram);
            }
        }
    }

    /// Sends what was postponed; to be called when the socket is writable.
    pub fn resume(&mut self, socket: &impl AsRawFd) {
        let postponed = mem::take(&mut self.backlog);
        self.transmit(socket, postponed.iter());
    }

    /// True while datagrams wait for room in the kernel.
    pub fn is_blocked(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// What was sent and lost so far.
    pub fn counters(&self) -> SendCounters {
        self.counters
    }

    fn transmit<'a>(
        &mut self,
        socket: &impl AsRawFd,
        datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>,
    ) {
        let mut grouping = mem::take(&mut self.grouping);
        let (offload, plain) = (self.offload, &self.plain_destinations);
        grouping.arrange(datagrams, |destination| {
            offload && (plain.is_empty() || !plain.contains(&destination))
        });
        for runs in grouping.runs().chunks(MAX_RUNS_PER_CALL) {
            self.submit(socket, &grouping, runs);
        }
        grouping.clear();
        self.grouping = grouping;
    }

    fn submit(&mut self, socket: &impl AsRawFd, grouping: &Grouping, runs: &[Run]) {
        self.prepare(grouping, runs);
        let mut done = 0;
        while done < runs.len() {
            if !self.backlog.is_empty() {
                self.postpone_runs(grouping, &runs[done..]);
                return;
            }
            match self.call(socket, done) {
                Ok(accepted) => {
                    let datagrams = runs[done..done + accepted].iter().map(Run::datagrams);
                    self.counters.sent += datagrams.sum::<usize>() as u64;
                    done += accepted;
                }
                Err(Refusal::Interrupted) => {}
                Err(Refusal::Full) => {
                    self.postpone_runs(grouping, &runs[done..]);
                    return;
                }
                Err(Refusal::Offload) if runs[done].datagrams() > 1 => {
                    self.remember_plain(runs[done].destination);
                    self.send_plainly(socket, grouping, &runs[done]);
                    done += 1;
                }
                Err(Refusal::Offload | Refusal::Datagram) => {
                    self.counters.failed += runs[done].datagrams() as u64;
                    done += 1;
                }
            }
        }
    }

    /// Fills names, controls and headers; the vectors do not grow after their pointers are taken.
    fn prepare(&mut self, grouping: &Grouping, runs: &[Run]) {
        self.names.clear();
        self.controls.clear();
        self.headers.clear();
        for run in runs {
            self.names
                .push(RawAddress::new(run.destination, self.socket_is_v6));
            self.controls.push([0; 3]);
        }
        for (index, run) in runs.iter().enumerate() {
            // SAFETY: all-zero bytes are a valid mmsghdr (null pointers and zero lengths).
            let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
            let message = &mut header.msg_hdr;
            message.msg_name = (&raw mut self.names[index].0).cast();
            message.msg_namelen = self.names[index].1;
            let vectors = grouping.vectors(run);
            message.msg_iov = vectors.as_ptr().cast_mut();
            message.msg_iovlen = vectors.len() as _;
            if vectors.len() > 1 {
                write_segment_size(message, &mut self.controls[index], run.segment_bytes);
            }
            self.headers.push(header);
        }
    }

    fn call(&mut self, socket: &impl AsRawFd, first: usize) -> Result<usize, Refusal> {
        let headers = &mut self.headers[first..];
        self.counters.calls += 1;
        // SAFETY: every header points at a name, control block and vectors that live in `self` or
        // in the grouping, and the vectors at datagrams borrowed for the whole of `transmit`.
        let accepted = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                headers.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
            )
        };
        usize::try_from(accepted).map_err(|_| refusal(&io::Error::last_os_error()))
    }

    fn send_plainly(&mut self, socket: &impl AsRawFd, grouping: &Grouping, run: &Run) {
        for datagram in grouping.datagrams(run) {
            if self.backlog.is_empty() {
                self.send_one(socket, run.destination, datagram);
            } else {
                self.postpone(run.destination, datagram);
            }
        }
    }

    fn send_one(&mut self, socket: &impl AsRawFd, destination: SocketAddr, datagram: &[u8]) {
        let (name, length) = RawAddress::new(destination, self.socket_is_v6);
        self.counters.calls += 1;
        // SAFETY: the pointers and lengths describe `datagram` and `name`.
        let sent = unsafe {
            libc::sendto(
                socket.as_raw_fd(),
                datagram.as_ptr().cast(),
                datagram.len(),
                libc::MSG_DONTWAIT,
                (&raw const name).cast(),
                length,
            )
        };
        if sent >= 0 {
            self.counters.sent += 1;
            return;
        }
        match refusal(&io::Error::last_os_error()) {
            Refusal::Full | Refusal::Interrupted => self.postpone(destination, datagram),
            Refusal::Offload | Refusal::Datagram => self.counters.failed += 1,
        }
    }

    fn remember_plain(&mut self, destination: SocketAddr) {
        if self.plain_destinations.len() >= MAX_PLAIN_DESTINATIONS {
            self.offload = false;
            self.plain_destinations = HashSet::new();
        } else {
            self.plain_destinations.insert(destination);
        }
    }

    fn postpone_runs(&mut self, grouping: &Grouping, runs: &[Run]) {
        for run in runs {
            for datagram in grouping.datagrams(run) {
                self.postpone(run.destination, datagram);
            }
        }
    }

    fn postpone(&mut self, destination: SocketAddr, datagram: &[u8]) {
        if !self.backlog.push(destination, datagram) {
            self.counters.backlog_dropped += 1;
        }
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(libc::EINTR) => Refusal::Interrupted,
        Some(libc::EAGAIN) => Refusal::Full,
        // No checksum offload on the device, segments too long for the path, or not supported.
        Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE | libc::EOPNOTSUPP) => Refusal::Offload,
        _ => Refusal::Datagram,
    }
}

fn write_segment_size(message: &mut libc::msghdr, control: &mut Control, segment_bytes: u16) {
    const { assert!(mem::size_of::<Control>() >= 24) };
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: a pure computation.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(2) } as _;
    // SAFETY: the control block is aligned and has room for one header and two bytes, so the
    // first header is not null and its data lies inside the block.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(message);
        (*header).cmsg_level = libc::SOL_UDP;
        (*header).cmsg_type = libc::UDP_SEGMENT;
        (*header).cmsg_len = libc::CMSG_LEN(2) as _;
        ptr::write_unaligned(libc::CMSG_DATA(header).cast::<u16>(), segment_bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use super::*;
    use crate::socket::bind;

    fn socket(host: &str) -> UdpSocket {
        let socket = bind(host.parse().unwrap()).unwrap();
        socket.set_nonblocking(false).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        socket
    }

    fn sender(socket: &UdpSocket) -> Sender {
        Sender::new(socket, socket.local_addr().unwrap())
    }

    fn send(sender: &mut Sender, from: &UdpSocket, datagrams: &[(SocketAddr, Vec<u8>)]) {
        sender.send(
            from,
            datagrams.iter().map(|(to, bytes)| (*to, bytes.as_slice())),
        );
    }

    fn expect(at: &UdpSocket, datagrams: &[(SocketAddr, Vec<u8>)]) {
        let here = at.local_addr().unwrap();
        for (_, expected) in datagrams.iter().filter(|(to, _)| *to == here) {
            let mut buffer = [0; 4096];
            let length = at.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], expected);
        }
    }

    /// Two receivers, interleaved, with sizes that begin and end runs.
    fn mixed(first: SocketAddr, second: SocketAddr) -> Vec<(SocketAddr, Vec<u8>)> {
        let sizes = [1100, 1100, 700, 1100, 1, 1, 1, 1200, 1100, 1100];
        let mut datagrams = Vec::new();
        for (number, size) in sizes.into_iter().enumerate() {
            datagrams.push((first, vec![number as u8; size]));
            datagrams.push((second, vec![0x80 | number as u8; size]));
        }
        datagrams
    }

    #[test]
    fn every_receiver_gets_its_datagrams_whole_and_in_order() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            for offload in [true, false] {
                let (from, first, second) = (socket(host), socket(host), socket(host));
                let mut sender = sender(&from);
                if !offload {
                    sender = sender.without_offload();
                }
                let datagrams = mixed(first.local_addr().unwrap(), second.local_addr().unwrap());
                send(&mut sender, &from, &datagrams);
                expect(&first, &datagrams);
                expect(&second, &datagrams);
                assert_eq!(sender.counters().sent, datagrams.len() as u64);
                assert_eq!(sender.counters().calls, 1);
            }
        }
    }

    #[test]
    fn a_long_run_is_cut_where_the_kernel_wants_it() {
        let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        let here = to.local_addr().unwrap();
        let datagrams: Vec<_> = (0..200).map(|number| (here, vec![number; 1200])).collect();
        let mut sender = sender(&from);
        send(&mut sender, &from, &datagrams);
        expect(&to, &datagrams);
        assert_eq!(sender.counters().sent, 200);
    }

    #[test]
    fn a_refused_destination_costs_nobody_else() {
        let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        let here = to.local_addr().unwrap();
        // Port 0 is refused with EINVAL, as a path without the offload would be.
        let nowhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let datagrams = mixed(here, nowhere);
        let mut sender = sender(&from);
        send(&mut sender, &from, &datagrams);
        expect(&to, &datagrams);
        let half = datagrams.len() as u64 / 2;
        assert_eq!(sender.counters().sent, half);
        assert_eq!(sender.counters().failed, half);
        assert!(sender.plain_destinations.contains(&nowhere));
        assert!(!sender.plain_destinations.contains(&here));
        assert!(!sender.is_blocked());
    }

    #[test]
    fn what_waits_for_room_goes_first_and_within_a_bound() {
        let (from, to) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
        let here = to.local_addr().unwrap();
        let mut sender = sender(&from);
        sender.postpone(here, &[0; 7]);
        let later = vec![(here, vec![1; 7]), (here, vec![2; 7])];
        send(&mut sender, &from, &later);
        assert!(sender.is_blocked());
        assert_eq!(sender.counters().sent, 0);
        sender.resume(&from);
        assert!(!sender.is_blocked());
        expect(&to, &[vec![(here, vec![0; 7])], later].concat());

        sender.postpone(here, &[0; 7]);
        send(&mut sender, &from, &vec![(here, vec![3; 2000]); 2000]);
        let waiting = sender.backlog.iter().count() as u64;
        assert_eq!(sender.counters().backlog_dropped, 2001 - waiting);
    }

    #[test]
    fn a_full_kernel_is_told_from_a_refusing_one() {
        let of = |code| refusal(&io::Error::from_raw_os_error(code));
        assert!(matches!(of(libc::EAGAIN), Refusal::Full));
        assert!(matches!(of(libc::EINTR), Refusal::Interrupted));
        assert!(matches!(of(libc::EIO), Refusal::Offload));
        assert!(matches!(of(libc::ENETUNREACH), Refusal::Datagram));
        assert!(matches!(of(libc::EPERM), Refusal::Datagram));
    }
}
