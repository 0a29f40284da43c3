"""One room: its rules, one by one."""

import pytest

from rooms import errors
from rooms.room import commands as c
from rooms.room import events as e
from rooms.room.model import (
    CHAT_WINDOW,
    GRACE_MS,
    MAX_CHAT_LINES,
    MAX_SEATS,
    REACTION_BURST,
    Person,
    RoomState,
)
from rooms.room.room import LOG_LENGTH, Room
from tests.rooms.people import BY_ROLE, CANDIDATE, HR, INTERVIEWER, OBSERVER


def room_with(*people: Person, automatic: bool = True) -> Room:
    room = Room("r1")
    for person in people:
        room.handle(c.Enter(person, automatic=automatic), 0)
    return room


def happened(room: Room, command: c.Command, now_ms: int = 0) -> list[e.Event]:
    return [one.event for one in room.handle(command, now_ms)]


@pytest.mark.parametrize("role", ["interviewer", "hr", "observer"])
def test_everyone_but_candidates_enters_the_room_at_once(role):
    room = room_with(BY_ROLE[role], automatic=False)
    assert room.state.seats[BY_ROLE[role].id].placement == "room"


def test_a_candidate_waits_until_admitted():
    room = room_with(INTERVIEWER, CANDIDATE, automatic=False)
    assert room.state.seats["cai"].placement == "lobby"
    [event] = happened(room, c.Admit("ida", "cai"), 7_000)
    assert isinstance(event, e.Entered)
    seat = room.state.seats["cai"]
    assert (seat.placement, seat.since_ms, seat.since_seq) == ("room", 7_000, 3)


def test_automatic_admission_lets_a_candidate_in():
    assert room_with(CANDIDATE).state.seats["cai"].placement == "room"


def test_admitting_somebody_inside_is_refused():
    room = room_with(INTERVIEWER, CANDIDATE)
    with pytest.raises(errors.ParticipantNotWaiting):
        room.handle(c.Admit("ida", "cai"), 0)


def test_who_was_removed_waits_in_the_lobby_when_coming_back():
    room = room_with(INTERVIEWER, CANDIDATE, OBSERVER)
    for person in (CANDIDATE, OBSERVER):
        happened(room, c.Remove("ida", person.id))
        happened(room, c.Enter(person, automatic=True))
        assert room.state.seats[person.id].placement == "lobby"
    happened(room, c.Admit("ida", "cai"))
    assert "cai" not in room.state.removed


def test_removing_oneself_is_refused():
    with pytest.raises(errors.NotPermitted):
        room_with(INTERVIEWER).handle(c.Remove("ida", "ida"), 0)


def test_one_screen_at_a_time():
    room = room_with(INTERVIEWER, CANDIDATE)
    assert happened(room, c.StartScreen("ida")) == [e.ScreenPassed("ida")]
    assert happened(room, c.StartScreen("ida")) == []
    with pytest.raises(errors.ScreenTaken):
        room.handle(c.StartScreen("cai"), 0)
    assert happened(room, c.StopScreen("cai")) == []
    assert happened(room, c.StopScreen("ida")) == [e.ScreenPassed(None)]
    assert happened(room, c.StartScreen("cai")) == [e.ScreenPassed("cai")]


@pytest.mark.parametrize(
    "command",
    [c.Leave("cai"), c.Remove("ida", "cai"), c.Disconnect("cai"), c.TransferOut("cai", "r2")],
)
def test_a_sharer_who_goes_stops_sharing(command):
    room = room_with(INTERVIEWER, CANDIDATE)
    room.handle(c.StartScreen("cai"), 0)
    assert happened(room, command)[0] == e.ScreenPassed(None)
    assert room.state.screen is None


def test_a_retried_chat_line_is_said_once():
    room = room_with(INTERVIEWER)
    assert len(happened(room, c.Say("ida", "hello", "k1"))) == 1
    assert happened(room, c.Say("ida", "hello", "k1")) == []
    assert len(happened(room, c.Say("ida", "hello", "k2"))) == 1
    assert [line.text for line in room.state.chat] == ["hello", "hello"]


def test_keys_of_different_people_do_not_collide():
    room = room_with(INTERVIEWER, CANDIDATE)
    happened(room, c.Say("ida", "mine", "k"))
    assert len(happened(room, c.Say("cai", "yours", "k"))) == 1


def test_the_chat_has_an_end():
    room = room_with(INTERVIEWER)
    for n in range(MAX_CHAT_LINES):
        room.handle(c.Say("ida", "x", f"k{n}"), 0)
    with pytest.raises(errors.ChatFull):
        room.handle(c.Say("ida", "x", "last"), 0)
    assert len(room.state.chat) == CHAT_WINDOW
    assert len(room.log) == LOG_LENGTH


def test_reactions_are_limited_and_come_back_with_time():
    room = room_with(INTERVIEWER, CANDIDATE)
    for _ in range(REACTION_BURST):
        room.handle(c.React("cai", "like"), 1_000)
    with pytest.raises(errors.ReactionLimited):
        room.handle(c.React("cai", "like"), 1_500)
    room.handle(c.React("ida", "clap"), 1_500)
    [one] = room.handle(c.React("cai", "hand"), 2_000)
    assert (one.at_ms, one.event) == (2_000, e.Reacted("cai", "hand"))


def test_muting_another_and_unmuting_oneself():
    room = room_with(INTERVIEWER, CANDIDATE)
    happened(room, c.SetMedia("cai", True, True))
    _, muted = happened(room, c.Mute("ida", "cai"))
    assert muted == e.Muted("cai", "ida")
    assert not room.state.seats["cai"].microphone
    assert room.state.seats["cai"].camera
    assert happened(room, c.Mute("ida", "cai")) == []
    happened(room, c.SetMedia("cai", True, True))
    assert room.state.seats["cai"].microphone


def test_a_seat_is_kept_for_the_grace_period():
    room = room_with(INTERVIEWER, CANDIDATE)
    happened(room, c.SetMedia("cai", True, False))
    happened(room, c.Disconnect("cai"), 1_000)
    seat = room.state.seats["cai"]
    assert (seat.connected, seat.quality, seat.placement) == (False, "lost", "room")
    assert happened(room, c.Expire(), 1_000 + GRACE_MS - 1) == []
    happened(room, c.Enter(CANDIDATE, automatic=False), 1_000 + GRACE_MS - 1)
    seat = room.state.seats["cai"]
    assert (seat.connected, seat.quality, seat.placement) == (True, "good", "room")
    assert seat.microphone
    assert happened(room, c.Expire(), 10 * GRACE_MS) == []


def test_a_seat_is_given_up_after_the_grace_period():
    room = room_with(INTERVIEWER, CANDIDATE)
    happened(room, c.Disconnect("cai"), 1_000)
    assert happened(room, c.Expire(), 1_000 + GRACE_MS) == [e.Left("cai", "room", "lost")]
    assert "cai" not in room.state.seats


def test_a_second_disconnect_does_not_prolong_the_grace():
    room = room_with(CANDIDATE)
    happened(room, c.Disconnect("cai"), 0)
    assert happened(room, c.Disconnect("cai"), GRACE_MS - 1) == []
    assert len(happened(room, c.Expire(), GRACE_MS)) == 1


def test_a_room_is_full_at_some_point():
    room = Room("r1")
    for n in range(MAX_SEATS):
        room.handle(c.Enter(Person(f"o{n}", "", "observer"), automatic=True), 0)
    with pytest.raises(errors.RoomFull):
        room.handle(c.Enter(CANDIDATE, automatic=True), 0)
    room.handle(c.Enter(Person("o3", "", "observer"), automatic=True), 0)


def test_an_ended_room_takes_nobody_and_nothing():
    room = room_with(INTERVIEWER, CANDIDATE)
    assert happened(room, c.End("ida")) == [e.Ended("ida")]
    assert room.state.phase == "ended"
    assert not room.state.seats
    for command in (c.Enter(HR, automatic=True), c.Say("ida", "x", "k"), c.End("ida")):
        with pytest.raises(errors.RoomOver):
            room.handle(command, 0)
    for quiet in (c.Disconnect("ida"), c.Expire(), c.NoteRound("r2", True)):
        assert happened(room, quiet, 10**9) == []


def test_quality_is_an_event_only_when_it_changes():
    room = room_with(CANDIDATE)
    assert len(happened(room, c.ReportQuality("cai", "poor"))) == 1
    assert happened(room, c.ReportQuality("cai", "poor")) == []


@pytest.mark.parametrize(
    ("people", "phase"),
    [
        ((), "waiting"),
        ((CANDIDATE,), "waiting"),
        ((INTERVIEWER, OBSERVER), "waiting"),
        ((INTERVIEWER, CANDIDATE), "live"),
        ((HR, CANDIDATE), "live"),
    ],
)
def test_a_room_is_live_while_a_candidate_is_with_an_interviewer(people, phase):
    assert room_with(*people).state.phase == phase


def test_replay_needs_every_event():
    room = room_with(INTERVIEWER)
    for n in range(LOG_LENGTH):
        room.handle(c.Say("ida", "x", f"k{n}"), 0)
    assert room.state.seq == LOG_LENGTH + 1
    assert room.since(0) is None
    assert [one.seq for one in room.since(LOG_LENGTH - 1)] == [LOG_LENGTH, LOG_LENGTH + 1]
    assert room.since(room.state.seq) == []
    assert room.since(room.state.seq + 1) is None
    assert Room("r2", RoomState(seq=9)).since(3) is None


def test_names_and_words_stay_out_of_reprs():
    room = room_with(CANDIDATE)
    room.handle(c.Say("cai", "secret words", "k"), 0)
    shown = repr(room.log) + repr(room.state) + repr(c.Say("cai", "secret words", "k"))
    assert "secret words" not in shown
    assert CANDIDATE.name not in shown
