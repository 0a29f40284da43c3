"""Namespace `/hr`: the live list of interviews, for a signed-in HR person."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

import socketio

from signaling.errors import AdmissionRefused, FeedUnavailable
from signaling.protocol.hr import HrInterview, HrInterviewChanged, HrInterviews
from signaling.session.ports import HrFeed, HrSession
from signaling.socketio.edge import BoundedServer
from signaling.socketio.outbox import Outbox
from signaling.socketio.refusal import refused

HR = "/hr"
GATHER_S = 0.1
"""Changes of one interview within so long are told once."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Listener:
    session: HrSession
    outbox: Outbox
    cookies: Mapping[str, str] = field(repr=False)
    told: dict[str, HrInterview] | None = field(default=None, repr=False)
    """What the page shows, by interview; None before the whole list was sent."""

    def show(self, interviews: list[HrInterview]) -> None:
        self.told = {one.id: one for one in interviews}
        self.outbox.send(HR, HrInterviews.TYPE, HrInterviews(interviews=interviews))

    def tell(self, interview: HrInterview) -> None:
        if self.told is not None and self.told.get(interview.id) != interview:
            self.told[interview.id] = interview
            self.outbox.send(HR, HrInterviewChanged.TYPE, HrInterviewChanged(interview=interview))


class HrNamespace(socketio.AsyncNamespace):  # type: ignore[misc] # the library ships no types
    """HR only listens here; what HR does goes over HTTP."""

    def __init__(self, sio: BoundedServer, feed: HrFeed) -> None:
        super().__init__(HR)
        self._sio = sio
        self._feed = feed
        self._listeners: dict[str, _Listener] = {}
        self._changed: set[str] = set()
        self._telling: asyncio.Task[None] | None = None
        self._dismissing: asyncio.Task[None] | None = None

    async def trigger_event(self, event: str, *args: Any) -> Any:  # noqa: ANN401 (the library's)
        if event == "connect":
            return await self._connect(*args)
        if event == "disconnect":
            self._listeners.pop(args[0], None)
            return None
        error = {"code": "unknown_command", "message": "HR acts over HTTP.", "remedy": ""}
        return {"ok": False, "error": error}

    async def greet(self, sid: str) -> None:
        """Send the whole list. Raises FeedUnavailable."""
        listener = self._listeners.get(sid)
        if listener is not None:
            listener.show(await self._feed.interviews(listener.session))

    async def reread(self) -> None:
        """Tell what changed elsewhere: by the command line, or on another node.

        Call every few seconds; it asks for nothing while nobody watches.
        """
        if not self._listeners:
            return
        with _tried_again_later():
            await self._dismiss_signed_out()
            watching = list(self._listeners.values())
            for session in {one.session for one in watching}:
                found = await self._feed.interviews(session)
                for listener in watching:
                    if listener.session == session:
                        for interview in found:
                            listener.tell(interview)

    def changed(self, interview_id: str) -> None:
        """Tell everyone whom it concerns, soon."""
        if not self._listeners:
            return
        self._changed.add(interview_id)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    def signed_out(self) -> None:
        """Dismiss those whose session is over now, rather than at the next reading."""
        if self._listeners and (self._dismissing is None or self._dismissing.done()):
            self._dismissing = asyncio.create_task(self._dismiss())

    async def _dismiss(self) -> None:
        with _tried_again_later():
            await self._dismiss_signed_out()

    async def _connect(self, sid: str, environ: dict[str, Any], _: object = None) -> None:
        cookies = _cookies(environ)
        try:
            session = await self._feed.authorise(cookies)
            if session is None:
                message = "Sign in to the HR console first."
                raise AdmissionRefused(message, remedy="Open the HR link.")
        except Exception as error:
            raise refused(error) from None
        line = self._sio.lines[self._sio.manager.eio_sid_from_sid(sid, HR)]
        self._listeners[sid] = _Listener(session, line.outbox, cookies)

    async def _tell(self) -> None:
        while self._changed:
            await asyncio.sleep(GATHER_S)
            changed, self._changed = self._changed, set()
            with _tried_again_later():
                for interview_id in changed:
                    await self._tell_one(interview_id)

    async def _dismiss_signed_out(self) -> None:
        """A session that expired or whose link was withdrawn hears nothing more.

        Raises FeedUnavailable if that cannot be found out: then nobody is told anything.
        """
        for sid, listener in list(self._listeners.items()):
            if await self._feed.authorise(listener.cookies) is None:
                self._listeners.pop(sid, None)
                await self._sio.disconnect(sid, namespace=HR)

    async def _tell_one(self, interview_id: str) -> None:
        """Raises FeedUnavailable."""
        await self._dismiss_signed_out()
        made: dict[HrSession, HrInterview | None] = {}
        for listener in list(self._listeners.values()):
            session = listener.session
            if session not in made:
                made[session] = await self._feed.interview(session, interview_id)
            interview = made[session]
            if interview is not None:
                listener.tell(interview)


@contextmanager
def _tried_again_later() -> Iterator[None]:
    """What could not be read is told, and who should hear no more goes, at the next reading."""
    try:
        yield
    except FeedUnavailable as error:
        _log.warning("HR is told nothing for now: %s", error)


def _cookies(environ: dict[str, Any]) -> dict[str, str]:
    try:
        parsed = SimpleCookie(str(environ.get("HTTP_COOKIE", "")))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in parsed.items()}
