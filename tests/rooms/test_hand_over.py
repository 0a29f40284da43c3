"""A candidate's way through the rounds, and what can come between."""

import pytest

from rooms import errors
from rooms.interview import UNDO_MS, LiveInterview, Moved
from rooms.room import commands as c
from rooms.room import events as e
from rooms.room.model import GRACE_MS, MAX_SEATS, Person
from tests.rooms.people import (
    CANDIDATE,
    HR,
    INTERVIEWER,
    OBSERVER,
    SECOND,
    events,
    interview,
    seated,
)


def admitted(*others: tuple[Person, str]) -> LiveInterview:
    live = seated((INTERVIEWER, "r1"), (CANDIDATE, "r1"), *others)
    live.submit(c.Admit("ida", "cai"), 0)
    return live


def where(live: LiveInterview, participant: str = "cai") -> tuple[str, str] | None:
    room, seat = live.room_of(participant), live.seat_of(participant)
    return (room.id, seat.placement) if room and seat else None


def test_into_the_room_if_an_interviewer_is_there():
    live = admitted((SECOND, "r2"))
    live.submit(c.SetMedia("cai", True, True), 0)
    outcomes = live.hand_over("ida", "cai", None, 5_000)
    assert where(live) == ("r2", "room")
    assert events(outcomes, "r1") == [e.Left("cai", "room", "handed_over", "r2")]
    assert Moved("cai", "handed_over") in outcomes
    seat = live.seat_of("cai")
    assert (seat.microphone, seat.camera, seat.since_ms) == (True, True, 5_000)


@pytest.mark.parametrize("others", [(), ((OBSERVER, "r2"),)])
def test_into_the_lobby_if_not(others):
    live = admitted(*others)
    live.hand_over("ida", "cai", None, 0)
    assert where(live) == ("r2", "lobby")


def test_into_the_lobby_if_the_interviewer_there_is_disconnected():
    live = admitted((SECOND, "r2"))
    live.disconnect("ivo", 0)
    live.hand_over("ida", "cai", None, 0)
    assert where(live) == ("r2", "lobby")


def test_to_a_named_round():
    live = LiveInterview(interview(rounds=3))
    for person in (INTERVIEWER, CANDIDATE):
        live.enter(person, "r1", 0)
    live.hand_over("ida", "cai", "r3", 0)
    assert where(live) == ("r3", "lobby")


@pytest.mark.parametrize(
    ("round_id", "error"),
    [("r1", errors.RoundCurrent), ("r9", errors.RoundUnknown)],
)
def test_wrong_rounds(round_id, error):
    live = admitted()
    with pytest.raises(error):
        live.hand_over("ida", "cai", round_id, 0)
    assert where(live) == ("r1", "room")


def test_there_is_no_round_after_the_last():
    live = seated((SECOND, "r2"), (CANDIDATE, "r2"))
    with pytest.raises(errors.RoundUnknown):
        live.hand_over("ivo", "cai", None, 0)


def test_only_candidates_are_handed_over():
    live = seated((INTERVIEWER, "r1"), (OBSERVER, "r1"))
    with pytest.raises(errors.CandidateOnly):
        live.hand_over("ida", "ole", None, 0)


def test_only_by_those_who_run_the_round():
    live = admitted((OBSERVER, "r1"), (SECOND, "r2"))
    for actor, error in (
        ("cai", errors.NotPermitted),
        ("ole", errors.NotPermitted),
        ("ivo", errors.ParticipantUnknown),
        ("nobody", errors.NotSeated),
    ):
        with pytest.raises(error):
            live.hand_over(actor, "cai", None, 0)
    assert where(live) == ("r1", "room")


def test_handing_over_twice():
    live = admitted((SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    with pytest.raises(errors.ParticipantUnknown):
        live.hand_over("ida", "cai", None, 1)
    assert where(live) == ("r2", "room")


def test_the_candidate_left_meanwhile():
    live = admitted((SECOND, "r2"))
    live.submit(c.Leave("cai"), 0)
    with pytest.raises(errors.ParticipantUnknown):
        live.hand_over("ida", "cai", None, 1)


def test_the_next_round_has_ended():
    live = admitted((SECOND, "r2"))
    live.submit(c.End("ivo"), 0)
    with pytest.raises(errors.RoundEnded):
        live.hand_over("ida", "cai", None, 1)
    assert where(live) == ("r1", "room")


def test_the_next_round_is_full():
    live = admitted()
    for n in range(MAX_SEATS):
        live.enter(Person(f"o{n}", "", "observer"), "r2", 0)
    with pytest.raises(errors.RoomFull):
        live.hand_over("ida", "cai", None, 1)
    assert where(live) == ("r1", "room")


def test_a_disconnected_candidate_keeps_waiting_in_the_next_round():
    live = admitted((SECOND, "r2"))
    live.disconnect("cai", 1_000)
    live.hand_over("ida", "cai", None, 2_000)
    assert not live.seat_of("cai").connected
    live.enter(CANDIDATE, "r1", 3_000)
    assert where(live) == ("r2", "room")
    assert live.seat_of("cai").connected


def test_the_grace_of_a_disconnected_candidate_is_not_prolonged():
    live = admitted((SECOND, "r2"))
    live.disconnect("cai", 1_000)
    live.hand_over("ida", "cai", None, 2_000)
    live.pass_time(1_000 + GRACE_MS)
    assert where(live) is None


def test_whoever_returns_later_returns_to_the_new_round():
    live = admitted((SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    live.submit(c.Leave("cai"), 1)
    live.enter(CANDIDATE, "r1", 2)
    assert where(live) == ("r2", "lobby")


def test_taking_back_restores_the_placement():
    live = admitted((SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    outcomes = live.take_back("ida", "cai", UNDO_MS)
    assert where(live) == ("r1", "room")
    assert Moved("cai", "taken_back") in outcomes


def test_taking_back_somebody_who_was_in_the_lobby():
    live = seated((INTERVIEWER, "r1"), (CANDIDATE, "r1"), (SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    assert where(live) == ("r2", "room")
    live.take_back("ida", "cai", 1)
    assert where(live) == ("r1", "lobby")


def test_taking_back_too_late():
    live = admitted((SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    with pytest.raises(errors.UndoExpired):
        live.take_back("ida", "cai", UNDO_MS + 1)
    live.pass_time(UNDO_MS + 1)
    assert not live.moves.hand_overs


def test_taking_back_twice():
    live = admitted((SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    live.take_back("ida", "cai", 1)
    with pytest.raises(errors.UndoExpired):
        live.take_back("ida", "cai", 2)


def test_taking_back_anothers_hand_over():
    live = admitted((SECOND, "r2"), (HR, "r1"))
    live.hand_over("ida", "cai", None, 0)
    for actor in ("hua", "ivo"):
        with pytest.raises(errors.UndoExpired):
            live.take_back(actor, "cai", 1)
    assert where(live) == ("r2", "room")


def test_taking_back_after_the_candidate_went_on():
    live = LiveInterview(interview(rounds=3))
    for person, round_id in ((INTERVIEWER, "r1"), (CANDIDATE, "r1"), (SECOND, "r2")):
        live.enter(person, round_id, 0)
    live.hand_over("ida", "cai", None, 0)
    live.hand_over("ivo", "cai", None, 1)
    with pytest.raises(errors.UndoExpired):
        live.take_back("ida", "cai", 2)
    live.take_back("ivo", "cai", 3)
    assert where(live) == ("r2", "room")


def test_taking_back_after_the_candidate_left():
    live = admitted((SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    live.submit(c.Leave("cai"), 1)
    with pytest.raises(errors.UndoExpired):
        live.take_back("ida", "cai", 2)


def test_taking_back_into_an_ended_round():
    live = admitted((SECOND, "r2"))
    live.hand_over("ida", "cai", None, 0)
    live.submit(c.End("ida"), 1)
    with pytest.raises(errors.RoomsError):
        live.take_back("ida", "cai", 2)
    assert where(live) == ("r2", "room")


def test_other_rounds_learn_who_is_occupied():
    live = seated((INTERVIEWER, "r1"))
    outcomes = live.enter(SECOND, "r2", 0)
    assert events(outcomes, "r1") == [e.OtherRound("r2", True)]
    assert live.rooms["r2"].state.occupied_rounds == {"r1"}
    outcomes = live.disconnect("ivo", 1)
    assert events(outcomes, "r1") == [e.OtherRound("r2", False)]


def test_an_interviewer_moved_by_hr_leaves_the_old_round():
    live = seated((INTERVIEWER, "r1"))
    live.enter(INTERVIEWER, "r2", 0)
    assert where(live, "ida") == ("r2", "room")
    assert "ida" not in live.rooms["r1"].state.seats


def test_somebody_without_a_round_comes_to_the_first_open_one():
    live = seated((INTERVIEWER, "r1"))
    live.submit(c.End("ida"), 0)
    live.enter(HR, None, 1)
    assert where(live, "hua") == ("r2", "room")


def test_an_unknown_round_is_refused():
    with pytest.raises(errors.RoundUnknown):
        seated((INTERVIEWER, "r7"))


def test_hr_revises_the_rounds():
    live = admitted((SECOND, "r2"))
    live.revise(interview(rounds=3))
    live.hand_over("ida", "cai", "r3", 0)
    live.revise(interview(rounds=1))
    assert list(live.rooms) == ["r1", "r2", "r3"], "people still sit in two of those struck out"
    live.submit(c.Leave("cai"), 0)
    live.revise(interview(rounds=1))
    assert list(live.rooms) == ["r1", "r2"]
