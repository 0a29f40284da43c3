"""Token buckets by address."""

from hypothesis import given
from hypothesis import strategies as st

from server.middleware.rate_limit import MAX_ADDRESSES, Buckets


def take(buckets: Buckets, key: str, now_s: float) -> bool:
    """One failure, if it is let through."""
    allowed = buckets.allows(key, now_s)
    if allowed:
        buckets.spend(key, now_s)
    return allowed


def test_a_burst_and_then_the_rate() -> None:
    buckets = Buckets(per_minute=60)
    assert [take(buckets, "a", 0.0) for _ in range(61)] == [True] * 60 + [False]
    assert take(buckets, "b", 0.0)
    assert not take(buckets, "a", 0.5)
    assert take(buckets, "a", 1.5)
    assert not take(buckets, "a", 1.6)


def test_failures_that_were_under_way_together_are_paid_for() -> None:
    buckets = Buckets(per_minute=60)
    for _ in range(1000):
        buckets.spend("a", 0.0)
    assert not buckets.allows("a", 60.0)
    assert buckets.allows("a", 61.0)


@given(st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_burst_and_rate_allow(pauses: list[float]) -> None:
    buckets, now_s, taken = Buckets(per_minute=30), 0.0, 0
    for pause_s in pauses:
        now_s += pause_s
        taken += take(buckets, "a", now_s)
    assert taken <= 30 + now_s * 0.5 + 1e-6


def test_memory_is_bounded() -> None:
    buckets = Buckets(per_minute=1)
    for number in range(MAX_ADDRESSES + 100):
        buckets.spend(str(number), 0.0)
    assert len(buckets) == MAX_ADDRESSES
