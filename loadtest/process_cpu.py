"""The processor time of another process, finely enough for windows of a few seconds."""

import time
from pathlib import Path

from loadtest.errors import LoadtestError

_CPUCLOCK_SCHED = 2
"""Of the kernel's per-process clocks: user plus system time, in nanoseconds (Linux)."""


def cpu_ns(pid: int) -> int:
    """User plus system time of all threads of `pid` so far.

    The sum that /proc/PID/stat shows in ticks of 10 ms, read from the process's clock as
    clock_getcpuclockid(3) makes it. Raises OSError when there is no such process.
    """
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)


def thread_cpu_ns(pid: int, name: str) -> int:
    """User plus system time of the threads of `pid` that have this name.

    From /proc/PID/task/TID/schedstat (Linux), of which the first number is the time on a processor.
    Raises LoadtestError when there is no such thread.
    """
    tasks = Path(f"/proc/{pid}/task").glob("*")
    named = [task for task in tasks if (task / "comm").read_text().rstrip("\n") == name]
    if not named:
        raise LoadtestError(f"process {pid} has no thread {name}")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in named)
