"""A call between real browsers with a bad network in front of the node."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize

from loadtest.bad_network import BadNetwork, Sample, open_bad_network, read_scenario
from loadtest.browser.adapt.picture import Picture
from loadtest.browser.chromium import Chromiums, open_chromiums
from loadtest.browser.clips import FULL_HD, PEOPLE, Camera, Person
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import join
from loadtest.interviews import InterviewLinks, create_interview
from loadtest.server_process import ServerProcess, free_port, serve

_WATCH = Path(__file__).with_name("watch.js")
_FORGET = """() => {
  for (const list of [__watch.samples, __watch.estimates, __probe.frames]) list.length = 0;
}"""
_OWN_ESTIMATES = """() => {
  const others = [...document.querySelectorAll('[data-testid=tile]')]
    .map((tile) => tile.dataset.participant);
  return __watch.estimates
    .filter((one) => one.bps !== null && !others.includes(one.participant))
    .map((one) => [one.at_ms, one.bps]);
}"""
_SETTLED_MS = 20_000
_NEW_CONNECTIONS = 8
"""That a page may make while a scenario plays."""

_LARGE: ViewportSize = {"width": 1920, "height": 1080}
"""A window in which the other's tile is worth pictures of 1080 lines."""

CANDIDATE, VIEWER, OTHER_VIEWER = PEOPLE[0], PEOPLE[1], PEOPLE[2]
"""The viewers are interviewers."""

CANDIDATE_CLIENT, VIEWER_CLIENT, OTHER_CLIENT = 1, 2, 3
"""By the order in which they join."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was seen while a scenario played; every time is in seconds since it began."""

    began_ms: float
    lasted_s: float
    received: list[dict[str, Any]]
    """Samples of the viewer's page."""
    sent: list[dict[str, Any]]
    """Samples of the candidate's page."""
    pictures: list[Picture]
    network: list[Sample]
    estimates: list[tuple[float, int]]
    """When, and what the server believed that the viewer's downlink carries, in bits a second."""

    def s(self, at_ms: float) -> float:
        return (at_ms - self.began_ms) / 1000

    def pictures_between(self, from_s: float, until_s: float) -> list[Picture]:
        return [p for p in self.pictures if from_s <= self.s(p.at_ms) < until_s]

    def network_between(self, from_s: float, until_s: float) -> list[Sample]:
        return [x for x in self.network if from_s <= self.s(x.at_ms) < until_s]

    def received_between(self, from_s: float, until_s: float) -> list[dict[str, Any]]:
        return [x for x in self.received if from_s <= self.s(x["at_ms"]) < until_s]


@dataclass(slots=True)
class Call:
    """Everybody who takes part; all media passes through `network`."""

    server: ServerProcess
    chromiums: Chromiums
    network: BadNetwork
    links: InterviewLinks
    candidate: Page
    viewer: Page
    other: Page | None = None

    def settle(self, height: int = 1080) -> bool:
        """Wait until the viewer has pictures of this height; False if that does not come."""
        waited_ms = 0
        while waited_ms < _SETTLED_MS:
            frames = self.viewer.evaluate("() => __probe.frames.slice(-10).map((f) => f.height)")
            if len(frames) == 10 and min(frames) >= height:
                return True
            self.viewer.wait_for_timeout(250)
            waited_ms += 250
        return False

    def play(self, scenario: str, lasts_s: float, client: int = VIEWER_CLIENT) -> Record:
        """Play a scenario (its text) for one client and record the viewer's side."""
        for page in (self.viewer, self.candidate):
            page.evaluate(_FORGET)
        # A page that connects anew is another client to the network: it must not escape there.
        known = len(self.network.clients)
        same = [client, *range(known + 1, known + 1 + _NEW_CONNECTIONS)]
        began_ms = self.network.play(scenario, same)
        self.viewer.wait_for_timeout(lasts_s * 1000)
        return self._record(began_ms, lasts_s, same)

    def _record(self, began_ms: float, lasted_s: float, same: Sequence[int]) -> Record:
        frames = self.viewer.evaluate("() => __probe.frames")
        return Record(
            began_ms,
            lasted_s,
            self.viewer.evaluate("() => __watch.samples"),
            self.candidate.evaluate("() => __watch.samples"),
            [Picture(frame["at_ms"], frame["height"]) for frame in frames],
            self.network.of_newest(same, began_ms),
            [(at_ms, bps) for at_ms, bps in self.viewer.evaluate(_OWN_ESTIMATES)],
        )

    def clear(self) -> None:
        """A good network for everyone again."""
        self.network.play(read_scenario("clear"))


@dataclass(frozen=True, slots=True)
class Stage:
    """A server behind the network, and browsers; nobody has joined."""

    server: ServerProcess
    chromiums: Chromiums
    network: BadNetwork


@contextmanager
def open_stage(*, seed: int = 1, tcp: bool = False, camera: Camera = FULL_HD) -> Iterator[Stage]:
    """All media passes through the network; TCP does too, untouched, if told. Raises LoadtestError.

    The camera is the candidate's.
    """
    port = free_port()
    with (
        open_bad_network(f"127.0.0.1:{port}", seed=seed, sample_ms=50, tcp=tcp) as network,
        serve(port=port, environment={"MIANSHI_MEDIA_ADVERTISED": network.address}) as server,
        open_chromiums({CANDIDATE.key: camera}) as chromiums,
    ):
        yield Stage(server, chromiums, network)


@contextmanager
def open_call(*, viewers: int = 1, seed: int = 1, camera: Camera = FULL_HD) -> Iterator[Call]:
    """A candidate and one or two interviewers who see each other. Raises LoadtestError."""
    with open_stage(seed=seed, camera=camera) as stage:
        server, chromiums, network = stage.server, stage.chromiums, stage.network
        links = create_interview(server, admission="automatic", interviewers=viewers)
        pages: list[Page] = []
        people: list[Person] = [CANDIDATE, VIEWER, OTHER_VIEWER][: viewers + 1]
        for person, url in zip(people, [links.candidate, *links.panel], strict=True):
            pages.append(join(chromiums, person, url))
            pages[-1].set_viewport_size(_LARGE)
            _wait_for_client(network, pages[-1], len(pages))
        for page, person in zip(pages, people, strict=True):
            wait_for_people(page, set(people) - {person}, timeout_ms=30_000)
            page.evaluate(f"({_WATCH.read_text()})()")
        yield Call(server, chromiums, network, links, *pages)


def _wait_for_client(network: BadNetwork, page: Page, number: int) -> None:
    """Return once this many have sent something: numbers go by order of appearance."""
    for _ in range(100):
        if len(network.clients) >= number:
            return
        page.wait_for_timeout(100)
    raise TimeoutError(f"client {number} sent nothing through the network")
