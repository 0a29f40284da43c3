"""The HR API: who may, what is taken, what is given."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from server.app import Node
from server.demo import Demo, make_demo
from server.durable import utc_now
from tests.redis_server import RedisServer
from tests.server.conftest import Browser, StartNode, Visitor

Make = Callable[[], Browser]


def body(**changes: Any) -> dict[str, Any]:
    now = utc_now()
    return {
        "title": "测试",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(),
        "rounds": [{"title": "一面"}, {"title": "二面", "admission": "automatic"}],
        "participants": [{"name": "某某", "role": "candidate", "round": 0}],
        **changes,
    }


@pytest_asyncio.fixture(loop_scope="session")
async def hr(demo: Demo, browser: Make) -> Browser:
    device = browser()
    answer = await device.redeem(demo.hr)
    assert answer["token"] is None
    return device


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/session"),
        ("GET", "/api/interviews"),
        ("POST", "/api/interviews"),
        ("GET", "/api/interviews/x"),
        ("POST", "/api/interviews/x/participants/y/link"),
        ("POST", "/api/interviews/x/participants/y/release"),
    ],
)
async def test_strangers_are_refused_everywhere(
    demo: Demo, browser: Make, method: str, path: str
) -> None:
    participant = browser()
    token = (await participant.redeem(demo.interviewer))["token"]
    for headers in (
        {},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": "Bearer mk_" + "A" * 32},
        {"Authorization": "Basic dTpw"},
        {"Cookie": f"mianshi_hr={token}"},
        {"Cookie": "mianshi_hr=x"},
    ):
        refusal = await participant.code(method, path, headers=headers, json=body())
        assert refusal == (401, "unauthenticated")


async def test_the_session(hr: Browser) -> None:
    status, seen, _ = await hr.call("GET", "/api/session")
    assert (status, seen["organisation"], seen["name"]) == (200, "default", "HR")
    assert (await hr.call("DELETE", "/api/session"))[0] == 204
    assert await hr.code("GET", "/api/session") == (401, "unauthenticated")


async def test_signing_out_ends_the_session_wherever_its_cookie_is(
    hr: Browser, browser: Make
) -> None:
    [cookie] = [one for one in hr.session.cookie_jar if one.key == "mianshi_hr"]
    copy, colleague = {"Cookie": f"mianshi_hr={cookie.value}"}, browser()
    assert (await colleague.call("GET", "/api/interviews", headers=copy))[0] == 200
    listener = Visitor(colleague.base, "/hr")
    await listener.connect(headers=copy)
    assert (await hr.call("DELETE", "/api/session"))[0] == 204
    assert await colleague.code("GET", "/api/interviews", headers=copy) == (401, "unauthenticated")
    await listener.until(lambda: listener.ended)
    # Ending it again, or what never was a session, is no error and ends nobody else's.
    assert (await colleague.call("DELETE", "/api/session", headers=copy))[0] == 204
    for odd in ("x", "a.b.c", "é", "A" * 5000):
        headers = {"Cookie": f"mianshi_hr={odd}"}
        assert (await browser().call("DELETE", "/api/session", headers=headers))[0] == 204


async def test_signing_out_leaves_a_later_session_of_the_same_link(demo: Demo, hr: Browser) -> None:
    assert (await hr.call("DELETE", "/api/session"))[0] == 204
    await hr.redeem(demo.hr)
    assert (await hr.call("GET", "/api/interviews"))[0] == 200


async def test_a_revoked_hr_link_ends_its_sessions(node: Node, demo: Demo, hr: Browser) -> None:
    opened = await node.services.links.look(demo.hr, None)
    await node.services.links.revoke(opened.link.id)
    assert await hr.code("GET", "/api/interviews") == (401, "unauthenticated")


async def test_create_read_and_list(hr: Browser, browser: Make) -> None:
    status, made, _ = await hr.call("POST", "/api/interviews", json=body())
    assert status == 201
    assert [one["admission"] for one in made["rounds"]] == ["manual", "automatic"]
    link = made["participants"][0]["link"]
    assert (await browser().redeem(link.rpartition("/")[2]))["interview"] == made["id"]
    _, read, _ = await hr.call("GET", f"/api/interviews/{made['id']}")
    assert read["participants"][0]["link"] is None
    assert read["participants"][0]["bound"] is True
    first = (await hr.call("GET", "/api/interviews?limit=1"))[1]
    assert [one["id"] for one in first["interviews"]] == [made["id"]]
    rest = (await hr.call("GET", f"/api/interviews?cursor={first['next']}"))[1]
    assert made["id"] not in [one["id"] for one in rest["interviews"]]
    assert rest["next"] is None


async def test_api_keys_open_the_api_until_they_are_revoked(node: Node, browser: Make) -> None:
    made = await node.services.api_keys.create("ATS")
    assert made.secret not in repr(made)
    headers = {"Authorization": f"Bearer {made.secret}"}
    assert (await browser().call("GET", "/api/interviews", headers=headers))[0] == 200
    assert (await browser().call("POST", "/api/interviews", headers=headers, json=body()))[0] == 201
    assert await node.services.api_keys.revoke(made.key.id)
    refusal = await browser().code("GET", "/api/interviews", headers=headers)
    assert refusal == (401, "unauthenticated")


async def test_a_new_link_replaces_the_old_one(demo: Demo, hr: Browser, browser: Make) -> None:
    device = browser()
    person = (await device.redeem(demo.candidate))["participant"]
    path = f"/api/interviews/{demo.interview_id}/participants/{person}/link"
    status, made, _ = await hr.call("POST", path)
    assert status == 201
    refusal = await device.code("POST", f"/api/links/{demo.candidate}/redeem")
    assert refusal == (403, "link_revoked")
    await browser().redeem(made["link"].rpartition("/")[2])
    nobody = f"/api/interviews/{demo.interview_id}/participants/nobody/link"
    assert await hr.code("POST", nobody) == (404, "participant_unknown")
    assert await hr.code("GET", "/api/interviews/none") == (404, "interview_unknown")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": 3},
        {"rounds": []},
        {"rounds": "x"},
        {"starts_at": "now"},
        {"ends_at": "2020-01-01T00:00:00Z"},
        {"extra": 1},
        {"title": "\ud800"},
        {"participants": [{"name": "x", "role": "candidate", "round": 9}]},
    ],
)
async def test_bad_bodies(hr: Browser, changes: dict[str, Any]) -> None:
    refusal = await hr.code("POST", "/api/interviews", json=body(**changes))
    assert refusal == (422, "request_invalid")


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (b"{", "application/json", (422, "request_invalid")),
        (b"", "application/json", (422, "request_invalid")),
        (b"\xff\xfe", "application/json", (422, "request_invalid")),
        (b"[" * 100_000, "application/json", (422, "request_invalid")),
        (b"{}", "text/plain", (415, "media_type")),
        (b"{}", "application/x-www-form-urlencoded", (415, "media_type")),
        (b" " * (2**20 + 1), "application/json", (413, "body_too_large")),
    ],
)
async def test_hostile_bodies(
    hr: Browser, data: bytes, kind: str, expected: tuple[int, str]
) -> None:
    headers = {"Content-Type": kind}
    assert await hr.code("POST", "/api/interviews", data=data, headers=headers) == expected
    assert (await hr.call("GET", "/api/session"))[0] == 200


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=%00", "cursor=AAAA", "cursor=é", "page=2"]
)
async def test_bad_queries(hr: Browser, query: str) -> None:
    assert await hr.code("GET", f"/api/interviews?{query}") == (422, "request_invalid")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "ftp://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_other_sites_pages_change_nothing(
    node: Node, demo: Demo, hr: Browser, headers: dict[str, str]
) -> None:
    sent = {name: value.replace("{port}", str(node.port)) for name, value in headers.items()}
    refusal = await hr.code("POST", "/api/interviews", json=body(), headers=sent)
    assert refusal == (403, "origin_refused")
    redeem = f"/api/links/{demo.candidate}/redeem"
    assert await hr.code("POST", redeem, headers=sent) == (403, "origin_refused")


async def test_our_own_pages_may(node: Node, hr: Browser) -> None:
    own = {"Origin": f"http://127.0.0.1:{node.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await hr.call("POST", "/api/interviews", json=body(), headers=own))[0] == 201


async def test_unknown_paths_and_methods(browser: Make) -> None:
    device = browser()
    assert await device.code("PUT", "/api/interviews") == (405, "method_not_allowed")
    assert await device.code("POST", "/api/none") == (405, "method_not_allowed")
    assert (await device.call("GET", "/api/none"))[0] == 404
    assert (await device.call("GET", "/../../etc/passwd"))[0] == 404
    assert (await device.call("GET", "/assets/..%2f..%2fpyproject.toml"))[0] == 404


async def test_the_document_describes_every_route(browser: Make) -> None:
    status, document, _ = await browser().call("GET", "/api/openapi.json")
    assert status == 200
    assert document["openapi"] == "3.1.0"
    assert "post" in document["paths"]["/api/links/{link}/redeem"]
    wanted = document["paths"]["/api/interviews"]["post"]
    reference = wanted["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert reference.rpartition("/")[2] in document["components"]["schemas"]
    assert wanted["security"]


async def test_without_redis_hr_is_told_to_try_again(
    start_node: StartNode, own_redis: RedisServer
) -> None:
    node = await start_node(storage={"redis_url": own_redis.url})
    services = node.services
    demo = await make_demo(services.interviews, services.links, utc_now())
    hr, phone = Browser(f"http://127.0.0.1:{node.port}"), Browser(f"http://127.0.0.1:{node.port}")
    try:
        await hr.redeem(demo.hr)
        person = (await phone.redeem(demo.candidate))["participant"]
        path = f"/api/interviews/{demo.interview_id}/participants/{person}"
        own_redis.stop()
        for action in ("link", "release"):
            status, body, _ = await hr.call("POST", f"{path}/{action}")
            assert (status, body["error"]["code"]) == (503, "busy")
            assert body["error"]["remedy"] == "Try again shortly."
        own_redis.start()
        # The same again works: what was refused has left nothing half done.
        status, body, _ = await hr.call("POST", f"{path}/link")
        assert status == 201
        assert (await hr.call("POST", f"{path}/release"))[0] == 204
        assert (await phone.redeem(body["link"].rpartition("/")[2]))["token"]
    finally:
        for one in (hr, phone):
            await one.session.close()
