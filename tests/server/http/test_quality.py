"""`/api/interviews/<id>/quality`: for HR, and for nobody else; and what operators read."""

from collections.abc import Callable

import pytest_asyncio

from server.app import Node
from server.demo import Demo
from tests.server.conftest import Browser, Visitor

MakeBrowser = Callable[[], Browser]
MakeVisitor = Callable[[], Visitor]

REPORT = {
    "level": "good",
    "span_ms": 0,
    "join_ms": 420,
    "first_frame_ms": 640,
    "path": "udp",
    "slots": [{"mid": "5", "width": 640, "height": 360, "fps": 30}],
}


@pytest_asyncio.fixture(loop_scope="session")
async def recorded(demo: Demo, browser: MakeBrowser, visitor: MakeVisitor, node: Node):
    """A candidate's presence, put away."""
    redeemed = await browser().redeem(demo.candidate)
    candidate = visitor()
    await candidate.connect(token=redeemed["token"])
    assert (await candidate.call("quality.report", REPORT))["ok"]
    await node.services.visits.quality.sample()
    await node.services.visits.quality.keep()
    return redeemed, candidate


async def hr(demo: Demo, browser: MakeBrowser) -> Browser:
    console = browser()
    await console.redeem(demo.hr)
    return console


async def test_hr_reads_the_record(recorded, demo, browser: MakeBrowser) -> None:
    redeemed, candidate = recorded
    console = await hr(demo, browser)
    path = f"/api/interviews/{redeemed['interview']}"
    status, body, _ = await console.call("GET", f"{path}/quality")
    assert status == 200
    [person] = body["participants"]
    assert person["participant"] == redeemed["participant"]
    [sitting] = person["sittings"]
    assert (sitting["join_ms"], sitting["first_frame_ms"], sitting["path"]) == (420, 640, "udp")
    assert sitting["ended"] is False
    assert body["line"]["zh"].startswith("连接良好")
    _, detail, _ = await console.call("GET", path)
    assert detail["quality"] == body["line"]
    await candidate.close()


async def test_it_ends_with_the_visit(recorded, demo, node, browser: MakeBrowser) -> None:
    redeemed, candidate = recorded
    assert (await candidate.call("room.leave", {}))["ok"]
    await node.services.visits.quality.keep()
    console = await hr(demo, browser)
    _, body, _ = await console.call("GET", f"/api/interviews/{redeemed['interview']}/quality")
    assert body["participants"][0]["sittings"][0]["ended"] is True


async def test_an_interview_without_visits(demo, browser: MakeBrowser, node: Node) -> None:
    [latest] = await node.services.interviews.newest(1)
    console = await hr(demo, browser)
    path = f"/api/interviews/{latest.id}"
    status, body, _ = await console.call("GET", f"{path}/quality")
    assert (status, body) == (200, {"interview": latest.id, "line": None, "participants": []})
    assert (await console.call("GET", path))[1]["quality"] is None
    assert await console.code("GET", "/api/interviews/nothing/quality") == (
        404,
        "interview_unknown",
    )


async def test_nobody_else_reads_it(recorded, demo, browser: MakeBrowser) -> None:
    redeemed, candidate = recorded
    path = f"/api/interviews/{redeemed['interview']}/quality"
    stranger = browser()
    assert await stranger.code("GET", path) == (401, "unauthenticated")
    for link in (demo.interviewer, demo.interviewer_2):
        guest = browser()
        token = (await guest.redeem(link))["token"]
        assert await guest.code("GET", path) == (401, "unauthenticated")
        bearer = {"Authorization": f"Bearer {token}"}
        assert await guest.code("GET", path, headers=bearer) == (401, "unauthenticated")
    own = {"Authorization": f"Bearer {redeemed['token']}"}
    assert await stranger.code("GET", path, headers=own) == (401, "unauthenticated")
    forged = {"Cookie": "mianshi_hr=eyJhbGciOiJub25lIn0.e30."}
    assert await stranger.code("GET", path, headers=forged) == (401, "unauthenticated")
    await candidate.close()


async def test_it_is_described(browser: MakeBrowser) -> None:
    _, document, _ = await browser().call("GET", "/api/openapi.json")
    operation = document["paths"]["/api/interviews/{interview}/quality"]["get"]
    assert operation["security"] == [{"hr_cookie": []}, {"api_key": []}]
    assert "QualityPointOut" in document["components"]["schemas"]


async def test_operators_read_figures_without_names(recorded, browser: MakeBrowser) -> None:
    redeemed, candidate = recorded
    _, text, _ = await browser().call("GET", "/metrics")
    assert 'mianshi_join_seconds_bucket{le="0.6",role="candidate"}' in text
    assert 'mianshi_first_frame_seconds_count{role="candidate"}' in text
    assert 'mianshi_connections_by_grade{grade="good"}' in text
    assert "mianshi_video_paused 0.0" in text
    assert redeemed["participant"] not in text
    assert redeemed["interview"] not in text
    await candidate.close()
