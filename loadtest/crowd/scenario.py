"""What a load test does, as a TOML file says it: who comes, when, with which media, and what
has to hold.

```toml
title = "Campus morning"
users = 1000                 # unless told otherwise on the command line
lasts_s = 120                # after the last join

[rooms]
interviewers = 1             # in each, beside the candidate

[joins]
within_s = 60                # evenly spread; 0: all at once

[media]
sound = true
codec = "vp8"                # or "h264"
layers = [{ height = 360, frames_per_second = 25, kbps = 300 }]   # several: simulcast, lowest first

[limits]                     # what is left out is not judged
failed_joins = 0
join_p95_ms = 2000
loss_ratio = 0.0001
latency_p99_ms = 20
freezes_over_500ms = 0
```
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from loadtest.errors import LoadtestError

FOLDER = Path(__file__).parents[1] / "scenarios"
MAX_FILE_BYTES = 64 * 1024
MAX_USERS = 10_000


class ScenarioError(LoadtestError):
    """A scenario file that cannot be used; names the line and the field."""

    code = "scenario_invalid"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rooms(_Part):
    """Of one candidate and so many interviewers each."""

    interviewers: Annotated[int, Field(ge=1, le=8)] = 1


class Joins(_Part):
    within_s: Annotated[float, Field(ge=0, le=3600)] = 60


class Layer(_Part):
    """A camera's picture, or a layer of it."""

    height: Annotated[int, Field(ge=90, le=1080)]
    frames_per_second: Annotated[int, Field(ge=5, le=30)] = 25
    kbps: Annotated[int, Field(ge=30, le=6000)]


class Media(_Part):
    """What everybody sends."""

    sound: bool = True
    codec: Literal["vp8", "h264"] = "vp8"
    layers: Annotated[tuple[Layer, ...], Field(max_length=3)] = ()


class Limits(_Part):
    """The most of each; null is not judged."""

    failed_joins: Annotated[int, Field(ge=0)] | None = 0
    join_p95_ms: Annotated[float, Field(gt=0)] | None = None
    loss_ratio: Annotated[float, Field(ge=0, le=1)] | None = None
    latency_p99_ms: Annotated[float, Field(gt=0)] | None = None
    freezes_over_500ms: Annotated[int, Field(ge=0)] | None = None


class Scenario(_Part):
    title: Annotated[str, Field(min_length=1, max_length=200)]
    users: Annotated[int, Field(ge=2, le=MAX_USERS)]
    lasts_s: Annotated[float, Field(ge=1, le=86_400)]
    rooms: Rooms = Rooms()
    joins: Joins = Joins()
    media: Media = Media()
    limits: Limits = Limits()


def names() -> list[str]:
    """Of the scenarios that come with the product."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_scenario(name_or_path: str) -> Scenario:
    """A scenario by its name, or from a file. Raises ScenarioError."""
    path = FOLDER / f"{name_or_path}.toml"
    if not re.fullmatch(r"[a-z0-9-]+", name_or_path) or not path.is_file():
        path = Path(name_or_path)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ScenarioError(f"{path} is too large", f"At most {MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(names())
        raise ScenarioError(
            f"{name_or_path} is no scenario: {error}", f"Give a file, or one of: {known}"
        ) from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, source: str) -> Scenario:
    """The text of a scenario file; `source` names it in errors. Raises ScenarioError."""
    try:
        return Scenario.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: {error}", "Correct the line") from None
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        # A name that nobody knows explains the one that is missing.
        problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
        raise _explain(problems[0], text, source) from None


def _explain(problem: ErrorDetails, text: str, source: str) -> ScenarioError:
    place: tuple[str | int, ...] = problem["loc"]
    field = ".".join(str(part) for part in place) or "the file"
    line = _line_of(place, text)
    at = f"{source}, line {line}" if line else source
    reason = str(problem["msg"])
    return ScenarioError(f"{at}: {field}: {reason[:1].lower()}{reason[1:]}", "Correct the field")


def _line_of(place: tuple[str | int, ...], text: str) -> int | None:
    """The line of a field, or of the closest part of its path that stands in the text."""
    keys = [str(part) for part in place if isinstance(part, str)]
    best, table = None, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?", line):
            table = header[1]
            if keys and table == keys[0]:
                best = number
            continue
        named = [key for key in keys if re.search(rf"(?:^|[{{,\s]){re.escape(key)}\s*=", line)]
        if named and (table == "" or table in keys):
            best = number
            if keys[-1] in named:
                return number
    return best
