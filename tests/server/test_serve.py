"""`mianshi serve` as its users run it: a process, its output, its end, its next start."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from cryptography import x509

from server.stopping import HARD_S
from tests.conditions import seen
from tests.server.conftest import Browser, Visitor

COMMAND = Path(sys.executable).with_name("mianshi")
READY_S = 90.0
STOP_S = 30.0
"""An idle machine needs 2 s and 1 s; a build beside the tests makes it ten times that."""
LINE = re.compile(r"(hr|interviewer|interviewer-2|candidate) +(https?://\S+)")


class Served:
    """A server process and what it printed."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data = data
        self.log = log
        self.urls: dict[str, str] = {}
        self.process: asyncio.subprocess.Process | None = None

    @property
    def base(self) -> str:
        return self.urls["candidate"].partition("/i/")[0]

    def secret(self, name: str) -> str:
        return self.urls[name].rpartition("/")[2]

    async def start(self, *options: str, **variables: str) -> None:
        self.urls = {}
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MIANSHI_") and name not in ("PORT", "REDIS_URL", "DATABASE_URL")
        }
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                str(COMMAND),
                "serve",
                "--demo",
                "--port",
                "0",
                *options,
                env={**environment, "MIANSHI_DATA": str(self.data), **variables},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        async with asyncio.timeout(READY_S):
            while len(self.urls) < 4:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"the server ended: {self.log.read_text()[-2000:]}"
                if found := LINE.fullmatch(line.strip()):
                    self.urls[found[1]] = found[2]

    async def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(STOP_S):
            rest = await self.process.stdout.read()
            assert rest == b""
            return await self.process.wait()


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    server = Served(tmp_path / "data", tmp_path / "log")
    yield server
    if server.process is not None and server.process.returncode is None:
        server.process.kill()
        await server.process.wait()


def redis_pids(data: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_text() if entry.name.isdigit() else ""
        except OSError:
            continue
        if "redis-server" in command and str(data) in command:
            found.append(int(entry.name))
    return found


async def test_links_are_printed_when_ready_and_sigterm_ends_it_cleanly(served: Served) -> None:
    await served.start()
    device = Browser(served.base)
    visitor = Visitor(served.base)
    try:
        assert (await device.call("GET", "/readyz"))[0] == 200
        assert await device.redeem(served.secret("hr"))
        for name in ("interviewer", "interviewer-2", "candidate"):
            assert (await device.redeem(served.secret(name)))["token"]
        token = (await device.redeem(served.secret("candidate")))["token"]
        await visitor.connect(token=token)
        assert await served.stop() == 0
        assert visitor.last("goodbye") == {"reason": "shutdown"}
    finally:
        await visitor.close()
        await device.session.close()
    assert redis_pids(served.data) == []


async def test_a_restart_keeps_interviews_links_sessions_and_keys(served: Served) -> None:
    await served.start()
    first = dict(served.urls)
    port = served.base.rpartition(":")[2]
    device = Browser(served.base)
    hr = Browser(served.base)
    try:
        await hr.redeem(served.secret("hr"))
        answer = await device.redeem(served.secret("candidate"))
        visitor = Visitor(served.base)
        await visitor.connect(token=answer["token"])
        assert await served.stop(signal.SIGINT) == 0
        await visitor.close()
        resume = visitor.last("welcome")["resume"]
        await served.start("--port", port)
        secret = first["candidate"].rpartition("/")[2]
        assert (await device.call("GET", f"/api/links/{secret}"))[1]["state"] == "open"
        listed = (await hr.call("GET", "/api/interviews"))[1]["interviews"]
        assert answer["interview"] in [one["id"] for one in listed]
        back = Visitor(served.base)
        await back.connect(resume=resume)
        await back.call("media.state", {"microphone": True, "camera": True})
        assert back.last("welcome")["resumed"] is True
        assert back.last("welcome")["room"]["placement"] == "lobby"
        await back.close()
    finally:
        await device.session.close()
        await hr.session.close()
    assert await served.stop() == 0


async def test_a_killed_server_leaves_nothing_in_the_way(served: Served) -> None:
    await served.start()
    before = redis_pids(served.data)
    assert len(before) == 1
    served.process.kill()
    await served.process.wait()
    await served.start()
    after = redis_pids(served.data)
    assert len(after) == 1
    assert after != before
    assert await served.stop() == 0
    assert redis_pids(served.data) == []


async def test_two_servers_on_one_data_directory(served: Served) -> None:
    await served.start()
    second = await asyncio.to_thread(command, "serve", "--port", "0", MIANSHI_DATA=str(served.data))
    assert second.returncode == 1
    assert re.fullmatch(r"error: Another server uses \S+\. Stop it.*\n", second.stderr)
    device = Browser(served.base)
    try:
        assert (await device.call("GET", "/readyz"))[0] == 200
    finally:
        await device.session.close()
    assert await served.stop() == 0


async def test_https_with_a_certificate_of_our_own(served: Served) -> None:
    await served.start("--tls", "--host", "127.0.0.1")
    assert served.base.startswith("https://127.0.0.1:")
    certificate = served.data / "tls" / "certificate.pem"
    assert (served.data / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    import ssl

    trusting = ssl.create_default_context(cafile=certificate)
    device = Browser(served.base)
    try:
        status, _, response = await device.call(
            "POST", f"/api/links/{served.secret('candidate')}/redeem", ssl=trusting
        )
        assert status == 200
        assert "Secure" in response.headers["Set-Cookie"]
    finally:
        await device.session.close()
    assert await served.stop() == 0


async def test_the_logs_of_a_whole_run_hold_no_secret(served: Served) -> None:
    await served.start(MIANSHI_LOG_LEVEL="debug", MIANSHI_HR_PHONE="13800138000")
    secrets = [served.secret(name) for name in served.urls]
    device, hr, visitor = Browser(served.base), Browser(served.base), Visitor(served.base)
    try:
        await hr.redeem(served.secret("hr"))
        answer = await device.redeem(served.secret("candidate"))
        secrets.append(answer["token"])
        for path in ("/i/", "/api/links/", "/nothing/"):
            await device.call("GET", path + served.secret("candidate"))
        await Browser.code(device, "POST", "/whip", headers={"Authorization": "Bearer " + "s" * 40})
        secrets.append("s" * 40)
        await visitor.connect(token=answer["token"])
        offer = (Path(__file__).parents[1] / "vectors/sdp/chromium-156.sdp").read_text()
        await visitor.call("media.offer", {"sdp": offer, "tracks": {"0": "microphone"}})
        await visitor.call("chat.send", {"text": "我的电话 13912345678", "key": "k"})
        secrets += re.findall(r"a=ice-pwd:(\S+)", offer)
        secrets.append(visitor.last("welcome")["resume"])
        secrets += [one.value for jar in (device, hr) for one in jar.session.cookie_jar]
    finally:
        await visitor.close()
        await device.session.close()
        await hr.session.close()
    assert await served.stop() == 0
    text = served.log.read_text()
    assert "request" in text, "the run was logged"
    for secret in [*secrets, "13800138000", "13912345678", "李明", "王芳"]:
        assert secret not in text
    for line in text.splitlines():
        if line.startswith("{"):
            json.loads(line)


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MIANSHI_") and name not in ("PORT", "REDIS_URL", "DATABASE_URL")
    }
    return subprocess.run(
        [str(COMMAND), *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = command("serve", "--port", port, MIANSHI_DATA=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: 127.0.0.1:{port} is in use. ")
    assert done.stderr.count("\n") == 1


def test_a_bad_setting_is_said_in_one_line(tmp_path: Path) -> None:
    done = command("serve", PORT="eighty", MIANSHI_DATA=str(tmp_path))
    assert done.returncode == 1
    assert re.fullmatch(r"error: PORT cannot be used: .*\. Set PORT .*\.\n", done.stderr)


async def test_a_frozen_redis_does_not_hold_up_the_end(served: Served) -> None:
    await served.start()
    (pid,) = redis_pids(served.data)
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    assert await served.stop() == 0
    assert time.monotonic() - began < HARD_S + 2
    assert redis_pids(served.data) == []
    text = served.log.read_text()
    assert "private_redis_killed" in text or "gave_up_stopping" in text


async def test_a_second_signal_ends_it_at_once(served: Served) -> None:
    await served.start()
    (pid,) = redis_pids(served.data)
    os.kill(pid, signal.SIGSTOP)  # so that the orderly stop takes its time
    served.process.send_signal(signal.SIGTERM)
    await seen(lambda: asyncio.to_thread(served.log.read_text), lambda text: "stopping" in text)
    assert await served.stop(signal.SIGINT) == 128 + signal.SIGINT
    assert redis_pids(served.data) == []
    assert "stopped_at_once" in served.log.read_text()


async def test_a_hung_loop_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """The whole process: even its loop, and then a thread that never ends."""
    log = tmp_path / "log"
    program = (
        "import asyncio, threading, time\n"
        "from server.stopping import Closing, StopSignals\n"
        "async def main():\n"
        "    closing = Closing()\n"
        "    closing.present = 'the part that hangs'\n"
        "    StopSignals(closing, hard_s=0.3)\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=output
        )
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            rest = await process.stdout.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    assert "the part that hangs" in rest.decode() + log.read_text()
