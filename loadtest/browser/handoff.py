"""How long from *hand over* to the first decoded frame of the next interviewer."""

from dataclasses import dataclass

from playwright.sync_api import Page

from loadtest.bad_network import BadNetwork, open_bad_network
from loadtest.browser.chromium import Chromiums, open_chromiums
from loadtest.browser.clips import PEOPLE
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import admit, join, marked
from loadtest.errors import LoadtestError
from loadtest.percentiles import Percentiles, percentiles
from loadtest.server_process import ServerProcess, free_port, serve

P95_LIMIT_MS = 300.0
UPLINK_PAUSE_LIMIT_MS = 200.0
"""Without a packet of the candidate's; sound alone sends one every 20 ms.

A limit of our own, for browsers that share two cores. In the longest of these times both cores were
92 to 100 % busy with the interviewers' pages, and the threads that send waited for one; the node
ran 3 ms of 56. Where the kernel does not schedule each browser as one group
(`kernel.sched_autogroup_enabled=0`) the longest was 27 ms, with 24 ms in rest."""

_SAMPLE_MS = 20
_STEADY_S = 5.0
_AFTERWARDS_MS = 1000.0
"""How long the candidate's uplink is watched after the interviewer's click."""

_CANDIDATE, _FIRST, _NEXT = PEOPLE[0], PEOPLE[1], PEOPLE[2]

_CANDIDATE_CLIENT = 3
"""By the order in which they join."""


@dataclass(frozen=True, slots=True)
class HandoffReport:
    """Milliseconds from the interviewer's click to the candidate's decoded picture of the next."""

    handoff_ms: Percentiles
    uplink_pause_ms: float
    """The longest time without a packet of the candidate's on the wire, about the handoffs."""
    steady_pause_ms: float
    """The same in a while before, in which nothing happened."""
    connections: int
    offers: int
    cameras: int
    """Peer connections, offers and camera openings of the candidate during all handoffs."""

    @property
    def uplink_kept(self) -> bool:
        """Whether nothing was built anew and nothing paused on the candidate's side."""
        anew = self.connections + self.offers + self.cameras
        return anew == 0 and self.uplink_pause_ms <= UPLINK_PAUSE_LIMIT_MS

    @property
    def passed(self) -> bool:
        """Whether the limits of the product hold."""
        return self.handoff_ms.p95 <= P95_LIMIT_MS and self.uplink_kept

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "handoff_ms": self.handoff_ms.as_dict(),
            "uplink_pause_ms": {
                "handoffs": self.uplink_pause_ms,
                "steady": self.steady_pause_ms,
            },
            "built_anew": {
                "connections": self.connections,
                "offers": self.offers,
                "cameras": self.cameras,
            },
            "limits": {"p95": P95_LIMIT_MS, "uplink_pause": UPLINK_PAUSE_LIMIT_MS},
            "pass": self.passed,
        }


_FIRST_FRAME_OF = """(wall) => __probe.frames.find((frame) => frame.rgb
  && wall.reduce((sum, value, i) => sum + (value - frame.rgb[i]) ** 2, 0) < 1600)?.at_ms"""

_COUNTS = "() => [__probe.connections.length, __probe.offers, __probe.cameras]"


@dataclass(frozen=True, slots=True)
class _Handoff:
    clicked_ms: float
    """Milliseconds since 1970."""
    took_ms: float


def _one_handoff(first: Page, candidate: Page) -> _Handoff:
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
    return _Handoff(clicked_ms, took_ms)


def _longest_pause_ms(network: BadNetwork, from_ms: float, until_ms: float) -> float:
    """Of the candidate's packets as they come to the relay."""
    samples = network.of_client(_CANDIDATE_CLIENT, from_ms)
    pauses = [sample.pause_ms for sample in samples if sample.at_ms <= until_ms + _SAMPLE_MS]
    if not pauses:
        raise LoadtestError("the relay saw nothing of the candidate")
    return round(max(pauses), 1)


def _measure(
    server: ServerProcess, chromiums: Chromiums, network: BadNetwork, handoffs: int
) -> HandoffReport:
    first = join(chromiums, _FIRST, server.links["interviewer"])
    join(chromiums, _NEXT, server.links["interviewer-2"])
    candidate = join(chromiums, _CANDIDATE, server.links["candidate"], phone=True)
    admit(first)
    wait_for_people(candidate, {_FIRST})
    wait_for_people(first, {_CANDIDATE})
    candidate.wait_for_timeout(_STEADY_S * 1000)
    steady_from_ms = candidate.evaluate("() => Date.now()")
    candidate.wait_for_timeout(_STEADY_S * 1000)
    steady_ms = _longest_pause_ms(network, steady_from_ms, steady_from_ms + _STEADY_S * 1000)
    before = candidate.evaluate(_COUNTS)
    measured = [_one_handoff(first, candidate) for _ in range(handoffs)]
    candidate.wait_for_timeout(_AFTERWARDS_MS)
    connections, offers, cameras = (
        after - earlier for after, earlier in zip(candidate.evaluate(_COUNTS), before, strict=True)
    )
    pause_ms = max(
        _longest_pause_ms(network, each.clicked_ms, each.clicked_ms + _AFTERWARDS_MS)
        for each in measured
    )
    return HandoffReport(
        percentiles([each.took_ms for each in measured]),
        pause_ms,
        steady_ms,
        connections,
        offers,
        cameras,
    )


def run(handoffs: int = 20) -> HandoffReport:
    """Measure on a server and with browsers of our own, all on loopback.

    All media passes through a relay that changes nothing and notes when packets come.
    Raises LoadtestError when the server or Chromium cannot be had.
    """
    port = free_port()
    with (
        open_bad_network(f"127.0.0.1:{port}", sample_ms=_SAMPLE_MS) as network,
        serve(port=port, environment={"MIANSHI_MEDIA_ADVERTISED": network.address}) as server,
        open_chromiums() as chromiums,
    ):
        return _measure(server, chromiums, network, handoffs)
