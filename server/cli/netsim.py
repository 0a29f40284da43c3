"""`mianshi netsim`: a bad network in front of a node's media port. The work is in `loadtest`."""

import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.output import AsJson, say

if TYPE_CHECKING:
    from loadtest.bad_network import BadNetwork, Flow


def netsim(
    scenario: Annotated[str, typer.Argument(help="A name of `loadtest/networks`, or a file.")],
    *,
    listen: Annotated[str, typer.Option(help="Where clients send to: host:port.")],
    target: Annotated[str, typer.Option(help="The node's media port: host:port.")],
    client: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Only these, by order of appearance; the rest go unharmed."),
    ] = None,
    seconds: Annotated[int, typer.Option(min=1, max=86_400, help="End after this time.")] = 3600,
    sample_ms: Annotated[int, typer.Option(min=10, max=60_000, help="Between samples.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    tcp: Annotated[bool, typer.Option(help="Pass TCP on, untouched.")] = False,
    allow_remote: Annotated[
        bool, typer.Option(help="Use addresses other than this machine's own.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Relay UDP as badly as SCENARIO says, for each client from its appearance on.

    Start the node with MIANSHI_MEDIA_ADVERTISED set to what --listen says. Ends with Ctrl-C.
    """
    from loadtest.bad_network import open_bad_network, read_scenario  # noqa: PLC0415 (see the package)

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with open_bad_network(
        target,
        read_scenario(scenario),
        listen=listen,
        clients=client,
        seed=seed,
        sample_ms=sample_ms,
        most_s=seconds,
        tcp=tcp,
        remote_allowed=allow_remote,
    ) as network:
        if not as_json:
            print(f"listening  {network.address}", flush=True)
        _watch(network, stop, print_samples=not as_json)
    body = network.report()
    say(body, [f"ended      {body['reason']}"], as_json=as_json)


def _watch(network: "BadNetwork", stop: threading.Event, *, print_samples: bool) -> None:
    printed = 0
    while network.process.poll() is None and not stop.wait(0.2):
        fresh = network.samples[printed:] if print_samples else []
        printed += len(fresh)
        for sample in fresh:
            print(f"client {sample.client}   up {_line(sample.up)}   down {_line(sample.down)}")


def _line(flow: "Flow") -> str:
    of = f" of {flow.capacity_bps / 1000:.0f}" if flow.capacity_bps is not None else ""
    gone = flow.queue_drops + flow.lost + flow.dark
    return f"{flow.sent_bps / 1000:.0f}{of} kbit/s, queue {flow.queue_ms:.0f} ms, lost {gone}"
