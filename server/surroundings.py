"""What a client is told about its way to us: implements `signaling.session.ports.Surroundings`."""

from config import HrContactSettings
from signaling.protocol.views import HrContact, IceServer
from signaling.session.ports import Guest


class NodeSurroundings:
    def __init__(self, contact: HrContactSettings) -> None:
        self._contact = HrContact(name=contact.name, phone=contact.phone)

    def ice_servers(self, guest: Guest) -> list[IceServer]:
        """None: our candidate is public or on the same network, so the browser needs no STUN."""
        return []

    def hr_contact(self, guest: Guest) -> HrContact:
        return self._contact
