"""A load test from the first interview that is made to the last user who hangs up."""

import asyncio
import contextlib
import ipaddress
import math
import resource
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiortc.rtcdtlstransport import RTCCertificate

from loadtest.crowd import clips
from loadtest.crowd.process import Crowd
from loadtest.crowd.scenario import Scenario
from loadtest.crowd.tally import Second, Tally, missed
from loadtest.crowd.user import Playing, VirtualUser
from loadtest.errors import LoadtestError
from loadtest.interviews import hr_link
from loadtest.process_cpu import cpu_ns
from loadtest.server_process import ServerProcess, serve
from loadtest.visitor.desk import Desk

_USERS_PER_PROCESS = 250
_FILES_PER_USER = 3
_OTHER_FILES = 512
_CONTROL_S = 1.0
_RIDS = ("q", "h", "f")
_LEAVES_AT_ONCE = 50


class NotAllowedError(LoadtestError):
    """The target is not on this machine, and nobody said that it may be loaded."""

    code = "target_not_local"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out; `reason` says why it ended, `partial` that it ended early."""

    scenario: Scenario
    figures: dict[str, Any]
    seconds: Sequence[Second]
    members: Sequence[dict[str, Any]]
    missed: Sequence[str]
    partial: bool
    reason: str

    @property
    def passed(self) -> bool:
        return not self.partial and not self.missed

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "scenario": self.scenario.title,
            **self.figures,
            "limits": self.scenario.limits.model_dump(exclude_none=True),
            "missed": list(self.missed),
            "partial": self.partial,
            "reason": self.reason,
            "pass": self.passed,
        }


@dataclass(slots=True)
class _Server:
    """The server under test; its process only if it is ours."""

    hr: str
    process: ServerProcess | None

    @property
    def is_running(self) -> bool:
        return self.process is None or self.process.process.poll() is None

    def cpu_s(self) -> float:
        if self.process is None or not self.is_running:
            return 0.0
        return cpu_ns(self.process.process.pid) / 1e9

    def rss_kb(self) -> int:
        if self.process is None or not self.is_running:
            return 0
        status = Path(f"/proc/{self.process.process.pid}/status").read_text()
        return next(
            (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0
        )


async def run(
    scenario: Scenario,
    *,
    users: int | None = None,
    hr: str | None = None,
    remote_allowed: bool = False,
    most_s: float = 3600,
    stop: asyncio.Event | None = None,
    tell: Callable[[Second], None] = lambda _: None,
) -> Outcome:
    """Play a scenario against a server of our own, or against the one of an HR link.

    `stop` ends it early, as `most_s` does; what was measured until then is told. `tell` is given
    every second. Raises LoadtestError when it cannot begin.
    """
    count = users or scenario.users
    if hr is not None:
        _check_target(hr, remote_allowed)
    _make_room_for_files(count)
    sound, layers = _make_clips(scenario)
    stop = stop or asyncio.Event()
    with _server(hr, count) as server:
        test = _Test(scenario, count, server, stop)
        async with test.crowds([*sound, *layers]):
            reason = await test.play(_playing(sound, layers), most_s, tell)
    figures = test.figures()
    return Outcome(
        scenario=scenario,
        figures=figures,
        seconds=test.tally.seconds,
        members=test.tally.members,
        missed=missed(figures, scenario.limits),
        partial=reason != "ended",
        reason=reason,
    )


class _Test:
    def __init__(
        self, scenario: Scenario, count: int, server: _Server, stop: asyncio.Event
    ) -> None:
        self._scenario = scenario
        self._count = count
        self._server = server
        self._stop = stop
        self._crowds: list[Crowd] = []
        self._present: list[VirtualUser] = []
        self._certificate = RTCCertificate.generateCertificate()
        self._idle_rss_kb = server.rss_kb()
        self._held: list[Second] = []
        self.tally = Tally(math.ceil(count / _USERS_PER_PROCESS))

    @asynccontextmanager
    async def crowds(self, paths: Sequence[Path]) -> AsyncIterator[None]:
        """The processes that play these clips. Raises LoadtestError."""
        try:
            for number in range(self.tally.processes):
                self._crowds.append(await Crowd.open(paths, self._listener(number)))
            yield
        finally:
            closed = await asyncio.gather(
                *(crowd.close() for crowd in self._crowds), return_exceptions=True
            )
        for result in closed:
            if isinstance(result, BaseException):
                raise result

    async def play(self, playing: Playing, most_s: float, tell: Callable[[Second], None]) -> str:
        """Everybody comes, stays and goes; returns why it ended."""
        async with asyncio.TaskGroup() as group:
            urls = await self._schedule()
            self.tally.began_s = time.monotonic()
            watching = group.create_task(self._watch(tell))
            limit = group.create_task(self._limit(most_s))
            coming = group.create_task(self._come(urls, playing))
            reason = await self._until_over(coming)
            for task in (coming, limit, watching):
                task.cancel()
        await self._go()
        return reason

    def figures(self) -> dict[str, Any]:
        figures = self.tally.figures(self._count)
        held = self._held or self.tally.seconds
        users = max(1, len(self.tally.join_ms))
        rss_kb = max((each.server_rss_kb for each in held), default=0)
        mean = sum(each.server_cpu for each in held) / max(1, len(held))
        return {
            **figures,
            "server_cpu": round(mean, 3),
            "server_rss_kb": rss_kb,
            "rss_kb_per_user": round((rss_kb - self._idle_rss_kb) / users, 1),
            "mbit_s": round(sum(each.bits for each in held) / max(1, len(held)) / 1e6, 1),
            "packets_s": round(sum(each.packets for each in held) / max(1, len(held))),
        }

    def _listener(self, number: int) -> Callable[[str, dict[str, Any]], None]:
        return lambda kind, what: self.tally.hear(number, kind, what)

    async def _schedule(self) -> list[str]:
        """The links of all, room by room, the panel before its candidate."""
        interviewers = self._scenario.rooms.interviewers
        urls: list[str] = []
        # Cookies of an address without a name are kept only by an "unsafe" jar.
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as office:
            desk = await Desk.open(office, self._server.hr)
            while len(urls) < self._count:
                links = await desk.schedule(interviewers)
                urls += [*links.panel, links.candidate]
        return urls[: self._count]

    async def _come(self, urls: Sequence[str], playing: Playing) -> None:
        """All join, evenly spread; returns when the last has, or has failed."""
        apart_s = self._scenario.joins.within_s / max(1, len(urls) - 1)
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, url in enumerate(urls):
                await asyncio.sleep(max(0.0, began_s + number * apart_s - time.monotonic()))
                crowd = self._crowds[number // _USERS_PER_PROCESS]
                slots = self._scenario.rooms.interviewers
                user = VirtualUser(number, url, slots, playing, crowd)
                group.create_task(self._join(user))

    async def _join(self, user: VirtualUser) -> None:
        try:
            join_ms = await user.join(self._certificate)
        except LoadtestError as error:
            self.tally.failures[error.message] += 1
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await user.leave()
            return
        self.tally.join_ms.append(join_ms)
        self._present.append(user)

    async def _until_over(self, coming: asyncio.Task[None]) -> str:
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([coming, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not stopped.done():
            before = len(self.tally.seconds)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(stopped), self._scenario.lasts_s)
            self._held = self.tally.seconds[before + 1 :]
        if not stopped.done():
            stopped.cancel()
            return "ended"
        return self._why

    _why = "stopped"

    async def _limit(self, most_s: float) -> None:
        await asyncio.sleep(most_s)
        self._why = f"the time limit of {most_s:g} s"
        self._stop.set()

    async def _watch(self, tell: Callable[[Second], None]) -> None:
        """Every second; a server or a crowd that ended ends the test."""
        cpu_s, at_s = self._server.cpu_s(), time.monotonic()
        while True:
            await asyncio.sleep(_CONTROL_S)
            now_cpu_s, now_s = self._server.cpu_s(), time.monotonic()
            cpu = round((now_cpu_s - cpu_s) / (now_s - at_s), 3)
            cpu_s, at_s = now_cpu_s, now_s
            tell(self.tally.end_second(cpu, self._server.rss_kb()))
            if not self._server.is_running:
                self._why = "the server ended"
                self._stop.set()
            if not all(crowd.is_running for crowd in self._crowds):
                self._why = "a process of virtual users ended"
                self._stop.set()

    async def _go(self) -> None:
        """All hang up, some at a time."""
        for start in range(0, len(self._present), _LEAVES_AT_ONCE):
            leaving = self._present[start : start + _LEAVES_AT_ONCE]
            await asyncio.gather(*(user.leave() for user in leaving), return_exceptions=True)


def _check_target(hr: str, remote_allowed: bool) -> None:
    host = urlsplit(hr).hostname or ""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost" and not remote_allowed:
        raise NotAllowedError(
            f"{host or hr} is not this machine",
            "Load only servers that are yours, and say so with --allow-remote",
        )


def _make_room_for_files(users: int) -> None:
    """Raise our limit of open files as far as needed. Raises LoadtestError."""
    wanted = users * _FILES_PER_USER + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    if hard not in (resource.RLIM_INFINITY,) and hard < wanted:
        raise LoadtestError(
            f"{users} users need {wanted} open files, and {hard} are allowed",
            f"Run `ulimit -n {wanted}` as root first, or take fewer users",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _make_clips(scenario: Scenario) -> tuple[list[Path], list[Path]]:
    media = scenario.media
    layers = [
        clips.picture(clips.Picture(media.codec, layer.height, layer.frames_per_second, layer.kbps))
        for layer in media.layers
    ]
    return [clips.sound()] if media.sound else [], layers


def _playing(sound: Sequence[Path], layers: Sequence[Path]) -> Playing:
    rids: Sequence[str | None] = _RIDS if len(layers) > 1 else (None,)
    return Playing(
        sound=0 if sound else None,
        layers=[(rid, len(sound) + index) for index, rid in enumerate(rids[: len(layers)])],
    )


@contextmanager
def _server(hr: str | None, users: int) -> Iterator[_Server]:
    if hr is not None:
        yield _Server(hr, None)
        return
    room = {
        "MIANSHI_ROOMS_MAX_ROOMS": str(max(500, users)),
        "MIANSHI_ROOMS_MAX_PARTICIPANTS": str(max(2000, 2 * users)),
        "MIANSHI_MEDIA_MAX_PEERS": str(max(2000, 2 * users)),
        "MIANSHI_LOG_LEVEL": "warning",
    }
    with serve(environment=room, demo=False) as server:
        yield _Server(hr_link(server), server)
