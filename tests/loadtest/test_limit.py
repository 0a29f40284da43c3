"""The search for the largest number of users, with tests that need no server."""

import pytest

from loadtest.crowd.limit import find_limit
from loadtest.crowd.run import Outcome
from loadtest.crowd.scenario import parse_scenario

SCENARIO = parse_scenario('title = "T"\nusers = 2\nlasts_s = 1', "here")


def machine_that_holds(limit, asked, reason="ended"):
    async def play(users):
        asked.append(users)
        missed = [] if users <= limit else ["too many"]
        return Outcome(SCENARIO, {"users": users}, [], [], missed, reason != "ended", reason)

    return play


@pytest.mark.parametrize(
    ("limit", "fewest", "most", "room", "least", "at_most"),
    [
        (730, 50, 4000, 2, 694, 730),
        (10_000, 50, 1000, 2, 1000, 1000),
        (10_000, 50, 1001, 2, 1000, 1000),
        (60, 50, 4000, 2, 58, 60),
        (49, 50, 4000, 2, 46, 48),
        (400, 50, 4000, 4, 380, 400),
        (1, 50, 4000, 2, 0, 0),
    ],
)
async def test_the_largest_number_that_holds_is_found(limit, fewest, most, room, least, at_most):
    asked = []
    play = machine_that_holds(limit, asked)
    found = await find_limit(play, fewest=fewest, most=most, room=room)
    assert least <= found.users <= at_most, found.as_dict()
    assert found.passed == (found.users > 0)
    assert all(users % room == 0 and users <= most for users in asked)
    assert len(asked) == len(set(asked)) <= 16
    if found.users:
        assert found.last.figures == {"users": found.users}


async def test_a_search_that_is_stopped_says_so():
    found = await find_limit(
        machine_that_holds(1000, [], reason="stopped"), fewest=50, most=4000, room=2
    )
    assert found.partial
    assert not found.passed
