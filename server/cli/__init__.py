"""The command line `mianshi`. Parts are imported when their command runs: `--help` is instant."""

import sys
from typing import NoReturn

import typer

from server.cli import bench, doctor, interviews, keys, links, loadtest, netsim, serve
from server.cli.output import fail

app = typer.Typer(
    name="mianshi",
    help="Mianshi (面试): a self-hosted, real-time video interview server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve.serve)
app.command()(serve.demo)
app.command()(doctor.doctor)
app.add_typer(interviews.app, name="interviews")
app.add_typer(links.app, name="links")
app.add_typer(keys.app, name="keys")
app.add_typer(bench.app, name="bench")
app.add_typer(loadtest.app, name="loadtest")
app.command()(netsim.netsim)


def main() -> NoReturn:
    """Run; every failure is one line `error: sentence. remedy` and a status other than 0."""
    try:
        app()
    except Exception as error:
        fail(error)
    sys.exit(0)
