"""Bad moments of a network: the interview goes on without anybody's doing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from loadtest.browser.browsers import Browsers
from loadtest.browser.clips import PEOPLE
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import admit, join, marked
from loadtest.interviews import create_interview
from loadtest.server_process import ServerProcess, free_port, serve
from tests.e2e.network import OUTSIDE, Network, open_network

CANDIDATE, INTERVIEWER = PEOPLE[:2]

MOVED_WITHIN_MS = 1_000


@pytest.fixture(scope="module")
def far_server() -> Iterator[tuple[ServerProcess, Network]]:
    """A server that browsers reach only through the network."""
    port = free_port()
    behind = {
        "MIANSHI_HTTP_PUBLIC_URL": f"http://{OUTSIDE}:{port}",
        "MIANSHI_MEDIA_ADVERTISED": OUTSIDE,
    }
    with serve(environment=behind, port=port) as server, open_network(port) as network:
        yield server, network


@pytest.fixture
def meeting(
    far_server: tuple[ServerProcess, Network], browsers: Browsers
) -> tuple[Page, Page, Network]:
    """The interviewer and the admitted candidate, seeing each other."""
    server, network = far_server
    links = create_interview(server)
    interviewer = join(browsers, INTERVIEWER, links.interviewer)
    candidate = join(browsers, CANDIDATE, links.candidate, phone=True)
    admit(interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    return interviewer, candidate, network


def frames_go_on(page: Page) -> None:
    """At least ten more frames are decoded."""
    before = page.evaluate("async () => (await __probe.totals()).frames_decoded")
    page.wait_for_function(
        "async (before) => (await __probe.totals()).frames_decoded > before + 10",
        arg=before,
        timeout=20_000,
    )


@pytest.mark.companies("chromium", "mixed")
def test_a_lost_socket_loses_nothing(meeting: tuple[Page, Page, Network]) -> None:
    interviewer, candidate, network = meeting
    network.drop_connections()
    interviewer.click(marked("chat-open"))
    interviewer.fill(marked("chat-input"), "你还在吗？")
    interviewer.click(marked("chat-send"))
    candidate.click(marked("chat-open"))
    expect(candidate.locator(marked("chat-message"))).to_have_count(1)
    frames_go_on(candidate)
    frames_go_on(interviewer)
    assert candidate.evaluate("() => __probe.connections.length") == 1


def test_a_new_address_needs_no_new_login(meeting: tuple[Page, Page, Network]) -> None:
    interviewer, candidate, network = meeting
    cameras = candidate.evaluate("() => __probe.cameras")
    network.roam()
    frames_go_on(candidate)
    frames_go_on(interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    assert candidate.evaluate("() => __probe.cameras") == cameras


_WATCH_SOUND = """() => {
  const silence = { longest_ms: 0 };
  const count = async () => (await __probe.totals()).audio_packets;
  silence.watching = (async () => {
    let [packets, heard] = [await count(), performance.now()];
    const began = heard;
    while (performance.now() - began < 4000) {
      await new Promise((go) => setTimeout(go, 20));
      const now = await count();
      if (now > packets) {
        silence.longest_ms = Math.max(silence.longest_ms, performance.now() - heard);
        [packets, heard] = [now, performance.now()];
      }
    }
    silence.longest_ms = Math.max(silence.longest_ms, performance.now() - heard);
  })();
  window.__silence = silence;
}"""

_SILENCE_MS = "async () => { await __silence.watching; return __silence.longest_ms; }"


@pytest.mark.parametrize("change", ["rebind", "roam"])
def test_media_follows_a_new_address_within_a_second(
    meeting: tuple[Page, Page, Network], change: str
) -> None:
    """A NAT that gives a new address, or a phone that goes from Wi-Fi to mobile."""
    interviewer, candidate, network = meeting
    for page in (interviewer, candidate):
        frames_go_on(page)
        page.evaluate(_WATCH_SOUND)
    getattr(network, change)()
    for page in (interviewer, candidate):
        assert page.evaluate(_SILENCE_MS) < MOVED_WITHIN_MS
        frames_go_on(page)
    assert candidate.evaluate("() => __probe.connections.length") == 1


@pytest.mark.companies("chromium", "mixed")
def test_a_dark_network_is_said_and_survived(meeting: tuple[Page, Page, Network]) -> None:
    interviewer, candidate, network = meeting
    network.go_dark()
    expect(candidate.locator(marked("problem-reconnecting"))).to_be_visible()
    network.come_back()
    expect(candidate.locator(marked("problem-reconnecting"))).to_have_count(0, timeout=20_000)
    frames_go_on(candidate)
    frames_go_on(interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
