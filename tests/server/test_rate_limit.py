"""Token buckets by address."""

from hypothesis import given
from hypothesis import strategies as st

from server.middleware.rate_limit import MAX_ADDRESSES, Buckets


def test_a_burst_and_then_the_rate() -> None:
    buckets = Buckets(per_minute=60)
    assert [buckets.take("a", 0.0) for _ in range(61)] == [True] * 60 + [False]
    assert buckets.take("b", 0.0)
    assert not buckets.take("a", 0.5)
    assert buckets.take("a", 1.5)
    assert not buckets.take("a", 1.6)


@given(st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_burst_and_rate_allow(pauses: list[float]) -> None:
    buckets, now_s, taken = Buckets(per_minute=30), 0.0, 0
    for pause_s in pauses:
        now_s += pause_s
        taken += buckets.take("a", now_s)
    assert taken <= 30 + now_s * 0.5 + 1e-6


def test_memory_is_bounded() -> None:
    buckets = Buckets(per_minute=1)
    for number in range(MAX_ADDRESSES + 100):
        buckets.take(str(number), 0.0)
    assert len(buckets) == MAX_ADDRESSES
