"""How the bench of bad networks judges what it saw; the browsers themselves are the bench's."""

from xml.etree import ElementTree

import pytest

from loadtest.bad_network import Flow, Sample, scenario_names
from loadtest.browser.adapt import cases
from loadtest.browser.adapt.bench import Entry, UnknownCaseError, run
from loadtest.browser.adapt.call import Record
from loadtest.browser.adapt.cases import CASES, NEVER, Limit
from loadtest.browser.adapt.picture import Picture, freezes_ms, frozen_percent, gaps_ms
from loadtest.browser.adapt.ride import picture_of

BEGAN_MS = 5_000_000.0


def pictures(*gaps: float, height: int = 720) -> list[Picture]:
    at_ms, shown = BEGAN_MS, [Picture(BEGAN_MS, height)]
    for gap in gaps:
        at_ms += gap
        shown.append(Picture(at_ms, height))
    return shown


def flow(**fields: float) -> Flow:
    nothing = dict.fromkeys(Flow.__dataclass_fields__, 0)
    return Flow(**{**nothing, **fields})


def record(
    shown: list[Picture] | None = None, down: dict[float, Flow] | None = None, **more: list
) -> Record:
    network = [
        Sample(BEGAN_MS + 1000 * s, 2, flow(), each, 0.0) for s, each in (down or {}).items()
    ]
    return Record(
        BEGAN_MS, 50, more.get("received", []), more.get("sent", []), shown or [], network, []
    )


def test_a_freeze_is_an_interval_far_beyond_those_before_it() -> None:
    steady = [66.0] * 40
    assert freezes_ms(pictures(*steady)) == []
    assert freezes_ms(pictures(*steady, 210.0, *steady)) == []
    assert freezes_ms(pictures(*steady, 230.0, *steady, 900.0)) == [230.0, 900.0]
    # Fewer pictures from then on are no freeze: only the first long interval is one.
    assert len(freezes_ms(pictures(*[33.0] * 40, *[250.0] * 40))) < 10
    assert frozen_percent(pictures(*[100.0] * 90, 1000.0)) == pytest.approx(10.0)
    assert frozen_percent([]) == 100.0
    assert gaps_ms([]) == []


def test_concealed_sound_is_counted_between_two_moments() -> None:
    def heard(at_s: float, samples: int, concealed: int) -> dict[str, object]:
        sound = {"samples": samples, "concealed": concealed}
        return {"at_ms": BEGAN_MS + at_s * 1000, "sound": sound}

    seen = record(received=[heard(0, 0, 0), heard(1, 48_000, 900), heard(2, 96_000, 1_380)])
    assert cases.concealed_percent(seen, 1, 3) == pytest.approx(1.0)
    assert cases.concealed_percent(seen, 5, 9) == 100.0


def test_the_queue_has_settled_when_it_never_was_long_again() -> None:
    queue = {14.0: 400, 15.5: 300, 16.2: 160, 17.0: 20, 18.4: 150, 19.0: 149}
    down = {at: flow(queue_ms=ms) for at, ms in queue.items()}
    assert cases.queue_settled_s(record(down=down), 15, 35) == pytest.approx(3.4)
    assert cases.queue_settled_s(record(down=down), 18.5, 35) == 0.0


def test_the_time_until_a_height_comes_again() -> None:
    low = [Picture(BEGAN_MS + ms, 720) for ms in range(30_000, 40_000, 100)]
    high = [Picture(BEGAN_MS + ms, 1080) for ms in range(40_000, 41_000, 100)]
    assert cases.seconds_until_height(record(low + high), 35, 1080) == pytest.approx(5.0)
    assert cases.seconds_until_height(record(low), 35, 1080) == NEVER


def test_the_worst_run_is_judged_on_the_side_of_its_limit() -> None:
    limits = {"gap_ms": Limit(most=200), "fps": Limit(least=15)}
    case = cases.in_call(limits, lambda _: {})
    good = Entry(
        case,
        [{"gap_ms": 90.0, "fps": 15.0, "more": 1.0}, {"gap_ms": 200.0, "fps": 25.0, "more": 2.0}],
    )
    assert good.as_dict() == {
        "gap_ms": {"median": 145.0, "worst": 200.0, "values": [90.0, 200.0]},
        "fps": {"median": 20.0, "worst": 15.0, "values": [15.0, 25.0]},
        "more": {"median": 1.5, "worst": 2.0, "values": [1.0, 2.0]},
        "runs": 2,
        "limits": {"gap_ms": {"most": 200}, "fps": {"least": 15}},
        "pass": True,
    }
    assert not Entry(case, [{"gap_ms": 201.0, "fps": 25.0}]).passed
    assert not Entry(case, [{"gap_ms": 1.0, "fps": 14.9}]).passed


def test_every_case_that_plays_a_file_has_one() -> None:
    assert set(CASES) - {"layer-switch", "udp-blocked", "engine-latency"} <= set(scenario_names())
    with pytest.raises(UnknownCaseError, match="nowhere"):
        run("nowhere")


def test_a_ride_is_drawn_with_every_curve() -> None:
    down = {second / 20: flow(sent_bps=900_000, capacity_bps=2_000_000) for second in range(1200)}
    down[30.0] = flow(dark=3, queue_ms=420)
    shown = [*pictures(*[66.0] * 300), *[Picture(BEGAN_MS + 40_000, 1080)]]
    seen = record(shown, down)
    seen.estimates.append((BEGAN_MS + 9_000, 1_500_000))
    drawn = ElementTree.fromstring(picture_of(seen))
    texts = [element.text or "" for element in drawn.iter() if element.tag.endswith("text")]
    for name in ("capacity", "sent", "estimate", "height", "made up", "no new picture"):
        assert any(text.startswith(name) for text in texts), name
    frozen = [each for each in drawn.iter() if each.get("fill-opacity") == "0.35"]
    assert len(frozen) == 1
    assert "nan" not in ElementTree.tostring(drawn, "unicode")
