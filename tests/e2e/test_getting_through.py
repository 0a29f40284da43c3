"""Networks that let little through: an interview begins all the same, and goes on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from loadtest.browser.browsers import Browsers
from loadtest.browser.clips import PEOPLE, Person
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import admit, join, marked
from loadtest.interviews import create_interview
from loadtest.server_process import ServerProcess, free_port, serve
from server.addresses import has_ipv6
from tests.e2e.network import OUTSIDE, Network, open_network
from tests.turn_server import turn_server

CANDIDATE, INTERVIEWER = PEOPLE[:2]

CONNECTED_WITHIN_MS = 3_000

_REMOTE = """async () => {
  const reports = await __probe.connections.at(-1).getStats();
  const byId = new Map([...reports.values()].map((report) => [report.id, report]));
  const transport = [...reports.values()].find((report) => report.type === 'transport');
  const pair = byId.get(transport.selectedCandidatePairId);
  const remote = byId.get(pair.remoteCandidateId);
  return { protocol: remote.protocol, address: remote.address };
}"""

_RELAY_ONLY = """
const Direct = RTCPeerConnection;
const relayed = (configuration) => ({ ...configuration, iceTransportPolicy: 'relay' });
window.RTCPeerConnection = class extends Direct {
  constructor(configuration) { super(relayed(configuration)); }
  setConfiguration(configuration) { super.setConfiguration(relayed(configuration)); }
};
"""

_FRAMES = "async () => (await __probe.totals()).frames_decoded"


@pytest.fixture(scope="module")
def far_server() -> Iterator[tuple[ServerProcess, Network]]:
    """A server that browsers reach only through the network, by UDP and by TCP."""
    port, tcp_port = free_port(), free_port()
    behind = {
        "MIANSHI_HTTP_PUBLIC_URL": f"http://{OUTSIDE}:{port}",
        "MIANSHI_MEDIA_ADVERTISED": OUTSIDE,
        "MIANSHI_MEDIA_TCP_PORT": str(tcp_port),
    }
    with (
        serve(environment=behind, port=port) as server,
        open_network(port, tcp_port) as network,
    ):
        yield server, network


@pytest.fixture
def network(far_server: tuple[ServerProcess, Network]) -> Iterator[Network]:
    """It blocks nothing at first, and nothing at the end."""
    network = far_server[1]
    yield network
    network.block_udp(False)


def meet(server: ServerProcess, browsers: Browsers) -> tuple[Page, Page]:
    """The interviewer and the admitted candidate, seeing each other."""
    links = create_interview(server)
    interviewer = join(browsers, INTERVIEWER, links.interviewer)
    candidate = join(browsers, CANDIDATE, links.candidate, phone=True)
    admit(interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    return interviewer, candidate


def join_by_relay(browsers: Browsers, person: Person, url: str) -> Page:
    """As `join`, on a device whose every packet must pass the TURN server."""
    context = browsers.context(person, phone=True)
    context.add_init_script(_RELAY_ONLY)
    page = context.new_page()
    page.goto(url)
    page.click(marked("join"))
    page.wait_for_selector(marked("self-view"))
    return page


def milestone_ms(page: Page, name: str) -> float:
    """When the page first passed a milestone, on its own clock."""
    return page.evaluate(
        "(name) => performance.getEntriesByName(`mianshi.${name}`)[0].startTime", name
    )


def test_without_udp_the_media_comes_by_tcp(
    far_server: tuple[ServerProcess, Network], network: Network, browsers: Browsers
) -> None:
    network.block_udp()
    for page in meet(far_server[0], browsers):
        assert page.evaluate(_REMOTE)["protocol"] == "tcp"
        took_ms = milestone_ms(page, "join.connected") - milestone_ms(page, "join.tap")
        assert took_ms < CONNECTED_WITHIN_MS


def test_udp_is_preferred_and_its_end_is_survived(
    far_server: tuple[ServerProcess, Network], network: Network, browsers: Browsers
) -> None:
    interviewer, candidate = meet(far_server[0], browsers)
    for page in (interviewer, candidate):
        assert page.evaluate(_REMOTE)["protocol"] == "udp"
    network.block_udp()
    for page in (interviewer, candidate):
        page.wait_for_function(
            f"async () => (await ({_REMOTE})()).protocol === 'tcp'", timeout=20_000
        )
        page.wait_for_function(
            f"async (before) => await ({_FRAMES})() > before + 10",
            arg=page.evaluate(_FRAMES),
            timeout=20_000,
        )
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})


def test_a_client_that_may_only_use_the_relay_is_in_the_interview(browsers: Browsers) -> None:
    with turn_server() as relay:
        settings = {"MIANSHI_TURN_URLS": relay.url, "MIANSHI_TURN_SECRET": relay.secret}
        with serve(environment=settings) as server:
            links = create_interview(server)
            interviewer = join(browsers, INTERVIEWER, links.interviewer)
            candidate = join_by_relay(browsers, CANDIDATE, links.candidate)
            admit(interviewer)
            wait_for_people(candidate, {INTERVIEWER})
            wait_for_people(interviewer, {CANDIDATE})
            for page in (interviewer, candidate):
                page.context.close()


@pytest.mark.skipif(not has_ipv6(), reason="this kernel has no IPv6")
def test_an_interview_over_ipv6_alone(browsers: Browsers) -> None:
    with serve(environment={"MIANSHI_HTTP_HOST": "::1"}) as server:
        pages = meet(server, browsers)
        for page in pages:
            assert page.url.startswith("http://[::1]:")
            assert page.evaluate(_REMOTE) == {"protocol": "udp", "address": "::1"}
            page.context.close()
