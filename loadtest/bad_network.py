"""A network between clients and a node's media port that is as bad as a scenario says.

The work is done by the process `mianshi-netsim` (`loadtest/impairment`): a UDP relay in one
thread. Clients are numbered from 1 by the order in which they first send something; a client is
known by its ICE credentials, however many sockets it has.
"""

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from loadtest.errors import LoadtestError, MissingToolError

_BINARY = Path(__file__).parents[1] / "target" / "release" / "mianshi-netsim"
_NETWORKS = Path(__file__).with_name("networks")
_ANSWER_SECONDS = 5.0

Direction = Literal["up", "down"]


class ScenarioError(LoadtestError):
    """No such scenario, or its file cannot be used; the message names line and field."""

    code = "scenario"


def scenario_names() -> list[str]:
    """The scenarios that come with the repository."""
    return sorted(path.stem for path in _NETWORKS.glob("*.toml"))


def read_scenario(name_or_path: str) -> str:
    """The text of a scenario by its name in `loadtest/networks` or by its path.

    Raises ScenarioError.
    """
    known = _NETWORKS / f"{name_or_path}.toml"
    path = known if name_or_path in scenario_names() else Path(name_or_path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(scenario_names())
        raise ScenarioError(
            f"{name_or_path} cannot be read: {error}", f"Give a file or one of: {names}"
        ) from None


@dataclass(frozen=True, slots=True)
class Flow:
    """What one direction of one client's network did between two samples."""

    pushed_bps: int
    sent_bps: int
    """What passed the bottleneck, IP headers included."""
    capacity_bps: int | None
    queue_ms: float
    """The longest wait for the bottleneck, or what somebody who came now would wait."""
    pushed: int
    queue_drops: int
    lost: int
    dark: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One client's network at `at_ms`, milliseconds since 1970 as browsers count them."""

    at_ms: float
    client: int
    up: Flow
    down: Flow
    pause_ms: float
    """The longest time without a datagram from the client that ended or lasted in the sample."""


@dataclass(slots=True)
class BadNetwork:
    """A running relay; `address` (`host:port`) is where clients find the node."""

    process: subprocess.Popen[str]
    address: str
    samples: list[Sample] = field(default_factory=list)
    clients: list[float] = field(default_factory=list)
    """When each client appeared, milliseconds since 1970."""
    ended: dict[str, Any] | None = None
    """Why it ended and what became of all packets, once it has."""
    answers: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)

    def play(self, scenario: str, clients: Sequence[int] | None = None) -> float:
        """Begin a scenario (its text) for these clients, or for everyone.

        Returns when it began, milliseconds since 1970. Raises ScenarioError.
        """
        listed = None if clients is None else list(clients)
        return self._command({"play": {"scenario": scenario, "clients": listed}})

    def change_address(self, clients: Sequence[int] | None = None) -> float:
        """Have the node see these clients from other addresses; returns when, as `play`."""
        listed = None if clients is None else list(clients)
        return self._command({"change_address": {"clients": listed}})

    def of_client(self, client: int, from_ms: float = 0.0) -> list[Sample]:
        """This client's samples since then."""
        return [s for s in tuple(self.samples) if s.client == client and s.at_ms >= from_ms]

    def of_newest(self, clients: Sequence[int], from_ms: float) -> list[Sample]:
        """The samples of a page that connected anew: at each time those of its last client."""
        newest: dict[float, Sample] = {}
        for client in clients:
            newest |= {sample.at_ms: sample for sample in self.of_client(client, from_ms)}
        return [newest[at_ms] for at_ms in sorted(newest)]

    def report(self) -> dict[str, Any]:
        """Everything, for `--json`: why it ended, the totals and the samples."""
        ended = self.ended or {"reason": "died", "clients": []}
        samples = [asdict(sample) for sample in self.samples]
        return {"listening": self.address, **ended, "samples": samples}

    def close(self) -> None:
        """Stop; `ended` then holds the totals."""
        assert self.process.stdin is not None, "asked to be a pipe"
        self.process.stdin.close()
        try:
            self.process.wait(_ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _command(self, command: dict[str, Any]) -> float:
        assert self.process.stdin is not None, "asked to be a pipe"
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            answer = self.answers.get(timeout=_ANSWER_SECONDS)
        except (OSError, ValueError, queue.Empty):
            raise LoadtestError("the network relay is gone") from None
        if "refused" in answer:
            raise ScenarioError(str(answer["refused"]["reason"]))
        return float(answer["done"]["at_ms"])

    def _read(self, output: IO[str]) -> None:
        for line in output:
            said: dict[str, Any] = json.loads(line)
            if "sample" in said:
                self.samples.extend(_samples(said["sample"]))
            elif "client" in said:
                self.clients.append(float(said["client"]["at_ms"]))
            elif "ended" in said:
                self.ended = said["ended"]
            else:
                self.answers.put(said)


def _samples(body: dict[str, Any]) -> Iterator[Sample]:
    for row in body["clients"]:
        up, down = Flow(**row["up"]), Flow(**row["down"])
        yield Sample(float(body["at_ms"]), row["number"], up, down, row["pause_ms"])


@contextmanager
def open_bad_network(
    target: str,
    scenario: str | None = None,
    *,
    listen: str = "127.0.0.1:0",
    clients: Sequence[int] | None = None,
    seed: int = 0,
    sample_ms: int = 100,
    most_s: int = 3600,
    tcp: bool = False,
    remote_allowed: bool = False,
) -> Iterator[BadNetwork]:
    """Relay between `listen` and `target` (`host:port`) until the block ends.

    A `scenario` (its text) plays for each client from its appearance on. `tcp` passes TCP on
    untouched. Raises ScenarioError or LoadtestError when it cannot be had.
    """
    listed = None if clients is None else list(clients)
    job = {
        "listen": listen,
        "target": target,
        "seed": seed,
        "sample_ms": sample_ms,
        "most_s": most_s,
        "tcp": tcp,
        "remote_allowed": remote_allowed,
        "play": None if scenario is None else {"scenario": scenario, "clients": listed},
    }
    process = subprocess.Popen(
        [_binary()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupt is ours to handle: the totals are wanted
    )
    assert process.stdin is not None, "asked to be a pipe"
    assert process.stdout is not None, "asked to be a pipe"
    network = BadNetwork(process, "")
    reader = threading.Thread(target=network._read, args=(process.stdout,), daemon=True)
    try:
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        first = process.stdout.readline()
        if not first:
            raise _refusal(process)
        network.address = json.loads(first)["listening"]["address"]
        reader.start()
        yield network
    finally:
        network.close()
        if reader.ident is not None:
            reader.join(_ANSWER_SECONDS)


def _refusal(process: subprocess.Popen[str]) -> LoadtestError:
    assert process.stderr is not None, "asked to be a pipe"
    said = process.stderr.read().strip().removeprefix("error: ")
    if said.startswith("line "):
        return ScenarioError(f"the scenario cannot be used: {said}")
    return LoadtestError(f"the network relay did not start: {said}")


def _binary() -> str:
    path = Path(os.environ.get("MIANSHI_NETSIM", _BINARY))
    if not path.is_file():
        remedy = "run `cargo build --release --package mianshi-impairment`"
        raise MissingToolError("mianshi-netsim", remedy)
    return str(path)
