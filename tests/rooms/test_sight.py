"""What is told to whom."""

import pytest

from rooms.room import commands as c
from rooms.room import events as e
from rooms.room.room import Room
from rooms.room.sight import missed_own_move, sight_of
from tests.rooms.people import CANDIDATE, HR, INTERVIEWER, OBSERVER

OTHER = CANDIDATE.__class__("zoe", "Zoe", "candidate")


@pytest.fixture
def room() -> Room:
    """A candidate, an interviewer, HR and an observer inside; another candidate waits."""
    room = Room("r1")
    for person in (INTERVIEWER, HR, OBSERVER):
        room.handle(c.Enter(person, automatic=True), 0)
    room.handle(c.Say("ida", "before the candidate came", "k1"), 0)
    room.handle(c.Enter(CANDIDATE, automatic=True), 0)
    room.handle(c.Say("ida", "welcome", "k2"), 0)
    room.handle(c.Enter(OTHER, automatic=False), 0)
    room.handle(c.StartScreen("ida"), 0)
    return room


def who_is_told(room: Room, event: e.Event) -> set[str]:
    return {id_ for id_ in room.state.seats if sight_of(room.state, id_).sees(event)}


def test_who_sees_whom(room):
    seen = {
        id_: {s.id for s in sight_of(room.state, id_).seats(room.state)} for id_ in room.state.seats
    }
    inside = {"ida", "hua", "ole", "cai"}
    assert seen == {
        "ida": inside | {"zoe"},
        "hua": inside | {"zoe"},
        "ole": inside,
        "cai": inside,
        "zoe": {"zoe"},
    }


def test_hidden_observers_are_hidden_from_candidates_only(room):
    def sees_observer(participant: str) -> bool:
        sight = sight_of(room.state, participant, observers_hidden=True)
        return "ole" in {seat.id for seat in sight.seats(room.state)}

    assert not sees_observer("cai")
    assert sees_observer("ida")
    assert sees_observer("ole")
    changed = e.Changed(room.state.seats["ole"])
    assert not sight_of(room.state, "cai", observers_hidden=True).sees(changed)


def test_a_candidate_reads_the_chat_from_their_entrance_on(room):
    def texts(participant: str) -> list[str]:
        return [line.text for line in sight_of(room.state, participant).chat(room.state)]

    assert texts("cai") == ["welcome"]
    assert texts("zoe") == []
    assert texts("hua") == ["before the candidate came", "welcome"]


def test_the_lobby_does_not_see_the_screen(room):
    assert sight_of(room.state, "zoe").screen(room.state) is None
    assert sight_of(room.state, "cai").screen(room.state) == "ida"


def test_who_is_told_what(room):
    everyone = set(room.state.seats)
    inside = everyone - {"zoe"}
    waiting = room.state.seats["zoe"]
    assert who_is_told(room, e.Entered(waiting)) == {"ida", "hua", "zoe"}
    assert who_is_told(room, e.Left("zoe", "lobby", "left")) == {"ida", "hua", "zoe"}
    assert who_is_told(room, e.Left("cai", "room", "left")) == inside
    assert who_is_told(room, e.OtherRound("r2", True)) == inside - {"cai"}
    assert who_is_told(room, e.Reacted("cai", "like")) == inside
    assert who_is_told(room, e.ScreenPassed(None)) == inside
    assert who_is_told(room, e.Muted("zoe", "ida")) == everyone
    assert who_is_told(room, e.Ended("ida")) == everyone
    assert who_is_told(room, e.Said(room.state.chat[0])) == inside - {"cai"}


def test_a_move_of_ones_own_cannot_be_replayed(room):
    before = room.state.seq
    room.handle(c.Say("ida", "x", "k3"), 0)
    room.handle(c.Admit("ida", "zoe"), 0)
    missed = room.since(before)
    assert missed_own_move(missed, "zoe")
    assert not missed_own_move(missed, "cai")
    room.handle(c.TransferOut("cai", "r2"), 0)
    assert missed_own_move(room.since(before), "cai")


def test_without_a_seat_there_is_no_sight(room):
    assert sight_of(room.state, "nobody") is None
