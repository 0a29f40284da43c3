"""Media over TCP (RFC 6544): a network that lets no UDP through must not end an interview."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sfu.api import Sfu, SfuError
from tests.sfu.recorder import Recorder
from tests.sfu.tcp_client import TcpClient, framed, open_tcp_client
from tests.sfu.udp_client import PWD, UdpClient, open_client, received

WAIT_S = 10.0


@pytest.fixture(params=["127.0.0.1", "::1"])
async def sfu(request: pytest.FixtureRequest) -> AsyncIterator[Sfu]:
    plane = await Sfu.start(request.param, tcp_port=0)
    plane.host = request.param
    yield plane
    await plane.close()


@pytest.fixture
def recorder(sfu: Sfu) -> Recorder:
    listener = Recorder()
    sfu.listen(listener)
    return listener


async def over_tcp(sfu: Sfu) -> TcpClient:
    return await open_tcp_client(sfu.tcp_port, sfu.host)


async def over_udp(sfu: Sfu) -> UdpClient:
    return await open_client(sfu.port, sfu.host)


async def meet(sfu: Sfu, recorder: Recorder, *clients: UdpClient) -> None:
    """All connect and see each other."""
    for client in clients:
        await client.connect(sfu)
        sfu.place(client.peer, "r1")
    await recorder.until(
        lambda: all(
            len(recorder.shown(client.peer, "camera")) == len(clients) - 1 for client in clients
        )
    )


async def test_sound_and_pictures_pass_both_ways(sfu, recorder):
    tcp, udp = await over_tcp(sfu), await over_udp(sfu)
    await meet(sfu, recorder, tcp, udp)
    assert (await received(udp, b"from tcp", tcp.film)).payload_type == 96
    assert (await received(tcp, b"from udp", udp.speak)).payload_type == 111
    assert (await sfu.stats()).tcp_connections == 1
    tcp.close()
    udp.close()


async def test_the_answer_to_a_check_names_the_connections_far_end(sfu):
    client = await over_tcp(sfu)
    await client.connect(sfu)
    assert (await client.ice()).attributes["XOR-MAPPED-ADDRESS"] == client.address
    client.close()


async def test_a_connection_that_breaks_leaves_the_peer_its_other_path(sfu, recorder):
    tcp, udp = await over_tcp(sfu), await over_udp(sfu)
    await meet(sfu, recorder, udp, tcp)
    # The same peer also checks a UDP path, which is its second best.
    second = await over_udp(sfu)
    second.answer = tcp.answer
    await second.ice()
    await tcp.ice()
    tcp._transport.abort()
    second._inbound, second._outbound = tcp._inbound, tcp._outbound
    assert (await received(second, b"still there", udp.speak)).payload_type == 111
    assert (await sfu.stats()).tcp_connections == 0
    udp.close()
    second.close()


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        framed(b"\x80" * 200),
        framed(b"\x16\xfe\xfd" + bytes(60)),
        b"\xff\xff",
    ],
)
async def test_a_stranger_who_speaks_otherwise_is_hung_up_on(sfu, noise):
    stranger = await over_tcp(sfu)
    stranger._transport.write(noise)
    await asyncio.wait_for(stranger.lost.wait(), WAIT_S)
    stats = await sfu.stats()
    assert stats.datagrams_dropped["tcp_malformed"] == 1
    assert (stats.datagrams_received, stats.tcp_connections) == (0, 0)


async def test_a_wrong_password_is_answered_with_silence(sfu):
    known, stranger = await over_tcp(sfu), await over_tcp(sfu)
    await known.connect(sfu)
    stranger.bind(known.answer.split("a=ice-ufrag:")[1].split("\r\n")[0], PWD)
    while not (await sfu.stats()).datagrams_dropped["stun_unauthenticated"]:
        pass
    assert stranger.replies.empty()
    known.close()
    stranger.close()


async def test_a_peer_that_is_gone_loses_its_connection(sfu, recorder):
    client = await over_tcp(sfu)
    await client.connect(sfu)
    sfu.disconnect(client.peer)
    await asyncio.wait_for(client.lost.wait(), WAIT_S)


async def test_a_tcp_port_that_is_taken_is_told_from_a_taken_udp_port(sfu):
    with pytest.raises(SfuError) as refused:
        await Sfu.start(sfu.host, tcp_port=sfu.tcp_port)
    assert refused.value.code == "tcp_unavailable"
    with pytest.raises(SfuError) as refused:
        await Sfu.start(sfu.host, sfu.port)
    assert refused.value.code == "address_in_use"
