//! Waiting for sockets until a moment, to a fraction of a millisecond.

use std::os::fd::RawFd;
use std::time::Duration;

/// The descriptors to watch, in the order given.
pub struct Watch(Vec<libc::pollfd>);

impl Watch {
    /// Has the kernel wake this thread on time: by default it may be 50 us late.
    pub fn new() -> Self {
        #[cfg(target_os = "linux")]
        // SAFETY: this option takes one number and touches no memory of ours.
        unsafe {
            libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong);
        }
        Self(Vec::new())
    }

    /// Waits until one is readable or broken, or the time is up.
    pub fn wait(&mut self, descriptors: impl Iterator<Item = RawFd>, timeout: Duration) {
        self.0.clear();
        self.0.extend(descriptors.map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        }));
        let timeout = libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: timeout.subsec_nanos() as _,
        };
        // SAFETY: the pointers and the count describe `self.0` and `timeout`.
        let count = unsafe {
            libc::ppoll(
                self.0.as_mut_ptr(),
                self.0.len() as libc::nfds_t,
                &raw const timeout,
                std::ptr::null(),
            )
        };
        if count < 0 {
            self.0.iter_mut().for_each(|watched| watched.revents = 0);
        }
    }

    /// Whether the descriptor of this number has something to read, or an error to fetch.
    pub fn is_readable(&self, index: usize) -> bool {
        self.0
            .get(index)
            .is_some_and(|watched| watched.revents != 0)
    }
}
