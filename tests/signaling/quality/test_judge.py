"""Who is the cause: tables of facts and the verdict that follows."""

import pytest

from signaling.quality.facts import GOOD, Claim, Path, Surroundings, Verdict
from signaling.quality.judge import FALL_AFTER, RISE_AFTER, UNCONNECTED_MS, Mark, judge

FINE = Path(
    rtt_ms=40,
    jitter_ms=4,
    loss_up_ratio=0.001,
    loss_down_ratio=0.002,
    up_bps=1_500_000,
    down_bps=1_500_000,
    estimate_bps=4_000_000,
)
ALONE = Surroundings()


def path(**changes) -> Path:
    fields = {name: getattr(FINE, name) for name in FINE.__slots__}
    return Path(**{**fields, **changes})


def claim(**changes) -> Claim:
    return Claim(**{"at_ms": 0, "level": "good", "pictures": 1, **changes})


NETWORK = [
    ({}, ("good", "none", "none", "none")),
    ({"loss_up_ratio": 0.05}, ("fair", "network", "loss", "sending")),
    ({"loss_up_ratio": 0.15}, ("poor", "network", "loss", "sending")),
    ({"loss_down_ratio": 0.05}, ("fair", "network", "loss", "receiving")),
    ({"loss_down_ratio": 0.30}, ("poor", "network", "loss", "receiving")),
    ({"loss_up_ratio": 0.2, "loss_down_ratio": 0.2}, ("poor", "network", "loss", "both")),
    ({"loss_up_ratio": 0.2, "loss_down_ratio": 0.05}, ("poor", "network", "loss", "sending")),
    ({"rtt_ms": 300}, ("fair", "network", "delay", "both")),
    ({"rtt_ms": 900}, ("poor", "network", "delay", "both")),
    ({"jitter_ms": 150}, ("poor", "network", "delay", "sending")),
    ({"estimate_bps": 120_000, "down_bps": 110_000}, ("poor", "network", "bandwidth", "receiving")),
    ({"estimate_bps": 300_000, "down_bps": 290_000}, ("fair", "network", "bandwidth", "receiving")),
    # Little is known of a path on which little is sent: its estimate is no limit.
    ({"estimate_bps": 300_000, "down_bps": 40_000}, ("good", "none", "none", "none")),
    ({"silent_ms": 2_500}, ("good", "none", "none", "none")),
    ({"silent_ms": 5_000}, ("lost", "network", "offline", "both")),
    ({"loss_up_ratio": None, "loss_down_ratio": None}, ("good", "none", "none", "none")),
]


@pytest.mark.parametrize(("changes", "expected"), NETWORK)
def test_what_the_server_measured(changes, expected):
    assert judge(path(**changes), None, ALONE) == Verdict(*expected)


CLAIMS = [
    ({"cpu_limited": True}, ("fair", "device", "cpu", "sending")),
    ({"sendable_bps": 90_000, "sent_height": 360}, ("poor", "network", "bandwidth", "sending")),
    # Nobody needs an uplink for a camera that is off.
    ({"sendable_bps": 90_000, "sent_height": None}, ("good", "none", "none", "none")),
    ({"freeze_ratio": 0.5}, ("fair", "device", "cpu", "receiving")),
    ({"concealed_ratio": 0.5}, ("fair", "network", "delay", "receiving")),
    ({"jitter_ms": 150}, ("poor", "network", "delay", "receiving")),
]


@pytest.mark.parametrize(("changes", "expected"), CLAIMS)
def test_what_only_the_client_can_see(changes, expected):
    assert judge(FINE, claim(**changes), ALONE) == Verdict(*expected)


def test_what_suffers_is_told_of_the_reason_that_is_told():
    verdict = judge(path(loss_up_ratio=0.05), claim(freeze_ratio=0.5), ALONE)
    assert verdict == Verdict("fair", "network", "loss", "sending")


def test_freezes_weigh_fully_when_loss_was_measured_too():
    lossy = path(loss_down_ratio=0.02)
    assert judge(lossy, None, ALONE) == GOOD
    verdict = judge(lossy, claim(freeze_ratio=0.2), ALONE)
    assert verdict == Verdict("poor", "network", "loss", "receiving")


def test_gaps_that_somebody_else_sent_are_not_the_viewers():
    viewer = claim(freeze_ratio=0.4, concealed_ratio=0.3, jitter_ms=300)
    assert judge(FINE, viewer, Surroundings(senders_weak=True)) == GOOD


LIES = [
    # What was measured counts, whatever the client says of the same.
    ({"level": "poor"}, "good"),
    ({"level": "lost"}, "good"),
    ({"level": "poor", "rtt_ms": 60_000, "loss_up_ratio": 1, "loss_down_ratio": 1}, "good"),
]


@pytest.mark.parametrize(("changes", "grade"), LIES)
def test_a_client_that_complains_without_cause(changes, grade):
    assert judge(FINE, claim(**changes), ALONE).grade == grade


@pytest.mark.parametrize("level", ["good", "fair"])
def test_a_client_that_denies_what_was_measured(level):
    denial = claim(level=level, rtt_ms=1, loss_up_ratio=0, loss_down_ratio=0, jitter_ms=0)
    assert judge(path(loss_up_ratio=0.2), denial, ALONE).grade == "poor"
    assert judge(path(silent_ms=9_000), denial, ALONE).grade == "lost"


def test_before_media_the_clients_word_is_all_there_is():
    assert judge(None, None, ALONE) == GOOD
    assert judge(None, claim(level="fair"), ALONE).grade == "fair"
    assert judge(None, claim(level="lost"), ALONE).grade == "poor", "its socket speaks"


def test_media_that_does_not_connect_in_time_is_lost_and_nobodys_fault():
    waits = Surroundings(waited_ms=UNCONNECTED_MS - 1)
    assert judge(None, None, waits) == GOOD
    late = Surroundings(waited_ms=UNCONNECTED_MS)
    unconnected = Verdict("lost", "none", "unconnected", "both")
    assert judge(None, None, late) == judge(None, claim(level="lost"), late) == unconnected
    assert judge(FINE, None, late) == GOOD


SERVER = [
    (path(), "fair", ("fair", "server", "overload", "both")),
    (path(), "poor", ("poor", "server", "overload", "both")),
    (path(loss_up_ratio=0.2), "fair", ("poor", "server", "overload", "both")),
    (path(rtt_ms=300), "poor", ("poor", "server", "overload", "both")),
    (path(silent_ms=6_000), "fair", ("lost", "network", "offline", "both")),
]


@pytest.mark.parametrize(("measured", "server", "expected"), SERVER)
def test_an_overloaded_server_blames_itself(measured, server, expected):
    assert judge(measured, None, Surroundings(server=server)) == Verdict(*expected)


def test_what_an_overloaded_server_cannot_have_caused():
    slow = claim(cpu_limited=True)
    assert judge(FINE, slow, Surroundings(server="fair")).fault == "device"


@pytest.mark.parametrize(("paused", "grade"), [("some", "fair"), ("all", "poor")])
def test_pictures_stopped_for_want_of_room(paused, grade):
    verdict = judge(FINE, None, Surroundings(paused=paused))
    assert verdict == Verdict(grade, "network", "bandwidth", "receiving")


# The mark.

BAD = Verdict("poor", "network", "loss", "sending")
MIDDLING = Verdict("fair", "network", "delay", "both")
GONE = Verdict("lost", "network", "offline", "both")


def shown_after(mark: Mark, *verdicts: Verdict) -> list[Verdict]:
    for verdict in verdicts:
        mark.take(verdict)
    return mark.shown


def test_one_bad_moment_is_an_accident():
    assert shown_after(Mark(), BAD, GOOD, BAD, GOOD, BAD, GOOD) == GOOD


def test_it_falls_soon_and_rises_later():
    mark = Mark()
    assert shown_after(mark, *[BAD] * FALL_AFTER) == BAD
    assert shown_after(mark, *[GOOD] * (RISE_AFTER - 1)) == BAD
    assert shown_after(mark, GOOD) == GOOD


def test_falling_through_grades_counts_as_falling():
    assert shown_after(Mark(), MIDDLING, BAD) == BAD


def test_it_rises_to_the_worst_of_the_better_moments():
    mark = Mark()
    shown_after(mark, BAD, BAD)
    assert shown_after(mark, GOOD, MIDDLING, GOOD, MIDDLING, GOOD) == MIDDLING


def test_a_lost_path_needs_no_second_opinion():
    mark = Mark()
    assert shown_after(mark, GONE) == GONE
    assert shown_after(mark, GOOD) == GOOD


def test_words_hold_still_while_the_grade_does():
    mark = Mark()
    other = Verdict("poor", "network", "delay", "both")
    shown_after(mark, BAD, BAD)
    assert shown_after(mark, *[other, BAD] * 10) == BAD
    assert shown_after(mark, *[other] * RISE_AFTER) == other


def test_it_says_when_it_changed():
    mark = Mark()
    assert [mark.take(BAD) for _ in range(4)] == [False, True, False, False]
