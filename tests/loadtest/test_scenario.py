"""Scenario files of load tests: what is wrong is named with its line."""

import pytest

from loadtest.crowd.scenario import (
    MAX_FILE_BYTES,
    ScenarioError,
    names,
    parse_scenario,
    read_scenario,
)

GOOD = """
title = "Test"
users = 4
lasts_s = 2

[joins]
within_s = 1

[media]
layers = [
  { height = 360, kbps = 300 },
]

[limits]
loss_ratio = 0.1
"""


def test_a_file_says_what_happens():
    scenario = parse_scenario(GOOD, "here")
    assert (scenario.users, scenario.rooms.interviewers, scenario.joins.within_s) == (4, 1, 1)
    assert scenario.media.layers[0].kbps == 300
    assert scenario.limits.loss_ratio == 0.1
    assert scenario.limits.latency_p99_ms is None


@pytest.mark.parametrize("name", names())
def test_every_scenario_that_comes_along_can_be_read(name):
    assert read_scenario(name).title


@pytest.mark.parametrize(
    ("before", "after", "line", "field"),
    [
        ("users = 4", "users = 1", 3, "users"),
        ("users = 4", 'users = "many"', 3, "users"),
        ("users = 4\n", "", None, "users"),
        ("lasts_s = 2", "lasts_s = nan", 4, "lasts_s"),
        ("lasts_s = 2", "last_s = 2", 4, "last_s"),
        ("within_s = 1", "within_s = -1", 7, "joins.within_s"),
        ("kbps = 300", "kbps = 3", 11, "media.layers.0.kbps"),
        ("height = 360", "height = 9999", 11, "media.layers.0.height"),
        ("loss_ratio = 0.1", "loss_ratio = 2", 15, "limits.loss_ratio"),
        ("[limits]", "[limit]", 14, "limit"),
    ],
)
def test_an_error_names_line_and_field(before, after, line, field):
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(GOOD.replace(before, after), "here.toml")
    message = refused.value.message
    assert field in message
    if line is not None:
        assert f"line {line}:" in message


def test_a_syntax_error_names_its_line():
    with pytest.raises(ScenarioError, match="line 3"):
        parse_scenario(GOOD.replace("users = 4", "users ="), "here.toml")


def test_files_that_are_none_are_refused(tmp_path):
    huge = tmp_path / "huge.toml"
    huge.write_text("#" * (MAX_FILE_BYTES + 1))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for name in ("no-such", "../secrets", str(tmp_path), str(huge), str(binary)):
        with pytest.raises(ScenarioError):
            read_scenario(name)
