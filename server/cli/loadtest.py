"""`mianshi loadtest`: what this machine holds. The work is in `loadtest`."""

import asyncio
import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from server.cli.output import AsJson, CommandError, say

if TYPE_CHECKING:
    from loadtest.crowd.run import Outcome
    from loadtest.crowd.scenario import Scenario

app = typer.Typer(help="Virtual users with real media; fails if a limit of the scenario is missed.")


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A name of `loadtest/scenarios`, or a file.")],
    *,
    users: Annotated[
        int | None, typer.Option(min=2, max=10_000, help="Instead of the scenario's number.")
    ] = None,
    hr: Annotated[
        str | None,
        typer.Option(help="An HR link of the server to load; by default one is started."),
    ] = None,
    seconds: Annotated[
        int, typer.Option(min=1, max=86_400, help="End after this time, whatever happens.")
    ] = 3600,
    report: Annotated[
        str | None, typer.Option(help="Write a page about it: a file ending in .html.")
    ] = None,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Of the page.")] = "en",
    allow_remote: Annotated[
        bool, typer.Option(help="Load a server that is not on this machine.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play SCENARIO: people join by link, send and watch; Ctrl-C ends it early."""
    from loadtest.crowd.scenario import read_scenario  # noqa: PLC0415 (see the package)
    from server.cli.loadtest_view import view  # noqa: PLC0415

    played = read_scenario(scenario)
    with view(played, users or played.users, quiet=as_json) as tell:
        outcome = asyncio.run(
            _play(
                played, users=users, hr=hr, most_s=seconds, remote_allowed=allow_remote, tell=tell
            )
        )
    if report is not None:
        _write_report(report, outcome, language)
    body = outcome.as_dict()
    say(body, _lines(body), as_json=as_json)
    if not outcome.passed:
        why = "; ".join(outcome.missed) or outcome.reason
        raise CommandError(f"The load test did not pass: {why}", "See the figures above")


@app.command("find-limit")
def find_limit(
    scenario: Annotated[str, typer.Argument(help="A name of `loadtest/scenarios`, or a file.")],
    fewest: Annotated[int, typer.Option(min=2, max=10_000, help="To begin with.")] = 50,
    most: Annotated[int, typer.Option(min=2, max=10_000, help="Not to go beyond.")] = 4000,
    lasts: Annotated[
        float | None, typer.Option(min=1, help="Seconds to hold each, instead of the scenario's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search the largest number of users with which SCENARIO's limits hold on this machine."""
    from loadtest.crowd.limit import find_limit as find  # noqa: PLC0415 (see the package)
    from loadtest.crowd.scenario import read_scenario  # noqa: PLC0415
    from server.cli.loadtest_view import view  # noqa: PLC0415

    played = read_scenario(scenario)
    if lasts is not None:
        played = played.model_copy(update={"lasts_s": lasts})

    async def play(users: int) -> "Outcome":
        with view(played, users, quiet=as_json) as tell:
            return await _play(played, users=users, tell=tell)

    room = played.rooms.interviewers + 1
    found = asyncio.run(find(play, fewest=fewest, most=most, room=room))
    body = found.as_dict()
    say(body, _lines(body), as_json=as_json)
    if not found.passed:
        raise CommandError(
            "No number was found" if not found.partial else "The search was stopped",
            "Begin with fewer users, and see what was missed above",
        )


def _lines(body: dict[str, Any]) -> list[str]:
    return [f"{key:<20} {_readable(value)}" for key, value in body.items()]


def _readable(value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {_readable(each)}" for key, each in value.items()) or "-"
    if isinstance(value, list):
        return "; ".join(_readable(each) for each in value) or "-"
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    return str(value)


def _write_report(path: str, outcome: "Outcome", language: Literal["en", "zh"]) -> None:
    from loadtest.crowd.report import write  # noqa: PLC0415 (see the package)

    write(Path(path), outcome, datetime.now().astimezone(), language)


async def _play(scenario: "Scenario", **options: Any) -> "Outcome":  # noqa: ANN401 (as `run`)
    from loadtest.crowd.run import run as play  # noqa: PLC0415 (see the package)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await play(scenario, stop=stop, **options)
