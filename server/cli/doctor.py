"""`mianshi doctor`: what would keep a node from working here, before it does."""

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from config import Settings
from server.cli import doctor_network
from server.cli.findings import Finding
from server.cli.output import AsJson, CommandError, run, say, settings

RMEM_MAX_BYTES = 2 * 2**20
"""A burst of keyframes fills the default 208 KiB in milliseconds."""

REDIS_TIMEOUT_S = 2.0


def doctor(as_json: AsJson = False) -> None:
    """Check ports, TURN, database, Redis, engine, kernel, TLS and pages. Changes nothing."""
    found = run(_examine(settings()))
    failed = [one.check for one in found if one.state == "failed"]
    body = {"ok": not failed, "findings": [asdict(one) for one in found]}
    say(body, [f"{one.state:<8} {one.check:<10} {one.says}" for one in found], as_json=as_json)
    if failed:
        raise CommandError(f"{len(failed)} checks failed: {', '.join(failed)}", "See above")


Check = Callable[[Settings], Awaitable[Finding]]


async def _examine(chosen: Settings) -> list[Finding]:
    checks: tuple[tuple[str, Check], ...] = (
        ("http", doctor_network.http_port),
        ("media", doctor_network.media_port),
        ("media_tcp", doctor_network.media_tcp),
        ("addresses", doctor_network.advertised),
        ("turn", doctor_network.turn),
        ("database", _database),
        ("redis", _redis),
        ("engine", _engine),
        ("rmem_max", _receive_buffer),
        ("tls", _tls),
        ("pages", _pages),
        ("clock", _clock),
    )
    return [await _guarded(name, check, chosen) for name, check in checks]


async def _guarded(name: str, check: Check, chosen: Settings) -> Finding:
    try:
        return await check(chosen)
    except Exception as error:
        return Finding(name, "failed", f"{type(error).__name__}: {error}")


def _exists(path: str) -> bool:
    return Path(path).exists()


def _kernel_number(name: str) -> int:
    return int((Path("/proc/sys") / name).read_text())


async def _database(chosen: Settings) -> Finding:
    from hr.database import database_url, open_database  # noqa: PLC0415

    storage = chosen.storage
    secret = storage.database_url
    url = database_url(None if secret is None else secret.get_secret_value(), storage.data_dir)
    if url.get_backend_name() == "sqlite" and not _exists(url.database or ""):
        return Finding("database", "ok", "SQLite, made at the first start")
    database = open_database(url)
    try:
        if await database.ready():
            return Finding("database", "ok", f"{url.get_backend_name()} answers")
        return Finding("database", "failed", f"{url.get_backend_name()} does not answer")
    finally:
        await database.close()


async def _redis(chosen: Settings) -> Finding:
    from redis.asyncio import Redis  # noqa: PLC0415

    from server.private_redis import redis_binary  # noqa: PLC0415

    if chosen.storage.redis_url is None:
        return Finding("redis", "ok", f"a private one will be started: {redis_binary()}")
    url = chosen.storage.redis_url.get_secret_value()
    async with asyncio.timeout(REDIS_TIMEOUT_S), Redis.from_url(url) as client:
        await client.ping()
    return Finding("redis", "ok", "answers")


async def _engine(chosen: Settings) -> Finding:
    importlib.import_module("sfu.plane")
    return Finding("engine", "ok", "the media engine loads")


async def _receive_buffer(chosen: Settings) -> Finding:
    limit = _kernel_number("net/core/rmem_max")
    if limit < RMEM_MAX_BYTES:
        return Finding(
            "rmem_max",
            "warning",
            f"{limit} bytes: bursts will be lost under load; run "
            f"sysctl -w net.core.rmem_max={RMEM_MAX_BYTES}",
        )
    return Finding("rmem_max", "ok", f"{limit} bytes")


async def _tls(chosen: Settings) -> Finding:
    from server.addresses import is_loopback_host  # noqa: PLC0415

    public = chosen.http.public_url or ""
    if chosen.http.serves_tls or public.startswith("https:"):
        return Finding("tls", "ok", "browsers come by HTTPS")
    if is_loopback_host(chosen.http.host):
        return Finding("tls", "ok", "not needed on this machine itself")
    return Finding("tls", "warning", "browsers give no camera without HTTPS: use --tls or a proxy")


async def _pages(chosen: Settings) -> Finding:
    if (chosen.http.static_dir / "index.html").exists():
        return Finding("pages", "ok", "built")
    return Finding("pages", "warning", "not built: run make install")


async def _clock(chosen: Settings) -> Finding:
    if time.time() < time.mktime((2025, 1, 1, 0, 0, 0, 0, 0, 0)):
        return Finding("clock", "failed", "the machine's clock is wrong: tokens would be refused")
    return Finding("clock", "ok", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
