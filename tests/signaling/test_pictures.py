"""Sizes, limits and wanted layers: what passes between a client and the media plane."""

import pytest

from rooms.errors import RoomsError
from sfu.api import PeerId, Slot, WantedLayer
from signaling.errors import InvalidMessage, SignalingError
from signaling.protocol.base import MAX_PICTURE_PIXELS, MAX_SIZES
from tests.signaling.node import Caller, Node, offer


@pytest.fixture
def node(redis) -> Node:
    return Node(redis)


async def seated(node: Node, who: str = "ida") -> Caller:
    caller = await node.come(who)
    await caller.does("media.offer", sdp=offer(), tracks={})
    node.media.since()
    caller.ear.since()
    return caller


def size(slot: object = "v0", width: object = 640, height: object = 360) -> dict:
    return {"slot": slot, "width": width, "height": height}


async def test_sizes_reach_the_viewers_own_peer(node):
    ida, cai = await seated(node), await seated(node, "cai")
    await ida.does("slots.sizes", sizes=[size(), size("v1", 0, 0)])
    assert node.media.since() == [("sizes", ida.peer, {"v0": (640, 360), "v1": (0, 0)})]
    await cai.does("slots.sizes", sizes=[])
    assert node.media.since() == [("sizes", cai.peer, {})]


@pytest.mark.parametrize(
    "sizes",
    [
        None,
        {},
        [size(slot="")],
        [size(slot="x" * 17)],
        [size(slot="v 0")],
        [size(slot=None)],
        [size(width=-1)],
        [size(height=MAX_PICTURE_PIXELS + 1)],
        [size(width=1e300)],
        [size(width=float("nan"))],
        [size(width=1.5)],
        [size(width="wide")],
        [{"slot": "v0", "width": 1}],
        [size() | {"depth": 3}],
        [size()] * (MAX_SIZES + 1),
    ],
)
async def test_absurd_sizes_are_refused(node, sizes):
    ida = await seated(node)
    with pytest.raises(InvalidMessage):
        await ida.does("slots.sizes", sizes=sizes)
    assert node.media.since() == []


async def test_sizes_before_any_offer_mean_nothing(node):
    ida = await node.come("ida")
    await ida.does("slots.sizes", sizes=[size()])
    assert node.media.since() == []


@pytest.mark.parametrize("limit", [-1, MAX_PICTURE_PIXELS + 1, "low", 1.5, [360]])
async def test_absurd_limits_are_refused(node, limit):
    ida = await seated(node)
    with pytest.raises(InvalidMessage):
        await ida.does("video.limit", max_height=limit)
    with pytest.raises(InvalidMessage):
        await ida.does("video.limit")
    assert node.media.since() == []


async def test_a_limit_outlives_the_peer_connection(node):
    ida = await seated(node)
    first = ida.peer
    await ida.does("video.limit", max_height=360)
    assert node.media.since() == [("limit", first, 360)]
    await ida.does("media.offer", sdp=offer(2), tracks={})
    assert ida.peer != first
    assert ("limit", ida.peer, 360) in node.media.since()
    await ida.does("video.limit", max_height=None)
    await ida.does("media.offer", sdp=offer(3), tracks={})
    assert [call for call in node.media.since() if call[0] == "limit"] == [("limit", 2, None)]


async def test_who_was_replaced_sets_no_limits(node):
    ida = await seated(node)
    await node.come("ida")
    with pytest.raises((SignalingError, RoomsError)):
        await ida.does("video.limit", max_height=0)
    assert not [call for call in node.media.since() if call[0] == "limit"]


def layers(*rids: str, **limits: int) -> list[WantedLayer]:
    """Layers that somebody watches: without a limit, or by name with one."""
    return [WantedLayer(rid) for rid in rids] + [WantedLayer(*one) for one in limits.items()]


def told(views) -> list[tuple[str, int | None]]:
    return [(view.rid, view.max_bps) for view in views]


async def test_wanted_layers_go_to_their_publisher_alone(node):
    ida, cai = await seated(node), await seated(node, "cai")
    node.visits.desk.on_layers_wanted(cai.peer, "camera", layers("q", h=180_000))
    [wanted] = cai.ear.since()
    assert (wanted.TYPE, wanted.screen) == ("layers.wanted", None)
    assert told(wanted.camera) == [("q", None), ("h", 180_000)]
    node.visits.desk.on_layers_wanted(cai.peer, "screen", [])
    [wanted] = cai.ear.since()
    assert (told(wanted.camera), wanted.screen) == ([("q", None), ("h", 180_000)], [])
    assert "layers.wanted" not in ida.ear.types()
    node.visits.desk.on_layers_wanted(PeerId(99), "camera", layers("q"))


async def test_a_limit_is_told_when_it_changes_and_when_it_goes_and_only_then(node):
    cai = await seated(node, "cai")
    for limit in (90_000, 90_000, 120_000, None, None):
        node.visits.desk.on_layers_wanted(cai.peer, "camera", [WantedLayer("q", limit)])
    assert [told(one.camera) for one in cai.ear.since()] == [
        [("q", 90_000)],
        [("q", 120_000)],
        [("q", None)],
    ]


async def test_a_client_that_reconnects_hears_again_what_is_wanted(node):
    cai = await node.come("cai")
    resume = cai.ear.since()[0].resume
    await cai.does("media.offer", sdp=offer(), tracks={})
    node.visits.desk.on_layers_wanted(cai.peer, "camera", layers("q"))
    cai.hangs_up()
    for limit_bps in range(50_000, 90_000, 1_000):
        node.visits.desk.on_layers_wanted(cai.peer, "camera", layers("q", f=limit_bps))
    back = await node.come("cai", resume=resume)
    [wanted] = [notice for notice in back.ear.since() if notice.TYPE == "layers.wanted"]
    assert told(wanted.camera) == [("q", None), ("f", 89_000)]


async def test_limits_are_nothing_that_a_room_remembers(node):
    cai = await node.come("cai")
    welcome = cai.ear.since()[0]
    await cai.does("media.offer", sdp=offer(), tracks={})
    for limit_bps in range(30_000, 1_030_000, 1_000):
        node.visits.desk.on_layers_wanted(cai.peer, "camera", layers(q=limit_bps))
    cai.hangs_up()
    back = await node.come("cai", resume=welcome.resume, room=welcome.room.id, seq=welcome.room.seq)
    greeted = back.ear.since()
    assert greeted[0].room is None, "what was missed is still there to be replayed"
    assert [one.TYPE for one in greeted].count("layers.wanted") == 1


async def test_a_new_peer_connection_begins_with_every_layer(node):
    cai = await seated(node, "cai")
    node.visits.desk.on_layers_wanted(cai.peer, "camera", [])
    await cai.does("media.offer", sdp=offer(2), tracks={})
    cai.ear.since()
    node.visits.desk.resend_layers(cai.visit)
    assert cai.ear.since() == []


async def test_a_paused_picture_is_shown_as_paused(node):
    ida, cai = await seated(node), await seated(node, "cai")
    ida.ear.since()
    slot = Slot("v0", PeerId(cai.peer), "camera", paused=True)
    node.visits.desk.on_slots(PeerId(ida.peer), [slot])
    [slots] = ida.ear.since()
    assert slots.slots[0].paused
    assert slots.slots[0].participant == "cai"
