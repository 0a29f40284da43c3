"""`mianshi bench`: the figures that the README states. The work is in `loadtest`."""

import importlib
from typing import Annotated, Any, Protocol, cast

import typer

from server.cli.output import AsJson, CommandError, say

app = typer.Typer(help="Measure this installation; fails if a limit is missed.")


class Report(Protocol):
    """What each benchmark gives back."""

    @property
    def passed(self) -> bool: ...

    def as_dict(self) -> dict[str, Any]: ...


def _measure(name: str, module: str, as_json: bool, *arguments: int | str | None) -> None:
    report = cast(Report, importlib.import_module(module).run(*arguments))
    body = report.as_dict()
    say(body, [f"{key:<18} {value}" for key, value in body.items()], as_json=as_json)
    if not report.passed:
        raise CommandError(
            f"The benchmark {name} missed its limits",
            "Run it on an idle machine, and compare with the README's figures",
        )


@app.command()
def join(
    joins: Annotated[int, typer.Option(min=1, max=1000, help="How often to join.")] = 30,
    as_json: AsJson = False,
) -> None:
    """From the tap to the first decoded remote picture, in Chromium."""
    _measure("join", "loadtest.browser.join", as_json, joins)


@app.command()
def handoff(
    handoffs: Annotated[int, typer.Option(min=1, max=1000, help="How often to hand over.")] = 20,
    as_json: AsJson = False,
) -> None:
    """From the hand-over to the first decoded picture of the next interviewer."""
    _measure("handoff", "loadtest.browser.handoff", as_json, handoffs)


@app.command()
def forward(as_json: AsJson = False) -> None:
    """Processor time for each forwarded packet, beside a bare UDP relay."""
    _measure("forward", "loadtest.forward", as_json)


@app.command()
def adapt(
    scenario: Annotated[str | None, typer.Argument(help="Only this one, by its name.")] = None,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="How often each is played.")] = 10,
    as_json: AsJson = False,
) -> None:
    """How calls between real Chromiums follow bad networks, and what latency the engine adds.

    Half a minute to two a run.
    """
    _measure("adapt", "loadtest.browser.adapt", as_json, scenario, runs)


@app.command()
def ride(
    plot: Annotated[str, typer.Option(help="Where to draw it.")] = "docs/images/train-ride.svg",
    as_json: AsJson = False,
) -> None:
    """Five minutes on a bad train in real Chromium, drawn as an SVG."""
    _measure("ride", "loadtest.browser.adapt.ride", as_json, plot)
