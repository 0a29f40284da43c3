"""From the state of rooms to what goes over the wire, through the eyes of one participant."""

from collections.abc import Callable
from typing import Any

from rooms.interview import LiveInterview
from rooms.room import events as e
from rooms.room.model import ChatLine, RoomState, Seat
from rooms.room.room import Room
from rooms.room.sight import Sight
from signaling.protocol import events as wire
from signaling.protocol.views import ChatView, ParticipantView, RoomView, RoundView


def participant_view(seat: Seat, state: RoomState) -> ParticipantView:
    return ParticipantView(
        id=seat.id,
        name=seat.person.name,
        role=seat.person.role,
        placement=seat.placement,
        connected=seat.connected,
        microphone=seat.microphone,
        camera=seat.camera,
        screen=state.screen == seat.id,
        quality=seat.quality,
        since_ms=seat.since_ms,
    )


def chat_view(line: ChatLine) -> ChatView:
    return ChatView(
        id=line.id,
        participant=line.participant,
        name=line.name,
        text=line.text,
        at_ms=line.at_ms,
    )


def room_view(live: LiveInterview, room: Room, sight: Sight) -> RoomView:
    """The whole room as `sight` sees it."""
    state = room.state
    rounds = _round_views(live, room)
    own = next(one for one in rounds if one.id == room.id)
    return RoomView(
        id=room.id,
        interview_id=live.spec.id,
        interview_title=live.spec.title,
        round=own,
        rounds=rounds if sight.sees_rounds else [own],
        placement="room" if sight.inside else "lobby",
        participants=[participant_view(seat, state) for seat in sight.seats(state)],
        screen=sight.screen(state),
        chat=[chat_view(line) for line in sight.chat(state)],
        state=state.phase,
        seq=state.seq,
    )


def _round_views(live: LiveInterview, room: Room) -> list[RoundView]:
    return [
        RoundView(
            id=one.id, title=one.title, index=index, occupied=live.rooms[one.id].state.occupied
        )
        for index, one in enumerate(live.spec.rounds)
    ]


def event_notice(room: Room, recorded: e.Recorded, sight: Sight) -> wire.RoomEvent | None:
    """The event as `sight` sees it, or None if it is not for them."""
    if not sight.sees(recorded.event):
        return None
    body = _BODIES[type(recorded.event)](recorded.event, room.state, sight)
    return wire.RoomEvent(room=room.id, seq=recorded.seq, at_ms=recorded.at_ms, body=body)


def _entered(event: e.Entered, state: RoomState, _: Sight) -> wire.EventBody:
    return wire.ParticipantEntered(participant=participant_view(event.seat, state))


def _changed(event: e.Changed, state: RoomState, _: Sight) -> wire.EventBody:
    return wire.ParticipantChanged(participant=participant_view(event.seat, state))


def _left(event: e.Left, _: RoomState, sight: Sight) -> wire.EventBody:
    to_round = event.to_round if sight.sees_rounds else None
    return wire.ParticipantLeft(
        participant=event.participant, reason=event.reason, to_round=to_round
    )


def _screen(event: e.ScreenPassed, _: RoomState, __: Sight) -> wire.EventBody:
    return wire.ScreenChanged(participant=event.participant)


def _said(event: e.Said, _: RoomState, __: Sight) -> wire.EventBody:
    return wire.ChatMessage(message=chat_view(event.line))


def _reacted(event: e.Reacted, _: RoomState, __: Sight) -> wire.EventBody:
    return wire.Reaction(participant=event.participant, name=event.name)


def _muted(event: e.Muted, _: RoomState, __: Sight) -> wire.EventBody:
    return wire.MutedByOther(participant=event.participant, by=event.by)


def _other_round(event: e.OtherRound, _: RoomState, __: Sight) -> wire.EventBody:
    return wire.RoundsChanged(round=event.round, occupied=event.occupied)


def _ended(event: e.Ended, _: RoomState, __: Sight) -> wire.EventBody:
    return wire.RoomEnded(by=event.by)


_BODIES: dict[type[e.Event], Callable[[Any, RoomState, Sight], wire.EventBody]] = {
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
