"""`mianshi serve` and `mianshi demo`."""

import io
import sys
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from config import Settings, read_settings
from server.cli.output import AsJson, run, say, settings

Host = Annotated[str | None, typer.Option(help="Address to bind, by default 127.0.0.1.")]
PortOption = Annotated[
    int | None, typer.Option(min=0, max=65535, help="TCP and UDP port, by default 8080; 0: any.")
]


def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Begin with a fresh interview.")] = False,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls",
            help="Serve HTTPS on the local network with a certificate of our own making, so that "
            "a phone gives its camera.",
        ),
    ] = False,
    host: Host = None,
    port: PortOption = None,
) -> None:
    """Run a node until SIGINT or SIGTERM. Settings come from MIANSHI_* variables."""
    import uvloop  # noqa: PLC0415 (only this command needs it)

    from server.observability.logs import configure_logs  # noqa: PLC0415

    chosen = _settings(tls=tls, host=host, port=port)
    configure_logs(chosen.log)
    uvloop.run(_serve(chosen, with_demo=demo))


def _settings(*, tls: bool, host: str | None, port: int | None) -> Settings:
    http: dict[str, Any] = {}
    if tls:
        http["tls"] = True
        if "host" not in read_settings().http.model_fields_set:
            http["host"] = "0.0.0.0"  # noqa: S104 (a phone has to reach us)
    if host is not None:
        http["host"] = host
    if port is not None:
        http["port"] = port
    # A section given here replaces nothing else of it: sources are merged field by field.
    return read_settings({"http": http})


async def _serve(chosen: Settings, *, with_demo: bool) -> None:
    from server.app import run_node  # noqa: PLC0415
    from server.demo import make_demo  # noqa: PLC0415
    from server.durable import utc_now  # noqa: PLC0415
    from server.stopping import Closing, StopSignals  # noqa: PLC0415

    closing = Closing()
    stop = StopSignals(closing)
    async with run_node(chosen, closing) as node:
        if with_demo:
            demo = await make_demo(node.services.interviews, node.services.links, utc_now())
            _show_links(
                {
                    "hr": node.services.hr_url(demo.hr),
                    "interviewer": node.services.participant_url(demo.interviewer),
                    "interviewer-2": node.services.participant_url(demo.interviewer_2),
                    "candidate": node.services.participant_url(demo.candidate),
                }
            )
        else:
            print(f"ready          {node.services.public_url}", flush=True)
        await stop.wait()


def _show_links(urls: dict[str, str]) -> None:
    for name, url in urls.items():
        print(f"{name:<14} {url}")
    sys.stdout.flush()
    code = qr_code(urls["candidate"])
    print(code, file=sys.stdout if sys.stdout.isatty() else sys.stderr, flush=True)
    if hint := loopback_hint(urls["candidate"]):
        print(hint, file=sys.stderr, flush=True)


def loopback_hint(url: str) -> str | None:
    """What to know of a link to this very machine; None for any other."""
    host = urlsplit(url).hostname or ""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        return None
    return (
        f"Firefox connects no media to {host}: use Chromium, or serve with --tls (make run TLS=1)."
    )


def qr_code(url: str) -> str:
    """The URL as a QR code of block characters."""
    import segno  # noqa: PLC0415

    drawn = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(out=drawn, compact=True)
    return drawn.getvalue()


def demo(as_json: AsJson = False) -> None:
    """Create a demo interview for a node that runs with the same settings; print its links."""
    urls = run(_demo())
    say(urls, [f"{name:<14} {url}" for name, url in urls.items()], as_json=as_json)


async def _demo() -> dict[str, str]:
    from server.demo import make_demo  # noqa: PLC0415
    from server.durable import open_durable, public_url, utc_now  # noqa: PLC0415

    chosen = settings()
    base = public_url(chosen, chosen.http.port)
    async with open_durable(chosen) as durable:
        made = await make_demo(durable.interviews, durable.links, utc_now())
    return {
        "hr": f"{base}/hr/{made.hr}",
        "interviewer": f"{base}/i/{made.interviewer}",
        "interviewer-2": f"{base}/i/{made.interviewer_2}",
        "candidate": f"{base}/i/{made.candidate}",
    }
