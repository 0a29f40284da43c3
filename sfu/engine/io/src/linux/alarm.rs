//! Being woken for a deadline.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use mianshi_engine_core::time::Time;

use super::wait::owned;

/// A timer that stays set while deadlines beyond it come and go (timerfd).
///
/// A deadline given to the call that sleeps would be set and taken back with each packet; where a
/// hypervisor keeps the clock that costs more than the packet.
#[derive(Debug)]
pub struct Alarm {
    timer: OwnedFd,
    set: Option<Time>,
}

/// Deadlines are rounded up to these: several are served by one waking.
const ALARM_MICROS: u64 = 1_000;

impl Alarm {
    /// Quiet until it is set.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let flags = libc::TFD_NONBLOCK | libc::TFD_CLOEXEC;
        // SAFETY: no pointers.
        let timer = owned(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) })?;
        Ok(Self { timer, set: None })
    }

    /// Goes off at the deadline, or before if it was set to.
    pub fn set_by(&mut self, now: Time, deadline: Time) {
        let steps = deadline.0.div_ceil(ALARM_MICROS);
        let at = Time(steps.saturating_mul(ALARM_MICROS));
        if self.set.is_some_and(|set| set <= at) {
            return;
        }
        // Zero would switch it off.
        let left = Duration::from_micros(at.0.saturating_sub(now.0).max(1));
        let setting = libc::itimerspec {
            it_interval: timespec(Duration::ZERO),
            it_value: timespec(left),
        };
        // SAFETY: `setting` is valid for the call, and no old setting is asked for.
        unsafe {
            libc::timerfd_settime(
                self.timer.as_raw_fd(),
                0,
                &raw const setting,
                ptr::null_mut(),
            )
        };
        self.set = Some(at);
    }

    /// Readable once it went off; stays ours.
    pub fn fd(&self) -> RawFd {
        self.timer.as_raw_fd()
    }

    /// It went off.
    pub fn clear(&mut self) {
        let mut count = 0u64;
        // SAFETY: the pointer and length describe `count`.
        unsafe { libc::read(self.timer.as_raw_fd(), (&raw mut count).cast(), 8) };
        self.set = None;
    }
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: duration.as_secs() as _,
        tv_nsec: duration.subsec_nanos() as _,
    }
}
