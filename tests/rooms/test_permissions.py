"""Every role with every command, inside and in the lobby."""

from typing import get_args

import pytest

from rooms.errors import NotPermitted, NotSeated, RoomsError
from rooms.room import commands as c
from rooms.room.model import Role
from rooms.room.permissions import ALLOWED
from rooms.room.room import Room
from tests.rooms.people import BY_ROLE, CANDIDATE, INTERVIEWER

ROLES: tuple[Role, ...] = get_args(Role)
OTHER = CANDIDATE.__class__("zoe", "Zoe", "candidate")

# Written out on purpose, and not taken from the table under test.
MAY: dict[type[c.PersonalCommand], str] = {
    c.SetMedia: "candidate interviewer hr",
    c.Admit: "interviewer hr",
    c.Remove: "interviewer hr",
    c.Mute: "interviewer hr",
    c.StartScreen: "candidate interviewer hr",
    c.StopScreen: "candidate interviewer hr",
    c.Say: "candidate interviewer hr",
    c.React: "candidate interviewer hr",
    c.ReportQuality: "candidate interviewer observer hr",
    c.End: "interviewer hr",
    c.Leave: "candidate interviewer observer hr",
}
FROM_LOBBY = {c.SetMedia, c.ReportQuality, c.Leave}


def command(kind: type[c.PersonalCommand], actor: str) -> c.PersonalCommand:
    if kind in (c.Admit, c.Remove, c.Mute):
        return kind(actor, OTHER.id)
    if kind is c.SetMedia:
        return c.SetMedia(actor, True, True)
    if kind is c.Say:
        return c.Say(actor, "hello", "k")
    if kind is c.React:
        return c.React(actor, "like")
    if kind is c.ReportQuality:
        return c.ReportQuality(actor, "fair")
    return kind(actor)


def test_the_table_covers_every_personal_command():
    assert set(ALLOWED) == set(get_args(c.PersonalCommand)) == set(MAY)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", list(MAY), ids=lambda kind: kind.__name__)
def test_inside(kind, role):
    room = Room("r1")
    actor = BY_ROLE[role]
    room.handle(c.Enter(actor, automatic=True), 0)
    room.handle(c.Enter(OTHER, automatic=False), 0)
    before = room.state
    if role in MAY[kind].split():
        room.handle(command(kind, actor.id), 0)
    else:
        with pytest.raises(NotPermitted):
            room.handle(command(kind, actor.id), 0)
        assert room.state == before


@pytest.mark.parametrize("kind", list(MAY), ids=lambda kind: kind.__name__)
def test_from_the_lobby(kind):
    room = Room("r1")
    room.handle(c.Enter(CANDIDATE, automatic=False), 0)
    room.handle(c.Enter(OTHER, automatic=False), 0)
    before = room.state
    if kind in FROM_LOBBY:
        room.handle(command(kind, CANDIDATE.id), 0)
        return
    with pytest.raises((NotSeated, NotPermitted)):
        room.handle(command(kind, CANDIDATE.id), 0)
    assert room.state == before


@pytest.mark.parametrize("kind", list(MAY), ids=lambda kind: kind.__name__)
def test_without_a_seat(kind):
    room = Room("r1")
    room.handle(c.Enter(OTHER, automatic=False), 0)
    with pytest.raises(NotSeated):
        room.handle(command(kind, INTERVIEWER.id), 0)


@pytest.mark.parametrize("kind", [c.Admit, c.Remove, c.Mute])
def test_an_unknown_participant(kind):
    room = Room("r1")
    room.handle(c.Enter(INTERVIEWER, automatic=True), 0)
    with pytest.raises(RoomsError) as refused:
        room.handle(kind(INTERVIEWER.id, "nobody"), 0)
    assert refused.value.code == "participant_unknown"
