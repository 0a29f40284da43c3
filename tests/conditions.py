"""Waiting for what happens in another task or process."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 10.0


async def until(condition: Callable[[], object]) -> None:
    """Return when `condition` holds; fail if it does not in good time."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (the condition is another's: it sets no event)
            await asyncio.sleep(0.005)
