"""A link that is withdrawn by the command line, or on another node, ends the visit here."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_asyncio

from hr.errors import DatabaseUnavailableError
from server.app import Node
from server.demo import Demo
from server.withdrawals import LOOK_EVERY_S, Withdrawals
from tests.conditions import PATIENCE_S
from tests.server.conftest import Browser, Visitor
from tests.server.test_serve import command

assert LOOK_EVERY_S > PATIENCE_S, "what happens in time here was told, not found by chance"


class NoNews:
    """Redis never says anything."""

    async def wait(self, timeout_s: float) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return


class Panel:
    """A candidate and an interviewer who are here."""

    def __init__(self, candidate: Visitor, interviewer: Visitor, seen: dict[str, Any]) -> None:
        self.candidate, self.interviewer, self.seen = candidate, interviewer, seen


@pytest_asyncio.fixture(loop_scope="session")
async def panel(
    demo: Demo, browser: Callable[[], Browser], visitor: Callable[[], Visitor]
) -> AsyncIterator[Panel]:
    people, seen = [], {}
    for name in ("candidate", "interviewer"):
        redeemed = await browser().redeem(getattr(demo, name))
        one = visitor()
        await one.connect(token=redeemed["token"])
        await one.hear("welcome")
        people.append(one)
        seen[name] = redeemed["participant"]
    yield Panel(*people, seen)
    for one in people:
        await one.close()


async def link_of(node: Node, participant: str) -> str:
    links = await node.services.links.newest(100)
    return next(one.id for one in links if one.participant_id == participant and one.current)


def silent(node: Node) -> tuple[Withdrawals, list[str]]:
    changed: list[str] = []
    services = node.services
    return Withdrawals(services.links, NoNews(), services.visits, changed.append), changed


async def test_the_command_line_ends_a_visit_at_once(node: Node, panel: Panel) -> None:
    link = await link_of(node, panel.seen["candidate"])
    data = str(node.services.settings.storage.data_dir)
    done = await asyncio.to_thread(command, "links", "revoke", link, "--json", MIANSHI_DATA=data)
    assert json.loads(done.stdout) == {"id": link, "state": "revoked", "nodes_told": True}
    assert await panel.candidate.hear("goodbye") == {"reason": "revoked"}
    assert panel.interviewer.last("goodbye") is None


async def test_a_new_link_by_the_command_line_ends_the_visit_of_the_old(
    node: Node, demo: Demo, panel: Panel
) -> None:
    data = str(node.services.settings.storage.data_dir)
    person = panel.seen["candidate"]
    done = await asyncio.to_thread(
        command, "links", "new", demo.interview_id, person, "--json", MIANSHI_DATA=data
    )
    assert done.returncode == 0, done.stderr
    assert await panel.candidate.hear("goodbye") == {"reason": "revoked"}


async def test_word_that_was_lost_is_found_by_looking(node: Node, demo: Demo, panel: Panel) -> None:
    await node.services.links.revoke(await link_of(node, panel.seen["candidate"]))
    withdrawals, changed = silent(node)
    await withdrawals.look()
    await panel.candidate.hear("goodbye")
    assert changed == [demo.interview_id]
    assert panel.interviewer.last("goodbye") is None


async def test_a_device_that_was_released_elsewhere_is_out(
    node: Node, demo: Demo, panel: Panel
) -> None:
    interview = await node.services.interviews.get(demo.interview_id)
    await node.services.links.release(interview, panel.seen["candidate"])
    withdrawals, _ = silent(node)
    await withdrawals.look()
    assert await panel.candidate.hear("goodbye") == {"reason": "revoked"}


async def test_nobody_goes_while_all_is_in_force_or_unknown(
    node: Node, panel: Panel, monkeypatch
) -> None:
    withdrawals, changed = silent(node)
    await withdrawals.look()

    async def away(*_: object) -> dict[str, str]:
        raise DatabaseUnavailableError

    monkeypatch.setattr(node.services.links, "devices", away)
    await withdrawals.look()
    assert changed == []
    assert panel.candidate.last("goodbye") is panel.interviewer.last("goodbye") is None
    assert (await panel.candidate.call("media.state", {"microphone": True, "camera": True}))["ok"]


def test_without_a_node_nobody_is_told(tmp_path) -> None:
    made = command(
        "interviews", "create", "--title", "x", "--candidate", "甲", "--json",
        MIANSHI_DATA=str(tmp_path),
    )  # fmt: skip
    assert made.returncode == 0
    listed = command("links", "list", "--json", MIANSHI_DATA=str(tmp_path))
    [link] = json.loads(listed.stdout)["links"]
    done = command("links", "revoke", link["id"], MIANSHI_DATA=str(tmp_path))
    assert done.returncode == 0
    assert "within 15 s" in done.stdout
