"""What the engine is told of each video slot: size, ceiling, precedence."""

import pytest

from sfu.forwarding.scene import Changes, SceneTable
from sfu.forwarding.tuning import CROWDED_HEIGHT, MAX_SHARP_PEOPLE, Size, Tuning
from tests.sfu.forwarding.test_scene import SOURCES, VIDEO, join, table_of


def told(changes: Changes) -> dict[tuple[int, str], Tuning]:
    return {(one.viewer, one.slot): one.tuning for one in changes.tuned}


def test_nothing_is_told_while_nothing_is_known():
    table = SceneTable()
    table.describe(1, SOURCES, ("a1",), VIDEO)
    table.describe(2, SOURCES, ("a1",), VIDEO)
    table.place(1, "r1")
    assert told(table.place(2, "r1")) == {}


def test_a_drawn_size_is_told_once():
    table = table_of(2)
    sizes = {"v1": Size(640, 360)}
    assert told(table.set_sizes(1, sizes)) == {(1, "v1"): Tuning(drawn=Size(640, 360))}
    assert told(table.set_sizes(1, sizes)) == {}
    hidden = table.set_sizes(1, {"v1": Size(0, 0)})
    assert told(hidden) == {(1, "v1"): Tuning(drawn=Size(0, 0))}


def test_a_size_waits_for_its_picture():
    table = table_of(1)
    assert told(table.set_sizes(1, {"v1": Size(100, 50)})) == {}
    table.describe(2, SOURCES, ("a1",), VIDEO)
    assert told(table.place(2, "r1")) == {(1, "v1"): Tuning(drawn=Size(100, 50))}


def test_sizes_of_what_is_no_video_slot_mean_nothing():
    table = table_of(2)
    nonsense = {"a1": Size(1, 1), "0": Size(1, 1), "nowhere": Size(1, 1)}
    assert told(table.set_sizes(1, nonsense)) == {}
    assert told(table.set_sizes(99, {"v1": Size(1, 1)})) == {}
    assert told(table.limit(99, 360)) == {}


def test_a_slot_that_went_begins_anew():
    table = table_of(2)
    table.set_sizes(1, {"v1": Size(640, 360)})
    table.describe(1, SOURCES, ("a1",), ("v9",))
    again = table.describe(1, SOURCES, ("a1",), VIDEO)
    assert told(again) == {}
    sized = table.set_sizes(1, {"v1": Size(640, 360)})
    assert told(sized) == {(1, "v1"): Tuning(drawn=Size(640, 360))}


def test_a_limit_holds_for_every_picture():
    table = table_of(3)
    limited = told(table.limit(1, 360))
    assert limited == {(1, "v1"): Tuning(max_height=360), (1, "v2"): Tuning(max_height=360)}
    assert set(told(table.limit(1, None)).values()) == {Tuning()}


@pytest.mark.parametrize(("limit", "expected"), [(None, 720), (360, 360), (1080, 720), (0, 0)])
def test_a_full_room_gets_cameras_of_720_lines(limit, expected):
    assert CROWDED_HEIGHT == 720
    table = table_of(MAX_SHARP_PEOPLE)
    table.limit(1, limit)
    fifth = MAX_SHARP_PEOPLE + 1
    join(table, fifth)
    crowded = table.place(fifth, "r1")
    heights = {tuning.max_height for (viewer, _), tuning in told(crowded).items() if viewer == 1}
    # A viewer that wanted less already is told nothing but of the newcomer.
    assert heights == {expected}
    left = told(table.place(fifth, None))
    assert {tuning.max_height for (viewer, _), tuning in left.items() if viewer == 1} <= {limit}
    watched = table._members[1].tuned.values()
    assert {tuning.max_height for tuning in watched} >= {limit}


def test_a_full_room_does_not_blur_a_screen():
    table = table_of(MAX_SHARP_PEOPLE + 1, video=(*VIDEO, "v5"))
    shared = told(table.set_enabled(2, "screen", True))
    assert shared[1, "v5"] == Tuning(priority=2)


def test_who_speaks_comes_before_others_and_stays_so_in_silence():
    table = table_of(3)
    assert told(table.speaking(2, True)) == {
        (1, "v1"): Tuning(priority=1),
        (3, "v2"): Tuning(priority=1),
    }
    assert told(table.speaking(2, False)) == {}
    passed = told(table.speaking(3, True))
    assert passed[1, "v1"] == Tuning()
    assert passed[1, "v2"] == Tuning(priority=1)


def test_who_watches_one_peer_sees_it_as_its_scene_does():
    table = table_of(MAX_SHARP_PEOPLE + 1)
    table.describe(9, {}, ("a1",), ("v1",))
    assert told(table.watch(9, 2)) == {(9, "v1"): Tuning(max_height=720)}


def test_a_paused_picture_is_told_to_its_viewer_until_it_changes():
    table = table_of(2)
    [changed] = table.paused(1, "v1", True).slots
    assert [slot.mid for slot in changed.slots if slot.paused] == ["v1"]
    assert table.paused(1, "v1", True) == Changes()
    table.place(2, None)
    assert not any(slot.paused for slot in table.slots(1))
    table.place(2, "r1")
    assert not any(slot.paused for slot in table.slots(1))
    assert table.paused(1, "v1", False) == Changes()


def test_what_is_no_video_slot_is_never_paused():
    table = table_of(2)
    for viewer, slot in ((1, "a1"), (1, "nowhere"), (99, "v1")):
        assert table.paused(viewer, slot, True) == Changes()
