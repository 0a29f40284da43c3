//! Receiving in batches into buffers that are made once.

use std::mem;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::ptr;

use crate::address::RawAddress;
use crate::counters::ReceiveCounters;
use crate::{BATCH_DATAGRAMS, MAX_DATAGRAM_BYTES};

/// `struct sk_meminfo` (linux/sock_diag.h): numbers of 32 bits, of which the last is what was
/// dropped.
const MEMINFO_NUMBERS: usize = 9;
const MEMINFO_DROPS: usize = 8;

/// Takes up to [`BATCH_DATAGRAMS`] datagrams per call (`recvmmsg`).
pub struct Receiver {
    datagrams: Box<[[u8; MAX_DATAGRAM_BYTES]]>,
    names: Box<[RawAddress]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    /// Headers that the kernel wrote to in the last call.
    written: usize,
    counters: ReceiveCounters,
    kernel_dropped_before: u32,
}

// SAFETY: the raw pointers lead only into the boxes of this value, which move with it.
unsafe impl Send for Receiver {}

impl Receiver {
    /// Allocates every buffer.
    pub fn new() -> Self {
        let mut receiver = Self {
            datagrams: vec![[0; MAX_DATAGRAM_BYTES]; BATCH_DATAGRAMS].into_boxed_slice(),
            names: vec![RawAddress::empty(); BATCH_DATAGRAMS].into_boxed_slice(),
            vectors: Box::new([]),
            headers: Box::new([]),
            written: BATCH_DATAGRAMS,
            counters: ReceiveCounters::default(),
            kernel_dropped_before: 0,
        };
        receiver.vectors = receiver.datagrams.iter_mut().map(vector).collect();
        receiver.headers = (0..BATCH_DATAGRAMS)
            .map(|index| receiver.header(index))
            .collect();
        receiver
    }

    fn header(&mut self, index: usize) -> libc::mmsghdr {
        // SAFETY: all-zero bytes are a valid mmsghdr (null pointers and zero lengths).
        let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
        header.msg_hdr.msg_name = (&raw mut self.names[index]).cast();
        header.msg_hdr.msg_iov = &raw mut self.vectors[index];
        header.msg_hdr.msg_iovlen = 1;
        header
    }

    /// Hands every waiting datagram, up to a batch, to `take`; returns true if more may wait.
    pub fn receive(
        &mut self,
        socket: &impl AsRawFd,
        mut take: impl FnMut(&mut [u8], SocketAddr),
    ) -> bool {
        let count = self.fill(socket);
        for index in 0..count {
            let length = self.headers[index].msg_len as usize;
            if self.headers[index].msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
                self.counters.oversized += 1;
            } else if let Some(source) = self.names[index].address() {
                self.counters.received += 1;
                take(&mut self.datagrams[index][..length], source);
            }
        }
        count == BATCH_DATAGRAMS
    }

    /// What was received and lost so far.
    pub fn counters(&mut self, socket: &impl AsRawFd) -> ReceiveCounters {
        // The kernel's total is a wrapping u32.
        if let Some(total) = kernel_drops(socket) {
            let more = total.wrapping_sub(self.kernel_dropped_before);
            self.counters.kernel_dropped += u64::from(more);
            self.kernel_dropped_before = total;
        }
        self.counters
    }

    fn fill(&mut self, socket: &impl AsRawFd) -> usize {
        for header in &mut self.headers[..self.written] {
            // The kernel shortens it to what it wrote.
            header.msg_hdr.msg_namelen = RawAddress::CAPACITY;
        }
        // SAFETY: every header points at a name and a buffer of its own, both owned by `self` and
        // as long as their lengths say.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                BATCH_DATAGRAMS as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        self.written = usize::try_from(count).unwrap_or(0);
        self.written
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

fn vector(buffer: &mut [u8; MAX_DATAGRAM_BYTES]) -> libc::iovec {
    libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    }
}

/// What the kernel dropped because the receive buffer was full; nothing where it does not say.
fn kernel_drops(socket: &impl AsRawFd) -> Option<u32> {
    let mut numbers = [0u32; MEMINFO_NUMBERS];
    let mut length = mem::size_of_val(&numbers) as libc::socklen_t;
    // SAFETY: the pointer and length describe `numbers`; the kernel writes no more than that.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            numbers.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let told = length as usize / mem::size_of::<u32>();
    (result == 0 && told > MEMINFO_DROPS).then(|| numbers[MEMINFO_DROPS])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{bind, set_option};

    fn collect(
        receiver: &mut Receiver,
        socket: &impl AsRawFd,
    ) -> (Vec<(Vec<u8>, SocketAddr)>, bool) {
        let mut taken = Vec::new();
        let more = receiver.receive(socket, |datagram, source| {
            taken.push((datagram.to_vec(), source));
        });
        (taken, more)
    }

    #[test]
    fn batches_keep_order_contents_and_sources() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let socket = bind(host.parse().unwrap()).unwrap();
            let sender = bind(host.parse().unwrap()).unwrap();
            let source = sender.local_addr().unwrap();
            for number in 0..BATCH_DATAGRAMS + 3 {
                sender
                    .send_to(&[number as u8; 9], socket.local_addr().unwrap())
                    .unwrap();
            }
            let mut receiver = Receiver::new();
            let (first, more) = collect(&mut receiver, &socket);
            assert!(more);
            assert_eq!(first.len(), BATCH_DATAGRAMS);
            let (rest, more) = collect(&mut receiver, &socket);
            assert!(!more);
            assert_eq!(rest.len(), 3);
            for (number, (datagram, from)) in first.into_iter().chain(rest).enumerate() {
                assert_eq!((datagram, from), (vec![number as u8; 9], source));
            }
        }
    }

    #[test]
    fn oversized_datagrams_are_dropped_and_counted() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let to = socket.local_addr().unwrap();
        for bytes in [MAX_DATAGRAM_BYTES, MAX_DATAGRAM_BYTES + 1, 60_000, 0] {
            socket.send_to(&vec![0; bytes], to).unwrap();
        }
        let mut receiver = Receiver::new();
        let (taken, _) = collect(&mut receiver, &socket);
        let lengths: Vec<_> = taken.iter().map(|(datagram, _)| datagram.len()).collect();
        assert_eq!(lengths, [MAX_DATAGRAM_BYTES, 0]);
        assert_eq!(receiver.counters(&socket).oversized, 2);
        assert_eq!(receiver.counters(&socket).received, 2);
    }

    #[test]
    fn what_the_full_buffer_costs_is_counted() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, 8192).unwrap();
        let to = socket.local_addr().unwrap();
        let send = |count: usize| {
            (0..count).for_each(|_| {
                socket.send_to(&[0; 1000], to).unwrap();
            })
        };
        let mut receiver = Receiver::new();
        send(100);
        let kept = collect(&mut receiver, &socket).0.len();
        assert!(kept < 100);
        assert_eq!(receiver.counters(&socket).kernel_dropped, 100 - kept as u64);
    }
}
