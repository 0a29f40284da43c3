"""Liveness, readiness and figures, also while other programs are away."""

import os
import signal

import pytest

from server.app import Node
from tests.conditions import seen
from tests.redis_server import RedisServer
from tests.server.conftest import Browser, StartNode


async def wait_for(device: Browser, status: int) -> dict[str, str]:
    """What `/readyz` names once it answers with this status."""
    answer = await seen(lambda: device.call("GET", "/readyz"), lambda found: found[0] == status)
    return answer[1]["failures"]


async def test_a_healthy_node(node: Node) -> None:
    device = Browser(f"http://127.0.0.1:{node.port}")
    try:
        assert (await device.call("GET", "/healthz"))[:2] == (200, {"status": "ok"})
        assert await wait_for(device, 200) == {}
        status, text, response = await device.call("GET", "/metrics")
        assert status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        for name in ("mianshi_rooms ", "mianshi_media_peers ", "mianshi_http_request_seconds"):
            assert name in text
    finally:
        await device.session.close()


TOKEN = "t" * 32


@pytest.mark.parametrize(
    ("http", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, {"X-Forwarded-For": "10.0.0.1"}, 401),
        ({}, {"Forwarded": "for=10.0.0.1"}, 401),
        ({"public_url": "https://interviews.example.com"}, {}, 401),
        ({"trust_forwarded_for": True}, {}, 401),
        ({"metrics_token": TOKEN}, {}, 401),
        ({"metrics_token": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"metrics_token": TOKEN}, {"Authorization": "Bearer \u00ff"}, 401),
        ({"metrics_token": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, 401),
        ({"metrics_token": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}, 200),
        (
            {"metrics_token": TOKEN, "public_url": "https://interviews.example.com"},
            {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "10.0.0.1"},
            200,
        ),
    ],
)
async def test_figures_are_for_operators(
    start_node: StartNode, http: dict[str, object], headers: dict[str, str], status: int
) -> None:
    node = await start_node(http=http)
    device = Browser(f"http://127.0.0.1:{node.port}")
    try:
        if status == 200:
            assert (await device.call("GET", "/metrics", headers=headers))[0] == 200
        else:
            refused = await device.code("GET", "/metrics", headers=headers)
            assert refused == (401, "metrics_refused")
        assert TOKEN not in repr(node.services.settings)
    finally:
        await device.session.close()


async def test_redis_away_is_not_ready_but_alive(
    start_node: StartNode, own_redis: RedisServer
) -> None:
    url = own_redis.url
    node = await start_node(storage={"redis_url": url})
    device = Browser(f"http://127.0.0.1:{node.port}")
    try:
        assert await wait_for(device, 200) == {}
        own_redis.stop()
        assert await wait_for(device, 503) == {"redis": "does not answer"}
        assert (await device.call("GET", "/healthz"))[0] == 200
        own_redis.start()
        assert await wait_for(device, 200) == {}
    finally:
        await device.session.close()


async def test_the_private_redis_dying_is_noticed(start_node: StartNode) -> None:
    node = await start_node()
    device = Browser(f"http://127.0.0.1:{node.port}")
    try:
        assert node.private_redis is not None
        assert node.private_redis.pid is not None
        os.kill(node.private_redis.pid, signal.SIGKILL)
        assert "redis" in await wait_for(device, 503)
        assert (await device.call("GET", "/healthz"))[0] == 200
        # It is started again: nobody else would.
        assert await wait_for(device, 200) == {}
    finally:
        await device.session.close()


async def test_a_full_or_stopping_node_takes_nobody_new(start_node: StartNode) -> None:
    node = await start_node()
    device = Browser(f"http://127.0.0.1:{node.port}")
    try:
        node.readiness.stopping = True
        assert await wait_for(device, 503) == {"node": "stopping"}
    finally:
        await device.session.close()
