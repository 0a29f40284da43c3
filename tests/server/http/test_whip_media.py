"""Media over WHIP and WHEP through the composed node: a publisher's picture reaches a watcher."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio

from hr.interviews.schemas import NewInterview
from server.app import Node
from server.durable import utc_now
from signaling.session import media, visits
from tests.conditions import Changes
from tests.server.conftest import Browser
from tests.sfu.udp_client import UdpClient, offer_of, open_client, received, talking

Make = Callable[[], Browser]
SDP = {"Content-Type": "application/sdp"}


@pytest_asyncio.fixture(loop_scope="session")
async def client(node: Node) -> AsyncIterator[Callable]:
    made: list[UdpClient] = []

    async def make() -> UdpClient:
        made.append(await open_client(node.sfu.port))
        return made[-1]

    yield make
    for each in made:
        each.close()


async def post(
    device: Browser, path: str, secret: str, client: UdpClient, *, only_receives: bool = False
) -> tuple[str, dict[str, str]]:
    """Publish or watch until media could flow; the session's URL and the bearer."""
    token = (await device.redeem(secret))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    offer = offer_of(client.dtls.fingerprint)
    if only_receives:
        offer = offer.replace("a=sendonly", "a=inactive")
    status, answer, response = await device.call(
        "POST", path, data=offer, headers={**bearer, **SDP}
    )
    assert status == 201, answer
    await client.establish(answer)
    return response.headers["Location"], bearer


@dataclass
class Meeting:
    """Two people who may be inside at once, without anybody's help."""

    candidate: str
    observer: str
    candidate_id: str
    interview_id: str


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(node: Node) -> Meeting:
    services, now = node.services, utc_now()
    people = ("candidate", "observer")
    interview = await services.interviews.create(
        NewInterview.model_validate(
            {
                "title": "旁听",
                "starts_at": now,
                "ends_at": now + timedelta(hours=1),
                "rounds": [{"title": "初面", "admission": "automatic"}],
                "participants": [{"name": one, "role": one, "round": 0} for one in people],
            }
        )
    )
    issued = await services.links.issue_all(interview)
    candidate, observer = interview.participants
    return Meeting(
        issued[candidate.id].secret, issued[observer.id].secret, candidate.id, interview.id
    )


async def test_a_published_picture_reaches_who_watches(
    meeting: Meeting, browser: Make, client: Callable
) -> None:
    publisher, watcher = await client(), await client()
    here, there = browser(), browser()
    published, bearer = await post(here, "/whip", meeting.candidate, publisher)
    path = f"/whep/{meeting.candidate_id}"
    watched, host_bearer = await post(there, path, meeting.observer, watcher, only_receives=True)
    await received(watcher, b"sound", publisher.speak)
    await received(watcher, b"picture", publisher.film)
    assert (await there.call("DELETE", watched, headers=host_bearer))[0] == 200
    assert (await here.call("DELETE", published, headers=bearer))[0] == 200


async def test_a_publisher_whose_media_returns_is_connected_again(
    meeting: Meeting, browser: Make, client: Callable, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The engine's first mark of silence, to save the test's time.
    monkeypatch.setattr(media, "LOST_MS", 2_000)
    monkeypatch.setattr(visits, "BEARER_LOST_MS", 2_000)
    publisher, here = await client(), browser()
    published, bearer = await post(here, "/whip", meeting.candidate, publisher)
    rooms, changes = node.services.visits.rooms, Changes()
    rooms.on_change(changes.tell)

    def connected() -> bool:
        return rooms.participants(meeting.interview_id)[0].connected

    publisher.speak(b"before")
    assert connected()
    await changes.until(lambda: not connected())
    async with talking(publisher):
        await changes.until(connected)
    assert (await here.call("DELETE", published, headers=bearer))[0] == 200
