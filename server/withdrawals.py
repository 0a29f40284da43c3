"""Visits whose link was withdrawn elsewhere end: by the command line, or on another node."""

from collections.abc import Callable

import structlog

from hr.errors import HrError
from hr.links.service import LinkService
from rooms.store.link_news import LinkNews
from server.security.admission import LinkedGuest
from signaling.session.visits import Visits

LOOK_EVERY_S = 15.0
"""Without news: a message may have been lost with Redis."""

log = structlog.get_logger("server.withdrawals")


class Withdrawals:
    def __init__(
        self,
        links: LinkService,
        news: LinkNews,
        visits: Visits,
        hr_changed: Callable[[str], None],
    ) -> None:
        """`hr_changed(interview)`: HR's list of the interview may look different."""
        self._links = links
        self._news = news
        self._visits = visits
        self._hr_changed = hr_changed

    async def run(self) -> None:
        """Look whenever there is news, endlessly."""
        try:
            while True:
                await self._news.wait(LOOK_EVERY_S)
                await self.look()
        finally:
            await self._news.close()

    async def look(self) -> None:
        """End the visits of this node whose link, or whose device, is refused by now."""
        guests = [one for one in self._visits.guests() if isinstance(one, LinkedGuest)]
        if not guests:
            return
        try:
            devices = await self._links.devices({one.link for one in guests})
        except HrError as error:
            log.warning("withdrawals_unknown", code=error.code)
            return
        for guest in guests:
            if devices.get(guest.link) != guest.device:
                self._visits.revoke(guest.participant)
                self._hr_changed(guest.interview)
                log.info("visit_withdrawn", interview=guest.interview)
