"""`decide`: which events a command leads to. Refusals raise; nothing is changed here."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from rooms.errors import (
    ChatFull,
    NotPermitted,
    ParticipantNotWaiting,
    ParticipantUnknown,
    ReactionLimited,
    RoomFull,
    RoomOver,
    ScreenTaken,
)
from rooms.room import commands as c
from rooms.room import events as e
from rooms.room.model import (
    MAX_CHAT_LINES,
    MAX_SEATS,
    REACTION_BURST,
    Allowance,
    ChatLine,
    Person,
    Placement,
    RoomState,
    Seat,
)
from rooms.room.permissions import actor_seat

_PERSONAL = get_args(c.PersonalCommand)


def decide(state: RoomState, command: c.Command, now_ms: int) -> list[e.Event]:
    """Return the events that `command` causes at `now_ms`; raise a RoomsError to refuse it."""
    if state.ended:
        if isinstance(command, (c.Enter, c.TransferIn, *_PERSONAL)):
            raise RoomOver
        return []
    if isinstance(command, _PERSONAL):
        actor_seat(state, command)
    return _DECISIONS[type(command)](state, command, now_ms)


def _set_media(state: RoomState, command: c.SetMedia, _: int) -> list[e.Event]:
    seat = state.seats[command.actor]
    media = replace(seat, microphone=command.microphone, camera=command.camera, media_known=True)
    return _if_changed(seat, media)


def _admit(state: RoomState, command: c.Admit, now_ms: int) -> list[e.Event]:
    seat = _seat(state, command.participant)
    if seat.placement != "lobby":
        raise ParticipantNotWaiting
    return [e.Entered(replace(seat, placement="room", since_ms=now_ms))]


def _remove(state: RoomState, command: c.Remove, _: int) -> list[e.Event]:
    seat = _seat(state, command.participant)
    if seat.person.id == command.actor:
        raise NotPermitted("Leave instead of removing yourself.")
    return _vacate(state, seat, "removed")


def _mute(state: RoomState, command: c.Mute, _: int) -> list[e.Event]:
    seat = _seat(state, command.participant)
    if seat.media_known and not seat.microphone:
        return []
    changed = e.Changed(replace(seat, microphone=False, media_known=True))
    return [changed, e.Muted(command.participant, command.actor)]


def _start_screen(state: RoomState, command: c.StartScreen, _: int) -> list[e.Event]:
    if state.screen == command.actor:
        return []
    if state.screen is not None:
        raise ScreenTaken
    return [e.ScreenPassed(command.actor)]


def _stop_screen(state: RoomState, command: c.StopScreen, _: int) -> list[e.Event]:
    return [e.ScreenPassed(None)] if state.screen == command.actor else []


def _say(state: RoomState, command: c.Say, now_ms: int) -> list[e.Event]:
    if said(state, command.actor, command.key):
        return []
    if state.chat_lines >= MAX_CHAT_LINES:
        raise ChatFull
    seq = state.seq + 1
    name = state.seats[command.actor].person.name
    return [
        e.Said(ChatLine(f"m{seq}", command.actor, name, command.text, now_ms, command.key, seq))
    ]


def said(state: RoomState, participant: str, key: str) -> ChatLine | None:
    """Return the line that the participant sent with `key` before, if it is remembered."""
    for line in state.chat:
        if line.participant == participant and line.key == key:
            return line
    return None


def _react(state: RoomState, command: c.React, now_ms: int) -> list[e.Event]:
    allowance = state.allowances.get(command.actor, Allowance(REACTION_BURST, now_ms))
    if allowance.at(now_ms) < 1:
        raise ReactionLimited
    return [e.Reacted(command.actor, command.name)]


def _report_quality(state: RoomState, command: c.ReportQuality, _: int) -> list[e.Event]:
    seat = state.seats[command.actor]
    return _if_changed(seat, replace(seat, quality=command.level))


def _end(_: RoomState, command: c.End, __: int) -> list[e.Event]:
    return [e.Ended(command.actor)]


def _leave(state: RoomState, command: c.Leave, _: int) -> list[e.Event]:
    return _vacate(state, state.seats[command.actor], "left")


def _enter(state: RoomState, command: c.Enter, now_ms: int) -> list[e.Event]:
    seat = state.seats.get(command.person.id)
    if seat is not None:
        quality = "good" if seat.quality == "lost" else seat.quality
        back = replace(
            seat, person=command.person, connected=True, lost_at_ms=None, quality=quality
        )
        return _if_changed(seat, back)
    if len(state.seats) >= MAX_SEATS:
        raise RoomFull
    placement = _entrance(state, command.person, automatic=command.automatic)
    return [e.Entered(Seat(command.person, placement, now_ms))]


def _entrance(state: RoomState, person: Person, *, automatic: bool) -> Placement:
    """Candidates wait unless admission is automatic; so does everyone who was removed."""
    if person.id in state.removed or (person.role == "candidate" and not automatic):
        return "lobby"
    return "room"


def _disconnect(state: RoomState, command: c.Disconnect, now_ms: int) -> list[e.Event]:
    seat = state.seats.get(command.participant)
    if seat is None or not seat.connected:
        return []
    waiting = e.Changed(replace(seat, connected=False, lost_at_ms=now_ms, quality="lost"))
    return [*_stop_sharing(state, seat), waiting]


def _expire(state: RoomState, command: c.Expire, now_ms: int) -> list[e.Event]:
    return [
        event
        for seat in state.seats.values()
        if seat.lost_at_ms is not None and now_ms - seat.lost_at_ms >= command.grace_ms
        for event in _vacate(state, seat, "lost")
    ]


def _transfer_out(state: RoomState, command: c.TransferOut, _: int) -> list[e.Event]:
    seat = _seat(state, command.participant)
    return _vacate(state, seat, "handed_over", command.to_round)


def _transfer_in(state: RoomState, command: c.TransferIn, now_ms: int) -> list[e.Event]:
    if len(state.seats) >= MAX_SEATS:
        raise RoomFull
    return [e.Entered(replace(command.seat, placement=command.placement, since_ms=now_ms))]


def _note_round(state: RoomState, command: c.NoteRound, _: int) -> list[e.Event]:
    if (command.round in state.occupied_rounds) == command.occupied:
        return []
    return [e.OtherRound(command.round, command.occupied)]


def _seat(state: RoomState, participant: str) -> Seat:
    seat = state.seats.get(participant)
    if seat is None:
        raise ParticipantUnknown
    return seat


def _if_changed(before: Seat, after: Seat) -> list[e.Event]:
    return [] if after == before else [e.Changed(after)]


def _stop_sharing(state: RoomState, seat: Seat) -> list[e.Event]:
    return [e.ScreenPassed(None)] if state.screen == seat.person.id else []


def _vacate(
    state: RoomState, seat: Seat, reason: e.LeaveReason, to_round: str | None = None
) -> list[e.Event]:
    left = e.Left(seat.person.id, seat.placement, reason, to_round)
    return [*_stop_sharing(state, seat), left]


_DECISIONS: dict[type[c.Command], Callable[[RoomState, Any, int], list[e.Event]]] = {
    c.SetMedia: _set_media,
    c.Admit: _admit,
    c.Remove: _remove,
    c.Mute: _mute,
    c.StartScreen: _start_screen,
    c.StopScreen: _stop_screen,
    c.Say: _say,
    c.React: _react,
    c.ReportQuality: _report_quality,
    c.End: _end,
    c.Leave: _leave,
    c.Enter: _enter,
    c.Disconnect: _disconnect,
    c.Expire: _expire,
    c.TransferOut: _transfer_out,
    c.TransferIn: _transfer_in,
    c.NoteRound: _note_round,
}
