"""When the server itself is at fault."""

import pytest

from signaling.quality.facts import Path
from signaling.quality.health import ServerHealth

GOOD = Path(loss_up_ratio=0.0, loss_down_ratio=0.0)
LOSSY = Path(loss_up_ratio=0.2)
UNKNOWN = Path()


def paths(*told: tuple[str, Path]) -> list[tuple[str, Path]]:
    return list(told)


@pytest.mark.parametrize(
    ("lag_ms", "grade"), [(0, "good"), (500, "good"), (800, "fair"), (2_500, "poor")]
)
def test_a_loop_that_is_late(lag_ms, grade):
    assert ServerHealth().take(lag_ms, 0, {}, []) == grade


@pytest.mark.parametrize(("dropped", "grade"), [(5, "good"), (30, "fair"), (200, "poor")])
@pytest.mark.parametrize("reason", ["receive_buffer_full", "send_buffer_full"])
def test_full_buffers(reason, dropped, grade):
    health = ServerHealth()
    # What was dropped before the first look is no matter of now.
    assert health.take(0, 10_000, {reason: 9_000}, []) == "good"
    assert health.take(0, 11_000, {reason: 9_000 + dropped}, []) == grade
    assert health.take(0, 12_000, {reason: 9_000 + dropped}, []) == "good"


def test_hostile_datagrams_are_no_overload():
    health = ServerHealth()
    health.take(0, 1_000, {}, [])
    assert health.take(0, 2_000, {"stun_unauthenticated": 900, "srtp_auth": 900}, []) == "good"


ALL = [(f"i{n}", LOSSY) for n in range(5)]


@pytest.mark.parametrize(
    ("told", "grade"),
    [
        (ALL, "poor"),
        # One office: many people, one interview or two.
        ([("i1", LOSSY)] * 8, "good"),
        ([("i1", LOSSY)] * 4 + [("i2", LOSSY)] * 4, "good"),
        # A few of many.
        ([*ALL[:3], *[(f"j{n}", GOOD) for n in range(7)]], "good"),
        # Too few to tell.
        (ALL[:4], "good"),
        ([*ALL[:2], *[(f"j{n}", UNKNOWN) for n in range(9)]], "good"),
    ],
)
def test_a_loss_that_everybody_has(told, grade):
    assert ServerHealth().take(0, 0, {}, told) == grade
