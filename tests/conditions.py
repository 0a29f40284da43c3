"""Waiting for what happens in another task or process."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 10.0


async def until(condition: Callable[[], object]) -> None:
    """Return when `condition` holds; fail if it does not in good time."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (the condition is another's: it sets no event)
            await asyncio.sleep(0.005)


def wait_until(condition: Callable[[], object]) -> None:
    """As `until`, for a condition that another thread or process brings about."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
