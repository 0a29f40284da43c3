"""The engine as Python sees it: real sockets, real STUN and DTLS, real SRTP."""

import ast
import asyncio
import inspect
import os
import select
import socket
import struct
from pathlib import Path

import pytest
from aioice import stun
from aiortc.rtcdtlstransport import RTCCertificate
from pylibsrtp import Policy, Session

from loadtest.visitor.media_path import MediaPath, SrtpKeys
from sfu import _engine
from sfu._engine import (
    Codec,
    DtlsReceived,
    Engine,
    EngineError,
    IceConnected,
    Media,
    SourceStarted,
)
from tests.sfu.engine_room import Connected, EngineRoom, open_engine_room

SEED = bytes(range(32))
STUB = Path(_engine.__file__).with_name("_engine.pyi")
MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
UFRAG, PWD = "abcd", "p" * 22


@pytest.fixture
async def room():
    with open_engine_room() as room:
        yield room


@pytest.fixture
def engine():
    engine = Engine("127.0.0.1", 0, seed=SEED)
    yield engine
    engine.close()


# The stub


def stub_classes() -> dict[str, ast.ClassDef]:
    tree = ast.parse(STUB.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def test_the_module_has_exactly_the_names_of_the_stub():
    public = {name for name in vars(_engine) if not name.startswith("_")}
    assert public == {*stub_classes(), "Event"}


@pytest.mark.parametrize("name", sorted(set(stub_classes()) - {"EngineError"}))
def test_each_class_has_exactly_the_names_of_the_stub(name):
    expected = set()
    for node in stub_classes()[name].body:
        if isinstance(node, ast.FunctionDef):
            expected.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            expected.add(node.target.id)
    public = {each for each in vars(getattr(_engine, name)) if not each.startswith("_")}
    assert public == {each for each in expected if not each.startswith("_")}


@pytest.mark.parametrize("name", ["Engine", "Codec", "Media"])
def test_signatures_are_those_of_the_stub(name):
    for node in stub_classes()[name].body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            continue
        cls = getattr(_engine, name)
        function = cls if node.name == "__init__" else getattr(cls, node.name)
        parameters = inspect.signature(function).parameters.values()
        own = [each for each in parameters if each.name != "self"]
        positional = [each.name for each in own if each.kind is not each.KEYWORD_ONLY]
        keyword = [each.name for each in own if each.kind is each.KEYWORD_ONLY]
        assert positional == [each.arg for each in node.args.args[1:]], node.name
        assert keyword == [each.arg for each in node.args.kwonlyargs], node.name


# What is refused


@pytest.mark.parametrize(
    ("host", "port", "seed", "code"),
    [
        ("localhost", 0, SEED, "invalid_host"),
        ("127.0.0.1", 65_536, SEED, "invalid_port"),
        ("127.0.0.1", 0, SEED[1:], "invalid_seed"),
        ("192.0.2.1", 0, SEED, "address_unavailable"),
    ],
)
def test_a_socket_that_cannot_be_had_is_refused(host, port, seed, code):
    with pytest.raises(EngineError) as refused:
        Engine(host, port, seed=seed)
    assert refused.value.code == code


def test_a_taken_port_is_refused(engine):
    with pytest.raises(EngineError) as refused:
        Engine("127.0.0.1", engine.port, seed=SEED)
    assert refused.value.code == "address_in_use"


VP8 = Codec(96, "vp8", 90_000)

REFUSALS = {
    "invalid_ice_ufrag": lambda engine: engine.add_peer(1, "abc", PWD),
    "invalid_ice_pwd": lambda engine: engine.restart_ice(1, UFRAG, "p" * 21),
    "invalid_datagram": lambda engine: engine.send_dtls(1, b""),
    "invalid_profile": lambda engine: engine.set_keys(1, 2, bytes(30), bytes(30)),
    "invalid_key": lambda engine: engine.set_keys(1, 7, bytes(28), bytes(27)),
    "invalid_mid": lambda engine: engine.route(1, "m" * 17, None),
    "invalid_rid": lambda _: Media("0", "video", "receive", [VP8], {}, rids=["not ok"]),
    "invalid_kind": lambda _: Media("0", "smell", "receive", [VP8], {}),
    "invalid_direction": lambda _: Media("0", "video", "both", [VP8], {}),
    "invalid_extension": lambda _: Media("0", "video", "receive", [VP8], {MID_URI: 15}),
    "missing_ssrc": lambda _: Media("0", "video", "send", [VP8], {}),
    "invalid_cname": lambda _: Media("0", "video", "send", [VP8], {}, ssrc=1, cname="c" * 256),
    "invalid_payload_type": lambda _: Codec(128, "vp8", 90_000),
    "invalid_codec": lambda _: Codec(96, "", 90_000),
    "duplicate_mid": lambda engine: engine.set_media(
        1, [Media("0", "video", "receive", [VP8], {})] * 2
    ),
    "too_many_sections": lambda engine: engine.set_media(
        1, [Media(str(mid), "video", "receive", [VP8], {}) for mid in range(513)]
    ),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_arguments_that_make_no_sense_are_refused_with_a_code(engine, code):
    with pytest.raises(EngineError) as refused:
        REFUSALS[code](engine)
    assert refused.value.code == code
    assert engine.drain() == []


def test_secrets_are_in_no_error_and_no_repr(engine):
    secret = "s" * 21
    with pytest.raises(EngineError) as refused:
        engine.add_peer(1, UFRAG, secret)
    assert secret not in str(refused.value)
    assert repr(engine) == f"Engine(port={engine.port})"
    assert repr(VP8) == "Codec(96, 'vp8')"


# Life and death


def test_closing_frees_the_port_and_everything_after_it_does_nothing():
    engine = Engine("127.0.0.1", 0, seed=SEED)
    port = engine.port
    engine.close()
    engine.close()
    engine.add_peer(1, UFRAG, PWD)
    engine.request_stats(1)
    assert engine.drain() == []
    Engine("127.0.0.1", port, seed=SEED).close()


def test_many_engines_leave_no_descriptor_behind():
    descriptors = Path("/proc/self/fd")
    Engine("127.0.0.1", 0, seed=SEED).close()
    before = len(list(descriptors.iterdir()))
    for _ in range(20):
        Engine("127.0.0.1", 0, seed=SEED).close()
    assert len(list(descriptors.iterdir())) == before


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_an_engine_that_is_dropped_ends_its_thread():
    before = threads()
    engine = Engine("127.0.0.1", 0, seed=SEED)
    assert threads() == before + 1
    del engine
    assert threads() == before


def test_the_descriptor_is_readable_until_drained(engine):
    assert select.select([engine.event_fd], [], [], 0)[0] == []
    for token in range(3):
        engine.request_stats(token)
    tokens = []
    while len(tokens) < 3:
        assert select.select([engine.event_fd], [], [], 10)[0] == [engine.event_fd]
        tokens += [stats.token for stats in engine.drain()]
    assert tokens == [0, 1, 2]
    assert select.select([engine.event_fd], [], [], 0)[0] == []
    assert engine.drain() == []


# The wire


async def test_garbage_is_counted_and_answered_with_silence(room: EngineRoom):
    before = await room.stats(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        stranger.connect(("127.0.0.1", room.engine.port))
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = "nobody:me"
        request.add_message_integrity(b"guess")
        garbage = [b"", b"\0", b"\x16" * 60, b"\x80" * 100, bytes(request), os.urandom(1400)]
        for datagram in [*garbage, b"\x80" * 3000]:
            stranger.send(datagram)
        while True:
            stats = await room.stats(token := 2 + len(room.events))
            dropped = sum(stats.datagrams_dropped.values())
            if dropped >= len(garbage) + 1:
                break
        assert stats.token == token
        assert stats.datagrams_sent == before.datagrams_sent
        assert stats.datagrams_dropped["oversized"] == 1
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)


async def test_ice_connects_with_the_right_password_only(room: EngineRoom):
    server = room.admit(7)
    path = MediaPath(RTCCertificate.generateCertificate())
    path._server = server
    right = path.check()
    wrong = bytearray(right)
    wrong[-12] ^= 1  # inside MESSAGE-INTEGRITY
    address = ("127.0.0.1", room.engine.port)
    loop = asyncio.get_running_loop()

    path.socket.sendto(bytes(wrong), address)
    path.socket.sendto(right, address)
    answer = stun.parse_message(await asyncio.wait_for(loop.sock_recv(path.socket, 2048), 10))
    assert answer.message_class == stun.Class.RESPONSE
    assert answer.check_message_integrity(server.credentials.pwd.encode())
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == path.socket.getsockname()

    connected = await room.expect_connected(7)
    assert connected.address == path.socket.getsockname()
    assert not connected.changed
    match connected:
        case IceConnected(peer, (host, _), changed):
            assert (peer, host, changed) == (7, "127.0.0.1", False)
        case _:
            pytest.fail("IceConnected does not match by position")
    assert "127.0.0.1" not in repr(connected)
    with pytest.raises(AttributeError):
        connected.peer = 8
    path.close()


async def test_dtls_from_a_stranger_never_reaches_python(room: EngineRoom):
    room.admit(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\x16\xfe\xfd" + bytes(60), ("127.0.0.1", room.engine.port))
        while True:
            stats = await room.stats(len(room.events) + 1)
            if sum(stats.datagrams_dropped.values()):
                break
    assert not [event for event in room.events if isinstance(event, DtlsReceived)]


async def test_dtls_passes_both_ways_and_both_sides_have_the_same_keys(room: EngineRoom):
    visitor = await room.connect(1)
    assert visitor.keys.profile == 7
    assert await room.expect_connected(1)
    visitor.path.close()


# Media


def srtp_sessions(keys: SrtpKeys) -> tuple[Session, Session]:
    """libsrtp's view of a visitor's keys: to protect what it sends, to open what it receives."""
    profile = {1: 1, 7: 7, 8: 8}[keys.profile]
    return (
        Session(Policy(key=keys.send, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)),
        Session(Policy(key=keys.receive, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile)),
    )


def publish(room: EngineRoom, visitor: Connected) -> None:
    source = Media("0", "audio", "receive", [Codec(111, "opus", 48_000)], {}, ssrc=0xAAAA)
    room.engine.set_media(visitor.peer, [source])


def watch(room: EngineRoom, visitor: Connected, publisher: Connected) -> None:
    slot = Media("5", "audio", "send", [Codec(109, "opus", 48_000)], {}, ssrc=0xBBBB, cname="c")
    room.engine.set_media(visitor.peer, [slot])
    room.engine.route(visitor.peer, "5", (publisher.peer, "0"))


def rtp(sequence: int, payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, 111, sequence, sequence * 960, 0xAAAA) + payload


async def receive_rtp(visitor: Connected, session: Session) -> bytes:
    loop = asyncio.get_running_loop()
    while True:
        datagram = await asyncio.wait_for(loop.sock_recv(visitor.path.socket, 2048), 10)
        if datagram[0] >> 6 == 2 and not 192 <= datagram[1] <= 223:
            return session.unprotect(datagram)


async def test_srtp_is_opened_renumbered_and_sealed_for_the_viewer(room: EngineRoom):
    publisher, viewer = await room.connect(1), await room.connect(2)
    publish(room, publisher)
    watch(room, viewer, publisher)
    await room.stats(1)
    seal, _ = srtp_sessions(publisher.keys)
    _, unseal = srtp_sessions(viewer.keys)
    address = ("127.0.0.1", room.engine.port)
    received = []
    for number in range(20):
        sealed = seal.protect(rtp(1000 + number, b"frame %d" % number))
        publisher.path.socket.sendto(sealed, address)
        publisher.path.socket.sendto(sealed, address)  # a replay must not pass
        received.append(await receive_rtp(viewer, unseal))

    first = struct.unpack("!BBHII", received[0][:12])
    for number, packet in enumerate(received):
        head = struct.unpack("!BBHII", packet[:12])
        assert head[1] & 0x7F == 109
        assert head[2] == (first[2] + number) & 0xFFFF
        assert head[3] == (first[3] + 960 * number) & 0xFFFFFFFF
        assert head[4] == 0xBBBB
        assert packet.endswith(b"frame %d" % number)
    assert (await room.expect(SourceStarted)).mid == "0"

    stats = await room.stats(2)
    by_direction = {stream.direction: stream for stream in stats.streams}
    assert by_direction["receive"].packets == 20
    assert by_direction["send"].packets == 20
    assert by_direction["send"].ssrc == 0xBBBB
    assert stats.peers == 2
    assert stats.datagrams_dropped["srtp_replay"] == 20
    publisher.path.close()
    viewer.path.close()


async def test_a_removed_peer_is_gone_at_once(room: EngineRoom):
    publisher, viewer = await room.connect(1), await room.connect(2)
    publish(room, publisher)
    watch(room, viewer, publisher)
    room.engine.remove_peer(2)
    room.engine.remove_peer(2)
    seal, _ = srtp_sessions(publisher.keys)
    publisher.path.socket.sendto(seal.protect(rtp(1, b"x")), ("127.0.0.1", room.engine.port))
    await room.expect(SourceStarted)
    stats = await room.stats(1)
    assert stats.peers == 1
    assert [stream.direction for stream in stats.streams] == ["receive"]
    with pytest.raises(BlockingIOError):
        viewer.path.socket.recv(2048)
    publisher.path.close()
    viewer.path.close()
