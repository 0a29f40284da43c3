from sfu.transport.budget import TokenBucket


def test_a_burst_then_the_rate():
    bucket = TokenBucket(burst=3, per_second=2)
    assert [bucket.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(10.4) is False
    assert bucket.take(10.5) is True
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_goes_back_gives_nothing():
    bucket = TokenBucket(burst=1, per_second=1)
    assert bucket.take(10.0)
    assert not bucket.take(5.0)
    assert not bucket.take(5.5)
    assert bucket.take(6.6)
