"""The way out of a node: ordered, bounded in time, and sure even when something hangs."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from types import FrameType

import structlog

log = structlog.get_logger("server.stopping")

STEP_S = 2.0
"""One step may take so long: what hangs must leave time for the others."""

ORDERLY_S = 3.5
"""All steps together; those that come later are begun and given `RUSH_S`."""

RUSH_S = 0.1

HARD_S = 5.0
"""After a signal the process ends at the latest then, whatever its loop or a thread does."""

Step = Callable[[], Awaitable[object]]


class Closing:
    """What was started, in order; `close` undoes it from the last to the first.

    A step that fails or hangs is named in the log and the next one is taken: an exit must not
    depend on everything going well.
    """

    def __init__(self, *, step_s: float = STEP_S, orderly_s: float = ORDERLY_S) -> None:
        self._step_s = step_s
        self._orderly_s = orderly_s
        self._steps: list[tuple[str, Step]] = []
        self._kills: list[Callable[[], None]] = []
        self.present = ""
        """The step under way, for whoever must explain why the end does not come."""
        self.given_up: list[str] = []

    def push(self, name: str, step: Step) -> None:
        self._steps.append((name, step))

    def push_kill(self, kill: Callable[[], None]) -> None:
        """Of a child process: called when there is no time for its step; must not wait."""
        self._kills.append(kill)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._orderly_s
        while self._steps:
            self.present, step = self._steps.pop()
            limit_s = max(RUSH_S, min(self._step_s, deadline_s - loop.time()))
            await self._take(self.present, step, limit_s)
        self.present = ""

    async def _take(self, name: str, step: Step, limit_s: float) -> None:
        task = asyncio.ensure_future(step())
        # Not `wait_for`: that would wait for a step which does not heed its cancellation.
        done, _ = await asyncio.wait([task], timeout=limit_s)
        if not done:
            task.cancel()
            self.given_up.append(name)
            log.error("gave_up_stopping", part=name, after_s=round(limit_s, 1))
        elif not task.cancelled() and (error := task.exception()) is not None:
            log.error("stopping_failed", part=name, exc_info=error)

    def kill(self) -> None:
        for kill in self._kills:
            kill()


class StopSignals:
    """SIGINT and SIGTERM: the first asks for an orderly stop, the second ends the process.

    The handlers are the interpreter's, not the loop's, so that they also work while the loop
    hangs. Make it on the main thread, inside the loop.
    """

    def __init__(self, closing: Closing, *, hard_s: float = HARD_S) -> None:
        self._closing = closing
        self._hard_s = hard_s
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Event()
        self._stopping = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    async def wait(self) -> None:
        await self._asked.wait()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            log.warning("stopped_at_once", during=self._closing.present)
            self._end(128 + number)
        self._stopping = True
        overdue = threading.Timer(self._hard_s, self._overdue)
        overdue.daemon = True
        overdue.start()
        self._loop.call_soon_threadsafe(self._asked.set)

    def _overdue(self) -> None:
        """The stop was asked for and served as well as could be: that is no failure."""
        log.error("gave_up_stopping", part=self._closing.present or "what is left of the process")
        self._end(0)

    def _end(self, status: int) -> None:
        self._closing.kill()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
