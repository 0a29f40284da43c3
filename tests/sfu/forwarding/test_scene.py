"""Scenes: who is shown where, and what the engine is told of it."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sfu.forwarding.scene import KIND_OF, MAX_SLOTS_ASKED, Changes, SceneTable

SOURCES = {"microphone": "0", "camera": "1", "screen": "2"}
AUDIO = ("a1", "a2", "a3")
VIDEO = ("v1", "v2", "v3", "v4")


def table_of(peers: int, scene: str | None = "r1", audio=AUDIO, video=VIDEO) -> SceneTable:
    """Peers 1..n, all sending, in one scene."""
    table = SceneTable()
    for peer in range(1, peers + 1):
        join(table, peer, scene, audio, video)
    return table


def join(table: SceneTable, peer: int, scene=None, audio=AUDIO, video=VIDEO) -> None:
    table.describe(peer, SOURCES, audio, video)
    table.started(peer, "0")
    table.started(peer, "1")
    table.place(peer, scene)


def shown(table: SceneTable, viewer: int) -> dict[str, tuple[int, str]]:
    return {slot.mid: (slot.peer, slot.source) for slot in table.slots(viewer) if slot.peer}


def routes(changes: Changes) -> list[tuple]:
    return [(route.viewer, route.slot, route.source) for route in changes.routes]


def test_two_peers_see_each_other_and_never_themselves():
    table = table_of(2)
    assert shown(table, 1) == {"a1": (2, "microphone"), "v1": (2, "camera")}
    assert shown(table, 2) == {"a1": (1, "microphone"), "v1": (1, "camera")}


def test_nothing_is_shown_outside_a_scene():
    table = table_of(2, scene=None)
    assert shown(table, 1) == {}
    assert [slot.mid for slot in table.slots(1)] == [*AUDIO, *VIDEO]


def test_a_third_peer_moves_nobody():
    table = table_of(2)
    before = shown(table, 1)
    join(table, 3, "r1")
    assert before.items() <= shown(table, 1).items()
    assert shown(table, 1)["a2"] == (3, "microphone")
    assert shown(table, 1)["v2"] == (3, "camera")


def test_a_leaver_empties_its_slots_only():
    table = table_of(3)
    changes = table.remove(2)
    assert shown(table, 1) == {"a2": (3, "microphone"), "v2": (3, "camera")}
    assert (1, "a1", None) in routes(changes)
    assert all(route.viewer != 2 for route in changes.routes)


def test_a_screen_takes_a_slot_only_while_enabled():
    table = table_of(2)
    changes = table.set_enabled(2, "screen", True)
    assert routes(changes) == [(1, "v2", (2, "2"))]
    assert changes.slots[0].viewer == 1
    assert routes(table.set_enabled(2, "screen", False)) == [(1, "v2", None)]
    assert routes(table.set_enabled(2, "screen", False)) == []


def test_a_screen_goes_before_faces_when_slots_are_short():
    table = table_of(3, video=("v1", "v2"))
    table.set_enabled(2, "screen", True)
    assert (2, "screen") in shown(table, 1).values()
    assert shown(table, 1)["v1"] == (2, "camera"), "the earlier one stays where it is"


def test_a_disabled_camera_keeps_its_slot_while_there_is_room():
    table = table_of(2)
    assert routes(table.set_enabled(2, "camera", False)) == []
    short = table_of(3, video=("v1",))
    assert shown(short, 1)["v1"] == (2, "camera")
    short.set_enabled(2, "camera", False)
    assert shown(short, 1)["v1"] == (3, "camera")


def test_the_speaker_is_shown_when_slots_are_short_and_stays_after():
    table = table_of(4, video=("v1", "v2"), audio=("a1", "a2"))
    assert shown(table, 1) == {
        "a1": (2, "microphone"),
        "a2": (3, "microphone"),
        "v1": (2, "camera"),
        "v2": (3, "camera"),
    }
    table.speaking(2, True)
    table.speaking(2, False)
    changes = table.speaking(4, True)
    assert shown(table, 1)["v2"] == (4, "camera"), "the one who never spoke goes"
    assert shown(table, 1)["a2"] == (4, "microphone"), "voice and face in paired slots"
    assert shown(table, 1)["v1"] == (2, "camera")
    assert {route.viewer for route in changes.routes} == {1, 2, 3}
    assert routes(table.speaking(4, False)) == []


def test_a_handoff_changes_both_scenes_at_once_and_clears_first():
    table = table_of(2)
    join(table, 3, "r2")
    changes = table.place(1, "r2")
    assert shown(table, 1) == {"a1": (3, "microphone"), "v1": (3, "camera")}
    assert shown(table, 2) == {}
    assert shown(table, 3) == {"a1": (1, "microphone"), "v1": (1, "camera")}
    cleared = [route.source is None for route in changes.routes]
    assert cleared == sorted(cleared, reverse=True)
    # The candidate's own slots switch straight over: no gap, one route for each.
    assert routes(changes).count((1, "v1", (3, "1"))) == 1
    assert (1, "v1", None) not in routes(changes)


def test_more_slots_are_asked_for_once_and_silent_observers_do_not_count():
    table = table_of(2, audio=("a1",), video=("v1",))
    table.describe(3, SOURCES, ("a1",), ("v1",))
    # The observer sees two and has room for one; nobody needs room for the observer.
    assert [short.viewer for short in table.place(3, "r1").short] == [3]
    changes = table.started(3, "1")
    assert {(short.viewer, short.audio, short.video) for short in changes.short} == {
        (1, 2, 2),
        (2, 2, 2),
    }
    assert table.speaking(3, True).short == []
    changes = table.describe(1, SOURCES, ("a1", "a2"), ("v1", "v2"))
    assert changes.short == []
    assert shown(table, 1)["v1"] == (3, "camera"), "who speaks took the only slot before"
    assert shown(table, 1)["v2"] == (2, "camera")


def test_the_number_asked_for_is_bounded():
    table = SceneTable()
    largest = 0
    for peer in range(1, 40):
        table.describe(peer, SOURCES, ("a1",), ("v1",))
        table.started(peer, "0")
        table.started(peer, "1")
        changes = table.place(peer, "r1")
        largest = max([largest, *(short.video for short in changes.short)])
    assert largest == MAX_SLOTS_ASKED


def test_a_watcher_sees_its_subject_wherever_that_goes():
    table = table_of(2)
    table.describe(9, {}, ("a1",), ("v1",))
    changes = table.watch(9, 2)
    assert sorted(routes(changes)) == [(9, "a1", (2, "0")), (9, "v1", (2, "1"))]
    table.place(2, "r2")
    assert shown(table, 9) == {"a1": (2, "microphone"), "v1": (2, "camera")}
    assert all(peer != 9 for peer, _ in shown(table, 2).values())
    table.watch(9, None)
    assert shown(table, 9) == {}
    table.watch(9, 2)
    table.remove(2)
    assert shown(table, 9) == {}
    table.remove(9)
    assert table._watchers == {}
    assert table._scenes.keys() == {"r1"}


def test_unknown_peers_change_nothing():
    table = table_of(2)
    for changes in (
        table.place(7, "r1"),
        table.watch(7, 1),
        table.set_enabled(7, "camera", False),
        table.started(7, "0"),
        table.started(1, "nope"),
        table.speaking(7, True),
        table.remove(7),
    ):
        assert changes == Changes()


class SceneRules(RuleBasedStateMachine):
    """Random comings and goings: completeness, stability, privacy, and routes that add up."""

    peers = st.integers(1, 6)
    scenes = st.sampled_from([None, "r1", "r2"])

    def __init__(self):
        super().__init__()
        self.table = SceneTable()
        self.engine: dict[tuple[int, str], tuple[int, str]] = {}
        self.scene: dict[int, str | None] = {}
        self.enabled: set[tuple[int, str]] = set()
        self.slots: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self.before: dict[int, dict] = {}

    def apply(self, changes: Changes) -> None:
        for route in changes.routes:
            assert route.viewer in self.scene
            key = (route.viewer, route.slot)
            if route.source is None:
                assert key in self.engine, "a route is cleared only where there was one"
                del self.engine[key]
            else:
                self.engine[key] = route.source
        for told in changes.slots:
            assert told.slots == self.table.slots(told.viewer)

    @rule(peer=peers, audio=st.integers(0, 4), video=st.integers(0, 4))
    def describe(self, peer, audio, video):
        known = self.slots.get(peer, ((), ()))
        mids = (
            tuple(f"a{n}" for n in range(max(audio, len(known[0])))),
            tuple(f"v{n}" for n in range(max(video, len(known[1])))),
        )
        if peer not in self.scene:
            self.enabled |= {(peer, "microphone"), (peer, "camera")}
        self.scene.setdefault(peer, None)
        self.slots[peer] = mids
        self.apply(self.table.describe(peer, SOURCES, *mids))

    @rule(peer=peers, scene=scenes)
    def place(self, peer, scene):
        if peer in self.scene:
            self.scene[peer] = scene
        self.apply(self.table.place(peer, scene))

    @rule(peer=peers, kind=st.sampled_from([*SOURCES]), enabled=st.booleans())
    def enable(self, peer, kind, enabled):
        if peer in self.scene:
            (self.enabled.add if enabled else self.enabled.discard)((peer, kind))
        self.apply(self.table.set_enabled(peer, kind, enabled))

    @rule(peer=peers, mid=st.sampled_from("012"))
    def start(self, peer, mid):
        self.apply(self.table.started(peer, mid))

    @rule(peer=peers, speaking=st.booleans())
    def speak(self, peer, speaking):
        self.apply(self.table.speaking(peer, speaking))

    @precondition(lambda self: self.scene)
    @rule(peer=peers)
    def remove(self, peer):
        self.scene.pop(peer, None)
        self.slots.pop(peer, None)
        self.enabled = {(who, kind) for who, kind in self.enabled if who != peer}
        changes = self.table.remove(peer)
        self.engine = {key: source for key, source in self.engine.items() if key[0] != peer}
        self.apply(changes)

    def visible(self, viewer: int) -> set[tuple[int, str]]:
        """What the viewer ought to be shown, slots permitting."""
        scene = self.scene[viewer]
        return {
            (peer, kind)
            for peer, at in self.scene.items()
            for kind in SOURCES
            if at == scene is not None and peer != viewer
            if kind != "screen" or (peer, kind) in self.enabled
        }

    @invariant()
    def the_engine_shows_what_the_table_says(self):
        told = {
            (viewer, mid): (peer, SOURCES[kind])
            for viewer in self.scene
            for mid, (peer, kind) in shown(self.table, viewer).items()
        }
        assert told == self.engine

    @invariant()
    def everyone_is_shown_once_while_there_is_room_and_nobody_else_ever(self):
        for viewer, (audio, video) in self.slots.items():
            ought = self.visible(viewer)
            seen = list(shown(self.table, viewer).values())
            assert len(seen) == len(set(seen))
            assert set(seen) <= ought
            for kind, room in (("audio", len(audio)), ("video", len(video))):
                wanted = {each for each in ought if KIND_OF[each[1]] == kind}
                given = {each for each in seen if KIND_OF[each[1]] == kind}
                assert len(given) == min(len(wanted), room)

    @invariant()
    def whoever_stays_stays_in_place(self):
        now = {viewer: shown(self.table, viewer) for viewer in self.scene}
        for viewer, slots in now.items():
            earlier = {source: mid for mid, source in self.before.get(viewer, {}).items()}
            for mid, source in slots.items():
                assert earlier.get(source, mid) == mid
        self.before = now


TestSceneRules = SceneRules.TestCase
TestSceneRules.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
