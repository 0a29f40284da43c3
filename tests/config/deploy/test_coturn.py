"""Our credentials at a real coturn with the configuration that we ship."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from aioice import stun
from aioice.turn import TurnClientUdpProtocol

from config import TurnSettings
from server.turn import TurnServers
from tests.turn_server import HOST, TurnServer, turn_server

WAIT_S = 10.0
LIFETIME_S = 600


@pytest.fixture(scope="module")
def coturn() -> Iterator[TurnServer]:
    with turn_server() as server:
        yield server


def credentials(
    server: TurnServer, *, secret: str | None = None, age: timedelta = timedelta()
) -> tuple[str, str]:
    settings = TurnSettings(urls=(server.url,), secret=secret or server.secret, ttl_s=LIFETIME_S)
    issued = datetime.now(UTC) - age
    return TurnServers(settings, lambda: issued).credentials("candidate-1")


class Relayed(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.put_nowait(data)


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data[::-1], addr)


async def allocate(
    server: TurnServer, username: str, password: str
) -> tuple[TurnClientUdpProtocol, Relayed]:
    """A relay of our own. Raises stun.TransactionFailed."""
    _, client = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: TurnClientUdpProtocol(
            server.address,
            username=username,
            password=password,
            lifetime=LIFETIME_S,
            channel_refresh_time=500,
        ),
        remote_addr=server.address,
    )
    client.receiver = Relayed()
    await asyncio.wait_for(client.connect(), WAIT_S)
    return client, client.receiver


async def echo(host: str) -> tuple[asyncio.DatagramTransport, tuple[str, int]]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Echo, local_addr=(host, 0)
    )
    return transport, transport.get_extra_info("sockname")


async def test_our_credentials_get_a_relay_to_the_media_address(coturn: TurnServer) -> None:
    client, relayed = await allocate(coturn, *credentials(coturn))
    media, address = await echo(HOST)
    await client.send_data(b"hello", address)
    assert await asyncio.wait_for(relayed.received.get(), WAIT_S) == b"olleh"
    await client.delete()
    media.close()


@pytest.mark.parametrize("host", ["127.0.0.2", "10.0.0.1", "169.254.169.254"])
async def test_nothing_else_can_be_reached_through_it(coturn: TurnServer, host: str) -> None:
    client, _ = await allocate(coturn, *credentials(coturn))
    with pytest.raises(stun.TransactionFailed) as refused:
        await client.send_data(b"hello", (host, 80))
    assert refused.value.response.attributes["ERROR-CODE"][0] == 403
    await client.delete()


@pytest.mark.parametrize(
    ("secret", "age"),
    [(None, timedelta(seconds=LIFETIME_S + 5)), ("another secret of somebody", timedelta())],
)
async def test_expired_and_forged_credentials_are_refused(
    coturn: TurnServer, secret: str | None, age: timedelta
) -> None:
    with pytest.raises(stun.TransactionFailed) as refused:
        await allocate(coturn, *credentials(coturn, secret=secret, age=age))
    assert refused.value.response.attributes["ERROR-CODE"][0] == 401
