"""`mianshi-peers crowd`: one process that sends and watches the media of hundreds of users."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from loadtest.errors import LoadtestError
from loadtest.generator import peers_binary, write_address
from loadtest.visitor.media_path import SrtpKeys
from loadtest.visitor.offer import EXTENSIONS, FORMATS, SlotStream

_LINE_BYTES = 1 << 20
_STOP_SECONDS = 10.0
_RETRY_S = 0.002


@dataclass(frozen=True, slots=True)
class SentStream:
    """A microphone, a camera or a layer of one; `clip` is an index into the crowd's clips."""

    mid: str
    clip: int
    ssrc: int
    rid: str | None = None
    repair_ssrc: int | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Everything that the crowd has to know of a connected user. The socket stays the caller's."""

    user: int
    socket: socket.socket
    server: tuple[str, int]
    keys: SrtpKeys
    consent_check: bytes = field(repr=False)
    sends: Sequence[SentStream]
    slots: Sequence[SlotStream]

    def as_message(self) -> dict[str, Any]:
        return {
            "user": self.user,
            "server": write_address(self.server),
            "profile": self.keys.profile,
            "send_key": self.keys.send.hex(),
            "receive_key": self.keys.receive.hex(),
            "consent_check": self.consent_check.hex(),
            "extensions": EXTENSIONS,
            "formats": [
                {
                    "payload_type": each.payload_type,
                    "codec": each.codec,
                    "repair": each.repair_payload_type,
                }
                for each in FORMATS
            ],
            "sends": [
                {
                    "mid": each.mid,
                    "rid": each.rid,
                    "clip": each.clip,
                    "ssrc": each.ssrc,
                    "repair_ssrc": each.repair_ssrc,
                }
                for each in self.sends
            ],
            "receives": [
                {
                    "ssrc": each.ssrc,
                    "repair_ssrc": each.repair_ssrc,
                    "is_video": each.kind == "video",
                }
                for each in self.slots
            ],
        }


Listener = Callable[[str, dict[str, Any]], None]
"""Is given the kind of a line (`sample`, `first_picture`, `member`) and what it says."""


class Crowd:
    """A running process. What it prints goes to the listener."""

    def __init__(
        self, process: asyncio.subprocess.Process, control: socket.socket, listener: Listener
    ) -> None:
        self._process = process
        self._control = control
        self._messages: asyncio.Queue[tuple[bytes, int | None, asyncio.Event | None]] = (
            asyncio.Queue()
        )
        self._listening = asyncio.create_task(self._listen(listener))
        self._sending = asyncio.create_task(self._send_all())
        self._failure = ""
        self._errors = asyncio.create_task(self._keep_errors())

    @classmethod
    async def open(cls, clips: Sequence[Path], listener: Listener) -> Self:
        """Start one that can play these clips. Raises LoadtestError when it is not built."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                peers_binary(),
                "crowd",
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE_BYTES,
            )
        ours.setblocking(False)
        crowd = cls(process, ours, listener)
        crowd._say("clips", [str(path) for path in clips])
        return crowd

    @property
    def pid(self) -> int:
        return self._process.pid

    async def join(self, membership: Membership) -> None:
        """Hand a connected user over; once this returns the socket may be closed here."""
        handed_over = asyncio.Event()
        message = json.dumps({"join": membership.as_message()}).encode()
        self._messages.put_nowait((message, membership.socket.fileno(), handed_over))
        await handed_over.wait()

    def want_layers(self, user: int, wanted: Sequence[str]) -> None:
        """Send only these layers of the user's camera."""
        self._say("layers", {"user": user, "wanted": list(wanted)})

    def show(self, user: int, shown: Sequence[tuple[int, int]]) -> None:
        """Watch these people (any numbers) in the slots of these SSRCs."""
        self._say("slots", {"user": user, "shown": list(shown)})

    def leave(self, user: int) -> None:
        """Say nothing more for this user; a line `member` tells what it saw."""
        self._say("leave", {"user": user})

    async def close(self) -> None:
        """End it; what everybody saw is told first. Raises LoadtestError if it had failed."""
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)
        self._control.close()
        try:
            await asyncio.wait_for(self._listening, _STOP_SECONDS)
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._errors
        if self._process.returncode:
            raise LoadtestError("virtual users' media failed", self._failure)

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def ended(self) -> None:
        """Wait until the process has ended, which it does by itself only when it fails."""
        await self._process.wait()

    def _say(self, kind: str, what: object) -> None:
        self._messages.put_nowait((json.dumps({kind: what}).encode(), None, None))

    async def _send_all(self) -> None:
        while True:
            message, descriptor, done = await self._messages.get()
            await self._send(message, descriptor)
            if done is not None:
                done.set()

    async def _send(self, message: bytes, descriptor: int | None) -> None:
        along = [] if descriptor is None else [descriptor]
        while True:
            try:
                socket.send_fds(self._control, [message], along)
                return
            except BlockingIOError:
                await asyncio.sleep(_RETRY_S)  # it reads once a millisecond
            except OSError:
                return  # it has ended: `close` says why

    async def _listen(self, listener: Listener) -> None:
        assert self._process.stdout is not None, "asked to be a pipe"
        async for line in self._process.stdout:
            ((kind, what),) = json.loads(line).items()
            listener(kind, what)

    async def _keep_errors(self) -> None:
        assert self._process.stderr is not None, "asked to be a pipe"
        with contextlib.suppress(ValueError):
            self._failure = (await self._process.stderr.read()).decode().strip()[-500:]
