"""How long from *hand over* to the first decoded frame of the next interviewer."""

from dataclasses import dataclass

from playwright.sync_api import Page

from loadtest.browser.chromium import Chromiums, open_chromiums, wait_for_people
from loadtest.browser.clips import PEOPLE
from loadtest.browser.visit import admit, join, marked
from loadtest.percentiles import Percentiles, percentiles
from loadtest.server_process import ServerProcess, serve

P95_LIMIT_MS = 300.0
UPLINK_GAP_LIMIT_MS = 250.0
"""Between two growths of the candidate's sent packets; audio alone sends 50 a second."""

_CANDIDATE, _FIRST, _NEXT = PEOPLE[0], PEOPLE[1], PEOPLE[2]


@dataclass(frozen=True, slots=True)
class HandoffReport:
    """Milliseconds from the interviewer's click to the candidate's decoded picture of the next."""

    handoff_ms: Percentiles
    uplink_gap_ms: float
    """The longest time in which the candidate's own sending stood still."""
    connections: int
    offers: int
    cameras: int
    """Peer connections, offers and camera openings of the candidate during all handoffs."""

    @property
    def uplink_kept(self) -> bool:
        """Whether nothing was built anew and nothing paused on the candidate's side."""
        anew = self.connections + self.offers + self.cameras
        return anew == 0 and self.uplink_gap_ms <= UPLINK_GAP_LIMIT_MS

    @property
    def passed(self) -> bool:
        """Whether the limits of the product hold."""
        return self.handoff_ms.p95 <= P95_LIMIT_MS and self.uplink_kept

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "handoff_ms": self.handoff_ms.as_dict(),
            "uplink_gap_ms": self.uplink_gap_ms,
            "built_anew": {
                "connections": self.connections,
                "offers": self.offers,
                "cameras": self.cameras,
            },
            "limits": {"p95": P95_LIMIT_MS, "uplink_gap": UPLINK_GAP_LIMIT_MS},
            "pass": self.passed,
        }


_WATCH_UPLINK = """() => {
  const uplink = { gap_ms: 0, packets: 0, at_ms: performance.now() };
  window.__uplink = uplink;
  setInterval(async () => {
    const { packets_sent } = await __probe.totals();
    const now = performance.now();
    if (packets_sent > uplink.packets) {
      if (uplink.packets) uplink.gap_ms = Math.max(uplink.gap_ms, now - uplink.at_ms);
      uplink.packets = packets_sent;
      uplink.at_ms = now;
    }
  }, 40);
}"""

_FIRST_FRAME_OF = """(wall) => __probe.frames.find((frame) => frame.rgb
  && wall.reduce((sum, value, i) => sum + (value - frame.rgb[i]) ** 2, 0) < 1600)?.at_ms"""

_COUNTS = "() => [__probe.connections.length, __probe.offers, __probe.cameras]"


def _one_handoff(first: Page, candidate: Page) -> float:
    """Hand over, see the next interviewer on the candidate's page, and take the candidate back."""
    candidate.evaluate("() => { __probe.frames.length = 0; }")
    first.evaluate("() => { __probe.taps.length = 0; }")
    first.click(marked("handoff"))
    seen_ms = candidate.wait_for_function(_FIRST_FRAME_OF, arg=list(_NEXT.wall), polling=50)
    clicked_ms: float = first.evaluate(
        "() => __probe.taps.find((tap) => tap.testid === 'handoff').at_ms"
    )
    took_ms = float(seen_ms.json_value()) - clicked_ms
    wait_for_people(candidate, {_NEXT})
    first.click(marked("undo-handoff"))
    wait_for_people(candidate, {_FIRST})
    wait_for_people(first, {_CANDIDATE})
    return took_ms


def _measure(server: ServerProcess, chromiums: Chromiums, handoffs: int) -> HandoffReport:
    first = join(chromiums, _FIRST, server.links["interviewer"])
    join(chromiums, _NEXT, server.links["interviewer-2"])
    candidate = join(chromiums, _CANDIDATE, server.links["candidate"], phone=True)
    admit(first)
    wait_for_people(candidate, {_FIRST})
    wait_for_people(first, {_CANDIDATE})
    candidate.evaluate(_WATCH_UPLINK)
    before = candidate.evaluate(_COUNTS)
    measured = [_one_handoff(first, candidate) for _ in range(handoffs)]
    connections, offers, cameras = (
        after - earlier for after, earlier in zip(candidate.evaluate(_COUNTS), before, strict=True)
    )
    gap_ms = round(candidate.evaluate("() => __uplink.gap_ms"), 1)
    return HandoffReport(percentiles(measured), gap_ms, connections, offers, cameras)


def run(handoffs: int = 20) -> HandoffReport:
    """Measure on a server and with browsers of our own, all on loopback.

    Raises LoadtestError when the server or Chromium cannot be had.
    """
    with serve() as server, open_chromiums() as chromiums:
        return _measure(server, chromiums, handoffs)
