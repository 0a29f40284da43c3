"""A real PostgreSQL for tests: in a temporary directory, on a Unix socket only."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

TIMEOUT_S = 60
UNPRIVILEGED = "postgres"
"""PostgreSQL refuses to run as root; Debian's package makes this user."""

FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
"""Nothing here has to survive a crash."""


def find_binaries() -> Path | None:
    """The newest installed version's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).parent


def _version(initdb: Path) -> int:
    name = initdb.parents[1].name
    return int(name) if name.isdigit() else 0


class PostgresServer:
    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # A path of our own: pytest's are often longer than the 107 bytes that a socket may have.
        self._directory = Path(tempfile.mkdtemp(prefix="mianshi-pg-"))
        self._count = 0

    def _run(self, *command: str) -> None:
        prefix = []
        if os.geteuid() == 0:
            prefix = ["setpriv", f"--reuid={UNPRIVILEGED}", "--regid", UNPRIVILEGED]
            prefix += ["--clear-groups"]
        done = subprocess.run(
            [*prefix, str(self._binaries / command[0]), *command[1:]],
            cwd=self._directory,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}")

    def start(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._directory, UNPRIVILEGED, UNPRIVILEGED)
        data = str(self._directory / "data")
        self._run("initdb", "-D", data, "-U", "mianshi", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={self._directory}"
        self._run(
            *("pg_ctl", "-D", data, "-w", "-t", str(TIMEOUT_S), "-s"),
            *("-l", str(self._directory / "log")),
            *("-o", " ".join((options, *FAST))),
            "start",
        )

    def new_database(self) -> str:
        """An empty database; its URL."""
        self._count += 1
        name = f"test_{self._count}"
        self._run("createdb", "-h", str(self._directory), "-U", "mianshi", name)
        return f"postgresql://mianshi@/{name}?host={self._directory}"

    def remove(self) -> None:
        data = str(self._directory / "data")
        try:
            self._run("pg_ctl", "-D", data, "-m", "immediate", "-w", "-s", "stop")
        finally:
            shutil.rmtree(self._directory, ignore_errors=True)
