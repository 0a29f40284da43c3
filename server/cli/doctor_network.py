"""What `mianshi doctor` says about ports, addresses and the TURN server."""

import socket
from ipaddress import ip_address

from config import Settings
from server.addresses import is_wildcard, media_addresses
from server.cli.findings import Finding
from server.media import media_ports

DOCTOR = "doctor"
"""In whose name the TURN server is tried."""


def bindable(kind: socket.SocketKind, host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as one:
        if host == "::":
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if kind == socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as error:
            return error
    return None


async def http_port(chosen: Settings) -> Finding:
    host, port = chosen.http.host, chosen.http.port
    if error := bindable(socket.SOCK_STREAM, host, port):
        why = f"TCP {host}:{port}: {error.strerror} (a node that runs holds it)"
        return Finding("http", "failed", why)
    return Finding("http", "ok", f"TCP {host}:{port} is free")


async def media_port(chosen: Settings) -> Finding:
    ports = media_ports(chosen, chosen.http.port)
    where = f"UDP {_host(ports.host)}:{ports.udp}"
    if error := bindable(socket.SOCK_DGRAM, ports.host, ports.udp):
        return Finding("media", "failed", f"{where}: {error.strerror} (a node that runs holds it)")
    both = ", IPv4 and IPv6" if ports.host == "::" else ""
    return Finding("media", "ok", f"{where} is free{both}; open it in the firewall")


async def media_tcp(chosen: Settings) -> Finding:
    ports = media_ports(chosen, chosen.http.port)
    if ports.tcp is None:
        says = "off: who has no UDP stays out; set MIANSHI_MEDIA_TCP=true"
        return Finding("media_tcp", "warning", says)
    where = f"TCP {_host(ports.host)}:{ports.tcp}"
    if error := bindable(socket.SOCK_STREAM, ports.host, ports.tcp):
        says = f"{where}: {error.strerror}; choose another with MIANSHI_MEDIA_TCP_PORT"
        return Finding("media_tcp", "failed" if ports.tcp_is_chosen else "warning", says)
    return Finding("media_tcp", "ok", f"{where} is free; open it in the firewall, too")


async def advertised(chosen: Settings) -> Finding:
    """Whether those whom HTTP reaches could reach media, too."""
    offered = _offered(chosen)
    says = f"browsers are told {', '.join(offered)}"
    outside = is_wildcard(chosen.http.host) or chosen.http.public_url is not None
    if outside and all(not ip_address(ip).is_global for ip in offered):
        remedy = "set MIANSHI_MEDIA_ADVERTISED to the address that they see"
        return Finding(
            "addresses", "warning", f"{says}: nobody outside this network gets there; {remedy}"
        )
    return Finding("addresses", "ok", says)


async def turn(chosen: Settings) -> Finding:
    """A relay from each configured server, and leave to send to our media port."""
    from server.durable import utc_now  # noqa: PLC0415
    from server.turn import TurnServers  # noqa: PLC0415
    from sfu.api import SfuError, try_relay  # noqa: PLC0415

    relays = [url for url in chosen.turn.urls if url.startswith("turn")]
    if not relays:
        return Finding("turn", "ok", "none: clients come to us directly")
    username, credential = TurnServers(chosen.turn, utc_now).credentials(DOCTOR)
    media = (_offered(chosen)[0], media_ports(chosen, chosen.http.port).udp or 1)
    for url in relays:
        try:
            await try_relay(url, username, credential, media)
        except SfuError as error:
            return Finding("turn", "failed", f"{url}: {error}; {_REMEDIES.get(error.code, '')}")
    return Finding("turn", "ok", f"{len(relays)} relay to {media[0]}")


_REMEDIES = {
    "turn_unreachable": "start it, open its port, or correct MIANSHI_TURN_URLS",
    "turn_unauthorised": "MIANSHI_TURN_SECRET must be its static-auth-secret and the clocks agree",
    "turn_forbidden": "add allowed-peer-ip with that address to its configuration",
    "turn_failed": "see its log",
}


def _offered(chosen: Settings) -> tuple[str, ...]:
    """The IP addresses of our candidates."""
    from sfu.api import host_addresses  # noqa: PLC0415

    ports = media_ports(chosen, chosen.http.port)
    texts = chosen.media.advertised or media_addresses(ports.host)
    return tuple(one.ip for one in host_addresses(ports.host, ports.udp or 1, texts))


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
