"""The truth on a node: who is told what about whom, and what is put away."""

import pytest

from rooms.room.model import GRACE_MS
from sfu.api import PeerId, Slot
from signaling.errors import RateLimited
from signaling.protocol.commands import QualityReport
from signaling.quality.judge import FALL_AFTER, RISE_AFTER, UNCONNECTED_MS
from signaling.session.quality import AGAIN_MS, KEEP_MS, SAMPLE_S
from tests.signaling.node import Caller, Node, PathNow, StreamTotals, offer

STEP_MS = int(1000 * SAMPLE_S)
SLOT = {"mid": "5", "width": 640, "height": 360, "fps": 30}


@pytest.fixture
def node(redis) -> Node:
    return Node(redis)


class Traffic:
    """Everybody's camera is shown to everybody; 200 packets a second, some of them lost."""

    def __init__(self, node: Node, *callers: Caller) -> None:
        self.node, self.callers = node, callers
        self.names = {one.peer: one.visit.participant for one in callers}
        self.up_loss: dict[str, float] = {}
        self.down_loss: dict[str, float] = {}
        self.up = {one.peer: StreamTotals(one.peer, "1", "video") for one in callers}
        self.down: dict[tuple[int, int], StreamTotals] = {}
        for viewer in callers:
            others = [one for one in callers if one is not viewer]
            slots = [Slot(f"v{n}", PeerId(one.peer), "camera") for n, one in enumerate(others)]
            node.visits.desk.on_slots(PeerId(viewer.peer), slots)
            for slot in slots:
                stream = StreamTotals(viewer.peer, slot.mid, "video", "send")
                self.down[viewer.peer, slot.peer] = stream
        self.voices = {self.names[one.peer]: StreamTotals(one.peer) for one in callers}
        streams = [*self.up.values(), *self.down.values(), *self.voices.values()]
        node.media.streams = streams

    async def passes(self, samples: int = 1, *, lag_ms: float = 0) -> None:
        for _ in range(samples):
            self.node.clock.now_ms += STEP_MS
            for caller in self.callers:
                self._send(caller)
            await self.node.visits.quality.sample(lag_ms)

    def _send(self, caller: Caller) -> None:
        if caller.peer not in self.up:
            return  # they left
        name, stream = caller.visit.participant, self.up[caller.peer]
        lost = round(400 * self.up_loss.get(name, 0))
        stream.packets += 400 - lost
        stream.packets_lost += lost
        stream.bytes += (400 - lost) * 1000
        self.voices[name].packets += 2  # quiet
        for (viewer, source), slot in self.down.items():
            if source == caller.peer:
                share = self.down_loss.get(self.names[viewer], 0)
                slot.packets += 400 - lost
                slot.bytes += (400 - lost) * 1000
                slot.packets_lost += lost + round((400 - lost) * share)


async def connects(node: Node, caller: Caller, session: int) -> None:
    await caller.does("media.offer", sdp=offer(session), tracks={})
    node.visits.desk.on_connected(PeerId(caller.peer))


async def call(node: Node) -> tuple[Caller, Caller, Caller, Traffic]:
    """Ida and Ole (who only watches) with the candidate Cai inside; Ivo elsewhere."""
    ida, cai, ole = await node.come("ida"), await node.come("cai"), await node.come("ole")
    for session, caller in enumerate((ida, cai, ole)):
        await connects(node, caller, session)
    await ida.does("seat.admit", participant="cai")
    traffic = Traffic(node, ida, cai, ole)
    await traffic.passes(3)
    for caller in (ida, cai, ole):
        caller.ear.since()
    return ida, cai, ole, traffic


def told(caller: Caller) -> list[tuple]:
    """What a caller heard of quality since: about whom, the grade, the cause, the reason."""
    return [
        (one.participant, one.grade, one.cause, one.reason, one.affects)
        for one in caller.ear.since()
        if one.TYPE == "quality.changed"
    ]


def seat(node: Node, participant: str) -> str:
    return node.rooms.where(participant)[0].seat_of(participant).quality


async def test_a_good_call_is_quiet(node):
    ida, cai, ole, traffic = await call(node)
    await traffic.passes(20)
    assert [told(one) for one in (ida, cai, ole)] == [[], [], []]
    assert [seat(node, one) for one in ("ida", "cai", "ole")] == ["good"] * 3


async def test_a_bad_uplink_is_the_senders_for_all_who_see_them(node):
    ida, cai, ole, traffic = await call(node)
    traffic.up_loss["cai"] = 0.3
    await traffic.passes(FALL_AFTER + 1)
    assert told(cai) == [("cai", "poor", "self", "loss", "sending")]
    assert told(ida) == told(ole) == [("cai", "poor", "peer", "loss", "sending")]
    assert [seat(node, one) for one in ("ida", "cai", "ole")] == ["good", "poor", "good"]


async def test_a_bad_downlink_is_the_viewers(node):
    ida, cai, ole, traffic = await call(node)
    traffic.down_loss["ida"] = 0.3
    await traffic.passes(FALL_AFTER + 1)
    assert told(ida) == [("ida", "poor", "self", "loss", "receiving")]
    assert told(cai) == told(ole) == [("ida", "poor", "peer", "loss", "receiving")]


async def test_an_overloaded_server_says_so_to_everybody(node):
    ida, cai, ole, traffic = await call(node)
    await traffic.passes(FALL_AFTER, lag_ms=3_000)
    for caller in (ida, cai, ole):
        heard = told(caller)
        assert {one[0] for one in heard} == {"ida", "cai", "ole"}
        assert {one[2:4] for one in heard} == {("server", "overload")}


async def test_it_comes_back(node):
    ida, cai, _, traffic = await call(node)
    traffic.up_loss["cai"] = 0.3
    await traffic.passes(4)
    traffic.up_loss.clear()
    await traffic.passes(12 + RISE_AFTER)
    assert told(ida)[-1][:3] == ("cai", "good", "none")
    assert told(cai)[-1][:3] == ("cai", "good", "none")
    assert seat(node, "cai") == "good"


async def test_figures_of_a_bad_connection_are_told_again(node):
    ida, _, __, traffic = await call(node)
    traffic.up_loss["cai"] = 0.3
    await traffic.passes(FALL_AFTER + 1)
    ida.ear.since()
    await traffic.passes(AGAIN_MS // STEP_MS)
    [notice] = [one for one in ida.ear.since() if one.TYPE == "quality.changed"]
    assert notice.facts.loss_up_ratio == pytest.approx(0.3, abs=0.03)
    assert notice.facts.loss_down_ratio == pytest.approx(0, abs=0.01)
    assert (notice.facts.rtt_ms, notice.facts.up_bps) == (20, 1_120_000)


# Claims.


async def test_a_liar_harms_nobody_else(node):
    ida, cai, ole, traffic = await call(node)
    for _ in range(6):
        await cai.does(
            "quality.report",
            level="lost",
            span_ms=2_000,
            slots=[SLOT],
            freezes=10,
            frozen_ms=2_000,
            concealed_ratio=1,
            loss_up_ratio=1,
            loss_down_ratio=1,
            rtt_ms=60_000,
        )
        await traffic.passes()
    assert {one[0] for one in told(ida) + told(ole)} == {"cai"}
    assert seat(node, "cai") == "fair", "its own word lowers its own mark, and not far"
    assert [seat(node, one) for one in ("ida", "ole")] == ["good", "good"]


async def test_who_denies_is_not_believed(node):
    ida, cai, _, traffic = await call(node)
    traffic.up_loss["cai"] = 0.3
    await cai.does("quality.report", level="good", loss_up_ratio=0, rtt_ms=1)
    await traffic.passes(FALL_AFTER + 1)
    assert told(ida) == [("cai", "poor", "peer", "loss", "sending")]


async def test_freezes_of_a_viewer_are_not_theirs_when_the_sender_is_weak(node):
    ida, _, __, traffic = await call(node)
    traffic.up_loss["cai"] = 0.3
    for _ in range(4):
        await traffic.passes()
        await ida.does("quality.report", level="fair", span_ms=2_000, slots=[SLOT], frozen_ms=1_500)
    assert {one[0] for one in told(ida)} == {"cai"}
    assert seat(node, "ida") == "good"


async def test_jitter_of_a_viewer_is_not_theirs_when_the_sender_is_uneven(node):
    ida, *_, traffic = await call(node)
    for sender_ms, grade in ((150, "good"), (2, "poor")):
        traffic.voices["cai"].jitter_ms = sender_ms
        for _ in range(4):
            await traffic.passes()
            await ida.does("quality.report", level="poor", span_ms=2_000, jitter_ms=150)
        assert seat(node, "ida") == grade


async def test_an_old_claim_is_forgotten(node):
    _, cai, __, traffic = await call(node)
    await cai.does("quality.report", level="fair", limited_by="cpu")
    await traffic.passes(FALL_AFTER)
    assert told(cai) == [("cai", "fair", "self", "cpu", "sending")]
    await traffic.passes(10 + RISE_AFTER)
    assert seat(node, "cai") == "good"


async def test_who_only_asks_whether_we_are_there_says_nothing(node):
    _, cai, __, traffic = await call(node)
    for _ in range(FALL_AFTER):
        await cai.does("quality.report", level="fair", limited_by="cpu")
        await cai.does("quality.report", level="good")
        await traffic.passes()
    assert told(cai) == [("cai", "fair", "self", "cpu", "sending")]


async def test_a_flood_of_reports_is_refused(node):
    _, cai, __, traffic = await call(node)
    with pytest.raises(RateLimited):
        for _ in range(50):
            await cai.does("quality.report", level="good", span_ms=60_000, frozen_ms=600_000)
    await traffic.passes(3)
    assert seat(node, "cai") == "good"


# Paths that are gone.


async def test_a_silent_path_is_lost_until_it_is_heard(node):
    ida, cai, _, traffic = await call(node)
    node.media.paths[cai.peer] = PathNow(cai.peer, silent_ms=6_000)
    await traffic.passes()
    assert told(ida) == [("cai", "lost", "peer", "offline", "both")]
    await cai.does("quality.report", level="good", rtt_ms=1)
    await traffic.passes(3)
    assert seat(node, "cai") == "lost", "whatever its client says"
    node.media.paths[cai.peer] = PathNow(cai.peer, silent_ms=20)
    await traffic.passes()
    assert told(ida)[-1][:3] == ("cai", "good", "none")


async def test_a_connection_that_was_closed_is_lost_until_a_new_one_stands(node):
    ida, cai, _, traffic = await call(node)
    node.visits.desk.on_closed(PeerId(cai.peer), "dtls_closed")
    traffic.callers = (ida,)
    await traffic.passes(2)
    assert seat(node, "cai") == "lost"
    await cai.does("media.offer", sdp=offer(77), tracks={})
    await traffic.passes()
    assert seat(node, "cai") == "good"


async def test_media_that_never_connects_is_nobodys_fault_and_says_so(node):
    ida, cai = await node.come("ida"), await node.come("cai")
    await connects(node, ida, 1)
    await ida.does("seat.admit", participant="cai")
    traffic = Traffic(node, ida)
    for session in range(2, 6):  # its client tries again and again
        await cai.does("media.offer", sdp=offer(session), tracks={})
        node.media.paths[cai.peer] = PathNow(cai.peer, silent_ms=1_000, round_trip_time_ms=None)
        await traffic.passes()
    unconnected = ("cai", "lost", "none", "unconnected", "both")
    assert told(ida) == [unconnected]
    assert told(cai) == [unconnected]
    assert [seat(node, one) for one in ("ida", "cai")] == ["good", "lost"]
    node.visits.desk.on_connected(PeerId(cai.peer))
    await traffic.passes()
    assert told(ida) == [("cai", "good", "none", "none", "none")]
    assert seat(node, "cai") == "good"


async def test_who_offers_no_media_at_all_is_not_connected_either(node):
    ida, *_, traffic = await call(node)
    await node.come("ivo")
    await traffic.passes(UNCONNECTED_MS // STEP_MS)
    assert seat(node, "ivo") == "lost"
    assert told(ida) == []


async def test_media_that_was_lost_is_not_called_unconnected(node):
    ida, cai, _, traffic = await call(node)
    node.visits.desk.on_closed(PeerId(cai.peer), "dtls_closed")
    traffic.callers = (ida,)
    await traffic.passes(UNCONNECTED_MS // STEP_MS)
    assert told(ida) == [("cai", "lost", "peer", "offline", "both")]


async def test_media_that_does_not_answer_judges_nobody(node):
    ida, _, __, traffic = await call(node)
    node.media.stuck = True
    await traffic.passes(10)
    assert told(ida) == []


# Who is told.


async def test_the_lobby_hears_of_itself_alone(node):
    ida, cai = await node.come("ida"), await node.come("cai")
    for session, caller in enumerate((ida, cai)):
        await connects(node, caller, session)
    traffic = Traffic(node, ida, cai)
    await traffic.passes(2)
    traffic.up_loss = {"ida": 0.3, "cai": 0.3}
    cai.ear.since()
    await traffic.passes(FALL_AFTER + 1)
    assert {one[0] for one in told(cai)} == {"cai"}
    assert {one[0] for one in told(ida)} == {"ida", "cai"}


async def test_another_round_hears_nothing(node):
    ivo = await node.come("ivo")
    await connects(node, ivo, 9)
    _, __, ___, traffic = await call(node)
    traffic.up_loss["cai"] = 0.3
    await traffic.passes(FALL_AFTER + 1)
    assert told(ivo) == []


async def test_a_newcomer_is_told_what_is_not_good(node):
    *_, ole, traffic = await call(node)
    traffic.up_loss["cai"] = 0.3
    await traffic.passes(FALL_AFTER + 1)
    ole.hangs_up()
    again = await node.come("ole")
    assert told(again) == [("cai", "poor", "peer", "loss", "sending")]


async def test_whoever_is_moved_to_a_room_is_told(node):
    ida, cai, _, traffic = await call(node)
    ivo = await node.come("ivo")
    await connects(node, ivo, 9)
    traffic.up_loss["cai"] = 0.3
    await traffic.passes(FALL_AFTER + 1)
    cai.ear.since()
    await ida.does("round.hand_over", participant="cai")
    assert told(cai) == [("cai", "poor", "self", "loss", "sending")]
    assert seat(node, "cai") == "poor", "the mark goes along"
    await traffic.passes(AGAIN_MS // STEP_MS)
    assert {one[0] for one in told(ivo)} == {"cai"}


# What is put away.


async def test_records_are_put_away_as_time_passes_and_at_the_end(node):
    _, cai, __, traffic = await call(node)
    kept = node.archive.kept
    await cai.does("quality.report", level="good", span_ms=2_000, join_ms=400, first_frame_ms=700)
    await traffic.passes(KEEP_MS // STEP_MS)
    assert {one.participant for one in kept.values()} == {"ida", "cai", "ole"}
    assert not any(one.ended for one in kept.values())
    await cai.does("room.leave")
    await node.visits.quality.keep()
    [record] = [one for one in kept.values() if one.participant == "cai"]
    assert record.ended
    assert (record.join_ms, record.first_frame_ms) == (400, 700)
    assert record.interview == "i1"
    assert record.graded_ms["good"] >= KEEP_MS
    assert len({one.id for one in kept.values()}) == 3, "put away again under the same id"


async def test_reconnects_are_counted_in_one_presence(node):
    _, cai, *_ = await call(node)
    cai.hangs_up()
    await node.come("cai")
    await node.visits.quality.keep()
    [record] = [one for one in node.archive.kept.values() if one.participant == "cai"]
    assert record.reconnects == 1


async def test_a_seat_that_was_given_up_ends_the_record(node):
    _, cai, *_ = await call(node)
    cai.hangs_up()
    node.clock.now_ms += GRACE_MS + 1
    node.rooms.pass_time()
    await node.visits.quality.keep()
    [record] = [one for one in node.archive.kept.values() if one.participant == "cai"]
    assert record.ended


async def test_an_archive_that_is_away_gets_its_records_later(node):
    _, cai, __, traffic = await call(node)
    node.archive.away = True
    await cai.does("room.leave")
    await traffic.passes(KEEP_MS // STEP_MS)
    assert node.archive.kept == {}
    node.archive.away = False
    await node.visits.quality.close()
    assert {one.participant for one in node.archive.kept.values()} == {"ida", "cai", "ole"}
    assert all(one.ended for one in node.archive.kept.values())


def test_a_report_is_small():
    full = QualityReport(level="good", slots=[SLOT] * 16)
    assert len(full.model_dump_json()) < QualityReport.MAX_BYTES / 4
