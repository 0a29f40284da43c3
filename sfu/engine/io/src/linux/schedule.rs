//! How the kernel is to schedule the media thread.

use std::mem;

/// Lower is earlier, as with nice(1).
const NICENESS: libc::c_int = -10;

/// How long the thread runs before others have their turn. From Linux 6.12 on a thread that wakes
/// goes before one with longer slices that runs; without that it waits until the slice of the
/// other is over, some milliseconds, whatever its niceness. 0.1 ms is the shortest there is.
const SLICE_NS: u64 = 100_000;

/// Asks for both, for the calling thread alone. The niceness takes a right that not every user
/// has (setrlimit(2), `RLIMIT_NICE`); older kernels know no slices. A thread that gets neither
/// works as well on an idle machine.
pub fn come_first() {
    // SAFETY: no pointers.
    let niceness = unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS);
        libc::getpriority(libc::PRIO_PROCESS, 0)
    };
    // SAFETY: all-zero bytes are a valid sched_attr (sched_setattr(2)).
    let mut wanted: libc::sched_attr = unsafe { mem::zeroed() };
    wanted.size = mem::size_of_val(&wanted) as u32;
    wanted.sched_policy = libc::SCHED_OTHER as u32;
    wanted.sched_nice = niceness;
    wanted.sched_runtime = SLICE_NS;
    // SAFETY: the pointer is to `wanted`, which says its own size.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn attributes() -> libc::sched_attr {
        // SAFETY: all-zero bytes are a valid sched_attr.
        let mut found: libc::sched_attr = unsafe { mem::zeroed() };
        let size = mem::size_of_val(&found) as libc::c_uint;
        // SAFETY: the pointer and the size describe `found`.
        let result = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut found, size, 0) };
        assert_eq!(result, 0);
        found
    }

    #[test]
    fn the_thread_has_short_slices_and_the_process_is_as_it_was() {
        let before = attributes();
        let inside = thread::spawn(|| {
            come_first();
            attributes()
        });
        let inside = inside.join().unwrap();
        assert_eq!(inside.sched_policy, libc::SCHED_OTHER as u32);
        assert!(inside.sched_nice <= before.sched_nice);
        // Kernels before 6.12 say nothing of slices.
        assert!([0, SLICE_NS].contains(&inside.sched_runtime));
        assert_eq!(attributes().sched_runtime, before.sched_runtime);
        assert_eq!(attributes().sched_nice, before.sched_nice);
    }
}
