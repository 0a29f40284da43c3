"""The media plane over the real engine: a client on a UDP socket, and hostile ones."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from sfu.api import (
    BusyError,
    ClosedError,
    Limits,
    SdpError,
    Sfu,
    SfuError,
    UnknownPeerError,
    WantedLayer,
)
from sfu.transport import dtls
from tests.conditions import PATIENCE_S
from tests.sfu.recorder import Recorder
from tests.sfu.udp_client import PWD, UdpClient, attribute, offer_of, open_client, received, talking

TRACKS = {"0": "microphone", "1": "camera"}
FINGERPRINT = ":".join(["AB"] * 32)
WAIT_S = 10.0
RTX = 97
"""The payload type in `offer_of`."""


@pytest.fixture
async def sfu() -> AsyncIterator[Sfu]:
    plane = await Sfu.start()
    yield plane
    await plane.close()


@pytest.fixture
def recorder(sfu: Sfu) -> Recorder:
    listener = Recorder()
    sfu.listen(listener)
    return listener


@pytest.fixture
async def client(sfu: Sfu) -> AsyncIterator[Callable]:
    made: list[UdpClient] = []

    async def make() -> UdpClient:
        made.append(await open_client(sfu.port))
        return made[-1]

    yield make
    for each in made:
        each.close()


async def test_sound_and_pictures_reach_the_others_slots(sfu, recorder, client):
    one, two = await client(), await client()
    await one.connect(sfu)
    await two.connect(sfu)
    await recorder.until(lambda: set(recorder.connected) == {one.peer, two.peer})
    sfu.place(one.peer, "r1")
    sfu.place(two.peer, "r1")
    await recorder.until(lambda: recorder.shown(two.peer, "camera") == {one.peer: "3"})
    sound = await received(two, b"hello", one.speak)
    picture = await received(two, b"there", one.film)
    assert (sound.payload_type, picture.payload_type) == (111, 96)
    assert f"a=ssrc:{sound.ssrc} " in two.answer
    assert f"a=ssrc:{picture.ssrc} " in two.answer
    assert {sound.ssrc, picture.ssrc}.isdisjoint({1111, 2222})
    stats = await sfu.stats()
    assert (stats.peers, stats.connected, stats.handshakes.completed) == (2, 2, 2)
    sources = {(s.peer, s.mid): s for s in stats.streams if s.direction == "receive"}
    assert sources[one.peer, "0"].packets > 0
    assert stats.datagrams_received > 0


async def test_a_publisher_is_told_when_nobody_watches_and_when_somebody_does(
    sfu, recorder, client
):
    one, two = await client(), await client()
    await one.connect(sfu)
    await two.connect(sfu)
    sfu.place(one.peer, "r1")
    sfu.place(two.peer, "r1")
    await received(two, b"picture", one.film)
    for size, wanted in (((0, 0), []), ((640, 360), [WantedLayer("", max_bps=None)])):
        sfu.set_sizes(two.peer, {"3": size})
        await recorder.until(
            lambda wanted=wanted: recorder.wanted == {(one.peer, "camera"): wanted}
        )


async def test_a_loud_microphone_is_told_as_speaking(sfu, recorder, client):
    one = await client()
    await one.connect(sfu)
    async with talking(one):
        await recorder.until(lambda: (one.peer, True) in recorder.spoke)


async def test_nobody_hears_a_peer_outside_the_scene(sfu, recorder, client):
    one, two = await client(), await client()
    await one.connect(sfu)
    await two.connect(sfu)
    for peer in (one.peer, two.peer):
        sfu.place(peer, "r1")
    await received(two, b"inside", one.speak)
    sfu.place(one.peer, "r2")
    await recorder.until(lambda: not recorder.shown(two.peer, "microphone"))
    await sfu.stats()  # the engine answers in order: the routes are gone now
    while not two.rtp.empty():
        two.rtp.get_nowait()
    for _ in range(20):
        one.speak(b"outside")
    await sfu.stats()

    async def anything_but_probes() -> None:
        while (await two.rtp.get()).payload_type == RTX:
            pass  # padding, by which the engine measures the path

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anything_but_probes(), 0.2)


async def test_goodbyes_are_heard_on_both_sides(sfu, recorder, client):
    one, two = await client(), await client()
    await one.connect(sfu)
    await two.connect(sfu)
    await recorder.until(lambda: len(recorder.connected) == 2)
    await one.dtls.transport.stop()
    await recorder.until(lambda: recorder.closed == {one.peer: "dtls_closed"})
    pump = two.dtls.transport._task
    sfu.disconnect(two.peer)
    await asyncio.wait([pump], timeout=WAIT_S)
    assert two.dtls.transport.state == "closed"
    assert two.peer not in recorder.closed, "the owner knows: it asked for it"
    with pytest.raises(UnknownPeerError):
        await sfu.renegotiate(two.peer, offer_of(FINGERPRINT), TRACKS)
    sfu.disconnect(two.peer)
    assert (await sfu.stats()).peers == 0


async def test_an_ice_restart_moves_the_client_to_another_address(sfu, recorder, client):
    one, two = await client(), await client()
    await one.connect(sfu)
    await two.connect(sfu)
    for peer in (one.peer, two.peer):
        sfu.place(peer, "r1")
    await received(two, b"before", one.speak)
    old = attribute(one.answer, "ice-ufrag")
    answer = await sfu.renegotiate(one.peer, offer_of(one.dtls.fingerprint, ufrag="moved"), TRACKS)
    assert attribute(answer, "ice-ufrag") != old
    loop = asyncio.get_running_loop()
    one._transport.close()
    await loop.create_datagram_endpoint(lambda: one, local_addr=("127.0.0.1", 0))
    one.answer = answer
    await one.ice()
    await received(two, b"after", one.speak)
    assert recorder.connected.count(one.peer) == 1


async def test_dtls_from_an_address_that_ice_does_not_know_is_ignored(sfu, recorder, client):
    one = await client()
    answer = await sfu.connect(offer_of(one.dtls.fingerprint), TRACKS)
    one.bind(attribute(answer.sdp, "ice-ufrag"), PWD, key="forged-forged-forged-forged")
    starting = asyncio.ensure_future(one.dtls.start(FINGERPRINT))
    async with asyncio.timeout(PATIENCE_S):
        while sum((await sfu.stats()).datagrams_dropped.values()) < 2:
            pass
    starting.cancel()
    assert one.replies.empty(), "a forged request gets no answer"
    assert recorder.connected == []


async def test_a_wrong_certificate_ends_the_peer(sfu, recorder, client):
    one = await client()
    answer = await sfu.connect(offer_of(FINGERPRINT), TRACKS)
    one.answer = answer.sdp
    await one.ice()
    starting = asyncio.ensure_future(
        one.dtls.start(attribute(answer.sdp, "fingerprint").split(" ")[1])
    )
    await recorder.until(lambda: recorder.closed == {answer.peer: "dtls_failed"})
    starting.cancel()
    stats = await sfu.stats()
    assert (stats.peers, stats.handshakes.failed) == (0, 1)
    assert recorder.connected == []


async def test_a_client_that_never_comes_is_forgotten(sfu, recorder, monkeypatch):
    monkeypatch.setattr(dtls, "FIRST_DATAGRAM_TIMEOUT_S", 0.05)
    answer = await sfu.connect(offer_of(FINGERPRINT), TRACKS)
    await recorder.until(lambda: recorder.closed == {answer.peer: "dtls_timeout"})
    stats = await sfu.stats()
    assert (stats.peers, stats.handshakes.timed_out) == (0, 1)


async def test_beyond_the_limits_connect_says_busy():
    plane = await Sfu.start(limits=Limits(max_pending=2, connects_at_once=3))
    await plane.connect(offer_of(FINGERPRINT), TRACKS)
    await plane.connect(offer_of(FINGERPRINT), TRACKS)
    with pytest.raises(BusyError) as pending:
        await plane.connect(offer_of(FINGERPRINT), TRACKS)
    for peer in (1, 2):
        plane.disconnect(peer)
    await plane.connect(offer_of(FINGERPRINT), TRACKS)
    with pytest.raises(BusyError) as rate:
        await plane.connect(offer_of(FINGERPRINT), TRACKS)
    assert pending.value.code == rate.value.code == "node_busy"
    assert (await plane.stats()).handshakes.refused == 2
    await plane.close()
    full = await Sfu.start(limits=Limits(max_peers=1))
    await full.connect(offer_of(FINGERPRINT), TRACKS)
    with pytest.raises(BusyError) as caught:
        await full.connect(offer_of(FINGERPRINT), TRACKS)
    assert caught.value.code == "node_full"
    await full.close()


async def test_a_refused_offer_leaves_nothing_behind(sfu):
    for bad in ("", "v=0", offer_of(FINGERPRINT).replace("BUNDLE", "LS")):
        with pytest.raises(SdpError):
            await sfu.connect(bad, TRACKS)
    assert (await sfu.stats()).peers == 0


async def test_a_refused_later_offer_leaves_the_call_as_it_was(sfu, recorder, client):
    one, two = await client(), await client()
    await one.connect(sfu)
    await two.connect(sfu)
    for peer in (one.peer, two.peer):
        sfu.place(peer, "r1")
    await received(two, b"before", one.speak)
    with pytest.raises(SdpError):
        await sfu.renegotiate(one.peer, offer_of(FINGERPRINT), TRACKS)
    await received(two, b"after", one.speak)


async def test_a_listener_that_fails_costs_nobody_else(sfu, recorder, client, caplog):
    told = asyncio.Event()

    def fail(peer, speaking):
        told.set()
        raise RuntimeError("listener")

    recorder.on_speaking = fail
    one, two = await client(), await client()
    await one.connect(sfu)
    await two.connect(sfu)
    for peer in (one.peer, two.peer):
        sfu.place(peer, "r1")
    with caplog.at_level(logging.CRITICAL):
        async with talking(one):
            await asyncio.wait_for(told.wait(), PATIENCE_S)
        await received(two, b"still", one.speak)


async def test_close_is_final_and_harmless_twice(recorder, sfu):
    await sfu.connect(offer_of(FINGERPRINT), TRACKS)
    await sfu.close()
    await sfu.close()
    sfu.place(1, "r1")
    sfu.disconnect(1)
    assert recorder.closed == {}
    with pytest.raises(ClosedError):
        await sfu.connect(offer_of(FINGERPRINT), TRACKS)
    with pytest.raises(ClosedError):
        await sfu.stats()


async def test_no_task_and_no_peer_is_left_over():
    before = asyncio.all_tasks()
    plane = await Sfu.start()
    for _ in range(20):
        answer = await plane.connect(offer_of(FINGERPRINT), TRACKS)
        plane.place(answer.peer, "r1")
        plane.disconnect(answer.peer)
    await asyncio.sleep(0)
    assert (await plane.stats()).peers == 0
    assert plane._scenes._members == {}
    await plane.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == set()


async def test_an_address_that_browsers_cannot_use_is_said_at_the_start():
    with pytest.raises(SfuError) as caught:
        await Sfu.start("0.0.0.0")
    assert caught.value.code == "sfu_address"
