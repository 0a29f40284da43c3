"""The composition root: everything is made here, in the order in which it depends on each other."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from aiohttp import web
from redis.asyncio import Redis

from config import Settings
from hr.database import Database, database_url, open_database
from hr.interviews.service import InterviewService
from hr.links.service import LinkService
from rooms.service import RoomService
from rooms.store.journal import Journal
from rooms.store.tokens import TokenStore
from server.addresses import lan_addresses, reachable_host, url_host
from server.figures import NodeFigures
from server.interview_source import ScheduledInterviews
from server.listening import listen_http
from server.live import Unattended
from server.migrations.upgrade import upgrade
from server.observability.metrics import Metrics
from server.private_redis import PrivateRedis
from server.readiness import NodeReadiness
from server.security.admission import TokenAdmission
from server.security.api_keys import ApiKeyService
from server.security.hr_sessions import HrSessions
from server.security.keyring import ReloadingKeyring
from server.security.tokens import TokenSigner
from server.services import Services
from server.tls import ssl_context
from server.web import finish_web_app, make_web_app

log = structlog.get_logger("server.app")

REDIS_TIMEOUT_S = 2.0

SHUTDOWN_TIMEOUT_S = 1.0
"""For requests under way; the whole stop takes at most 5 s."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def unix_ms() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Durable:
    """What the command line needs too: settings, SQL and what is kept in it."""

    settings: Settings
    database: Database
    interviews: InterviewService
    links: LinkService
    api_keys: ApiKeyService


@asynccontextmanager
async def open_durable(settings: Settings) -> AsyncIterator[Durable]:
    """Open the database, brought to the newest version."""
    storage = settings.storage
    storage.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    configured = storage.database_url
    secret = None if configured is None else configured.get_secret_value()
    url = database_url(secret, storage.data_dir)
    database = open_database(url)
    try:
        await upgrade(database)
        yield Durable(
            settings=settings,
            database=database,
            interviews=InterviewService(database, utc_now),
            links=LinkService(database, utc_now),
            api_keys=ApiKeyService(database, utc_now),
        )
    finally:
        await database.close()


def public_url(settings: Settings, port: int) -> str:
    """What links begin with."""
    if settings.http.public_url is not None:
        return settings.http.public_url
    scheme = "https" if settings.http.serves_tls else "http"
    return f"{scheme}://{url_host(reachable_host(settings.http.host))}:{port}"


@dataclass(slots=True)
class Node:
    """A running node."""

    durable: Durable
    services: Services
    readiness: NodeReadiness
    port: int
    """Of HTTP."""
    media_port: int
    stopped: list[str] = field(default_factory=list)


@asynccontextmanager
async def run_node(settings: Settings) -> AsyncIterator[Node]:
    """Start a node; when the context is entered it serves. On leaving it stops in order.

    Raises StartError, SettingsError, HrError, SfuError for what cannot start.
    """
    async with AsyncExitStack() as stack:
        listening = listen_http(settings.http)
        stack.callback(listening.close)
        durable = await stack.enter_async_context(open_durable(settings))
        redis = await _open_redis(stack, settings)
        node, app = await _compose(stack, durable, redis, listening)
        await _serve(stack, settings, app, listening)
        yield node
        node.readiness.stopping = True


async def _open_redis(stack: AsyncExitStack, settings: Settings) -> Redis:
    """The configured Redis, or a private one. It may be away later, but not at the start."""
    configured = settings.storage.redis_url
    if configured is None:
        private = PrivateRedis(settings.storage.data_dir / "redis")
        await private.start()
        stack.push_async_callback(private.stop)
        url = private.url
    else:
        url = configured.get_secret_value()
    redis = Redis.from_url(
        url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
    )
    stack.push_async_callback(redis.aclose)
    return redis


async def _compose(
    stack: AsyncExitStack, durable: Durable, redis: Redis, listening: socket.socket
) -> tuple[Node, web.Application]:
    settings, metrics = durable.settings, Metrics()
    port: int = listening.getsockname()[1]
    signer = TokenSigner(ReloadingKeyring(settings.storage.keys_file, utc_now), utc_now)
    security = settings.security
    sessions = HrSessions(
        signer, durable.links, durable.api_keys, timedelta(seconds=security.hr_session_s)
    )
    admission = TokenAdmission(
        signer=signer,
        store=TokenStore(redis),
        links=durable.links,
        interviews=durable.interviews,
        metrics=metrics,
        join_lifetime=timedelta(seconds=security.join_token_s),
        resume_lifetime=timedelta(seconds=security.resume_token_s),
        now=utc_now,
    )
    journal = Journal(redis)
    rooms = RoomService(ScheduledInterviews(durable.interviews), journal, clock_ms=unix_ms)
    passing = asyncio.create_task(rooms.run())
    stack.push_async_callback(_cancelled, passing)
    live = Unattended()
    readiness = NodeReadiness(
        redis,
        durable.database,
        settings.rooms,
        rooms=rooms.room_count,
        visits=live.__len__,
    )
    services = Services(
        settings=settings,
        public_url=public_url(settings, port),
        interviews=durable.interviews,
        links=durable.links,
        api_keys=durable.api_keys,
        hr_sessions=sessions,
        join_tokens=admission,
        visits=live,
        live=live,
        readiness=readiness,
    )
    app = make_web_app(services, metrics, NodeFigures(rooms, live, journal))
    finish_web_app(app)
    return Node(durable, services, readiness, port, 0), app


async def _serve(
    stack: AsyncExitStack, settings: Settings, app: web.Application, listening: socket.socket
) -> None:
    context = ssl_context(settings.http, settings.storage.data_dir, lan_addresses(), utc_now())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listening, ssl_context=context).start()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
