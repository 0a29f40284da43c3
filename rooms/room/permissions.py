"""Who may do what: one table, by role and command."""

from rooms.errors import NotPermitted, NotSeated
from rooms.room import commands as c
from rooms.room.model import STAFF, Role, RoomState, Seat

EVERYONE: frozenset[Role] = frozenset({"candidate", "interviewer", "observer", "hr"})
SPEAKERS: frozenset[Role] = EVERYONE - {"observer"}
"""Observers watch and listen; they send neither media nor words."""

ALLOWED: dict[type[c.PersonalCommand], frozenset[Role]] = {
    c.SetMedia: SPEAKERS,
    c.Admit: STAFF,
    c.Remove: STAFF,
    c.Mute: STAFF,
    c.StartScreen: SPEAKERS,
    c.StopScreen: SPEAKERS,
    c.Say: SPEAKERS,
    c.React: SPEAKERS,
    c.ReportQuality: EVERYONE,
    c.End: STAFF,
    c.Leave: EVERYONE,
}

FROM_LOBBY: frozenset[type[c.PersonalCommand]] = frozenset({c.SetMedia, c.ReportQuality, c.Leave})
"""What somebody who waits may do already."""


def actor_seat(state: RoomState, command: c.PersonalCommand) -> Seat:
    """Return the actor's seat; raise NotSeated or NotPermitted."""
    seat = state.seats.get(command.actor)
    if seat is None:
        raise NotSeated
    if seat.person.role not in ALLOWED[type(command)]:
        raise NotPermitted
    if seat.placement == "lobby" and type(command) not in FROM_LOBBY:
        raise NotSeated
    return seat
