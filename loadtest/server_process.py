"""A real `mianshi serve` of one's own: a temporary data folder, a free port, gone at the end."""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from loadtest.errors import ServerDiedError

_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LINK_LINE = re.compile(r"^(ready|hr|interviewer|interviewer-2|candidate)\s+(https?://\S+)$")
_LINES_OF_A_DEMO = 4
_LINES_WITHOUT = 1


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server: its process, its origin (`http://127.0.0.1:PORT`) and the demo's links."""

    process: subprocess.Popen[str]
    origin: str
    environment: Mapping[str, str]
    """What other commands need to speak of the same installation."""
    links: Mapping[str, str]

    def cpu_seconds(self) -> float:
        """User plus system time that the whole process has used (Linux)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mianshi_command() -> list[str]:
    """How to call the command line of this very installation."""
    return [str(Path(sys.executable).with_name("mianshi"))]


def free_port() -> int:
    """A TCP port that was free a moment ago, and whose UDP port was too."""
    for _ in range(100):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            try:
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerDiedError("no free port", "close programs that hold ports open")


def _forward_lines(output: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Drain the server's standard output for as long as it lives; None marks the end."""
    for line in output:
        lines.put(line)
    lines.put(None)


def _read_links(output: IO[str], log: Path, lines_wanted: int) -> dict[str, str]:
    """The demo's links by name, or the address by `ready`: printed once the server is up."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_forward_lines, args=(output, lines), daemon=True).start()
    links: dict[str, str] = {}
    deadline = time.monotonic() + _READY_SECONDS
    while len(links) < lines_wanted:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            line = None
        if line is None:
            tail = log.read_text(errors="replace")[-2000:]
            raise ServerDiedError(f"the server did not come up: {tail}", "see its log above")
        if match := _LINK_LINE.match(line.strip()):
            links[match[1]] = match[2]
    return links


@contextmanager
def serve(
    data: Path | None = None,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    *,
    demo: bool = True,
) -> Iterator[ServerProcess]:
    """Start a node, with a demo interview unless told otherwise, and stop it at the end.

    `data` is kept if given; otherwise a temporary folder is used. Raises ServerDiedError.
    """
    with tempfile.TemporaryDirectory(prefix="mianshi-") as temporary:
        folder = data or Path(temporary)
        port = port or free_port()
        log = Path(temporary) / "server.log"
        settings = {
            "PORT": str(port),
            "MIANSHI_DATA": str(folder),
            **(environment or {}),
        }
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*mianshi_command(), "serve", *(["--demo"] if demo else [])],
                env={**os.environ, **settings, "PYTHONUNBUFFERED": "1"},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        try:
            assert process.stdout is not None, "stdout was asked to be a pipe"
            links = _read_links(process.stdout, log, _LINES_OF_A_DEMO if demo else _LINES_WITHOUT)
            yield ServerProcess(process, f"http://127.0.0.1:{port}", settings, links)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
