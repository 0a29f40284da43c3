"""How many users a machine holds: the largest number with which a scenario's limits hold."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from loadtest.crowd.run import Outcome

_CLOSE_ENOUGH = 0.05
"""Of the number found: the next that was tried above it failed and is at most so much larger."""


@dataclass(frozen=True, slots=True)
class Try:
    """One test with so many users."""

    users: int
    passed: bool
    missed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """`users` held, 0 if not even the fewest did; `tries` in their order."""

    users: int
    tries: tuple[Try, ...]
    partial: bool
    last: Outcome | None
    """The test with so many users."""

    @property
    def passed(self) -> bool:
        return self.users > 0 and not self.partial

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "users": self.users,
            "tries": [
                {"users": each.users, "pass": each.passed, "missed": list(each.missed)}
                for each in self.tries
            ],
            "figures": self.last.figures if self.last else None,
            "partial": self.partial,
        }


async def find_limit(
    play: Callable[[int], Awaitable[Outcome]], *, fewest: int, most: int, room: int
) -> Found:
    """Double from `fewest` until it fails or `most` held, then halve the distance.

    `play` plays the scenario with so many users; numbers are whole rooms of `room` people. Ends
    early, `partial`, when a test was stopped.
    """
    tries: list[Try] = []
    held: Outcome | None = None
    low, high = 0, _whole(most, room) + room
    count: int | None = max(room, _whole(fewest, room))
    while count is not None:
        outcome = await play(count)
        if outcome.reason == "stopped":
            return Found(low, tuple(tries), True, held)
        why = () if outcome.passed else tuple(outcome.missed or [outcome.reason])
        tries.append(Try(count, outcome.passed, why))
        if outcome.passed:
            low, held = count, outcome
        else:
            high = count
        count = _next(low, high, room, has_failed=any(not each.passed for each in tries))
    return Found(low, tuple(tries), False, held)


def _next(low: int, high: int, room: int, *, has_failed: bool) -> int | None:
    """What to try after `low` held and `high` failed or was too many; None when it is found."""
    count = _whole((low + high) // 2, room) if has_failed else min(2 * low, high - room)
    if count <= low or (has_failed and high - low <= max(room, int(low * _CLOSE_ENOUGH))):
        return None
    return count


def _whole(users: int, room: int) -> int:
    return users // room * room
