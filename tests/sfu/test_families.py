"""One dual-stack port: clients of both families, by both transports, meet in one room."""

import pytest

from server.addresses import has_ipv6
from sfu.api import Sfu
from tests.sfu.recorder import Recorder
from tests.sfu.tcp_client import open_tcp_client
from tests.sfu.udp_client import open_client, received

pytestmark = pytest.mark.skipif(not has_ipv6(), reason="this kernel has no IPv6")


async def test_people_of_both_families_and_transports_see_each_other():
    sfu, recorder = await Sfu.start("::", tcp_port=0, advertised=["127.0.0.1", "::1"]), Recorder()
    sfu.listen(recorder)
    clients = [
        await opened(port, host)
        for opened, port in ((open_client, sfu.port), (open_tcp_client, sfu.tcp_port))
        for host in ("127.0.0.1", "::1")
    ]
    for client in clients:
        await client.connect(sfu)
        mapped = (await client.ice()).attributes["XOR-MAPPED-ADDRESS"]
        assert mapped == client._transport.get_extra_info("sockname")[:2]
    for one, other in zip(clients, [*clients[1:], clients[0]], strict=True):
        sfu.place(one.peer, "pair")
        sfu.place(other.peer, "pair")
        await recorder.until(
            lambda one=one, other=other: other.peer in recorder.shown(one.peer, "camera")
        )
        assert (await received(one, b"across", other.speak)).payload_type == 111
        sfu.place(one.peer, None)
        sfu.place(other.peer, None)
    for client in clients:
        client.close()
    await sfu.close()
