"""`apply`: the state after an event. Total: any recorded event can be applied again."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rooms.room import events as e
from rooms.room.model import CHAT_WINDOW, REACTION_BURST, Allowance, RoomState


def apply(state: RoomState, recorded: e.Recorded) -> RoomState:
    """Return the state after `recorded`, which must be the next one."""
    assert recorded.seq == state.seq + 1, "events are numbered without gaps"
    return replace(_FOLDS[type(recorded.event)](state, recorded, recorded.event), seq=recorded.seq)


def replay(recorded: Iterable[e.Recorded], state: RoomState | None = None) -> RoomState:
    """Fold all of `recorded` into `state` (by default: a room in which nothing happened)."""
    state = state or RoomState()
    for one in recorded:
        state = apply(state, one)
    return state


def _entered(state: RoomState, recorded: e.Recorded, event: e.Entered) -> RoomState:
    seat = replace(event.seat, since_seq=recorded.seq)
    seats = {**state.seats, seat.person.id: seat}
    removed = state.removed
    if seat.placement == "room":
        removed = removed - {seat.person.id}
    return replace(state, seats=seats, removed=removed)


def _changed(state: RoomState, _: e.Recorded, event: e.Changed) -> RoomState:
    return replace(state, seats={**state.seats, event.seat.person.id: event.seat})


def _left(state: RoomState, _: e.Recorded, event: e.Left) -> RoomState:
    gone = event.participant
    removed = state.removed | {gone} if event.reason == "removed" else state.removed
    return replace(
        state,
        seats={id_: seat for id_, seat in state.seats.items() if id_ != gone},
        allowances={id_: one for id_, one in state.allowances.items() if id_ != gone},
        removed=removed,
    )


def _screen(state: RoomState, _: e.Recorded, event: e.ScreenPassed) -> RoomState:
    return replace(state, screen=event.participant)


def _said(state: RoomState, _: e.Recorded, event: e.Said) -> RoomState:
    chat = (*state.chat, event.line)[-CHAT_WINDOW:]
    return replace(state, chat=chat, chat_lines=state.chat_lines + 1)


def _reacted(state: RoomState, recorded: e.Recorded, event: e.Reacted) -> RoomState:
    before = state.allowances.get(event.participant, Allowance(REACTION_BURST, recorded.at_ms))
    spent = Allowance(before.at(recorded.at_ms) - 1, recorded.at_ms)
    return replace(state, allowances={**state.allowances, event.participant: spent})


def _muted(state: RoomState, _: e.Recorded, __: e.Muted) -> RoomState:
    return state


def _other_round(state: RoomState, _: e.Recorded, event: e.OtherRound) -> RoomState:
    others = state.occupied_rounds - {event.round}
    return replace(state, occupied_rounds=others | {event.round} if event.occupied else others)


def _ended(state: RoomState, _: e.Recorded, __: e.Ended) -> RoomState:
    return replace(state, ended=True, seats={}, screen=None, allowances={})


_FOLDS: dict[type[e.Event], Callable[[RoomState, e.Recorded, Any], RoomState]] = {
    e.Entered: _entered,
    e.Changed: _changed,
    e.Left: _left,
    e.ScreenPassed: _screen,
    e.Said: _said,
    e.Reacted: _reacted,
    e.Muted: _muted,
    e.OtherRound: _other_round,
    e.Ended: _ended,
}
