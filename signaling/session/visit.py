"""One participant's visit: what they were shown, over however many connections it takes."""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

from rooms.interview import LiveInterview, MoveReason
from rooms.room.events import Recorded
from rooms.room.room import Room
from rooms.room.sight import Sight, missed_own_move, sight_of
from sfu.api import PeerId
from signaling.protocol.auth import Auth
from signaling.protocol.events import Goodbye, Notice, Place
from signaling.protocol.views import RoomView
from signaling.session.ports import Guest
from signaling.session.views import event_notice, room_view

GoodbyeReason = Literal["ended", "removed", "replaced", "left", "revoked", "shutdown"]


class Connection(Protocol):
    """The way to a client. Neither method waits; a client that does not read is cut off."""

    def send(self, notice: Notice) -> None: ...

    def close(self) -> None:
        """Deliver what was sent, then close."""


class Visit:
    """Lives from the first connection until the seat is given up."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.connection: Connection | None = None
        self.peer: PeerId | None = None
        self.media_up = False
        """Whether the peer connection stands: its DTLS handshake was completed."""
        self.sdp_session: str | None = None
        """The `o=` session id of the peer connection."""
        self.bearer: str | None = None
        """The id of the WHIP or WHEP session, if that is how the participant is here."""
        self.watching: str | None = None
        """The one participant that is shown to this visitor (WHEP)."""
        self.max_video_height: int | None = None
        """The most picture lines that the participant wants of anybody."""
        self.silent = False
        """Whether the media of a visit without a socket fell silent and was not heard since."""
        self.heard_packets: int | None = None
        """What had come of it when it was last looked at while silent."""
        self.offering = asyncio.Lock()
        self.over = False
        self._room: str | None = None
        self._seq = 0

    @property
    def participant(self) -> str:
        return self.guest.participant

    @property
    def room(self) -> str | None:
        """The room that the client believes to be in."""
        return self._room

    def send(self, notice: Notice) -> None:
        if self.connection is not None:
            self.connection.send(notice)

    def dismiss(self, reason: GoodbyeReason) -> None:
        """Say goodbye on the present connection and close it."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.send(Goodbye(reason=reason))
            connection.close()

    def show(self, live: LiveInterview, room: Room) -> RoomView:
        """Return the whole room; what comes after it is told by `tell`."""
        self._room, self._seq = room.id, room.state.seq
        return room_view(live, room, self._sight(live, room))

    def catch_up(self, live: LiveInterview, room: Room, auth: Auth) -> list[Recorded] | None:
        """Return the events since the one the client saw last, or None: show the whole room."""
        if auth.resume is None or auth.room != room.id or auth.seq is None:
            return None
        missed = room.since(auth.seq)
        if missed is None or missed_own_move(missed, self.participant):
            return None
        self._room, self._seq = room.id, auth.seq
        return missed

    def tell(self, live: LiveInterview, room: Room, recorded: Sequence[Recorded]) -> None:
        """Send those events of the room that the participant may see and was not told yet."""
        if room.id == self._room and self.connection is not None:
            for notice in self.untold(live, room, recorded):
                self.send(notice)

    def untold(self, live: LiveInterview, room: Room, recorded: Sequence[Recorded]) -> list[Notice]:
        """Return the notices of those events that the participant may see and was not told yet."""
        sight = self._sight(live, room)
        notices: list[Notice] = []
        for one in recorded:
            if one.seq <= self._seq:
                continue
            self._seq = one.seq
            notice = event_notice(room, one, sight)
            if notice is not None:
                notices.append(notice)
        return notices

    def move(self, live: LiveInterview, room: Room, reason: MoveReason) -> None:
        """Show the participant their new place."""
        view = self.show(live, room)
        self.send(Place(reason=reason, placement=view.placement, room=view))

    def _sight(self, live: LiveInterview, room: Room) -> Sight:
        hidden = live.spec.observers_hidden
        sight = sight_of(room.state, self.participant, observers_hidden=hidden)
        return sight or Sight(self.participant, self.guest.role, False, 0)
