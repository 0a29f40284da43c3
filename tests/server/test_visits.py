"""From a link to a seat and back, through the composed node."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from socketio.exceptions import ConnectionError as Refused

from hr.errors import DatabaseUnavailableError
from server.app import Node, unix_ms
from server.demo import Demo, make_demo
from server.durable import open_durable, utc_now
from tests.conditions import Changes
from tests.server.conftest import Browser, StartNode, Visitor

Make = Callable[[], Browser]
MakeVisitor = Callable[[], Visitor]


async def refusal(visitor: Visitor, **auth: Any) -> str:
    """The stable code with which a connection is refused."""
    with pytest.raises(Refused):
        await visitor.connect(**auth)
    refused = visitor.refusal
    return str((refused.get("data") or refused)["code"])


async def seated(visitor: Visitor, browser: Browser, secret: str) -> dict[str, Any]:
    answer = await browser.redeem(secret)
    await visitor.connect(token=answer["token"])
    await visitor.hear("welcome")
    return answer


async def test_a_join_token_works_once(demo: Demo, browser: Make, visitor: MakeVisitor) -> None:
    first = visitor()
    answer = await seated(first, browser(), demo.candidate)
    welcome = first.last("welcome")
    assert welcome["you"]["participant"] == answer["participant"]
    assert welcome["you"]["role"] == "candidate"
    assert welcome["room"]["placement"] == "lobby"
    assert await refusal(visitor(), token=answer["token"]) == "token_used"


async def test_resume_and_its_rotation(demo: Demo, browser: Make, visitor: MakeVisitor) -> None:
    first, second = visitor(), visitor()
    await seated(first, browser(), demo.interviewer)
    resume = first.last("welcome")["resume"]
    await first.close()
    await second.connect(resume=resume)
    assert (await second.hear("welcome"))["resumed"] is True
    assert second.last("welcome")["resume"] != resume


async def test_tokens_of_another_kind(demo: Demo, browser: Make, visitor: MakeVisitor) -> None:
    one = visitor()
    answer = await seated(one, browser(), demo.interviewer)
    resume = one.last("welcome")["resume"]
    assert await refusal(visitor(), token=resume) == "token_invalid"
    assert await refusal(visitor(), resume=answer["token"]) == "token_invalid"
    assert await refusal(visitor(), token="x" * 64) == "token_invalid"


async def test_a_token_of_another_installation(
    node: Node, start_node: StartNode, demo: Demo, browser: Make, visitor: MakeVisitor
) -> None:
    other = await start_node()
    foreign = await make_demo(other.services.interviews, other.services.links, utc_now())
    device = Browser(f"http://127.0.0.1:{other.port}")
    try:
        token = (await device.redeem(foreign.candidate))["token"]
    finally:
        await device.session.close()
    assert await refusal(visitor(), token=token) == "token_invalid"


async def test_releasing_a_device_ends_its_visit_and_its_tokens(
    demo: Demo, browser: Make, visitor: MakeVisitor
) -> None:
    one, hr = visitor(), browser()
    answer = await seated(one, browser(), demo.candidate)
    resume = one.last("welcome")["resume"]
    await hr.redeem(demo.hr)
    person = f"/api/interviews/{demo.interview_id}/participants/{answer['participant']}"
    assert (await hr.call("POST", f"{person}/release"))[0] == 204
    assert (await one.hear("goodbye"))["reason"] == "revoked"
    assert await refusal(visitor(), resume=resume) == "token_revoked"


async def test_a_released_device_cannot_use_the_token_it_kept(
    node: Node, demo: Demo, browser: Make, visitor: MakeVisitor
) -> None:
    kept = (await browser().redeem(demo.candidate))["token"]
    hr, another = browser(), browser()
    await hr.redeem(demo.hr)
    participant = next(
        one.id
        for one in (await node.services.interviews.get(demo.interview_id)).participants
        if one.role == "candidate"
    )
    person = f"/api/interviews/{demo.interview_id}/participants/{participant}"
    assert (await hr.call("POST", f"{person}/release"))[0] == 204
    assert await refusal(visitor(), token=kept) == "token_revoked"
    await seated(visitor(), another, demo.candidate)


async def test_withdrawing_ends_the_visit_while_redis_is_away(
    node: Node, demo: Demo, browser: Make, visitor: MakeVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rooms.errors import StoreUnavailable
    from rooms.store.tokens import TokenStore

    async def away(*_: object) -> None:
        raise StoreUnavailable

    one = visitor()
    answer = await seated(one, browser(), demo.candidate)
    monkeypatch.setattr(TokenStore, "revoke", away)
    with pytest.raises(StoreUnavailable):
        await node.services.withdraw(answer["participant"])
    assert (await one.hear("goodbye"))["reason"] == "revoked"


async def test_a_token_outlives_its_link_by_nothing(
    node: Node, demo: Demo, browser: Make, visitor: MakeVisitor
) -> None:
    token = (await browser().redeem(demo.candidate))["token"]
    opened = await node.services.links.look(demo.candidate, None)
    await node.services.links.revoke(opened.link.id)
    assert await refusal(visitor(), token=token) == "token_revoked"


async def test_ending_every_round_ends_the_interview(
    node: Node, demo: Demo, browser: Make, visitor: MakeVisitor
) -> None:
    rooms, changes = node.services.visits.rooms, Changes()
    rooms.on_change(changes.tell)
    for secret in (demo.interviewer, demo.interviewer_2):
        host = visitor()
        await seated(host, browser(), secret)
        assert (await host.call("room.end", {}))["ok"]
    live = rooms.live(demo.interview_id)
    await changes.until(lambda: live.spec.closes_at_ms <= unix_ms())
    device = browser()
    _, look, _ = await device.call("GET", f"/api/links/{demo.candidate}")
    assert look["state"] == "ended"
    redeem = f"/api/links/{demo.candidate}/redeem"
    assert await device.code("POST", redeem) == (403, "link_ended")


@asynccontextmanager
async def hr_list(demo: Demo, console: Browser) -> AsyncIterator[Visitor]:
    """HR's live list, as a signed-in page watches it."""
    await console.redeem(demo.hr)
    cookies = {one.key: one.value for one in console.session.cookie_jar}
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    page = Visitor(console.base, "/hr")
    await page.connect(headers={"Cookie": header})
    try:
        yield page
    finally:
        await page.close()


def told(page: Visitor) -> list[dict[str, Any]]:
    """The interviews that were told one by one, after the list."""
    return [body["interview"] for name, body in page.notices if name == "interview"]


async def test_hr_sees_the_room_live(demo: Demo, browser: Make, visitor: MakeVisitor) -> None:
    async with hr_list(demo, browser()) as hr:
        # What happens before the first list is in the list, and told by nothing else.
        await hr.hear("interviews")
        answer = await seated(visitor(), browser(), demo.candidate)

        def waiting() -> bool:
            people = [one for each in told(hr) for one in each["participants"]]
            return any(
                one["id"] == answer["participant"] and one["placement"] == "lobby" and one["bound"]
                for one in people
            )

        await hr.until(waiting)


async def test_hr_sees_an_interview_that_the_command_line_made(
    node: Node, demo: Demo, browser: Make
) -> None:
    async with hr_list(demo, browser()) as hr:
        await hr.hear("interviews")
        # As `mianshi interviews create` does: nothing of the running node is asked.
        async with open_durable(node.services.settings) as durable:
            made = await make_demo(durable.interviews, durable.links, utc_now())
        await hr.until(lambda: made.interview_id in [one["id"] for one in told(hr)])


async def test_hr_list_outlives_a_database_that_is_away(
    node: Node, demo: Demo, browser: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, asked = Changes(), []

    async def away(*_: object) -> None:
        asked.append(failed.tell())
        raise DatabaseUnavailableError

    async with hr_list(demo, browser()) as hr:
        await hr.hear("interviews")
        with monkeypatch.context() as patch:
            patch.setattr(node.services.interviews, "newest", away)
            async with open_durable(node.services.settings) as durable:
                made = await make_demo(durable.interviews, durable.links, utc_now())
            await failed.until(lambda: asked)
        await hr.until(lambda: made.interview_id in [one["id"] for one in told(hr)])
        assert not hr.ended


async def test_hr_list_needs_the_cookie(node: Node) -> None:
    page = Visitor(f"http://127.0.0.1:{node.port}", "/hr")
    assert await refusal(page) == "token_invalid"
    await page.close()


async def test_the_nodes_limits_are_the_settings(start_node: StartNode) -> None:
    node = await start_node(rooms={"max_participants": 1, "grace_s": 1})
    services, changes = node.services, Changes()
    services.visits.rooms.on_change(changes.tell)
    demo = await make_demo(services.interviews, services.links, utc_now())
    base = f"http://127.0.0.1:{node.port}"
    device, other, first, second = Browser(base), Browser(base), Visitor(base), Visitor(base)
    try:
        await seated(first, device, demo.interviewer)
        ready, body, _ = await device.call("GET", "/readyz")
        assert (ready, body["failures"]) == (503, {"capacity": "full"})
        token = (await other.redeem(demo.candidate))["token"]
        assert await refusal(second, token=token) == "busy"
        assert "another node" in str(second.refusal)
        await first.close()
        # The seat is given up after MIANSHI_ROOMS_GRACE_S; the token is still good then.
        await changes.until(lambda: not services.visits.rooms.is_full)
        assert (await device.call("GET", "/readyz"))[0] == 200
        await second.connect(token=token)
    finally:
        for one in (first, second):
            await one.close()
        for one in (device, other):
            await one.session.close()
