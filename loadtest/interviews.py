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
    interviewer: str
    next_interviewer: str


def create_interview(server: ServerProcess, admission: str = "manual") -> InterviewLinks:
    """A two-round interview on a running server. Raises LoadtestError with what was said."""
    done = subprocess.run(
        [
            *mianshi_command(),
            *("interviews", "create", "--title", "Benchmark", "--admission", admission),
            *("--round", "First", "--round", "Second", "--candidate", "Candidate"),
            *("--interviewer", "1:First interviewer", "--interviewer", "2:Second interviewer"),
            "--json",
        ],
        env={
            **os.environ,
            "MIANSHI_DATA": str(server.data),
            "PORT": server.origin.rpartition(":")[2],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LoadtestError("no interview could be created", done.stderr.strip()[-500:])
    participants = json.loads(done.stdout)["participants"]

    def link(role: str, nth: int = 0) -> str:
        return str([each["url"] for each in participants if each["role"] == role][nth])

    return InterviewLinks(link("candidate"), link("interviewer"), link("interviewer", 1))
