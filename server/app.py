"""The composition root: everything is made here, in the order in which it depends on each other."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiohttp import web
from redis.asyncio import Redis

from config import Settings
from rooms.service import NodeLimits, RoomService
from rooms.store.client import redis_client
from rooms.store.journal import Journal
from rooms.store.link_news import LinkNews
from rooms.store.tokens import TokenStore
from server.addresses import lan_addresses
from server.bearer_sessions import BearerSessions
from server.durable import Durable, open_durable, public_url, utc_now
from server.endings import Endings
from server.figures import NodeFigures
from server.hr_feed import LiveList
from server.interview_source import ScheduledInterviews
from server.listening import listen_http
from server.media import start_media
from server.observability.metrics import Metrics
from server.private_redis import PrivateRedis
from server.quality_archive import SqlQualityArchive
from server.readiness import NodeReadiness
from server.security.admission import TokenAdmission
from server.security.hr_sessions import HrSessions
from server.security.keyring import ReloadingKeyring
from server.security.sign_outs import SignOuts
from server.security.tokens import TokenSigner
from server.services import Services
from server.stopping import Closing, Step
from server.surroundings import NodeSurroundings
from server.tls import ssl_context
from server.turn import TurnServers
from server.web import finish_web_app, make_web_app
from server.withdrawals import Withdrawals
from sfu.api import Sfu
from signaling.session.visits import Visits
from signaling.socketio.server import SignalingServer

log = structlog.get_logger("server.app")

SHUTDOWN_TIMEOUT_S = 1.0
"""For requests under way."""


def unix_ms() -> int:
    return int(time.time() * 1000)


@dataclass(slots=True)
class Node:
    """A running node."""

    durable: Durable
    services: Services
    readiness: NodeReadiness
    signaling: SignalingServer
    sfu: Sfu
    port: int
    """Of HTTP."""
    private_redis: PrivateRedis | None = None


@asynccontextmanager
async def run_node(settings: Settings, closing: Closing | None = None) -> AsyncIterator[Node]:
    """Start a node; when the context is entered it serves. On leaving it stops in order.

    Whoever handles signals gives the `closing`, to see how far a stop has come.
    Raises StartError, SettingsError, HrError, SfuError for what cannot start.
    """
    closing = closing or Closing()
    try:
        listening = listen_http(settings.http)
        closing.push("the HTTP port", _later(listening.close))
        durable = await _open_durable(closing, settings)
        private = await _start_private_redis(closing, settings)
        redis = _redis_client(closing, settings, private)
        node, app = await _compose(closing, durable, redis, listening)
        node.private_redis = private
        await _serve(closing, settings, app, listening)
        sweeping = asyncio.create_task(node.signaling.run())
        closing.push("the sweep of silent lines", lambda: _cancelled(sweeping))
        closing.push("the goodbyes", node.signaling.close)
        log.info(
            "serving",
            url=node.services.public_url,
            media_port=node.sfu.port,
            media_tcp_port=node.sfu.tcp_port,
        )
        yield node
        node.readiness.stopping = True
        log.info("stopping")
    finally:
        await closing.close()


async def _open_durable(closing: Closing, settings: Settings) -> Durable:
    opening = open_durable(settings)
    durable = await opening.__aenter__()
    closing.push("the database", lambda: opening.__aexit__(None, None, None))
    return durable


async def _start_private_redis(closing: Closing, settings: Settings) -> PrivateRedis | None:
    if settings.storage.redis_url is not None:
        return None
    private = PrivateRedis(settings.storage.data_dir / "redis")
    closing.push_kill(private.kill)
    await private.start()
    closing.push("the private Redis", private.stop)
    return private


def _redis_client(closing: Closing, settings: Settings, private: PrivateRedis | None) -> Redis:
    """Nothing is connected yet: a Redis that is away makes the node unready, not dead."""
    configured = settings.storage.redis_url
    if private is not None:
        url = private.url
    else:
        assert configured is not None, "without a URL there is a private Redis"
        url = configured.get_secret_value()
    redis = redis_client(url)
    closing.push("the Redis connections", redis.aclose)
    return redis


async def _compose(
    closing: Closing, durable: Durable, redis: Redis, listening: socket.socket
) -> tuple[Node, web.Application]:
    settings, metrics = durable.settings, Metrics()
    port: int = listening.getsockname()[1]
    limits = NodeLimits(
        max_rooms=settings.rooms.max_rooms,
        max_participants=settings.rooms.max_participants,
        grace_ms=1000 * settings.rooms.grace_s,
    )
    signer = TokenSigner(ReloadingKeyring(settings.storage.keys_file, utc_now), utc_now)
    security = settings.security
    sessions = HrSessions(
        signer,
        durable.links,
        durable.api_keys,
        SignOuts(durable.database, utc_now),
        timedelta(seconds=security.hr_session_s),
    )
    admission = TokenAdmission(
        signer=signer,
        store=TokenStore(redis, overlap_ms=2 * limits.grace_ms),
        links=durable.links,
        interviews=durable.interviews,
        metrics=metrics,
        join_lifetime=timedelta(seconds=security.join_token_s),
        resume_lifetime=timedelta(seconds=security.resume_token_s),
        now=utc_now,
    )
    journal = Journal(redis)
    rooms = RoomService(
        ScheduledInterviews(durable.interviews), journal, clock_ms=unix_ms, limits=limits
    )
    passing = asyncio.create_task(rooms.run())
    closing.push("the live store's last writes", lambda: _cancelled(passing))
    sfu = await start_media(settings, port)
    closing.push("the media engine", sfu.close)
    surroundings = NodeSurroundings(settings.hr, TurnServers(settings.turn, utc_now))
    visits = Visits(
        rooms,
        sfu,
        admission,
        surroundings,
        clock_ms=unix_ms,
        archive=SqlQualityArchive(durable.quality, utc_now),
        figures=metrics.quality,
    )
    sfu.listen(visits.desk)
    sampling = asyncio.create_task(visits.quality.run())
    closing.push("the last quality records", visits.quality.close)
    closing.push("the sampling of quality", lambda: _cancelled(sampling))
    feed = LiveList(sessions, durable.interviews, durable.links, durable.quality, rooms)
    signaling = SignalingServer(visits, feed, origins=_origins(settings))
    rooms.on_change(signaling.hr_changed)
    endings = Endings(rooms, durable.interviews)
    rooms.on_change(endings.on_change)
    closing.push("the endings to be noted", endings.close)
    withdrawals = Withdrawals(durable.links, LinkNews(redis), visits, signaling.hr_changed)
    looking = asyncio.create_task(withdrawals.run())
    closing.push("the watch for withdrawn links", lambda: _cancelled(looking))
    readiness = NodeReadiness(redis, durable.database, rooms)
    services = Services(
        settings=settings,
        public_url=public_url(settings, port),
        interviews=durable.interviews,
        links=durable.links,
        quality=durable.quality,
        api_keys=durable.api_keys,
        hr_sessions=sessions,
        join_tokens=admission,
        visits=visits,
        bearer_sessions=BearerSessions(2 * settings.rooms.max_participants),
        live=signaling,
        readiness=readiness,
    )
    app = make_web_app(services, metrics, NodeFigures(rooms, visits, journal, sfu))
    signaling.attach(app)
    finish_web_app(app)
    return Node(durable, services, readiness, signaling, sfu, port), app


def _origins(settings: Settings) -> tuple[str, ...]:
    own = settings.http.public_url
    return (*settings.http.allowed_origins, *((own,) if own else ()))


async def _serve(
    closing: Closing, settings: Settings, app: web.Application, listening: socket.socket
) -> None:
    context = ssl_context(settings.http, settings.storage.data_dir, lan_addresses(), utc_now())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    closing.push("HTTP", runner.cleanup)
    await web.SockSite(runner, listening, ssl_context=context).start()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _later(close: Callable[[], None]) -> Step:
    async def step() -> None:
        close()

    return step
