"""How the command line speaks: one JSON object or readable lines on stdout, errors on stderr."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from config import LogSettings, Settings, SettingsError, read_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]

Result = TypeVar("Result")


class CommandError(Exception):
    """What the person asked for cannot be done."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def fail(error: BaseException) -> NoReturn:
    """Say what went wrong and end with status 1. With MIANSHI_DEBUG set, the trace follows."""
    if os.environ.get("MIANSHI_DEBUG"):
        raise error
    message, remedy = _told(error)
    print(f"error: {_sentence(message)} {_sentence(remedy)}".rstrip(), file=sys.stderr)
    sys.exit(1)


def _told(error: BaseException) -> tuple[str, str]:
    if isinstance(error, SettingsError):
        return error.message, error.remedy
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}", "See --help."
    if not hasattr(error, "code") and not isinstance(error, CommandError):
        return (
            f"{type(error).__name__}: {error}",
            "This should not happen: run again with MIANSHI_DEBUG=1 and report it.",
        )
    return str(error), str(getattr(error, "remedy", ""))


def say(body: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(body, ensure_ascii=False))
    else:
        print("\n".join(lines))


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a short command: warnings go to stderr, stdout is the answer's."""
    from server.observability.logs import configure_logs  # noqa: PLC0415 (see the package)

    configure_logs(LogSettings(level="warning"))
    return asyncio.run(work)


def settings() -> Settings:
    return read_settings()
