"""The scenarios of the bench: what is played, what is measured, and the limits."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from loadtest.bad_network import read_scenario
from loadtest.browser.adapt.call import (
    CANDIDATE,
    CANDIDATE_CLIENT,
    VIEWER_CLIENT,
    Call,
    Record,
    Stage,
    open_call,
    open_stage,
)
from loadtest.browser.adapt.picture import freezes_ms, frozen_percent, gaps_ms
from loadtest.browser.clips import FULL_HD, WEBCAM, Camera
from loadtest.browser.visit import marked, open_link
from loadtest.interviews import create_interview
from loadtest.latency import at_half_load
from loadtest.percentiles import percentiles

Measured = dict[str, float]
"""Field → value; a thing that never happened has the value `NEVER`."""

NEVER = 1e6


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` or `least` of a field's worst value."""

    most: float | None = None
    least: float | None = None

    def holds(self, worst: float) -> bool:
        above = self.least is None or worst >= self.least
        return above and (self.most is None or worst <= self.most)


@dataclass(frozen=True, slots=True)
class Case:
    """Something to measure; the runs share what `measured` opens, a call mostly."""

    limits: Mapping[str, Limit]
    measured: Callable[[], AbstractContextManager[Callable[[], Measured]]]


_MOST_BPS = 3_050_000
"""What a camera's largest layer and a voice take at most, however much there is."""


def in_call(
    limits: Mapping[str, Limit],
    measure: Callable[[Call], Measured],
    *,
    viewers: int = 1,
    camera: Camera = FULL_HD,
) -> Case:
    """A case that is measured in one call, again and again."""

    @contextmanager
    def measured() -> Iterator[Callable[[], Measured]]:
        with open_call(viewers=viewers, camera=camera) as call:
            yield partial(measure, call)

    return Case(limits, measured)


def concealed_percent(record: Record, from_s: float, until_s: float) -> float:
    """Of the sound played between, how much was made up; silence that was not sent is no loss."""
    sounds = [each["sound"] for each in record.received_between(from_s, until_s) if each["sound"]]
    if len(sounds) < 2:
        return 100.0
    played = float(sounds[-1]["samples"] - sounds[0]["samples"])
    made_up = float(sounds[-1]["concealed"] - sounds[0]["concealed"])
    return 100 * made_up / max(1.0, played)


def concealed_ms(record: Record, from_s: float, until_s: float) -> float:
    """How much of the sound played between was made up."""
    return concealed_percent(record, from_s, until_s) / 100 * (until_s - from_s) * 1000


def sent_bps(record: Record, from_s: float, until_s: float) -> float:
    """The mean rate that passed the bottleneck on the way down."""
    samples = record.network_between(from_s, until_s)
    return sum(sample.down.sent_bps for sample in samples) / max(1, len(samples))


def queue_settled_s(record: Record, cap_s: float, until_s: float) -> float:
    """Seconds after the cap until the queue was below 150 ms for good."""
    over = [x for x in record.network_between(cap_s, until_s) if x.down.queue_ms >= 150]
    return record.s(over[-1].at_ms) - cap_s if over else 0.0


def seconds_until_height(record: Record, from_s: float, height: int) -> float:
    """From then to the first picture of at least this height."""
    for picture in record.pictures_between(from_s, record.lasted_s):
        if picture.height >= height:
            return record.s(picture.at_ms) - from_s
    return NEVER


def _highest(record: Record, from_s: float, until_s: float) -> int:
    return max((p.height for p in record.pictures_between(from_s, until_s)), default=0)


def cap(call: Call) -> Measured:
    """4 Mbit/s, 1.2 from 15 s to 35 s, then 4 again."""
    call.settle()
    record = call.play(read_scenario("cap-4-to-1_2"), 50)
    capped = record.pictures_between(14.5, 35)
    return {
        "height_before": _highest(record, 10, 15),
        "height_capped": _highest(record, 17, 35),
        "queue_settled_s": queue_settled_s(record, 15, 35),
        "longest_freeze_ms": max(freezes_ms(capped), default=0.0),
        "longest_gap_ms": max(gaps_ms(capped), default=NEVER),
        "audio_concealed_percent": concealed_percent(record, 15, 35),
        "full_height_again_s": seconds_until_height(record, 35, 1080),
        "sent_capped_kbps": sent_bps(record, 20, 35) / 1000,
    }


def narrow(call: Call) -> Measured:
    """300 kbit/s from 15 s to 45 s.

    The queue before the bottleneck holds 500 ms, and one picture of 1080 lines fills most of it:
    at 2.5 Mbit/s and 20 a second it takes 0.4 s at 300 kbit/s. What is spoken meanwhile waits
    behind it, before anybody can know of the fall. So the fall is measured apart.
    """
    call.settle()
    record = call.play(read_scenario("cap-300k"), 60)
    return {
        "height_before": _highest(record, 10, 15),
        "height_narrow": _highest(record, 20, 45),
        "pictures_narrow_fps": len(record.pictures_between(20, 45)) / 25,
        "audio_concealed_at_fall_ms": concealed_ms(record, 14.5, 18),
        "audio_concealed_percent": concealed_percent(record, 18, 45),
        "queue_settled_s": queue_settled_s(record, 15, 45),
        "full_height_again_s": seconds_until_height(record, 45, 1080),
    }


def loss(percent: int, call: Call) -> Measured:
    """Random loss both ways at 100 ms round trip; a webcam of 720 lines, 30 times a second."""
    call.settle(WEBCAM.height)
    record = call.play(read_scenario(f"loss-{percent}"), 30)
    pictures = record.pictures_between(3, 30)
    return {
        "audio_concealed_percent": concealed_percent(record, 3, 30),
        "video_frozen_percent": frozen_percent(pictures),
        "fps": len(pictures) / 27,
        "height": _highest(record, 15, 30),
    }


def steady(name: str, capacity_bps: int, call: Call) -> Measured:
    """One capacity all the time."""
    record = call.play(read_scenario(name), 40)
    used_bps = sent_bps(record, 15, 40)
    samples = [x.down for x in record.network_between(15, 40)]
    lost = sum(x.queue_drops for x in samples) / max(1, sum(x.pushed for x in samples))
    call.clear()
    return {
        "used_percent": 100 * used_bps / capacity_bps,
        "used_of_possible_percent": 100 * used_bps / min(capacity_bps, _MOST_BPS),
        "loss_percent": 100 * lost,
        "height": _highest(record, 20, 40),
        "audio_concealed_percent": concealed_percent(record, 15, 40),
    }


def two_receivers(call: Call) -> Measured:
    """The second of two receivers gets 400 kbit/s with loss; the first has a good network."""
    call.clear()
    call.settle()
    record = call.play(read_scenario("two-receivers"), 40, client=3)
    good = call.network.of_client(VIEWER_CLIENT, record.began_ms)

    def good_bps(from_s: float, until_s: float) -> float:
        inside = [x for x in good if from_s <= record.s(x.at_ms) < until_s]
        return sum(x.down.sent_bps for x in inside) / max(1, len(inside))

    before, during = good_bps(3, 15), good_bps(18, 35)
    return {
        "good_change_percent": 100 * abs(during - before) / max(1.0, before),
        "good_before_kbps": before / 1000,
        "good_during_kbps": during / 1000,
        "bad_during_kbps": sent_bps(record, 18, 35) / 1000,
    }


def address_change(call: Call) -> Measured:
    """The viewer and then the candidate are seen from another address."""
    measured: Measured = {}
    for who, client in (("viewer", VIEWER_CLIENT), ("candidate", CANDIDATE_CLIENT)):
        call.clear()
        call.settle(360)
        record = call.play(read_scenario("address-change"), 20, client=client)
        around = record.pictures_between(9.5, 20)
        back = any(record.s(p.at_ms) > 15 for p in around)
        measured[f"{who}_gap_ms"] = max(gaps_ms(around)) if back else NEVER
    return measured


_ROUND_TRIP = "[[step]]\nat_s = 0\nboth = { delay_ms = 25 }"
_SMALL, _LARGE = (480, 400), (1920, 1080)
_SWITCHES = 5
_SWITCH_PATIENCE_MS = 8_000


def layer_switch(call: Call) -> Measured:
    """At 50 ms round trip the viewer's window grows and shrinks: from request to first picture."""
    call.network.play(_ROUND_TRIP)
    took: dict[str, list[float]] = {"up": [], "down": []}
    call.settle(WEBCAM.height)
    for _ in range(_SWITCHES):
        for way, size in (("down", _SMALL), ("up", _LARGE)):
            took[way].append(_switch(call, size))
            call.viewer.wait_for_timeout(2_500)  # for the choice of layers to come to rest
    return {f"{way}_p95_ms": percentiles(times).p95 for way, times in took.items()}


def _switch(call: Call, size: tuple[int, int]) -> float:
    call.viewer.evaluate("() => { __watch.wishes.length = 0; }")
    before = call.viewer.evaluate("() => __probe.frames.at(-1).height")
    call.viewer.set_viewport_size({"width": size[0], "height": size[1]})
    try:
        found = call.viewer.wait_for_function(
            """(before) => {
              const wish = __watch.wishes[0];
              const other = wish && __probe.frames.find(
                (frame) => frame.at_ms > wish.at_ms && frame.height !== before);
              return other && other.at_ms - wish.at_ms;
            }""",
            arg=before,
            timeout=_SWITCH_PATIENCE_MS,
            polling=50,
        )
    except PlaywrightTimeoutError:
        return NEVER
    return float(found.json_value())


@contextmanager
def connections_without_udp() -> Iterator[Callable[[], Measured]]:
    """UDP is blocked, TCP passes: how long the candidate takes from the tap to be connected."""
    with open_stage(tcp=True) as stage:
        stage.network.play(read_scenario("udp-blocked"))
        yield partial(_connect, stage)


def _connect(stage: Stage) -> Measured:
    links = create_interview(stage.server, admission="automatic")
    page = open_link(stage.chromiums, CANDIDATE, links.candidate)
    page.click(marked("join"))
    took_ms = page.evaluate(
        """async () => {
          const tapped = __probe.taps.find((tap) => tap.testid === 'join').at_ms;
          const passed = () => performance.timeOrigin + performance.now() - tapped;
          while (passed() < 15000) {
            if ((await __probe.totals()).connected) return passed();
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          return null;
        }"""
    )
    took_s = NEVER if took_ms is None else float(took_ms) / 1000
    page.context.close()
    return {"connected_s": took_s}


_LOSS_LIMITS = {5: (0.5, 1.0), 10: (1.0, 2.0), 20: (3.0, 5.0)}
_STEADY = {
    "steady-0_5": 500_000,
    "steady-1": 1_000_000,
    "steady-2": 2_000_000,
    "steady-4": 4_000_000,
}

CASES: dict[str, Case] = {
    "cap-4-to-1_2": in_call(
        {
            "height_before": Limit(least=1080),
            "height_capped": Limit(most=720),
            "queue_settled_s": Limit(most=2.0),
            "longest_freeze_ms": Limit(most=200),
            "audio_concealed_percent": Limit(most=1.0),
            "full_height_again_s": Limit(most=8.0),
        },
        cap,
    ),
    "cap-300k": in_call(
        {
            "height_narrow": Limit(most=360),
            "audio_concealed_at_fall_ms": Limit(most=500),
            "audio_concealed_percent": Limit(most=1.0),
            "full_height_again_s": Limit(most=10.0),
        },
        narrow,
    ),
    **{
        f"loss-{percent}": in_call(
            {
                "audio_concealed_percent": Limit(most=concealed),
                "video_frozen_percent": Limit(most=frozen),
                **({"fps": Limit(least=15.0)} if percent == 20 else {}),
            },
            partial(loss, percent),
            camera=WEBCAM,
        )
        for percent, (concealed, frozen) in _LOSS_LIMITS.items()
    },
    **{
        name: in_call(
            {
                "used_of_possible_percent": Limit(least=85.0),
                "loss_percent": Limit(most=1.0),
            },
            partial(steady, name, capacity_bps),
        )
        for name, capacity_bps in _STEADY.items()
    },
    "two-receivers": in_call({"good_change_percent": Limit(most=5.0)}, two_receivers, viewers=2),
    "layer-switch": in_call(
        {"up_p95_ms": Limit(most=300), "down_p95_ms": Limit(most=300)},
        layer_switch,
        camera=WEBCAM,
    ),
    "udp-blocked": Case({"connected_s": Limit(most=3.0)}, connections_without_udp),
    "engine-latency": Case(
        {
            "latency_p50_ms": Limit(most=0.15),
            "latency_p99_ms": Limit(most=1.0),
            # Of less load, or without the packets that were too slow, it would be another figure.
            "media_thread_share": Limit(least=0.4),
            "loss_percent": Limit(most=0.1),
        },
        at_half_load,
    ),
    "address-change": in_call(
        {"viewer_gap_ms": Limit(most=1000), "candidate_gap_ms": Limit(most=1000)},
        address_change,
    ),
}
