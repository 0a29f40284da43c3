"""Real Socket.IO clients against a real server with a real Redis."""

import asyncio
import json
import logging
import secrets

import aiohttp
import pytest
import socketio.exceptions

from signaling.protocol.base import MAX_COMMAND_BYTES
from signaling.protocol.events import Resume
from signaling.socketio import edge, outbox
from signaling.socketio import server as socketio_server
from tests.signaling.line import Client, Wire, arrive, connect_packet, event_packet, listening
from tests.signaling.node import Clock, Node, join_token, offer


@pytest.fixture
async def wire(redis):
    async with listening(Node(redis)) as wire:
        yield wire


async def refused(wire: Wire, auth: object, **headers: str) -> dict:
    client = Client()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(wire, auth, **headers)
    await client.close()
    return client.refusal["data"]


async def test_an_interview(wire):
    ida, cai = await arrive(wire, "ida"), await arrive(wire, "cai")
    answer = await cai.does("media.offer", {"sdp": offer(), "tracks": {"0": "camera"}})
    assert answer == {"ok": True, "data": {"sdp": "answer 1"}}
    assert await ida.does("seat.admit", {"participant": "cai"}) == {"ok": True, "data": {}}
    place = await cai.hears("place")
    assert (place["placement"], place["room"]["id"]) == ("room", "r1")
    said = await cai.does("chat.send", {"text": "你好", "key": "k"})
    assert said["ok"]
    await ida.until(
        lambda: any(n == "event" and b["body"]["type"] == "chat.message" for n, b in ida.heard)
    )
    done = await ida.does("round.hand_over", {"participant": "cai"})
    assert done["data"] == {"round": "r2", "placement": "lobby", "undo_ms": 60_000}
    assert (await ida.does("room.end"))["ok"]
    assert await ida.hears("goodbye") == {"reason": "ended"}
    await ida.is_cut_off()
    assert cai.socket.connected
    await cai.close()


async def test_the_welcome_is_the_first_message(wire):
    ida = await arrive(wire, "ida")
    assert ida.heard[0][0] == "welcome"
    await ida.close()


async def test_resuming_over_a_new_socket(wire):
    ida, cai = await arrive(wire, "ida"), await arrive(wire, "cai")
    welcome = await ida.hears("welcome")
    await ida.close()
    await wire.loses("ida")
    auth = {"resume": welcome["resume"], "room": "r1", "seq": welcome["room"]["seq"]}
    back = await Client().connect(wire, auth)
    assert (await back.hears("welcome"))["room"] is None
    await back.until(lambda: len(back.heard) > 1)
    seqs = [body["seq"] for name, body in back.heard if name == "event"]
    assert seqs == sorted(set(seqs))
    assert seqs[0] == welcome["room"]["seq"] + 1
    await back.close()
    await cai.close()


async def test_a_second_tab_takes_over(wire):
    first = await arrive(wire, "ida")
    second = await arrive(wire, "ida")
    assert await first.hears("goodbye") == {"reason": "replaced"}
    await first.is_cut_off()
    assert (await second.does("chat.send", {"text": "here", "key": "k"}))["ok"]
    await second.close()


async def settled(socket: aiohttp.ClientWebSocketResponse, participant: str) -> None:
    await socket.send_str(connect_packet({"token": join_token(participant)}))
    while "welcome" not in await socket.receive_str():
        pass


async def next_ping(socket: aiohttp.ClientWebSocketResponse) -> bool:
    while await socket.receive_str() != "2":
        pass
    return True


async def heard_all(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Return when the server has handled what was sent before."""
    await socket.send_str(event_packet("seat.unknown", {}, ack=1))
    while not (await socket.receive_str()).startswith("43/room,1"):
        pass


# Refusals.


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (None, "auth_invalid"),
        ({}, "auth_invalid"),
        ("token", "auth_invalid"),
        ([1, 2], "auth_invalid"),
        ({"token": 1}, "auth_invalid"),
        ({"token": "x" * 5_000}, "auth_invalid"),
        ({"token": "x" * 20, "resume": "y" * 20}, "auth_invalid"),
        ({"token": "forged.cai.00000000"}, "token_invalid"),
        ({"resume": "back.cai.99.0______"}, "token_revoked"),
    ],
)
async def test_a_refused_connection_says_why(wire, auth, code):
    refusal = await refused(wire, auth)
    assert refusal["code"] == code
    assert len(wire.node.visits) == 0
    await wire.lines_gone()


async def test_a_used_token(wire):
    auth = {"token": join_token("ida")}
    first = await Client().connect(wire, auth)
    assert (await refused(wire, auth))["code"] == "token_used"
    await first.close()


async def test_an_error_of_ours_does_not_leak(wire, monkeypatch, caplog):
    async def broken(token: str):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(wire.node.tickets, "redeem", broken)
    caplog.set_level(logging.CRITICAL, "signaling")
    refusal = await refused(wire, {"token": join_token("ida")})
    assert refusal["code"] == "internal"
    assert "hunter2" not in json.dumps(refusal)


async def test_other_namespaces_do_not_exist(wire):
    async with wire.raw() as socket:
        await socket.send_str(connect_packet({}, "/admin"))
        assert (await socket.receive_str()).startswith("44/admin,")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"]
)
async def test_a_foreign_page_is_refused(wire, origin):
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        async with wire.raw(Origin=origin):
            pass
    assert error.value.status == 400


async def test_our_own_page_is_welcome_with_or_without_tls(wire):
    for scheme in ("http", "https"):
        async with wire.raw(Origin=f"{scheme}://127.0.0.1:{wire.port}"):
            pass


async def test_a_configured_origin_is_welcome(redis):
    async with (
        listening(Node(redis), origins=["https://Interview.example/"]) as wire,
        wire.raw(Origin="https://interview.example"),
    ):
        pass


async def test_long_polling_is_off(wire):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{wire.url}/socket.io/?EIO=4&transport=polling") as response:
            assert response.status == 400
        async with session.post(f"{wire.url}/socket.io/?EIO=4&transport=polling&sid=x") as response:
            assert response.status == 400


# Hostile messages.


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("room.explode", {}, "unknown_command"),
        ("__init__", {}, "unknown_command"),
        ("", {}, "unknown_command"),
        ("chat.send", {"text": 1, "key": "k"}, "message_invalid"),
        ("chat.send", [[[]]], "message_invalid"),
        ("chat.send", None, "message_invalid"),
        ("seat.admit", {"participant": "../../etc"}, "message_invalid"),
        ("seat.admit", {"participant": "nobody"}, "participant_unknown"),
        ("chat.send", {"text": "x" * MAX_COMMAND_BYTES, "key": "k"}, "message_too_large"),
        ("media.offer", {"sdp": "x" * 140_000, "tracks": {}}, "message_invalid"),
        ("media.offer", {"sdp": "broken", "tracks": {}}, "sdp_malformed"),
    ],
)
async def test_a_bad_command_is_answered(wire, name, body, code):
    ida = await arrive(wire, "ida")
    reply = await ida.does(name, body)
    assert (reply["ok"], reply["error"]["code"]) == (False, code)
    assert (await ida.does("reaction.send", {"name": "like"}))["ok"], "and the line goes on"
    await ida.close()


async def test_a_flood_of_commands_is_refused_and_others_are_not_disturbed(wire):
    ida, ivo = await arrive(wire, "ida"), await arrive(wire, "ivo")
    replies = await asyncio.gather(*(ida.does("room.explode") for _ in range(100)))
    codes = {reply["error"]["code"] for reply in replies}
    assert codes == {"unknown_command", "rate_limited"}
    assert (await ivo.does("chat.send", {"text": "calm", "key": "k"}))["ok"]
    await ida.close()
    await ivo.close()


async def cut_off(socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Whether the server ends the connection."""
    async with asyncio.timeout(5):
        async for _ in socket:
            pass
    return True


@pytest.mark.parametrize(
    "message",
    [
        "4",
        "49",
        "42/room,",
        "42/room,{}",
        "42/room,[]",
        "42/room,[1]",
        "42/room,[null]",
        '42/room,["connect",{}]',
        '42/room,["disconnect",{}]',
        '42/room,["chat.send",' + "[" * 100_000,
        "4" + "[" * 100_000,
        "42/room,not json",
        '451-/room,["chat.send",{"_placeholder":true,"num":0}]',
        '4599999-/room,["x"]',
        "44/room,{}",
        "40/room",
    ],
)
async def test_garbage_ends_the_connection(wire, message):
    async with wire.raw() as socket:
        await socket.send_str(connect_packet({"token": join_token("ida")}))
        while "welcome" not in await socket.receive_str():
            pass
        await socket.send_str(message)
        if message.startswith("45"):
            await socket.send_bytes(b"attachment")
        assert await cut_off(socket)
    await wire.lines_gone()
    assert not wire.node.rooms.live("i1").seat_of("ida").connected


@pytest.mark.parametrize("message", ["", "9", "4{", "2probe", "6", "1" * 70_000])
async def test_garbage_before_anything_else(wire, message, monkeypatch):
    monkeypatch.setattr(outbox, "LINGER_S", 0.05)
    async with wire.raw() as socket:
        await socket.send_str(message)
        await socket.send_bytes(b"\x00\xff")
        assert await cut_off(socket)
    await wire.lines_gone()


async def test_an_oversized_frame_ends_the_connection(wire):
    async with wire.raw() as socket:
        with pytest.raises((ConnectionError, aiohttp.ClientError)):
            await socket.send_str("4" * (300 * 1024))
            assert await cut_off(socket)
            raise ConnectionError
    await wire.lines_gone()


async def test_a_flood_of_packets_ends_the_connection(wire):
    async with wire.raw() as socket:
        await socket.send_str(connect_packet({"token": join_token("ida")}))
        with pytest.raises((ConnectionError, aiohttp.ClientError)):
            for _ in range(2_000):
                await socket.send_str(event_packet("reaction.send", {"name": "like"}))
            assert await cut_off(socket)
            raise ConnectionError
    await wire.lines_gone()


async def test_commands_before_admission_are_ignored(wire):
    async with wire.raw() as socket:
        await socket.send_str(event_packet("chat.send", {"text": "x", "key": "k"}, ack=1))
        await socket.send_str(connect_packet({"token": "forged.cai.00000000"}))
        assert (await socket.receive_str()).startswith("44/room,")
        await socket.send_str(event_packet("chat.send", {"text": "x", "key": "k"}, ack=2))
        await socket.send_str("3")
        await socket.send_str(connect_packet({}, "/nowhere"))
        assert (await socket.receive_str()).startswith("44/nowhere,"), "and nothing in between"


async def test_guessing_tokens_on_one_line_is_limited(wire):
    async with wire.raw() as socket:
        with pytest.raises((ConnectionError, aiohttp.ClientError)):
            for _ in range(50):
                await socket.send_str(connect_packet({"token": "forged.cai.00000000"}))
            assert await cut_off(socket)
            raise ConnectionError


async def test_a_line_that_says_nothing_is_cut(wire, monkeypatch):
    monkeypatch.setattr(socketio_server, "SWEEP_S", 0.01)
    monkeypatch.setattr(socketio_server, "SILENT_MS", 50)
    sweeping = asyncio.create_task(wire.server.run())
    ida = await arrive(wire, "ida")
    async with wire.raw() as silent:
        assert await cut_off(silent)
    assert ida.socket.connected
    sweeping.cancel()
    await ida.close()


async def test_a_line_that_stays_after_goodbye_is_cut(wire, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(edge, "steady_ms", clock)

    def sweep_later(by_ms: int) -> None:
        clock.now_ms += by_ms
        wire.server._sio.cut_silent(socketio_server.SILENT_MS)

    async with wire.raw() as socket:
        await socket.send_str(connect_packet({"token": join_token("ida")}))
        sweep_later(socketio_server.SILENT_MS)
        while "welcome" not in await socket.receive_str():
            pass
        for _ in range(3):
            sweep_later(3 * socketio_server.SILENT_MS)
        await socket.send_str(event_packet("room.leave", {}))
        while not (await socket.receive_str()).startswith("41/room"):
            pass
        sweep_later(socketio_server.SILENT_MS)
        assert wire.server.connections == 1, "it may say something yet"
        sweep_later(1)
        assert await cut_off(socket)
    await wire.lines_gone()


async def test_one_line_can_leave_and_come_again(wire):
    async with wire.raw() as socket:
        for _ in range(2):
            await socket.send_str(connect_packet({"token": join_token("ida")}))
            while "welcome" not in await socket.receive_str():
                pass
            await socket.send_str("41/room,")
            await wire.loses("ida")


async def test_a_client_that_stops_reading_is_cut_and_others_go_on(wire, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_WAITING_BYTES", 64 * 1024)
    ida = await arrive(wire, "ida")
    async with wire.raw() as deaf:
        await deaf.send_str(connect_packet({"token": join_token("hua")}))
        await wire.changes.until(lambda: wire.node.rooms.live("i1").seat_of("hua"))
        transport = deaf._response.connection.transport
        transport.pause_reading()
        visit = wire.node.visits.of("hua")
        while visit.connection is not None:
            visit.send(Resume(resume=secrets.token_hex(20_000)))
            await asyncio.sleep(0)
        assert not wire.node.rooms.live("i1").seat_of("hua").connected
        transport.resume_reading()
    assert (await ida.does("chat.send", {"text": "still here", "key": "k"}))["ok"]
    await ida.close()
    await wire.lines_gone()


async def test_a_socket_that_answers_no_ping_is_noticed(redis, monkeypatch):
    for name, seconds in {"PING_BEAT_S": 0.01, "PING_AFTER_S": 0.05, "PING_TIMEOUT_S": 0.1}.items():
        monkeypatch.setattr(socketio_server, name, seconds)
    monkeypatch.setattr(outbox, "LINGER_S", 0.05)
    async with listening(Node(redis)) as wire, wire.raw() as socket:
        sweeping = asyncio.create_task(wire.server.run())
        await socket.send_str(connect_packet({"token": join_token("ida")}))
        await wire.loses("ida")
        await wire.lines_gone()
        assert await cut_off(socket)
        sweeping.cancel()


async def test_pings_leave_together_and_who_answers_stays(wire, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(edge, "steady_ms", clock)

    async def later(by_ms: int) -> None:
        clock.now_ms += by_ms
        await wire.server._sio.ping(interval_ms=3000, timeout_ms=5000)

    async with wire.raw() as early, wire.raw() as late:
        await early.send_str("3")  # unasked for: it says nothing of what comes later
        await settled(early, "ida")
        await settled(late, "cai")
        for _ in range(3):
            await later(2999)
            await later(1)
            for one in (early, late):
                assert await next_ping(one)
            await early.send_str("3")
            await late.send_str("3")
            await heard_all(early)
            await heard_all(late)
        await later(3000)
        await early.send_str("3")
        await heard_all(early)
        await later(4999)
        assert wire.server.connections == 2, "there is time left to answer"
        await later(1)
        await wire.loses("cai")
        assert wire.node.rooms.live("i1").seat_of("ida").connected


async def test_stopping_says_goodbye_and_closes_every_line(redis):
    node = Node(redis)
    async with listening(node) as wire:
        ida = await arrive(wire, "ida")
        await wire.server.close()
        assert await ida.hears("goodbye") == {"reason": "shutdown"}
        await wire.lines_gone()
        assert (await refused(wire, {"token": join_token("ida")}))["code"] == "busy"


async def test_the_private_names_that_we_rely_on_exist():
    import socketio as library
    from engineio.async_socket import AsyncSocket

    for name in (
        "_handle_eio_connect",
        "_handle_eio_disconnect",
        "_handle_eio_message",
        "_handle_event",
        "_handle_connect",
    ):
        assert hasattr(library.AsyncServer, name)
        assert name in vars(edge.BoundedServer)
    assert hasattr(AsyncSocket, "close")


# HR.


async def test_hr_needs_a_session(wire):
    client = Client("/hr")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(wire)
    assert client.refusal["data"]["code"] == "token_invalid"
    await client.close()


async def test_hr_sees_the_list_and_its_changes(wire):
    hr = await Client("/hr").connect(wire, Cookie="hr=org")
    assert [one["id"] for one in (await hr.hears("interviews"))["interviews"]] == ["i1"]
    retitle(wire, "Changed")
    for _ in range(20):
        wire.server.hr_changed("i1")
    assert (await hr.hears("interview"))["interview"]["id"] == "i1"
    assert [name for name, _ in hr.heard].count("interview") == 1, "told once"
    assert not (await hr.does("anything"))["ok"]
    await hr.close()


def retitle(wire, title: str) -> None:
    wire.node.feed.view = wire.node.feed.view.model_copy(update={"title": title})


async def test_a_change_made_elsewhere_is_found_and_told_once(wire, caplog):
    caplog.set_level(logging.CRITICAL, "signaling")
    hr = await Client("/hr").connect(wire, Cookie="hr=org")
    theirs = await Client("/hr").connect(wire, Cookie="hr=other")
    await hr.hears("interviews")
    await theirs.hears("interviews")
    await wire.server._hr.reread()
    retitle(wire, "By the command line")
    wire.node.feed.away = True
    await wire.server._hr.reread()
    wire.node.feed.away = False
    for _ in range(3):
        await wire.server._hr.reread()
    assert (await hr.hears("interview"))["interview"]["title"] == "By the command line"
    retitle(wire, "Again")
    await wire.server._hr.reread()
    await hr.until(lambda: len(hr.heard) == 3)
    assert [name for name, _ in hr.heard] == ["interviews", "interview", "interview"]
    assert [name for name, _ in theirs.heard] == ["interviews"]
    await hr.close()
    await theirs.close()


async def test_another_organisation_is_told_nothing(wire):
    ours = await Client("/hr").connect(wire, Cookie="hr=org")
    theirs = await Client("/hr").connect(wire, Cookie="hr=other")
    assert (await theirs.hears("interviews"))["interviews"] == []
    retitle(wire, "Changed")
    wire.server.hr_changed("i1")
    await ours.hears("interview")
    assert [name for name, _ in theirs.heard] == ["interviews"]
    await ours.close()
    await theirs.close()


async def test_a_session_that_ended_hears_nothing_more(wire):
    hr = await Client("/hr").connect(wire, Cookie="hr=org")
    await hr.hears("interviews")
    wire.node.feed.revoked.add("org")
    wire.server.hr_changed("i1")
    await hr.is_cut_off()
    assert [name for name, _ in hr.heard] == ["interviews"]
    await hr.close()


async def test_a_failing_list_does_not_stop_later_changes(wire, caplog):
    caplog.set_level(logging.CRITICAL, "signaling")
    hr = await Client("/hr").connect(wire, Cookie="hr=org")
    await hr.hears("interviews")
    wire.node.feed.away = True
    wire.server.hr_changed("i1")
    await wire.server._hr._telling
    wire.node.feed.away = False
    retitle(wire, "Changed")
    wire.server.hr_changed("i1")
    await hr.hears("interview")
    await hr.close()


@pytest.mark.parametrize("trouble", ["away", "broken"])
async def test_whoever_watches_goes_on_watching_through_trouble(wire, monkeypatch, caplog, trouble):
    caplog.set_level(logging.CRITICAL, "signaling")
    monkeypatch.setattr(socketio_server, "SWEEP_S", 0.01)
    feed = wire.node.feed
    hr = await Client("/hr").connect(wire, Cookie="hr=org")
    await hr.hears("interviews")
    setattr(feed, trouble, True)
    sweeping = asyncio.create_task(wire.server.run())
    await feed.failed.until(lambda: feed.failures >= 3)
    assert hr.socket.connected
    setattr(feed, trouble, False)
    retitle(wire, "Changed")
    assert (await hr.hears("interview"))["interview"]["title"] == "Changed"
    sweeping.cancel()
    await hr.close()


async def test_whoever_comes_while_the_list_cannot_be_read_may_try_again(wire, caplog):
    caplog.set_level(logging.CRITICAL, "signaling")
    feed = wire.node.feed
    feed.away = True
    hr = Client("/hr")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await hr.connect(wire, Cookie="hr=org")
    assert hr.refusal["data"]["code"] == "internal"
    await hr.close()
    feed.away, feed.broken = False, True
    hr = await Client("/hr").connect(wire, Cookie="hr=org")
    await hr.is_cut_off()
    assert hr.heard == []
    await hr.close()
    feed.broken = False
    hr = await Client("/hr").connect(wire, Cookie="hr=org")
    await hr.hears("interviews")
    await hr.close()
