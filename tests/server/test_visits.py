"""From a link to a seat and back, through the composed node."""

from collections.abc import Callable
from typing import Any

import pytest
from socketio.exceptions import ConnectionError as Refused

from server.app import Node, unix_ms
from server.demo import Demo, make_demo
from server.durable import open_durable, utc_now
from tests.conditions import until
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
    await until(lambda: visitor.last("welcome"))
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
    await until(lambda: second.last("welcome"))
    assert second.last("welcome")["resumed"] is True
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
    await until(lambda: one.last("goodbye"))
    assert one.last("goodbye")["reason"] == "revoked"
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
    await until(lambda: one.last("goodbye"))
    assert one.last("goodbye")["reason"] == "revoked"


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
    for secret in (demo.interviewer, demo.interviewer_2):
        host = visitor()
        await seated(host, browser(), secret)
        assert (await host.call("room.end", {}))["ok"]
    device = browser()

    async def state() -> str:
        return (await device.call("GET", f"/api/links/{demo.candidate}"))[1]["state"]

    for _ in range(200):
        if await state() == "ended":
            break
    rooms = node.services.visits.rooms
    live = rooms.live(demo.interview_id)
    await until(lambda: live.spec.closes_at_ms <= unix_ms())
    redeem = f"/api/links/{demo.candidate}/redeem"
    assert await device.code("POST", redeem) == (403, "link_ended")


async def test_hr_sees_the_room_live(
    node: Node, demo: Demo, browser: Make, visitor: MakeVisitor
) -> None:
    import socketio

    hr = browser()
    await hr.redeem(demo.hr)
    cookies = {one.key: one.value for one in hr.session.cookie_jar}
    told: list[dict[str, Any]] = []
    client = socketio.AsyncClient(reconnection=False)

    async def changed(body: dict[str, Any]) -> None:
        told.append(body["interview"])

    listed: list[object] = []
    client.on("interview", changed, namespace="/hr")
    client.on("interviews", listed.append, namespace="/hr")
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    await client.connect(
        hr.base, namespaces=["/hr"], headers={"Cookie": header}, transports=["websocket"]
    )
    try:
        # What happens before the first list is in the list, and told by nothing else.
        await until(lambda: listed)
        answer = await seated(visitor(), browser(), demo.candidate)

        def waiting() -> bool:
            people = [one for each in told for one in each["participants"]]
            return any(
                one["id"] == answer["participant"] and one["placement"] == "lobby" and one["bound"]
                for one in people
            )

        await until(waiting)
    finally:
        await client.disconnect()


async def test_hr_sees_an_interview_that_the_command_line_made(
    node: Node, demo: Demo, browser: Make
) -> None:
    import socketio

    hr = browser()
    await hr.redeem(demo.hr)
    cookies = {one.key: one.value for one in hr.session.cookie_jar}
    told: list[str] = []
    client = socketio.AsyncClient(reconnection=False)
    client.on("interviews", lambda body: told.append("all"), namespace="/hr")
    client.on("interview", lambda body: told.append(body["interview"]["id"]), namespace="/hr")
    await client.connect(
        f"http://127.0.0.1:{node.port}",
        namespaces=["/hr"],
        transports=["websocket"],
        headers={"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())},
    )
    try:
        await until(lambda: told)
        # As `mianshi interviews create` does: nothing of the running node is asked.
        async with open_durable(node.services.settings) as durable:
            made = await make_demo(durable.interviews, durable.links, utc_now())
        await until(lambda: made.interview_id in told)
    finally:
        await client.disconnect()


async def test_hr_list_needs_the_cookie(node: Node) -> None:
    import socketio

    client = socketio.AsyncClient(reconnection=False)
    with pytest.raises(Refused):
        await client.connect(
            f"http://127.0.0.1:{node.port}", namespaces=["/hr"], transports=["websocket"]
        )
    await client.disconnect()


async def test_the_nodes_limits_are_the_settings(start_node: StartNode) -> None:
    node = await start_node(rooms={"max_participants": 1, "grace_s": 1})
    services = node.services
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
        await until(lambda: not services.visits.rooms.is_full)
        assert (await device.call("GET", "/readyz"))[0] == 200
        await second.connect(token=token)
    finally:
        for one in (first, second):
            await one.close()
        for one in (device, other):
            await one.session.close()
