"""Random commands, in one room and over the rounds of an interview, keep what must always hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.errors import RoomsError
from rooms.interview import Happened, LiveInterview
from rooms.room import commands as c
from rooms.room.fold import replay
from rooms.room.model import STAFF, Person, RoomState
from rooms.room.room import Room
from rooms.room.sight import sight_of
from rooms.store.codec import decode_event, decode_state, encode_event, encode_state
from tests.rooms.people import interview

PEOPLE = [
    Person("cai", "C", "candidate"),
    Person("zoe", "Z", "candidate"),
    Person("ida", "I", "interviewer"),
    Person("ivo", "V", "interviewer"),
    Person("ole", "O", "observer"),
    Person("hua", "H", "hr"),
]
ids = st.sampled_from([person.id for person in PEOPLE] + ["nobody"])
personal = st.one_of(
    st.builds(c.SetMedia, ids, st.booleans(), st.booleans()),
    st.builds(c.Admit, ids, ids),
    st.builds(c.Remove, ids, ids),
    st.builds(c.Mute, ids, ids),
    st.builds(c.StartScreen, ids),
    st.builds(c.StopScreen, ids),
    st.builds(c.Say, ids, st.text(min_size=1, max_size=5), st.sampled_from("abc")),
    st.builds(c.React, ids, st.sampled_from(["like", "hand"])),
    st.builds(c.ReportQuality, ids, st.sampled_from(["good", "poor", "lost"])),
    st.builds(c.Leave, ids),
)
rare_end = st.builds(c.End, ids)
in_room = st.one_of(
    personal,
    personal,
    rare_end,
    st.builds(c.Enter, st.sampled_from(PEOPLE), automatic=st.booleans()),
    st.builds(c.Enter, st.sampled_from(PEOPLE), automatic=st.booleans()),
    st.builds(c.Disconnect, ids),
    st.just(c.Expire()),
    st.builds(c.NoteRound, st.sampled_from(["r2", "r3"]), st.booleans()),
)
pauses = st.sampled_from([0, 1, 400, 1_000, 30_000, 60_000])


def check_room(state: RoomState) -> None:
    """What holds in every room at every moment."""
    if state.screen is not None:
        sharer = state.seats[state.screen]
        assert sharer.placement == "room"
        assert sharer.connected
        assert sharer.person.role != "observer"
    for id_, seat in state.seats.items():
        assert seat.id == id_
        assert seat.connected == (seat.lost_at_ms is None)
        assert seat.since_seq <= state.seq
    assert not (state.removed & {i for i, s in state.seats.items() if s.placement == "room"})
    if state.ended:
        assert not state.seats


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(in_room, pauses), max_size=60))
def test_one_room(steps):
    room, now_ms, seen = Room("r1"), 0, []
    for command, pause_ms in steps:
        now_ms += pause_ms
        before = room.state
        try:
            recorded = room.handle(command, now_ms)
        except RoomsError:
            assert room.state is before, "a refused command changes nothing"
            continue
        assert [one.seq for one in recorded] == list(
            range(before.seq + 1, before.seq + 1 + len(recorded))
        )
        seen += recorded
        check_room(room.state)
    assert replay(seen) == room.state
    assert replay([decode_event(encode_event(one)) for one in seen]) == room.state
    assert decode_state(encode_state(room.state)) == room.state


round_ids = st.sampled_from(["r1", "r2", "r3", None])
steps_of_an_interview = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from(PEOPLE), round_ids),
    st.tuples(st.just("enter"), st.sampled_from(PEOPLE), round_ids),
    st.tuples(st.just("submit"), st.one_of(personal, rare_end)),
    st.tuples(st.just("hand_over"), ids, ids, round_ids),
    st.tuples(st.just("take_back"), ids, ids),
    st.tuples(st.just("disconnect"), ids),
    st.tuples(st.just("pass_time")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(steps_of_an_interview, pauses), max_size=60))
def test_rounds(steps):
    live, now_ms = LiveInterview(interview(rounds=3, admission="automatic")), 0
    seen: dict[str, list] = {round_id: [] for round_id in live.rooms}
    for (name, *arguments), pause_ms in steps:
        now_ms += pause_ms
        before = {round_id: room.state for round_id, room in live.rooms.items()}
        try:
            outcomes = getattr(live, name)(*arguments, now_ms)
        except RoomsError:
            assert before == {round_id: room.state for round_id, room in live.rooms.items()}
            continue
        for outcome in outcomes:
            if isinstance(outcome, Happened):
                seen[outcome.round] += outcome.recorded
        check_interview(live)
    for round_id, room in live.rooms.items():
        assert [one.seq for one in seen[round_id]] == list(range(1, room.state.seq + 1))
        assert replay(seen[round_id]) == room.state


def check_interview(live: LiveInterview) -> None:
    """Nobody is in two rooms, and every open room knows which of the others are occupied."""
    seats = [id_ for room in live.rooms.values() for id_ in room.state.seats]
    assert len(seats) == len(set(seats))
    for room in live.rooms.values():
        check_room(room.state)
        if not room.state.ended:
            others = {one.id for one in live.rooms.values() if one is not room}
            occupied = {one for one in others if live.rooms[one].state.occupied}
            assert room.state.occupied_rounds == occupied
        check_sight(room.state)


def check_sight(state: RoomState) -> None:
    """The lobby sees itself alone; who waits is seen by those who run the interview alone."""
    for id_, seat in state.seats.items():
        sight = sight_of(state, id_)
        seen = {one.id for one in sight.seats(state)}
        assert id_ in seen
        if seat.placement == "lobby":
            assert seen == {id_}
            assert sight.chat(state) == []
        elif seat.person.role not in STAFF:
            assert all(state.seats[one].placement == "room" for one in seen)
        else:
            assert seen == set(state.seats)
