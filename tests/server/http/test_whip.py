"""WHIP and WHEP as RFC 9725 has them, on a real node."""

from collections.abc import Callable
from pathlib import Path

import pytest

from server.bearer_sessions import ice_credentials
from server.demo import Demo, make_demo
from server.durable import utc_now
from tests.server.conftest import Browser, StartNode, Visitor

OFFER = (Path(__file__).parents[2] / "vectors/sdp/gstreamer-whip.sdp").read_text()
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}

Make = Callable[[], Browser]


async def token_of(device: Browser, secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await device.redeem(secret))['token']}"}


async def test_publish_trickle_restart_and_end(demo: Demo, browser: Make) -> None:
    device = browser()
    bearer = await token_of(device, demo.interviewer)
    status, answer, response = await device.call(
        "POST", "/whip", data=OFFER, headers={**bearer, **SDP}
    )
    assert status == 201, answer
    assert response.content_type == "application/sdp"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "a=ice-lite" in answer
    location, etag = response.headers["Location"], response.headers["ETag"]
    assert location.startswith("/whip/")

    trickle = "a=ice-ufrag:none\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n"
    headers = {**bearer, **FRAGMENT, "If-Match": etag}
    assert (await device.call("PATCH", location, data=trickle, headers=headers))[0] == 204
    headers["If-Match"] = '"other"'
    assert await device.code("PATCH", location, data=trickle, headers=headers) == (
        412, "precondition",
    )  # fmt: skip
    del headers["If-Match"]
    assert await device.code("PATCH", location, data=trickle, headers=headers) == (
        428, "precondition_missing",
    )  # fmt: skip

    fresh = "a=ice-ufrag:newufrag\r\na=ice-pwd:newpasswordnewpassword00\r\n"
    headers["If-Match"] = "*"
    status, fragment, response = await device.call("PATCH", location, data=fresh, headers=headers)
    assert status == 200, fragment
    assert response.headers["ETag"] != etag
    assert ice_credentials(fragment) is not None
    assert ice_credentials(fragment) != ice_credentials(answer)
    assert "a=candidate:" in fragment

    assert (await device.call("DELETE", location, headers=bearer))[0] == 200
    assert await device.code("DELETE", location, headers=bearer) == (404, "session_unknown")


async def test_a_restart_is_answered_in_the_first_section_that_was_accepted(
    demo: Demo, browser: Make
) -> None:
    channel = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:data\n"
    device = browser()
    bearer = await token_of(device, demo.interviewer)
    offer = OFFER.replace("m=video", channel + "m=video")
    _, _, response = await device.call("POST", "/whip", data=offer, headers={**bearer, **SDP})
    fresh = "a=ice-ufrag:newufrag\r\na=ice-pwd:newpasswordnewpassword00\r\n"
    _, fragment, _ = await device.call(
        "PATCH",
        response.headers["Location"],
        data=fresh,
        headers={**bearer, **FRAGMENT, "If-Match": "*"},
    )
    lines = fragment.splitlines()
    assert lines[0] == "a=ice-lite"
    assert lines[3].startswith("m=video 9 ")
    assert lines[4] == "a=mid:video0"
    assert lines[5].startswith("a=candidate:")
    assert lines[-1] == "a=end-of-candidates"


async def test_relays_are_named_in_link_headers(start_node: StartNode) -> None:
    urls = ("turn:turn.example.com:3478?transport=udp", "stun:stun.example.com")
    node = await start_node(turn={"urls": urls, "secret": "a secret of the relay's"})
    demo = await make_demo(node.services.interviews, node.services.links, utc_now())
    device = Browser(f"http://127.0.0.1:{node.port}")
    headers = {**(await token_of(device, demo.interviewer)), **SDP}
    _, _, response = await device.call("POST", "/whip", data=OFFER, headers=headers)
    stun, relay = response.headers.getall("Link")
    assert stun == '<stun:stun.example.com>; rel="ice-server"'
    assert relay.startswith(f'<{urls[0]}>; rel="ice-server"; username="')
    assert relay.endswith('"; credential-type="password"')
    await device.session.close()


async def test_a_session_is_its_tokens_own(demo: Demo, browser: Make) -> None:
    device, other = browser(), browser()
    bearer = await token_of(device, demo.interviewer)
    foreign = await token_of(other, demo.interviewer_2)
    _, _, response = await device.call("POST", "/whip", data=OFFER, headers={**bearer, **SDP})
    location = response.headers["Location"]
    assert await other.code("DELETE", location, headers=foreign) == (404, "session_unknown")
    assert await other.code("DELETE", location) == (401, "unauthenticated")
    assert (await device.call("DELETE", location, headers=bearer))[0] == 200


async def test_tokens_are_used_up(demo: Demo, browser: Make) -> None:
    device = browser()
    bearer = await token_of(device, demo.interviewer)
    headers = {**bearer, **SDP}
    assert (await device.call("POST", "/whip", data=OFFER, headers=headers))[0] == 201
    assert await device.code("POST", "/whip", data=OFFER, headers=headers) == (401, "token_used")


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (None, (401, "unauthenticated")),
        ("Basic dTpw", (401, "unauthenticated")),
        ("Bearer", (401, "unauthenticated")),
        ("Bearer x", (401, "token_invalid")),
        ("Bearer " + "x" * 5000, (401, "token_invalid")),
    ],
)
async def test_forged_tokens(
    browser: Make, authorization: str | None, expected: tuple[int, str]
) -> None:
    headers = SDP if authorization is None else {**SDP, "Authorization": authorization}
    device = browser()
    assert await device.code("POST", "/whip", data=OFFER, headers=headers) == expected
    status, _, response = await device.call("POST", "/whep/x", data=OFFER, headers=headers)
    assert status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (OFFER.encode(), "text/plain", 415),
        (b"", "application/sdp", 400),
        (b"v=0\r\n", "application/sdp", 400),
        (b"\xff\xfe", "application/sdp", 422),
        (b"a" * (128 * 1024 + 1), "application/sdp", 413),
        (OFFER.replace("a=fingerprint", "a=fingerprnt").encode(), "application/sdp", 400),
    ],
)
async def test_offers_that_cannot_be_answered(
    demo: Demo, browser: Make, body: bytes, content_type: str, status: int
) -> None:
    device = browser()
    headers = {**await token_of(device, demo.interviewer), "Content-Type": content_type}
    found, code = await device.code("POST", "/whip", data=body, headers=headers)
    assert (found, bool(code)) == (status, True)


async def test_preflight(browser: Make) -> None:
    headers = {"Origin": "https://studio.example", "Access-Control-Request-Method": "POST"}
    for path in ("/whip", "/whip/x", "/whep/x"):
        status, _, response = await browser().call("OPTIONS", path, headers=headers)
        assert status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert response.headers["Accept-Post"] == "application/sdp"


async def test_watching_is_for_people_of_the_room(
    demo: Demo, browser: Make, visitor: Callable[[], Visitor]
) -> None:
    host, device = visitor(), browser()
    answer = await browser().redeem(demo.interviewer)
    await host.connect(token=answer["token"])
    await host.hear("welcome")
    bearer = await token_of(device, demo.candidate)
    offer = OFFER.replace("a=sendonly", "a=recvonly")
    refused = await device.code(
        "POST", f"/whep/{answer['participant']}", data=offer, headers={**bearer, **SDP}
    )
    assert refused == (409, "not_seated")
