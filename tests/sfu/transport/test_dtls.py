"""Handshakes with a real client, over lines that lose, repeat and forge."""

import asyncio

import pytest
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
)
from cryptography.x509 import InvalidVersion
from hypothesis import given
from hypothesis import strategies as st

from sfu.transport import dtls
from sfu.transport.dtls import DtlsError, DtlsSession, NodeCertificate, pack_records
from tests.sfu.dtls_client import DtlsClient

CERTIFICATE = NodeCertificate.generateCertificate()


@pytest.fixture
def certificate() -> NodeCertificate:
    return CERTIFICATE


class Line:
    """Both ends of one connection. `lose_up`/`lose_down`: numbers of datagrams that vanish."""

    def __init__(self, certificate, *, profiles=None, fingerprint=None, lose_up=(), lose_down=()):
        self.certificate = certificate
        self.lose_up, self.lose_down = set(lose_up), set(lose_down)
        self.ups: list[bytes] = []
        self.downs: list[bytes] = []
        self.client = DtlsClient(self._up, profiles)
        self.server = DtlsSession(certificate, fingerprint or self.client.fingerprint, self._down)

    def _up(self, datagram: bytes) -> None:
        self.ups.append(datagram)
        if len(self.ups) - 1 not in self.lose_up:
            self.server.receive(datagram, asyncio.get_running_loop().time())

    def _down(self, datagram: bytes) -> None:
        self.downs.append(datagram)
        if len(self.downs) - 1 not in self.lose_down:
            self.client.receive(datagram)

    async def shake(self):
        started = asyncio.ensure_future(self.client.start(self.certificate.sha256))
        try:
            keys = await self.server.handshake()
            await started
            return keys
        finally:
            started.cancel()

    async def close(self):
        self.server.close()
        await self.client.transport.stop()


@pytest.mark.parametrize(
    ("offered", "profile", "key_bytes"),
    [
        ([SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM], 7, 28),
        ([SRTP_AES128_CM_SHA1_80], 1, 30),
        ([SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80], 1, 30),
        ([SRTP_AEAD_AES_256_GCM], 8, 44),
    ],
)
async def test_both_ends_get_the_same_keys(certificate, offered, profile, key_bytes):
    line = Line(certificate, profiles=offered)
    keys = await line.shake()
    assert keys.profile == profile
    assert (keys.receive, keys.send) == line.client.transport.keys
    assert len(keys.send) == key_bytes
    assert keys.receive.hex() not in repr(keys)
    assert repr(keys.receive) not in repr(keys)
    await line.close()


@pytest.mark.parametrize(
    ("lose_up", "lose_down"), [((0,), ()), ((), (0,)), ((1,), ()), ((), (1,)), ((0, 2), (1,))]
)
async def test_a_lost_flight_is_repeated(certificate, lose_up, lose_down):
    line = Line(certificate, lose_up=lose_up, lose_down=lose_down)
    keys = await asyncio.wait_for(line.shake(), 9)
    assert (keys.receive, keys.send) == line.client.transport.keys
    await line.close()


async def test_repeated_datagrams_do_no_harm(certificate):
    line = Line(certificate)
    deliver = line.server.receive
    line.server.receive = lambda data, now: (deliver(data, now), deliver(data, now))
    keys = await line.shake()
    assert (keys.receive, keys.send) == line.client.transport.keys
    await line.close()


async def test_another_certificate_than_the_offers_is_refused(certificate):
    line = Line(certificate, fingerprint=":".join(["AB"] * 32))
    with pytest.raises(DtlsError) as caught:
        await line.shake()
    assert caught.value.reason == "dtls_failed"
    await line.close()


@pytest.mark.parametrize("error", [ValueError("a serial number"), InvalidVersion("v4", 3)])
async def test_an_unreadable_certificate_is_refused(certificate, monkeypatch, error):
    def unreadable(*_: object) -> None:
        raise error

    monkeypatch.setattr(dtls._Transport, "_validate_peer_identity", unreadable)
    line = Line(certificate)
    with pytest.raises(DtlsError) as caught:
        await line.shake()
    assert caught.value.reason == "dtls_failed"
    await line.close()


async def test_garbage_does_not_stop_a_handshake(certificate):
    line = Line(certificate)
    for junk in (b"", b"\x16", b"\x16\xfe\xfd" + bytes(10), bytes([22]) * 1400, b"\x40" * 60):
        line.server.receive(junk, 0.0)
    keys = await line.shake()
    assert (keys.receive, keys.send) == line.client.transport.keys
    await line.close()


@given(st.lists(st.binary(max_size=200), max_size=12))
def test_garbage_alone_ends_in_silence_or_failure(datagrams):
    async def run():
        sent: list[bytes] = []
        session = DtlsSession(CERTIFICATE, ":".join(["AB"] * 32), sent.append)
        for datagram in datagrams:
            session.receive(bytes([22]) + datagram, 0.0)
        task = asyncio.ensure_future(session.handshake())
        for _ in range(len(datagrams) + 3):
            await asyncio.sleep(0)
        session.close()
        with pytest.raises(DtlsError):
            await task
        assert sum(map(len, sent)) < 2000, "little to gain from reflecting off us"

    asyncio.run(run())


async def test_nobody_comes(certificate, monkeypatch):
    monkeypatch.setattr(dtls, "FIRST_DATAGRAM_TIMEOUT_S", 0.01)
    line = Line(certificate)
    with pytest.raises(DtlsError) as caught:
        await line.server.begun()
    assert caught.value.reason == "dtls_timeout"


async def test_a_client_that_falls_silent_times_out(certificate, monkeypatch):
    monkeypatch.setattr(dtls, "HANDSHAKE_TIMEOUT_S", 0.05)
    line = Line(certificate, lose_up=range(1, 100))
    with pytest.raises(DtlsError) as caught:
        await line.shake()
    assert caught.value.reason == "dtls_timeout"
    await line.close()


async def test_the_clients_goodbye_is_heard(certificate):
    line = Line(certificate)
    await line.shake()
    closed = asyncio.ensure_future(line.server.closed())
    await asyncio.sleep(0)
    assert not closed.done()
    await line.client.transport.stop()
    await asyncio.wait_for(closed, 5)
    line.server.close()
    line.server.close()


async def test_the_client_hears_our_goodbye(certificate):
    line = Line(certificate)
    await line.shake()
    pump = line.client.transport._task
    line.server.close()
    await asyncio.wait([pump], timeout=5)
    assert line.client.transport.state == "closed"


async def test_a_flood_is_dropped_before_openssl(certificate):
    line = Line(certificate)
    for _ in range(1000):
        line.server.receive(b"\x16" * 100, 0.0)
    assert line.server._path._datagrams.qsize() == dtls.MAX_WAITING_DATAGRAMS
    line.server.close()


@given(st.lists(st.integers(0, 1500), max_size=20))
def test_records_are_never_split(lengths):
    records = [b"\x16\xfe\xfd" + bytes(8) + n.to_bytes(2) + b"x" * n for n in lengths]
    datagrams = list(pack_records(b"".join(records)))
    assert b"".join(datagrams) == b"".join(records)
    boundaries = {0}
    for record in records:
        boundaries.add(max(boundaries) + len(record))
    at = 0
    for datagram in datagrams:
        assert at in boundaries
        at += len(datagram)
        assert len(datagram) <= dtls.MAX_DATAGRAM_BYTES or datagram in records


@given(st.binary(max_size=300))
def test_packing_anything_loses_nothing(data):
    assert b"".join(pack_records(data)) == data
