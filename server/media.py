"""The media plane of a node: which addresses and ports it gets, and its start."""

from dataclasses import dataclass

import structlog

from config import HttpSettings, MediaSettings, Settings
from server.addresses import has_ipv6, is_wildcard, media_addresses, resolved
from server.errors import StartError
from sfu.api import Limits, Sfu, SfuError

log = structlog.get_logger("server.media")

LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class MediaPorts:
    """Where the media engine binds."""

    host: str
    """An IP address; `::` takes IPv4 too."""
    udp: int
    tcp: int | None
    tcp_is_chosen: bool
    """The operator named the TCP port: without it the node must not start."""


def media_ports(settings: Settings, http_port: int) -> MediaPorts:
    """What the settings mean on this machine. Raises OSError for a name without an address."""
    media = settings.media
    udp = http_port if media.port is None else media.port
    return MediaPorts(
        host=_bound_host(settings),
        udp=udp,
        tcp=_tcp_port(media, settings.http, udp, http_port),
        tcp_is_chosen=media.tcp_port is not None,
    )


def _bound_host(settings: Settings) -> str:
    """Where HTTP takes all addresses, media takes those of both families."""
    if settings.media.host is not None:
        return "::" if settings.media.host == "*" else resolved(settings.media.host)
    if is_wildcard(settings.http.host):
        return "::" if has_ipv6() else "0.0.0.0"  # noqa: S104 (as asked)
    return resolved(settings.http.host)


def _tcp_port(media: MediaSettings, http: HttpSettings, udp: int, http_port: int) -> int | None:
    if not media.tcp:
        return None
    if media.tcp_port is not None:
        return media.tcp_port
    if udp != http_port or not _share_an_address(media, http):
        return udp
    return udp + 1 if udp < LAST_PORT else udp - 1


def _share_an_address(media: MediaSettings, http: HttpSettings) -> bool:
    host = media.host or http.host
    return host == http.host or is_wildcard(host) or is_wildcard(http.host)


async def start_media(settings: Settings, http_port: int) -> Sfu:
    """Bind and be ready for offers. Raises StartError.

    A TCP port that nobody asked for by number may be missing: then clients come by UDP only.
    """
    try:
        ports = media_ports(settings, http_port)
    except OSError as error:
        raise StartError(
            f"MIANSHI_MEDIA_HOST has no address: {error}.", "Give an IP address."
        ) from None
    try:
        return await _start(settings.media, ports, ports.tcp)
    except SfuError as error:
        if error.code != "tcp_unavailable":
            raise _explained(error, ports) from None
        if ports.tcp_is_chosen:
            raise StartError(
                f"The media port TCP {ports.host}:{ports.tcp} cannot be had: {error}.",
                "Stop the other program, or choose another port with MIANSHI_MEDIA_TCP_PORT.",
            ) from None
    log.warning("media_without_tcp", port=ports.tcp, remedy="set MIANSHI_MEDIA_TCP_PORT")
    try:
        return await _start(settings.media, ports, None)
    except SfuError as error:
        raise _explained(error, ports) from None


async def _start(media: MediaSettings, ports: MediaPorts, tcp_port: int | None) -> Sfu:
    return await Sfu.start(
        ports.host,
        ports.udp,
        tcp_port=tcp_port,
        advertised=media.advertised or media_addresses(ports.host),
        limits=Limits(max_peers=media.max_peers, max_handshakes=media.max_handshakes),
    )


def _explained(error: SfuError, ports: MediaPorts) -> StartError:
    return StartError(
        f"The media port UDP {ports.host}:{ports.udp} cannot be had: {error}.",
        "Stop the other program, or choose another port with MIANSHI_MEDIA_PORT.",
    )
