"""From running totals to ratios, and whose loss it is."""

from collections.abc import Sequence

import pytest

from sfu.api import MediaStats, PeerId, Slot
from sfu.stats import HandshakeCounts
from signaling.quality.readings import Readings
from tests.signaling.node import DownlinkNow, PathNow, StreamTotals

ANN, BEN, CAT = PeerId(1), PeerId(2), PeerId(3)
EVERY_MS = 2_000


class Call:
    """Ann is shown to Ben and Cat; totals grow as told."""

    def __init__(self) -> None:
        self.sent = StreamTotals(ANN, "1", "video", "receive")
        self.slots = {viewer: StreamTotals(viewer, "5", "video", "send") for viewer in (BEN, CAT)}
        self.downlinks: list[DownlinkNow] = []
        self.readings = Readings()
        self.now_ms = 0

    def shown(self, viewer: PeerId) -> Sequence[Slot]:
        return [Slot("5", ANN, "camera")] if viewer in self.slots else []

    def passes(self, up_loss: float = 0, **down_loss: float) -> dict:
        """Two seconds of 200 packets a second; what the uplink loses no viewer can get."""
        total, lost = 400, round(400 * up_loss)
        arrived = total - lost
        self.sent.packets += arrived
        self.sent.bytes += arrived * 1000
        self.sent.packets_lost += lost
        for name, viewer in (("ben", BEN), ("cat", CAT)):
            slot = self.slots[viewer]
            slot.packets += arrived
            slot.bytes += arrived * 1000
            slot.packets_lost += lost + round(arrived * down_loss.get(name, 0))
        return self.read()

    def read(self) -> dict:
        self.now_ms += EVERY_MS
        paths = [PathNow(peer) for peer in (ANN, BEN, CAT)]
        streams = [self.sent, *self.slots.values()]
        # The engine's objects are snapshots.
        snapshots = [StreamTotals(**vars(one)) for one in streams]
        stats = MediaStats(
            3, 3, HandshakeCounts(), 0, 0, {}, snapshots, paths, downlinks=self.downlinks
        )
        return self.readings.take(stats, self.now_ms, self.shown)


def after(call: Call, turns: int = 4, **losses: float) -> dict:
    call.read()
    for _ in range(turns):
        paths = call.passes(**losses)
    return paths


def test_a_good_call():
    paths = after(Call())
    assert paths[ANN].loss_up_ratio == 0
    assert paths[ANN].loss_down_ratio is None, "nothing is sent to her"
    assert paths[BEN].loss_down_ratio == paths[CAT].loss_down_ratio == 0
    assert paths[ANN].up_bps == paths[BEN].down_bps == 1_600_000
    assert paths[BEN].rtt_ms == 20


def test_a_bad_uplink_is_the_senders_alone():
    paths = after(Call(), up_loss=0.2)
    assert paths[ANN].loss_up_ratio == pytest.approx(0.2, abs=0.01)
    assert paths[BEN].loss_down_ratio == pytest.approx(0, abs=0.02)
    assert paths[CAT].loss_down_ratio == pytest.approx(0, abs=0.02)


def test_a_bad_downlink_is_the_viewers_alone():
    paths = after(Call(), ben=0.2)
    assert paths[BEN].loss_down_ratio == pytest.approx(0.2, abs=0.01)
    assert paths[CAT].loss_down_ratio == 0
    assert paths[ANN].loss_up_ratio == 0


def test_both_at_once():
    paths = after(Call(), up_loss=0.1, ben=0.3)
    assert paths[ANN].loss_up_ratio == pytest.approx(0.1, abs=0.01)
    assert 0.15 < paths[BEN].loss_down_ratio < 0.35
    assert paths[CAT].loss_down_ratio == pytest.approx(0, abs=0.02)


def test_a_viewer_that_numbers_what_it_got_is_believed_over_its_reports():
    call = Call()
    call.downlinks = [DownlinkNow(BEN, loss_ratio=0.12), DownlinkNow(CAT, acknowledged_bps=0)]
    paths = after(call, cat=0.2)
    assert (paths[BEN].loss_down_ratio, paths[BEN].estimate_bps) == (0.12, 4_000_000)
    assert paths[CAT].loss_down_ratio == pytest.approx(0.2, abs=0.01), "no feedback: by reports"
    assert paths[ANN].estimate_bps is None


class LateReports(Call):
    """Viewers' receiver reports come four seconds after what they are about."""

    def __init__(self) -> None:
        super().__init__()
        self.true: dict[PeerId, list[int]] = {viewer: [0, 0] for viewer in self.slots}

    def read(self) -> dict:
        kept = {}
        for viewer, slot in self.slots.items():
            kept[viewer] = slot.packets_lost
            self.true[viewer].append(slot.packets_lost)
            slot.packets_lost = self.true[viewer][-3]
        paths = super().read()
        for viewer, lost in kept.items():
            self.slots[viewer].packets_lost = lost
        return paths


def test_a_report_that_comes_late_is_still_of_the_senders_loss():
    call = LateReports()
    call.read()
    for up_loss in (0, 0, 0.3, 0.3, 0.3, 0, 0, 0, 0):
        assert call.passes(up_loss)[BEN].loss_down_ratio < 0.03


def test_it_forgets_within_seconds():
    call = Call()
    assert after(call, up_loss=0.3)[ANN].loss_up_ratio > 0.25
    for _ in range(8):
        paths = call.passes()
    assert paths[ANN].loss_up_ratio < 0.03


def test_a_loss_that_is_told_late_and_taken_back():
    call = Call()
    after(call)
    call.sent.packets_lost += 40
    assert call.passes()[ANN].loss_up_ratio > 0.01
    call.sent.packets_lost -= 40
    assert call.passes()[ANN].loss_up_ratio == 0


def test_silence_says_nothing():
    call = Call()
    call.read()
    for _ in range(10):
        call.sent.packets += 4
        paths = call.read()
    assert paths[ANN].loss_up_ratio is None


def test_a_new_stream_and_totals_that_begin_again_count_from_themselves():
    call = Call()
    after(call)
    call.sent.ssrc, call.sent.packets, call.sent.packets_lost = 99, 5_000, 4_000
    assert call.read()[ANN].loss_up_ratio < 0.01
    call.sent.packets = 10
    assert call.read()[ANN].up_bps == 0


def test_a_count_of_losses_that_begins_again_hides_none():
    call = Call()
    after(call)
    call.sent.packets_lost += 100_000
    call.passes()
    call.sent.packets_lost = 0
    call.passes()
    for _ in range(6):
        paths = call.passes(0.2)
    assert paths[ANN].loss_up_ratio > 0.1


def test_people_who_left_are_forgotten():
    call = Call()
    after(call, up_loss=0.3)
    nobody = MediaStats(0, 0, HandshakeCounts(), 0, 0, {}, [], [])
    assert call.readings.take(nobody, call.now_ms + EVERY_MS, call.shown) == {}
    call.now_ms += EVERY_MS
    assert call.read()[ANN].loss_up_ratio is None
