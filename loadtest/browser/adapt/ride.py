"""Five minutes on a train in real Chromium, watched from start to end and drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.bad_network import Sample, read_scenario
from loadtest.browser.adapt.call import Record, open_call
from loadtest.browser.adapt.cases import concealed_percent
from loadtest.browser.adapt.picture import freezes_ms, frozen_percent, gaps_ms
from loadtest.plot import Curve, Panel, Points, draw

LASTS_S = 300
_DARK_S = (146.0, 152.0)
"""The tunnel of `loadtest/networks/train.toml`: nothing can pass."""
_AGAIN_S = 10.0
_CONCEALED_MOST, _FROZEN_MOST = 3.0, 8.0


@dataclass(frozen=True, slots=True)
class RideReport:
    """What the passenger saw and heard, the tunnel left out."""

    plot: str
    pictures: int
    frozen_percent: float
    longest_freeze_ms: float
    audio_concealed_percent: float
    pictures_after_tunnel_s: float
    height_at_end: int

    @property
    def passed(self) -> bool:
        """Whether the call outlasted the ride: sound nearly unbroken, pictures back by the end."""
        return (
            self.audio_concealed_percent <= _CONCEALED_MOST
            and self.frozen_percent <= _FROZEN_MOST
            and self.pictures_after_tunnel_s <= _AGAIN_S
            and self.height_at_end >= 720
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        limits = {
            "audio_concealed_percent": _CONCEALED_MOST,
            "frozen_percent": _FROZEN_MOST,
            "pictures_after_tunnel_s": _AGAIN_S,
            "height_at_end": 720,
        }
        return {**fields, "limits": limits, "pass": self.passed}


def run(plot: str) -> RideReport:
    """Ride once, write the plot to that file, and judge. Raises LoadtestError."""
    with open_call() as call:
        call.settle()
        record = call.play(read_scenario("train"), LASTS_S)
    Path(plot).write_text(picture_of(record), encoding="utf-8")
    before, after = (0.0, _DARK_S[0]), (_DARK_S[1] + _AGAIN_S, float(LASTS_S))
    parts = [record.pictures_between(*span) for span in (before, after)]
    back = record.pictures_between(_DARK_S[1], LASTS_S)
    end = record.pictures_between(LASTS_S - 10, LASTS_S)
    return RideReport(
        plot=plot,
        pictures=len(record.pictures),
        frozen_percent=round(sum(frozen_percent(part) for part in parts) / 2, 2),
        longest_freeze_ms=round(max((f for part in parts for f in freezes_ms(part)), default=0), 1),
        audio_concealed_percent=round(
            max(concealed_percent(record, *span) for span in (before, after)), 2
        ),
        pictures_after_tunnel_s=round(
            record.s(back[0].at_ms) - _DARK_S[1] if back else float(LASTS_S), 2
        ),
        height_at_end=max((p.height for p in end), default=0),
    )


def picture_of(record: Record) -> str:
    """Bitrate, estimate and capacity; resolution and freezes; sound; the way up."""
    return draw(
        "Five minutes on a train: what a passenger receives and sends (Chromium)",
        record.lasted_s,
        [_down(record), _pictures(record), _sound(record), _up(record)],
    )


def _down(record: Record) -> Panel:
    estimate = [(record.s(at_ms), bps / 1000) for at_ms, bps in record.estimates]
    return Panel(
        "Down: bitrate and estimate against capacity",
        "kbit/s",
        6500,
        [
            Curve("capacity", "#888", _capacity(record, "down"), steps=True),
            Curve("sent", "#1769aa", _rates(record, "down"), filled=True),
            Curve("estimate", "#b8860b", estimate, steps=True),
        ],
    )


def _pictures(record: Record) -> Panel:
    shown = record.pictures_between(0, record.lasted_s)
    frozen = [
        (record.s(before.at_ms), record.s(before.at_ms) + gap / 1000)
        for before, gap in zip(shown, gaps_ms(shown), strict=False)
        if gap > 300
    ]
    heights = [(record.s(picture.at_ms), float(picture.height)) for picture in shown]
    curve = Curve("height", "#2e7d32", heights, steps=True)
    title = "Pictures shown: resolution, and where they stood still"
    return Panel(title, "lines", 1100, [curve], frozen, "no new picture for 300 ms")


def _sound(record: Record) -> Panel:
    made_up = [
        (float(at_s), min(100.0, concealed_percent(record, at_s, at_s + 2)))
        for at_s in range(0, int(record.lasted_s) - 2, 2)
    ]
    queue = [(record.s(x.at_ms), x.down.queue_ms / 10) for x in record.network]
    return Panel(
        "Sound made up, and the queue in front of the passenger",
        "%",
        100,
        [
            Curve("queue, in 10 ms instead", "#aaa", queue),
            Curve("made up", "#c62828", made_up, steps=True, filled=True),
        ],
    )


def _up(record: Record) -> Panel:
    return Panel(
        "Up: bitrate against capacity",
        "kbit/s",
        4500,
        [
            Curve("capacity", "#888", _capacity(record, "up"), steps=True),
            Curve("sent", "#6a1b9a", _rates(record, "up"), filled=True),
        ],
    )


def _capacity(record: Record, way: str) -> Points:
    def kbps(sample: Sample) -> float:
        flow = getattr(sample, way)
        return 0.0 if flow.dark else (flow.capacity_bps or 0) / 1000

    return [(record.s(sample.at_ms), kbps(sample)) for sample in record.network[::5]]


def _rates(record: Record, way: str) -> Points:
    """Means over half a second."""
    points = []
    for at in range(0, len(record.network) - 10, 10):
        part = record.network[at : at + 10]
        mean_bps = sum(getattr(sample, way).sent_bps for sample in part) / len(part)
        points.append((record.s(part[0].at_ms), mean_bps / 1000))
    return points
