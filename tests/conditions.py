"""Waiting for what happens elsewhere: on a word where somebody says it, by looking where not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_S = 10.0
LOOK_EVERY_S = 0.02

T = TypeVar("T")


class Changes:
    """Whoever changes something says so with `tell`; whoever waits looks then, and only then."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def tell(self, *_: object) -> None:
        """Something changed; what it was does not matter, so any callback can end here."""
        self._changed.set()

    async def until(self, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Return when `condition` holds; fail if it does not in good time."""
        async with asyncio.timeout(patience_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


# Programs of their own that give no sign: a page in a browser, a node that is asked for its
# readiness, a log file, a relay whose samples a thread collects. There is nothing to wait on but
# time, so these two look again after a pause. For all else there is `Changes`.


async def seen(
    look: Callable[[], Awaitable[T]],
    satisfied: Callable[[T], object],
    patience_s: float = PATIENCE_S,
) -> T:
    """Look until satisfied and return what was seen; what was seen last is in the error."""
    found: T | None = None
    try:
        async with asyncio.timeout(patience_s):
            while not satisfied(found := await look()):  # noqa: ASYNC110 (see above)
                await asyncio.sleep(LOOK_EVERY_S)
            return found
    except TimeoutError:
        raise AssertionError(f"still {found!r} after {patience_s} s") from None


def wait_until(condition: Callable[[], object]) -> None:
    """As `seen`, in a test without an event loop."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(LOOK_EVERY_S)
