"""`mianshi-peers`: the native traffic generator and the bare relay, as processes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.errors import LoadtestError, MissingToolError
from loadtest.visitor.media_path import SrtpKeys

_BINARY = Path(__file__).parents[1] / "target" / "release" / "mianshi-peers"
_STOP_SECONDS = 5.0

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Stream:
    """A VP8 stream to publish; `packet_bytes` is the plain RTP packet with its header."""

    ssrc: int
    payload_type: int
    packets_per_second: int
    packet_bytes: int
    phase_us: int = 0
    mid: tuple[int, str] | None = None
    rid: tuple[int, str] | None = None
    transport_cc: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A connected socket with its keys, and what it publishes. The fd stays the caller's."""

    fd: int
    server: Address
    keys: SrtpKeys
    payload_type: int
    """Of the media to watch; what comes with another one is not counted."""
    consent_check: bytes = field(default=b"", repr=False)
    publish: Stream | None = None

    def as_job(self) -> dict[str, Any]:
        return {
            "fd": self.fd,
            "server": write_address(self.server),
            "profile": self.keys.profile,
            "send_key": self.keys.send.hex(),
            "receive_key": self.keys.receive.hex(),
            "payload_type": self.payload_type,
            "consent_check": self.consent_check.hex(),
            "publish": asdict(self.publish) if self.publish else None,
        }


@dataclass(frozen=True, slots=True)
class Window:
    """When traffic starts and which part of it counts; microseconds of the monotonic clock."""

    start_us: int
    warmup_us: int
    window_us: int
    count: int = 1
    """Of windows in a row, each `window_us` long."""
    punctual: bool = False
    """Whether packets leave when they are due, if need be at the expense of what else runs."""

    @property
    def from_s(self) -> float:
        return (self.start_us + self.warmup_us) / 1e6

    @property
    def until_s(self) -> float:
        return (self.start_us + self.warmup_us + self.count * self.window_us) / 1e6


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the generator counted inside the windows."""

    sent: int
    received: int
    failed: int
    keyframe_requests: int
    latency_us: dict[str, int]
    windows_latency_us: Sequence[dict[str, int]]
    """Of the packets sent in each of them."""


async def generate(endpoints: Sequence[Endpoint], window: Window) -> Traffic:
    """Publish and watch until the window has passed. Raises LoadtestError."""
    job = {
        "start_us": window.start_us,
        "warmup_us": window.warmup_us,
        "window_us": window.window_us,
        "windows": window.count,
        "punctual": window.punctual,
        "peers": [endpoint.as_job() for endpoint in endpoints],
    }
    process = await asyncio.create_subprocess_exec(
        peers_binary(),
        "generate",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=[endpoint.fd for endpoint in endpoints],
    )
    try:
        output, errors = await process.communicate(_line(job))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise LoadtestError("the traffic generator failed", errors.decode().strip())
    return Traffic(**json.loads(output))


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay."""

    pid: int
    address: Address


@asynccontextmanager
async def relay(routes: dict[Address, Sequence[Address]]) -> AsyncIterator[Relay]:
    """Relay every datagram of a source to its receivers, bare. Raises LoadtestError."""
    job = {
        "routes": [
            {"from": write_address(source), "to": [write_address(each) for each in to]}
            for source, to in routes.items()
        ]
    }
    process = await asyncio.create_subprocess_exec(
        peers_binary(), "relay", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None, "asked to be a pipe"
    assert process.stdout is not None, "asked to be a pipe"
    try:
        process.stdin.write(_line(job))
        first = await process.stdout.readline()
        if not first:
            raise LoadtestError("the relay did not start")
        yield Relay(process.pid, ("127.0.0.1", json.loads(first)["port"]))
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def write_address(address: Address) -> str:
    """`host:port`, with brackets around IPv6."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _line(job: dict[str, Any]) -> bytes:
    return json.dumps(job).encode() + b"\n"


def peers_binary() -> str:
    """The path of `mianshi-peers`. Raises MissingToolError."""
    path = Path(os.environ.get("MIANSHI_PEERS", _BINARY))
    if not path.is_file():
        remedy = "run `cargo build --release --package mianshi-peers`"
        raise MissingToolError("mianshi-peers", remedy)
    return str(path)
