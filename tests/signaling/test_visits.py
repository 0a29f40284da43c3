"""Visits: coming, coming back, being replaced, going; and their media."""

import asyncio
from pathlib import Path

import pytest

from rooms.errors import NodeFull, RoomsError
from rooms.room.model import GRACE_MS
from rooms.service import NodeLimits
from sfu.api import PeerId
from signaling.errors import SignalingError
from signaling.protocol.auth import Auth
from signaling.protocol.replies import Done
from tests.signaling.node import Ear, Node, join_token, offer


@pytest.fixture
def node(redis) -> Node:
    return Node(redis)


async def fails(code: str, work) -> None:
    with pytest.raises((SignalingError, RoomsError)) as refused:
        await work
    assert refused.value.code == code


async def panel(node: Node):
    """An interviewer and a candidate in the first round, an interviewer in the second."""
    ida, cai, ivo = await node.come("ida"), await node.come("cai"), await node.come("ivo")
    for session, caller in enumerate((ida, cai, ivo)):
        await caller.does("media.offer", sdp=offer(session), tracks={})
    await ida.does("seat.admit", participant="cai")
    for caller in (ida, cai, ivo):
        caller.ear.since()
    node.media.since()
    return ida, cai, ivo


# Coming.


async def test_welcome(node):
    ida = await node.come("ida")
    [welcome] = ida.ear.since()
    assert (welcome.you.participant, welcome.you.role) == ("ida", "interviewer")
    assert (welcome.resumed, welcome.media_kept, welcome.protocol) == (False, False, 1)
    assert welcome.room.id == "r1"
    assert [one.id for one in welcome.room.rounds] == ["r1", "r2"]
    assert welcome.ice_servers[0].urls == ["turn:127.0.0.1"]
    assert welcome.hr_contact.phone
    assert welcome.server_time_ms == node.clock.now_ms


async def test_a_candidate_in_the_lobby_sees_themselves_alone(node):
    await node.come("ida")
    cai = await node.come("cai")
    room = cai.ear.since()[0].room
    assert room.placement == "lobby"
    assert [one.id for one in room.participants] == ["cai"]
    assert [one.id for one in room.rounds] == ["r1"]


@pytest.mark.parametrize(
    ("token", "code"),
    [("forged.cai.0000000000", "token_invalid"), ("join.stranger.000000", "token_invalid")],
)
async def test_bad_tokens(node, token, code):
    await fails(code, node.come("cai", token=token))
    assert len(node.visits) == 0


async def test_a_token_is_good_once(node):
    token = join_token("cai")
    await node.come("cai", token=token)
    await fails("token_used", node.come("cai", token=token))


async def test_a_stopping_node_admits_nobody(node):
    await node.visits.close()
    await fails("busy", node.come("cai"))


# Acting.


async def test_a_meeting(node):
    ida, cai = await node.come("ida"), await node.come("cai")
    await ida.does("seat.admit", participant="cai")
    assert ida.ear.types() == ["welcome", "participant.entered", "participant.entered"]
    assert cai.ear.types() == ["welcome", "participant.entered", "place"]
    said = await cai.does("chat.send", text="你好", key="k1")
    assert said.id == (await cai.does("chat.send", text="你好", key="k1")).id
    [event] = ida.ear.since()
    assert (event.body.message.text, event.body.message.name) == ("你好", "蔡")
    assert isinstance(await cai.does("reaction.send", name="hand"), Done)
    assert ida.ear.types() == ["reaction"]
    await ida.does("seat.mute", participant="cai")
    assert cai.ear.types()[-2:] == ["participant.changed", "participant.muted"]


async def test_blank_chat_is_refused(node):
    await fails("message_invalid", (await node.come("ida")).does("chat.send", text=" \n", key="k"))


async def test_a_hand_over_keeps_the_peer_connection(node):
    ida, cai, ivo = await panel(node)
    peer = cai.peer
    done = await ida.does("round.hand_over", participant="cai")
    assert (done.round, done.placement) == ("r2", "room")
    assert node.media.since() == [("place", peer, "r2")], "one re-route and nothing else"
    [place] = cai.ear.since()
    assert (place.reason, place.room.id, place.placement) == ("handed_over", "r2", "room")
    assert {one.id for one in place.room.participants} == {"cai", "ivo"}
    assert ivo.ear.types() == ["participant.entered"]
    [left] = ida.ear.since()
    assert (left.body.reason, left.body.to_round) == ("handed_over", "r2")
    await cai.does("chat.send", text="hello", key="k")
    assert ida.ear.types() == [], "the old round is closed to the candidate"
    await ida.does("round.take_back", participant="cai")
    assert cai.peer == peer
    assert cai.ear.since()[-1].reason == "taken_back"


async def test_a_candidate_never_hears_of_other_rounds(node):
    _, cai, ivo = await panel(node)
    ivo.hangs_up()
    node.clock.now_ms += GRACE_MS
    node.rooms.pass_time()
    assert cai.ear.types() == []


async def test_ending_says_goodbye_to_all_of_the_round(node):
    ida, cai, ivo = await panel(node)
    await ida.does("room.end")
    assert cai.ear.types() == ["room.ended", "goodbye"]
    assert ida.ear.types() == ["room.ended", "goodbye"]
    assert ivo.ear.types() == ["rounds.changed"]
    assert cai.ear.closed
    assert not ivo.ear.closed
    await fails("room_ended", node.come("cai"))
    assert len(node.media.peers) == 1


async def test_removal_ends_the_visit_and_its_tokens(node):
    ida, cai, _ = await panel(node)
    resume = (await node.come("cai")).ear.since()[0].resume
    await ida.does("seat.remove", participant="cai")
    await fails("token_revoked", node.come("cai", resume=resume))
    again = await node.come("cai")
    assert again.ear.since()[0].room.placement == "lobby"
    await fails("visit_over", cai.does("chat.send", text="still here", key="k"))


async def test_coming_back_right_after_leaving_is_not_revoked_in_passing(node):
    cai = await node.come("cai")
    await cai.does("room.leave")
    again = await node.come("cai")
    resume = again.ear.since()[0].resume
    await asyncio.sleep(0)
    await node.come("cai", resume=resume)


async def test_hr_withdraws_a_link(node):
    _, cai, _ = await panel(node)
    node.visits.revoke("cai")
    assert cai.ear.types() == ["goodbye"]
    assert node.rooms.live("i1").room_of("cai") is None
    node.visits.revoke("cai")
    node.visits.revoke("nobody")


async def test_a_revocation_during_admission_counts(node):
    await node.come("ida")
    issue = node.tickets.issue_resume

    async def overtaken(guest):
        node.visits.revoke("cai")
        return await issue(guest)

    node.tickets.issue_resume = overtaken
    await fails("token_revoked", node.come("cai"))
    assert node.rooms.live("i1").room_of("cai") is None
    assert node.visits.of("cai") is None
    node.tickets.issue_resume = issue
    await node.come("cai")


# Coming back.


async def test_missed_events_are_replayed(node):
    ida, cai, _ = await panel(node)
    resume = await self_resume(node, cai)
    room, seq = "r1", node.rooms.where("cai")[1].state.seq
    node.visits.of("cai").connection = None
    await ida.does("chat.send", text="are you there?", key="k1")
    back = await node.come("cai", resume=resume, room=room, seq=seq)
    welcome, *missed = back.ear.since()
    assert (welcome.room, welcome.resumed, welcome.media_kept) == (None, True, True)
    assert [one.body.type for one in missed if one.TYPE == "event"] == ["chat.message"]
    assert [one.seq for one in missed if one.TYPE == "event"] == [seq + 1]


async def self_resume(node: Node, caller) -> str:
    return await node.tickets.issue_resume(caller.visit.guest)


async def test_a_lost_connection_is_seen_and_mended(node):
    ida, cai, _ = await panel(node)
    resume, peer = await self_resume(node, cai), cai.peer
    cai.hangs_up()
    [changed] = ida.ear.since()
    assert (changed.body.participant.connected, changed.body.participant.quality) == (False, "lost")
    assert node.media.since() == [], "media goes on without the socket"
    back = await node.come("cai", resume=resume, room="r1", seq=0)
    welcome = back.ear.since()[0]
    assert welcome.room is not None, "the candidate's own entrance was among the missed"
    assert welcome.media_kept
    assert ida.ear.since()[0].body.participant.connected
    answer = await back.does("media.offer", sdp=offer(1), tracks={})
    assert answer.sdp == f"again {peer}", "the same peer connection, by its session id"


@pytest.mark.parametrize("position", [{"room": "r2", "seq": 1}, {"room": "r1", "seq": 10**9}, {}])
async def test_a_position_that_cannot_be_continued_gets_the_whole_room(node, position):
    _, cai, _ = await panel(node)
    resume = await self_resume(node, cai)
    cai.hangs_up()
    back = await node.come("cai", resume=resume, **position)
    assert back.ear.since()[0].room.id == "r1"


async def test_coming_back_into_another_round(node):
    ida, cai, _ = await panel(node)
    resume, seq = await self_resume(node, cai), node.rooms.where("cai")[1].state.seq
    cai.hangs_up()
    await ida.does("round.hand_over", participant="cai")
    back = await node.come("cai", resume=resume, room="r1", seq=seq)
    assert back.ear.since()[0].room.id == "r2"


async def test_slots_are_said_again(node):
    ida, cai, _ = await panel(node)
    node.show_slots(cai, ida.peer)
    assert cai.ear.types() == ["slots"]
    resume = await self_resume(node, cai)
    cai.hangs_up()
    back = await node.come("cai", resume=resume)
    slots = back.ear.since()[-1]
    assert (slots.TYPE, slots.slots[0].participant) == ("slots", "ida")


async def test_a_newer_connection_replaces_the_older(node):
    _, cai, _ = await panel(node)
    second = await node.come("cai")
    assert cai.ear.types() == ["goodbye"]
    assert cai.ear.closed
    await fails("visit_over", cai.does("room.leave"))
    cai.hangs_up()
    assert node.rooms.live("i1").seat_of("cai").connected, "the old socket's end means nothing now"
    assert second.ear.since()[0].media_kept is False
    assert len(node.media.peers) == 2, "a new page has a new peer connection"


async def test_the_seat_is_given_up_after_the_grace_and_resuming_takes_a_new_one(node):
    ida, cai, _ = await panel(node)
    resume = await self_resume(node, cai)
    cai.hangs_up()
    node.clock.now_ms += GRACE_MS
    node.rooms.pass_time()
    assert ida.ear.types() == ["participant.changed", "participant.left"]
    assert len(node.media.peers) == 2
    back = await node.come("cai", resume=resume)
    assert back.ear.since()[0].room.placement == "lobby"


async def test_a_restarted_node_gives_everyone_the_same_room(redis):
    before = Node(redis)
    ida, cai, _ = await panel(before)
    await cai.does("chat.send", text="before the crash", key="k")
    seen = ida.ear.since()[-1].seq
    resume = await self_resume(before, ida)
    await before.journal.flush()
    after = Node(redis)
    back = await after.come("ida", resume=resume, room="r1", seq=seen)
    welcome, *events = back.ear.since()
    assert (welcome.room, welcome.media_kept) == (None, False)
    bodies = [one.body for one in events if one.TYPE == "event"]
    changes = [body.participant for body in bodies if body.type == "participant.changed"]
    assert {one.id for one in changes if not one.connected} >= {"cai"}
    assert changes[-1].id == "ida"
    assert changes[-1].connected


# Media.


async def test_a_new_peer_connection_replaces_the_old(node):
    _, cai, _ = await panel(node)
    old = cai.peer
    answer = await cai.does("media.offer", sdp=offer(99), tracks={})
    assert answer.sdp == f"answer {cai.peer}"
    assert cai.peer != old
    assert ("gone", old) in node.media.since()


async def test_a_peer_that_the_media_plane_forgot(node):
    _, cai, _ = await panel(node)
    node.media.peers.discard(cai.peer)
    await fails("media_missing", cai.does("media.offer", sdp=offer(1), tracks={}))
    assert (await cai.does("media.offer", sdp=offer(1), tracks={})).sdp.startswith("answer")


async def test_an_offer_that_cannot_be_answered(node):
    ida = await node.come("ida")
    await fails("sdp_malformed", ida.does("media.offer", sdp="broken", tracks={}))


async def test_leaving_while_an_offer_is_answered_leaves_no_peer(node):
    ida = await node.come("ida")
    node.media.gate.clear()
    offering = asyncio.create_task(ida.does("media.offer", sdp=offer(), tracks={}))
    await asyncio.sleep(0)
    node.visits.revoke("ida")
    node.media.gate.set()
    await fails("visit_over", offering)
    assert node.media.peers == set()


async def test_placed_before_the_offer_is_placed_after_it(node):
    ida = await node.come("ida")
    assert node.media.since() == []
    await ida.does("media.offer", sdp=offer(), tracks={})
    assert ("place", ida.peer, "r1") in node.media.since()


async def test_a_muted_microphone_stays_muted_on_a_new_peer_connection(node):
    ida, cai, _ = await panel(node)
    await cai.does("media.state", microphone=True, camera=True)
    await ida.does("seat.mute", participant="cai")
    await cai.does("media.offer", sdp=offer(7), tracks={})
    assert ("microphone", cai.peer, False) in node.media.since()


async def test_who_speaks_is_told_to_the_room_only(node):
    ida, cai, ivo = await panel(node)
    node.visits.desk.on_speaking(PeerId(cai.peer), True)
    assert ida.ear.types() == ["speaking"]
    assert cai.ear.types() == ["speaking"]
    assert ivo.ear.types() == []
    node.visits.desk.on_speaking(PeerId(999), True)


async def test_silence_and_loss_of_media(node):
    ida, cai, _ = await panel(node)
    node.visits.desk.on_silent(PeerId(cai.peer), 2_000)
    [lost] = cai.ear.since()
    assert lost.silent_ms == 2_000
    assert ida.ear.types() == []
    node.visits.desk.on_silent(PeerId(cai.peer), 5_000)
    assert ida.ear.since()[0].body.participant.quality == "lost"
    node.visits.desk.on_closed(PeerId(cai.peer), "dtls_closed")
    assert cai.peer is None
    assert cai.ear.since()[-1].silent_ms == 30_000
    node.visits.desk.on_closed(PeerId(999), "dtls_closed")


async def test_short_of_slots(node):
    _, cai, _ = await panel(node)
    node.visits.desk.on_slots_short(PeerId(cai.peer), 5, 6)
    [more] = cai.ear.since()
    assert (more.audio, more.video) == (5, 6)


# WHIP and WHEP.

WHIP_OFFER = (Path(__file__).parents[1] / "vectors/sdp/gstreamer-whip.sdp").read_text()


async def test_publishing_without_a_socket(node):
    ida, _, _ = await panel(node)
    session = await node.visits.publish(join_token("hua"), WHIP_OFFER)
    assert session.sdp.startswith("answer")
    assert "participant.entered" in ida.ear.types()
    assert node.visits.hang_up(session.id)
    assert not node.visits.hang_up(session.id)
    assert ida.ear.types() == ["participant.left"]


async def test_an_observer_publishes_nothing(node):
    await fails("not_permitted", node.visits.publish(join_token("ole"), WHIP_OFFER))
    assert node.rooms.participants("i1") == []


async def test_a_publisher_whose_offer_fails_leaves_no_seat(node):
    await fails("sdp_malformed", node.visits.publish(join_token("ida"), WHIP_OFFER + "broken"))
    assert node.rooms.participants("i1") == []


async def test_watching_ends_where_the_room_ends(node):
    ida, cai, _ = await panel(node)
    await node.visits.watch(join_token("ole"), "cai", offer(50))
    viewer = node.visits.of("ole").peer
    assert ("watch", viewer, cai.peer) in node.media.since()
    await ida.does("round.hand_over", participant="cai")
    assert ("watch", viewer, None) in node.media.since()
    await ida.does("round.take_back", participant="cai")
    assert ("watch", viewer, cai.peer) in node.media.since()


@pytest.mark.parametrize("subject", ["ivo", "nobody"])
async def test_watching_somebody_elsewhere(node, subject):
    await panel(node)
    await fails("participant_unknown", node.visits.watch(join_token("ole"), subject, offer(50)))
    assert "ole" not in {one.participant for one in node.rooms.participants("i1")}


async def test_watching_from_the_lobby(node):
    await node.come("ida")
    await fails("not_seated", node.visits.watch(join_token("cai"), "ida", offer(50)))


async def test_a_publisher_that_falls_silent_is_lost_in_the_end(node):
    ida, _, _ = await panel(node)
    session = await node.visits.publish(join_token("hua"), WHIP_OFFER)
    node.visits.desk.on_silent(PeerId(node.visits.of("hua").peer), 15_000)
    node.clock.now_ms += GRACE_MS
    node.rooms.pass_time()
    assert "participant.left" in ida.ear.types()
    assert not node.visits.hang_up(session.id)


# A full node.


async def test_a_full_node_says_so_before_it_uses_up_a_token(redis):
    node = Node(redis, limits=NodeLimits(max_participants=1))
    ida = await node.come("ida")
    token = join_token("cai")
    for _ in range(2):
        with pytest.raises(NodeFull) as refused:
            await node.visits.connect(Auth(token=token), Ear())
        assert refused.value.code == "busy"
        assert refused.value.remedy
    await node.come("ida")  # a reload: whoever has a seat keeps it
    await ida.visits.connect(Auth(token=join_token("ida")), Ear())
    node.visits.revoke("ida")
    await node.visits.connect(Auth(token=token), Ear())


async def test_a_full_node_keeps_resume_tokens_good(redis):
    node = Node(redis, limits=NodeLimits(max_participants=1, grace_ms=5_000))
    cai = await node.come("cai")
    resume = cai.ear.since()[0].resume
    cai.hangs_up()
    node.clock.now_ms += 5_000
    node.rooms.pass_time()
    await node.come("ida")
    for _ in range(4):
        with pytest.raises(NodeFull):
            await node.visits.connect(Auth(resume=resume), Ear())
    node.visits.revoke("ida")
    await node.come("cai", resume=resume)


async def test_max_rooms_lets_people_into_the_rooms_that_are_open(redis):
    node = Node(redis, limits=NodeLimits(max_rooms=1))
    await node.come("ida")
    assert node.rooms.is_full
    await node.come("cai")  # the same round
    with pytest.raises(NodeFull):
        await node.come("ivo")  # the second round's room would be one more


# Without a socket.


async def test_media_that_is_heard_again_brings_a_publisher_back(node):
    ida = await node.come("ida")
    session = await node.visits.publish(join_token("cai"), WHIP_OFFER)
    visit, seat = node.visits.of("cai"), lambda: node.rooms.where("cai")[1].state.seats["cai"]
    node.visits.desk.on_silent(visit.peer, 5_000)
    assert (seat().quality, seat().connected) == ("lost", True)
    node.media.packets = {visit.peer: 10}
    for packets, quality in ((10, "lost"), (10, "lost"), (11, "good")):
        node.media.packets = {visit.peer: packets}
        await node.visits.notice_returns()
        assert seat().quality == quality
    node.visits.desk.on_silent(visit.peer, 15_000)
    assert not seat().connected
    node.media.stuck = True
    await node.visits.notice_returns()
    node.media.stuck = False
    for packets, connected in ((11, False), (12, True), (12, True)):
        node.media.packets = {visit.peer: packets}
        await node.visits.notice_returns()
        assert seat().connected is connected
    node.visits.desk.on_silent(visit.peer, 15_000)
    await node.visits.offer_again(session.id, WHIP_OFFER)
    assert seat().connected
    assert ida.ear.since()


async def test_media_that_is_heard_after_the_grace_brings_nobody_back(node):
    await node.come("ida")
    await node.visits.publish(join_token("cai"), WHIP_OFFER)
    visit = node.visits.of("cai")
    node.visits.desk.on_silent(visit.peer, 15_000)
    node.media.packets = {visit.peer: 1}
    await node.visits.notice_returns()
    node.clock.now_ms += GRACE_MS
    node.rooms.pass_time()
    node.media.packets = {1: 2, 2: 2}
    await node.visits.notice_returns()
    assert node.visits.of("cai") is None
    assert node.rooms.live("i1").room_of("cai") is None
