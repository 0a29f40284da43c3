"""The page about a load test: everything in one file, nothing unescaped."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from loadtest.crowd.report import page
from loadtest.crowd.run import Outcome
from loadtest.crowd.scenario import parse_scenario
from loadtest.crowd.tally import COUNTERS, Tally, missed

SCENARIO = parse_scenario(
    'title = "A <b>bold</b> test"\nusers = 4\nlasts_s = 2\n[limits]\nloss_ratio = 0.01', "here"
)
WHEN = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

SAMPLE = {
    **dict.fromkeys(COUNTERS, 0),
    "received": 90,
    "lost": 10,
    "late_us": 1500,
    "latency_us": [[1000, 80], [4000, 10]],
}
MEMBER = {"user": 3, "lost": 10, "long_freezes": 1, "worst_latency_us": 4000}


def outcome(reason: str = "ended") -> Outcome:
    tally = Tally(processes=1)
    tally.hear(0, "sample", SAMPLE)
    tally.hear(0, "member", MEMBER)
    tally.hear(0, "first_picture", {"user": 3, "ssrc": 1, "after_ms": 80.0})
    tally.join_ms += [20.0, 30.0]
    tally.end_second(server_cpu=0.5, server_rss_kb=2048)
    figures = {
        **tally.figures(4),
        **{"server_cpu": 0.5, "server_rss_kb": 2048, "rss_kb_per_user": 10.0},
        **{"mbit_s": 1.0, "packets_s": 90},
    }
    limits = missed(figures, SCENARIO.limits)
    return Outcome(
        SCENARIO, figures, tally.seconds, tally.members, limits, reason != "ended", reason
    )


class Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.outside += [
            value for name, value in attrs if name in ("src", "href") and not value.startswith("#")
        ]


@pytest.mark.parametrize(("language", "verdict"), [("en", "Did not pass"), ("zh", "未通过")])
def test_the_page_says_what_was_missed_and_needs_nothing_else(language, verdict):
    text = page(outcome(), WHEN, language)
    reader = Reader(text)
    assert verdict in text
    assert "loss: 0.1 instead of at most 0.01" in text
    assert "2 joins failed or never saw anybody" not in text  # one did: see the figures
    assert "1 joins failed or never saw anybody" in text
    assert "2026-11-24 09:30" in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert reader.outside == []
    assert "script" not in reader.tags
    assert "b" not in reader.tags
    assert "svg" in reader.tags


def test_an_early_end_is_told():
    assert "the server ended" in page(outcome("the server ended"), WHEN)


def test_percentiles_and_counters_are_of_all_processes():
    tally = Tally(processes=2)
    tally.hear(0, "sample", SAMPLE)
    tally.hear(1, "sample", {**SAMPLE, "latency_us": [[9000, 1]], "late_us": 2500})
    second = tally.end_second(0.1, 1)
    assert (second.packets, second.lost, second.generator_late_ms) == (180, 20, 2.5)
    assert (second.latency_p50_ms, second.latency_p99_ms) == (1.0, 9.0)
    # Counters are since the beginning: nothing new in the next second.
    assert tally.end_second(0.1, 1).packets == 0
    assert tally.figures(2)["latency_ms"]["max"] == 9.0
