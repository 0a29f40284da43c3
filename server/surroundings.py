"""What a client is told about its way to us: implements `signaling.session.ports.Surroundings`."""

from config import HrContactSettings
from server.turn import TurnServers
from signaling.protocol.views import HrContact, IceServer
from signaling.session.ports import Guest


class NodeSurroundings:
    def __init__(self, contact: HrContactSettings, turn: TurnServers) -> None:
        self._turn = turn
        self._contact = HrContact(name=contact.name, phone=contact.phone)

    def ice_servers(self, guest: Guest) -> list[IceServer]:
        """The configured TURN servers. Without them none: our candidate is public or on the same
        network, so the browser needs no STUN."""
        return self._turn.for_participant(guest.participant)

    def hr_contact(self, guest: Guest) -> HrContact:
        return self._contact
