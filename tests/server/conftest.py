"""A whole node in this process: its own data directory, its own Redis, ports from the kernel."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from config import Settings, read_settings
from server.app import Node, run_node
from server.demo import Demo, make_demo
from server.durable import utc_now

StartNode = Callable[..., Awaitable[Node]]


def node_settings(data_dir: Path, **sections: dict[str, Any]) -> Settings:
    http = {"port": 0, "lookups_per_minute": 100_000, **sections.pop("http", {})}
    storage = {"data_dir": data_dir, **sections.pop("storage", {})}
    return read_settings({"http": http, "storage": storage, **sections})


@pytest.fixture
async def start_node(tmp_path: Path) -> AsyncIterator[StartNode]:
    """Start nodes with changed settings; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start(**sections: dict[str, Any]) -> Node:
            settings = node_settings(tmp_path / "data", **sections)
            return await stack.enter_async_context(run_node(settings))

        yield start


@pytest.fixture
async def node(start_node: StartNode) -> Node:
    return await start_node()


@pytest.fixture
async def demo(node: Node) -> Demo:
    return await make_demo(node.services.interviews, node.services.links, utc_now())


class Browser(ClientSession):
    """One device: it keeps its cookies, for IP addresses too."""

    def __init__(self, base: str) -> None:
        super().__init__(base, cookie_jar=CookieJar(unsafe=True))

    async def redeem(self, secret: str) -> dict[str, Any]:
        async with self.post(f"/api/links/{secret}/redeem") as response:
            body: dict[str, Any] = await response.json()
            assert response.status == 200, body
            return body


@pytest.fixture
async def browser(node: Node) -> AsyncIterator[Callable[[], Browser]]:
    async with AsyncExitStack() as stack:
        made: list[Browser] = []

        def make() -> Browser:
            made.append(Browser(f"http://127.0.0.1:{node.port}"))
            return made[-1]

        yield make
        for one in made:
            await stack.enter_async_context(one)
