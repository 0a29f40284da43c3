"""A network that holds no picture: sound only, said to be whose it is, and pictures again after."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from loadtest.bad_network import BadNetwork, open_bad_network, read_scenario
from loadtest.browser.browsers import Browsers
from loadtest.browser.clips import PEOPLE
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import join, marked
from loadtest.interviews import create_interview
from loadtest.server_process import ServerProcess, free_port, serve

CANDIDATE, INTERVIEWER = PEOPLE[:2]
NARROW = """
title = "80 kbit/s each way"
lasts_s = 120
[[step]]
at_s = 0
both = { delay_ms = 25, rate_kbps = 80, queue_ms = 500 }
"""
THEIRS = [1, *range(3, 12)]
"""The candidate's place on the network, and any that their page takes if it connects anew."""

MARK, TILE, OFFER = marked("quality"), marked("tile"), marked("video-offer")

_HEARD = """async () => {
  const [connection] = __probe.connections.slice(-1);
  const sounds = [...(await connection.getStats()).values()]
    .filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  return sounds.reduce((sum, one) => sum + one.packetsReceived, 0);
}"""


@pytest.fixture(scope="module")
def camera() -> tuple[int, int]:
    return 1280, 720


@pytest.fixture(scope="module")
def network() -> Iterator[tuple[BadNetwork, ServerProcess]]:
    port = free_port()
    with open_bad_network(f"127.0.0.1:{port}", seed=1) as bad:
        advertised = {"MIANSHI_MEDIA_ADVERTISED": bad.address}
        with serve(port=port, environment=advertised) as server:
            yield bad, server


def hears_on(page: Page) -> None:
    """Sound goes on coming, two seconds' worth of packets."""
    before = page.evaluate(_HEARD)
    page.wait_for_function(f"async (least) => await ({_HEARD})() > least", arg=before + 100)


def draws_on(page: Page, pictures: int) -> None:
    """So many more pictures are decoded."""
    before = page.evaluate("() => __probe.frames.length")
    page.wait_for_function("(least) => __probe.frames.length >= least", arg=before + pictures)


def test_sound_only_and_back(browsers: Browsers, network: tuple[BadNetwork, ServerProcess]) -> None:
    bad, server = network
    links = create_interview(server, admission="automatic")
    candidate = join(browsers, CANDIDATE, links.candidate, phone=True)
    while not bad.clients:
        candidate.wait_for_timeout(50)
    interviewer = join(browsers, INTERVIEWER, links.interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})

    bad.play(NARROW, THEIRS)
    for page, blame in ((candidate, "self"), (interviewer, "peer")):
        tile = page.locator(f"{TILE}[data-picture=paused][data-blame={blame}]")
        expect(tile).to_have_attribute("data-video", "false", timeout=15_000)
    drawn = interviewer.evaluate("() => __probe.frames.length")
    for page in (candidate, interviewer):
        hears_on(page)
    expect(candidate.locator(OFFER)).to_be_visible(timeout=15_000)
    expect(candidate.locator(f"{MARK}[data-quality=poor]")).to_have_attribute("data-cause", "self")
    expect(interviewer.locator(MARK)).to_have_attribute("data-quality", "good")
    assert interviewer.evaluate("() => __probe.frames.length") - drawn < 10

    bad.play(read_scenario("clear"))
    for page in (candidate, interviewer):
        draws_on(page, 30)
        expect(page.locator(f"{TILE}[data-picture=live]")).to_have_attribute("data-video", "true")
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    expect(candidate.locator(OFFER)).to_be_hidden(timeout=25_000)
