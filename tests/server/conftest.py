"""A whole node in this process: its own data directory, its own Redis, ports from the kernel."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import socketio
from aiohttp import ClientResponse, ClientSession, CookieJar

from config import Settings, read_settings
from server.app import Node, run_node
from server.demo import Demo, make_demo
from server.durable import utc_now
from tests.conditions import Changes

StartNode = Callable[..., Awaitable[Node]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for this folder, so that tests can share a node."""
    for item in items:
        ours = Path(__file__).parent in item.path.parents
        if ours and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def node_settings(data_dir: Path, **sections: dict[str, Any]) -> Settings:
    http = {"port": 0, "failures_per_minute": 100_000, **sections.pop("http", {})}
    storage = {"data_dir": data_dir, **sections.pop("storage", {})}
    return read_settings({"http": http, "storage": storage, **sections})


@pytest_asyncio.fixture(loop_scope="session")
async def start_node(tmp_path: Path) -> AsyncIterator[StartNode]:
    """Start nodes with changed settings; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start(**sections: dict[str, Any]) -> Node:
            settings = node_settings(tmp_path / "data", **sections)
            return await stack.enter_async_context(run_node(settings))

        yield start


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    """A node that tests share: they make interviews of their own and change nothing else."""
    async with run_node(node_settings(tmp_path_factory.mktemp("node") / "data")) as node:
        yield node


@pytest_asyncio.fixture(loop_scope="session")
async def demo(node: Node) -> Demo:
    return await make_demo(node.services.interviews, node.services.links, utc_now())


class Browser:
    """One device: it keeps its cookies, for IP addresses too."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = ClientSession(base, cookie_jar=CookieJar(unsafe=True))

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any, ClientResponse]:
        """The status, the body (decoded if it is JSON), and the response for its headers."""
        async with self.session.request(method, path, **options) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text
            return response.status, (await response.json()) if is_json else text, response

    async def redeem(self, secret: str) -> dict[str, Any]:
        status, body, _ = await self.call("POST", f"/api/links/{secret}/redeem")
        assert status == 200, body
        return body

    async def code(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """The status and stable code of a refusal."""
        status, body, _ = await self.call(method, path, **options)
        assert set(body["error"]) == {"code", "message", "remedy"}
        return status, body["error"]["code"]


@pytest_asyncio.fixture(loop_scope="session")
async def browser(node: Node) -> AsyncIterator[Callable[[], Browser]]:
    made: list[Browser] = []

    def make() -> Browser:
        made.append(Browser(f"http://127.0.0.1:{node.port}"))
        return made[-1]

    yield make
    for one in made:
        await one.session.close()


class Visitor:
    """A Socket.IO client in one namespace."""

    def __init__(self, base: str, namespace: str = "/room") -> None:
        self._base, self._namespace = base, namespace
        self._client = socketio.AsyncClient(reconnection=False)
        self._changes = Changes()
        self.notices: list[tuple[str, Any]] = []
        self.ended = False
        self._client.on("*", namespace=namespace, handler=self._note)
        self._client.on("connect_error", namespace=namespace, handler=self._note_refusal)
        self._client.on("disconnect", namespace=namespace, handler=self._end)
        self.refusal: dict[str, Any] = {}

    async def _note(self, event: str, body: Any) -> None:
        self.notices.append((event, body))
        self._changes.tell()

    async def _end(self, *_: object) -> None:
        self.ended = True
        self._changes.tell()

    async def _note_refusal(self, body: Any) -> None:
        self.refusal = body

    def last(self, event: str) -> Any:
        return next((body for name, body in reversed(self.notices) if name == event), None)

    async def until(self, condition: Callable[[], object]) -> None:
        """Return when `condition` holds; looked at whenever something is heard."""
        await self._changes.until(condition)

    async def hear(self, event: str) -> Any:
        """The newest of that name, waited for."""
        await self.until(lambda: self.last(event))
        return self.last(event)

    async def connect(self, headers: dict[str, str] | None = None, **auth: Any) -> None:
        await self._client.connect(
            self._base,
            namespaces=[self._namespace],
            headers=headers or {},
            auth=auth,
            transports=["websocket"],
        )

    async def call(self, event: str, body: dict[str, Any]) -> Any:
        return await self._client.call(event, body, namespace=self._namespace, timeout=5)

    async def close(self) -> None:
        await self._client.disconnect()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(node: Node) -> AsyncIterator[Callable[[], Visitor]]:
    made: list[Visitor] = []

    def make() -> Visitor:
        made.append(Visitor(f"http://127.0.0.1:{node.port}"))
        return made[-1]

    yield make
    for one in made:
        await one.close()
