"""What each command does. A handler returns the reply, or None for `Done`."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from rooms.room import commands as c
from rooms.room.decide import said
from rooms.service import RoomService
from signaling.errors import InvalidMessage
from signaling.protocol import commands as wire
from signaling.protocol.replies import ChatAccepted, HandedOver, MediaAnswer
from signaling.session.media import PeerDesk
from signaling.session.quality import QualityDesk
from signaling.session.visit import Visit


class Office(Protocol):
    """What handlers work with."""

    rooms: RoomService
    desk: PeerDesk
    quality: QualityDesk


Handler = Callable[[Office, Visit, Any], Awaitable[Any]]
HANDLERS: dict[type[wire.Command], Handler] = {}


def _handles(command: type[wire.Command]) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[command] = handler
        return handler

    return register


@_handles(wire.MediaOffer)
async def _offer(office: Office, visit: Visit, command: wire.MediaOffer) -> MediaAnswer:
    return MediaAnswer(sdp=await office.desk.offer(visit, command.sdp, command.tracks))


@_handles(wire.MediaState)
async def _state(office: Office, visit: Visit, command: wire.MediaState) -> None:
    office.rooms.submit(c.SetMedia(visit.participant, command.microphone, command.camera))


@_handles(wire.SlotsSizes)
async def _sizes(office: Office, visit: Visit, command: wire.SlotsSizes) -> None:
    office.desk.set_sizes(visit, command.sizes)


@_handles(wire.VideoLimit)
async def _limit(office: Office, visit: Visit, command: wire.VideoLimit) -> None:
    office.desk.limit_video(visit, command.max_height)


@_handles(wire.SeatAdmit)
async def _admit(office: Office, visit: Visit, command: wire.SeatAdmit) -> None:
    office.rooms.submit(c.Admit(visit.participant, command.participant))


@_handles(wire.SeatRemove)
async def _remove(office: Office, visit: Visit, command: wire.SeatRemove) -> None:
    office.rooms.submit(c.Remove(visit.participant, command.participant))


@_handles(wire.SeatMute)
async def _mute(office: Office, visit: Visit, command: wire.SeatMute) -> None:
    office.rooms.submit(c.Mute(visit.participant, command.participant))


@_handles(wire.RoundHandOver)
async def _hand_over(office: Office, visit: Visit, command: wire.RoundHandOver) -> HandedOver:
    done = office.rooms.hand_over(visit.participant, command.participant, command.round)
    return HandedOver(round=done.round, placement=done.placement, undo_ms=done.undo_ms)


@_handles(wire.RoundTakeBack)
async def _take_back(office: Office, visit: Visit, command: wire.RoundTakeBack) -> None:
    office.rooms.take_back(visit.participant, command.participant)


@_handles(wire.ScreenStart)
async def _start_screen(office: Office, visit: Visit, _: wire.ScreenStart) -> None:
    office.rooms.submit(c.StartScreen(visit.participant))


@_handles(wire.ScreenStop)
async def _stop_screen(office: Office, visit: Visit, _: wire.ScreenStop) -> None:
    office.rooms.submit(c.StopScreen(visit.participant))


@_handles(wire.ChatSend)
async def _say(office: Office, visit: Visit, command: wire.ChatSend) -> ChatAccepted:
    if not command.text.strip():
        raise InvalidMessage("text: says nothing")
    room = office.rooms.submit(c.Say(visit.participant, command.text, command.key))
    line = said(room.state, visit.participant, command.key)
    assert line is not None, "a line that was accepted is in the chat"
    return ChatAccepted(id=line.id)


@_handles(wire.ReactionSend)
async def _react(office: Office, visit: Visit, command: wire.ReactionSend) -> None:
    office.rooms.submit(c.React(visit.participant, command.name))


@_handles(wire.QualityReport)
async def _quality(office: Office, visit: Visit, command: wire.QualityReport) -> None:
    office.quality.report(visit, command)


@_handles(wire.RoomEnd)
async def _end(office: Office, visit: Visit, _: wire.RoomEnd) -> None:
    office.rooms.submit(c.End(visit.participant))


@_handles(wire.RoomLeave)
async def _leave(office: Office, visit: Visit, _: wire.RoomLeave) -> None:
    office.rooms.submit(c.Leave(visit.participant))


assert HANDLERS.keys() == set(wire.COMMANDS.values()), "every command has its handler"
