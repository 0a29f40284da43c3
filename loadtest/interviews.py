"""Interviews for a benchmark, made as an operator makes them: with the command line."""

import json
import os
import subprocess
from dataclasses import dataclass

from loadtest.errors import LoadtestError
from loadtest.server_process import ServerProcess, mianshi_command


@dataclass(frozen=True, slots=True)
class InterviewLinks:
    """The links of one candidate and of one interviewer a round."""

    candidate: str
    panel: tuple[str, ...]
    """The first round's interviewers."""
    next_interviewer: str

    @property
    def interviewer(self) -> str:
        return self.panel[0]


def create_interview(
    server: ServerProcess,
    admission: str = "manual",
    interviewers: int = 1,
    starts_at: str | None = None,
) -> InterviewLinks:
    """A two-round interview on a running server. Raises LoadtestError with what was said."""
    panel = [f"1:Interviewer {number}" for number in range(1, interviewers + 1)]
    done = subprocess.run(
        [
            *mianshi_command(),
            *("interviews", "create", "--title", "Benchmark", "--admission", admission),
            *("--round", "First", "--round", "Second", "--candidate", "Candidate"),
            *(part for name in [*panel, "2:Next interviewer"] for part in ("--interviewer", name)),
            *(("--starts-at", starts_at) if starts_at else ()),
            "--json",
        ],
        env={**os.environ, **server.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LoadtestError("no interview could be created", done.stderr.strip()[-500:])
    participants = json.loads(done.stdout)["participants"]

    def links(role: str) -> list[str]:
        return [str(each["url"]) for each in participants if each["role"] == role]

    *first, following = links("interviewer")
    return InterviewLinks(links("candidate")[0], tuple(first), following)


def hr_link(server: ServerProcess, name: str = "HR") -> str:
    """A new link into HR's page. Raises LoadtestError with what was said."""
    done = subprocess.run(
        [*mianshi_command(), "links", "hr", name, "--json"],
        env={**os.environ, **server.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LoadtestError("no link for HR could be made", done.stderr.strip()[-500:])
    return str(json.loads(done.stdout)["url"])
