"""Opening links over HTTP: cookies, devices, forgeries."""

from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest

from hr.interviews.schemas import NewInterview
from server.app import Node
from server.demo import Demo, make_demo
from server.durable import utc_now
from server.services import Services
from tests.server.conftest import Browser, StartNode

Make = Callable[[], Browser]


async def test_a_preview_burns_nothing_and_names_nobody(demo: Demo, browser: Make) -> None:
    status, body, response = await browser().call("GET", f"/api/links/{demo.candidate}")
    assert status == 200
    assert body["state"] == "open"
    assert body["role"] == "candidate"
    assert (body["title"], body["round"]) == ("前端工程师 Frontend Engineer", "初面")
    assert "李明" not in str(body)
    assert "Set-Cookie" not in response.headers
    assert (await browser().redeem(demo.candidate))["token"]


async def test_redeeming_binds_the_device_with_a_guarded_cookie(demo: Demo, browser: Make) -> None:
    device = browser()
    _, body, response = await device.call("POST", f"/api/links/{demo.candidate}/redeem")
    cookie = SimpleCookie(response.headers["Set-Cookie"])["mianshi_device"]
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["secure"]) == ("Lax", "/", "")
    assert body["expires_in"] == 120
    assert body["participant"].startswith("person_")
    again = await device.redeem(demo.candidate)
    assert again["token"] != body["token"]


async def test_cookies_are_secure_behind_https(start_node: StartNode) -> None:
    node = await start_node(http={"public_url": "https://interviews.example.com"})
    issued = await node.services.links.issue_hr("HR")
    device = Browser(f"http://127.0.0.1:{node.port}")
    try:
        _, _, response = await device.call("POST", f"/api/links/{issued.secret}/redeem")
        cookies = response.headers.getall("Set-Cookie")
        assert len(cookies) == 2
        assert all("Secure" in one and "HttpOnly" in one for one in cookies)
        assert response.headers["Strict-Transport-Security"]
    finally:
        await device.session.close()


async def test_a_second_device_asks_and_is_let_in(demo: Demo, browser: Make) -> None:
    first, second, hr = browser(), browser(), browser()
    person = (await first.redeem(demo.candidate))["participant"]
    link = f"/api/links/{demo.candidate}"
    assert await second.code("POST", f"{link}/redeem") == (403, "link_other_device")
    assert (await second.call("GET", link))[1]["state"] == "other_device"
    assert (await second.call("POST", f"{link}/ask"))[0] == 204
    await hr.redeem(demo.hr)
    interview = f"/api/interviews/{demo.interview_id}"
    people = (await hr.call("GET", interview))[1]["participants"]
    asking = {one["id"]: one["asks_device"] for one in people}
    assert asking.pop(person) is True
    assert not any(asking.values())
    assert (await hr.call("POST", f"{interview}/participants/{person}/release"))[0] == 204
    await second.redeem(demo.candidate)
    assert await first.code("POST", f"{link}/redeem") == (403, "link_other_device")


@pytest.mark.parametrize("cookie", ["", "x", "y" * 63, "z" * 5000, "é" * 40, "a b" * 20])
async def test_invented_device_cookies(demo: Demo, browser: Make, cookie: str) -> None:
    await browser().redeem(demo.candidate)
    path = f"/api/links/{demo.candidate}/redeem"
    headers = {"Cookie": f"mianshi_device={cookie}"}
    assert await browser().code("POST", path, headers=headers) == (403, "link_other_device")


@pytest.mark.parametrize(
    "forged", ["x", "0" * 32, "A" * 500, "%00" * 32, "%2e%2e%2fapi", "%F0%9F%98%80" * 8, "'--" * 11]
)
async def test_forged_links_open_nothing(browser: Make, forged: str) -> None:
    device = browser()
    for method, path in (("GET", ""), ("POST", "/redeem"), ("POST", "/ask")):
        assert await device.code(method, f"/api/links/{forged}{path}") in (
            (404, "link_unknown"),
            (404, "not_found"),
        )


async def test_guessing_is_slowed_down(start_node: StartNode) -> None:
    node = await start_node(http={"failures_per_minute": 5})
    device = Browser(f"http://127.0.0.1:{node.port}")
    try:
        codes = [await device.code("GET", f"/api/links/{n}") for n in range(8)]
        assert codes == [(404, "link_unknown")] * 5 + [(429, "rate_limited")] * 3
        assert (await device.call("GET", "/healthz"))[0] == 200
    finally:
        await device.session.close()


async def test_a_campus_behind_one_address_is_not_guessing(start_node: StartNode) -> None:
    node = await start_node(http={"failures_per_minute": 2})
    services = node.services
    demo = await make_demo(services.interviews, services.links, utc_now())
    phones = [Browser(f"http://127.0.0.1:{node.port}") for _ in range(2)]
    first, second = phones
    link = f"/api/links/{demo.candidate}"
    try:
        for _ in range(50):
            assert (await first.call("GET", link))[0] == 200
            assert (await first.call("POST", f"{link}/redeem"))[0] == 200
        early = await early_link(services)
        for _ in range(3):
            assert await first.code("POST", f"/api/links/{early}/redeem") == (403, "link_early")
        # Somebody else's link is a guess.
        codes = [await second.code("POST", f"{link}/redeem") for _ in range(3)]
        assert codes == [(403, "link_other_device")] * 2 + [(429, "rate_limited")]
    finally:
        for phone in phones:
            await phone.session.close()


async def early_link(services: Services) -> str:
    start = utc_now() + timedelta(days=1)
    interview = await services.interviews.create(
        NewInterview.model_validate(
            {
                "title": "明天",
                "starts_at": start,
                "ends_at": start + timedelta(hours=1),
                "rounds": [{"title": "初面"}],
                "participants": [{"name": "李明", "role": "candidate", "round": 0}],
            }
        )
    )
    [issued] = (await services.links.issue_all(interview)).values()
    return issued.secret


async def test_what_the_pages_and_responses_forbid(node: Node, browser: Make) -> None:
    device = browser()
    for path in ("/i/" + "A" * 32, "/api/links/x", "/healthz", "/nothing/here", "/hr"):
        _, _, response = await device.call("GET", path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert f"connect-src 'self' ws://127.0.0.1:{node.port} wss://" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "'unsafe-inline'" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "camera=(self)" in response.headers["Permissions-Policy"]
        assert response.headers["Cache-Control"] == "no-store" or path == "/nothing/here"
        assert "Server" not in response.headers


@pytest.mark.parametrize("host", ["evil.example; script-src *", "a b", "x" * 400, "é.example"])
async def test_a_crafted_host_adds_nothing_to_the_policy(host: str) -> None:
    from server.middleware.headers import content_security_policy

    assert host not in content_security_policy(host)
    assert content_security_policy(host).count("script-src") == 1
