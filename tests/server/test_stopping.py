"""Leaving in order, and leaving although something hangs."""

import asyncio

import pytest
from structlog.testing import capture_logs

from server.stopping import Closing
from tests.conditions import PATIENCE_S


async def test_from_the_last_to_the_first() -> None:
    closing, order = Closing(), []

    def step(name: str):
        async def take() -> None:
            order.append((name, closing.present))

        return take

    for name in ("database", "redis", "http"):
        closing.push(name, step(name))
    await closing.close()
    assert order == [(name, name) for name in ("http", "redis", "database")]
    await closing.close()
    assert len(order) == 3
    assert closing.given_up == []


async def test_what_hangs_or_fails_is_named_and_the_rest_is_closed() -> None:
    closing, closed = Closing(step_s=0.05, orderly_s=0.08), []
    others = asyncio.all_tasks()

    let_go = asyncio.Event()

    async def hang_whatever_comes() -> None:
        """Does not heed its cancellation, once."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await let_go.wait()

    async def fail() -> None:
        raise RuntimeError("broken")

    async def close() -> None:
        closed.append("database")

    closing.push("database", close)
    for name, step in (
        ("media", hang_whatever_comes),
        ("rooms", fail),
        ("http", asyncio.Event().wait),
    ):
        closing.push(name, step)
    with capture_logs() as logs:
        async with asyncio.timeout(1):
            await closing.close()
    assert closed == ["database"]
    assert closing.given_up == ["http", "media"]
    assert [(one["event"], one["part"]) for one in logs] == [
        ("gave_up_stopping", "http"),
        ("stopping_failed", "rooms"),
        ("gave_up_stopping", "media"),
    ]
    let_go.set()
    left_over = asyncio.all_tasks() - others
    assert left_over, "what hung was given up, not waited for"
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait(left_over)  # it ends by itself


@pytest.mark.parametrize("kills", [0, 2])
async def test_children_are_killed_when_there_is_no_time(kills: int) -> None:
    closing, killed = Closing(), []
    for number in range(kills):
        closing.push_kill(lambda number=number: killed.append(number))
    closing.kill()
    assert killed == list(range(kills))
