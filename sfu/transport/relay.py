"""Trying a TURN server out (RFC 8656), as a client would use it: for operators, never for media."""

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass

from aioice import stun
from aioice.turn import TurnClientTcpProtocol, TurnClientUdpProtocol

from sfu.errors import SfuError

LIFETIME_S = 60
REFRESH_S = 500
TIMEOUT_S = 8.0
"""A lost datagram is repeated for this long."""

_URL = re.compile(
    r"(?P<scheme>turns?):(?P<host>\[[^\]]+\]|[^:?]+)(?::(?P<port>\d+))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
_DEFAULT_PORT = {"turn": 3478, "turns": 5349}

Client = TurnClientTcpProtocol | TurnClientUdpProtocol


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    transport: str
    secure: bool


async def try_relay(
    url: str, username: str, credential: str, media: tuple[str, int]
) -> tuple[str, int]:
    """Ask for a relay and for leave to send to `media`; return the relay's address.

    Raises SfuError: `turn_url`, `turn_unreachable`, `turn_unauthorised` (the secrets differ, or
    the clocks), `turn_forbidden` (the relay may not send to `media`), `turn_failed`.
    """
    server = _parse(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _try(server, username, credential, media)
    except stun.TransactionFailed as error:
        raise _explained(error, media) from None
    except (OSError, TimeoutError, stun.TransactionTimeout) as error:
        where = f"{server.host}:{server.port} over {server.transport}"
        raise SfuError("turn_unreachable", f"{where} does not answer ({error})") from None


def _parse(url: str) -> _Server:
    match = _URL.fullmatch(url)
    if match is None:
        raise SfuError("turn_url", f"{url!r} is no TURN URL")
    scheme = match["scheme"]
    secure = scheme == "turns"
    return _Server(
        host=match["host"].strip("[]"),
        port=int(match["port"] or _DEFAULT_PORT[scheme]),
        transport=match["transport"] or ("tcp" if secure else "udp"),
        secure=secure,
    )


async def _try(
    server: _Server, username: str, credential: str, media: tuple[str, int]
) -> tuple[str, int]:
    client = await _open(server, username, credential)
    try:
        relayed = await client.connect()
        # An empty datagram: it is the leave to send that is asked for.
        await client.send_data(b"", media)
        await client.delete()
    finally:
        client.transport.close()
    return relayed


async def _open(server: _Server, username: str, credential: str) -> Client:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    address = (str(found[0][4][0]), server.port)

    def make(kind: type[Client]) -> Client:
        return kind(
            address,
            username=username,
            password=credential,
            lifetime=LIFETIME_S,
            channel_refresh_time=REFRESH_S,
        )

    client: Client
    if server.transport == "udp":
        _, client = await loop.create_datagram_endpoint(
            lambda: make(TurnClientUdpProtocol), remote_addr=address
        )
        return client
    context = ssl.create_default_context() if server.secure else None
    _, client = await loop.create_connection(
        lambda: make(TurnClientTcpProtocol),
        *address,
        ssl=context,
        server_hostname=server.host if context else None,
    )
    return client


def _explained(error: stun.TransactionFailed, media: tuple[str, int]) -> SfuError:
    code, reason = 0, ""
    with suppress(KeyError):
        code, reason = error.response.attributes["ERROR-CODE"]
    if code == 401:
        return SfuError("turn_unauthorised", "the TURN server refuses our credentials")
    if code == 403:
        return SfuError("turn_forbidden", f"the TURN server may not relay to {media[0]}")
    return SfuError("turn_failed", f"the TURN server says {code} {reason}")
