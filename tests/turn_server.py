"""The configuration that we ship, in a real coturn on loopback."""

import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aioice import stun

from loadtest.server_process import free_port

SHIPPED = Path(__file__).parents[1] / "config" / "deploy" / "coturn" / "turnserver.conf"
HOST = "127.0.0.1"
SECRET = "a secret for the tests of the relay"
REALM = "interviews.example.com"
ANSWERS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class TurnServer:
    """It relays to 127.0.0.1 only."""

    port: int
    secret: str = SECRET

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self.port

    @property
    def url(self) -> str:
        return f"turn:{HOST}:{self.port}?transport=udp"


def configuration(port: int) -> str:
    """The shipped file with the values that its comments ask for."""
    text = SHIPPED.read_text()
    for key, value in (
        ("listening-ip", HOST),
        ("listening-port", str(port)),
        ("static-auth-secret", SECRET),
        ("allowed-peer-ip", HOST),
    ):
        text, count = re.subn(rf"(?m)^{key}=.*$", f"{key}={value}", text)
        assert count == 1, key
    # Only here are peers on this very machine.
    return text + "allow-loopback-peers\n"


@contextmanager
def turn_server() -> Iterator[TurnServer]:
    """Start it, wait until it answers, and stop it at the end."""
    program = shutil.which("turnserver")
    assert program is not None, "no coturn: run tests/install-system-packages.sh"
    server = TurnServer(free_port())
    with tempfile.TemporaryDirectory(prefix="mianshi-coturn-") as folder:
        file = Path(folder) / "turnserver.conf"
        file.write_text(configuration(server.port))
        command = [program, "-c", str(file), f"--pidfile={folder}/pid", f"--userdb={folder}/db"]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_until_it_answers(server, Path(folder) / "log")
            yield server
        finally:
            process.terminate()
            process.wait(10)


def _wait_until_it_answers(server: TurnServer, log: Path) -> None:
    request = bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        for _ in range(int(ANSWERS_WITHIN_S / 0.1)):
            try:
                probe.sendto(request, server.address)
                probe.recv(1500)
            except OSError:
                continue
            return
    raise AssertionError(f"coturn does not answer: {log.read_text()[-2000:]}")
