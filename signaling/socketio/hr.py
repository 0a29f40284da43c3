"""Namespace `/hr`: the live list of interviews, for a signed-in HR person."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

import socketio
from socketio.exceptions import ConnectionRefusedError as Refused

from signaling.protocol.base import Message
from signaling.protocol.hr import HrInterviewChanged, HrInterviews
from signaling.session.ports import HrFeed, HrSession
from signaling.socketio.edge import BoundedServer
from signaling.socketio.outbox import Outbox

HR = "/hr"
GATHER_S = 0.1
"""Changes of one interview within so long are told once."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Listener:
    session: HrSession
    outbox: Outbox
    cookies: Mapping[str, str] = field(repr=False)


class HrNamespace(socketio.AsyncNamespace):  # type: ignore[misc] # the library ships no types
    """HR only listens here; what HR does goes over HTTP."""

    def __init__(self, sio: BoundedServer, feed: HrFeed) -> None:
        super().__init__(HR)
        self._sio = sio
        self._feed = feed
        self._listeners: dict[str, _Listener] = {}
        self._changed: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    async def trigger_event(self, event: str, *args: Any) -> Any:  # noqa: ANN401 (the library's)
        if event == "connect":
            return await self._connect(*args)
        if event == "disconnect":
            self._listeners.pop(args[0], None)
            return None
        error = {"code": "unknown_command", "message": "HR acts over HTTP.", "remedy": ""}
        return {"ok": False, "error": error}

    async def greet(self, sid: str) -> None:
        """Send the whole list."""
        listener = self._listeners.get(sid)
        if listener is None:
            return
        try:
            whole = HrInterviews(interviews=await self._feed.interviews(listener.session))
        except Exception:
            _log.exception("HR's list could not be made")
            await self._sio.disconnect(sid, namespace=HR)
            return
        self._send(listener.outbox, HrInterviews.TYPE, whole)

    def changed(self, interview_id: str) -> None:
        """Tell everyone whom it concerns, soon."""
        if not self._listeners:
            return
        self._changed.add(interview_id)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _connect(self, sid: str, environ: dict[str, Any], _: object = None) -> None:
        cookies = _cookies(environ)
        session = await self._feed.authorise(cookies)
        if session is None:
            message = "Sign in to the HR console first."
            body = {"code": "token_invalid", "message": message, "remedy": "Open the HR link."}
            raise Refused(message, body)
        line = self._sio.lines[self._sio.manager.eio_sid_from_sid(sid, HR)]
        self._listeners[sid] = _Listener(session, line.outbox, cookies)

    async def _tell(self) -> None:
        while self._changed:
            await asyncio.sleep(GATHER_S)
            changed, self._changed = self._changed, set()
            for interview_id in changed:
                await self._tell_one(interview_id)

    async def _dismissed_signed_out(self) -> bool:
        """A session that expired or whose link was withdrawn hears nothing more.

        Return False if that could not be found out: then nobody is told.
        """
        for sid, listener in list(self._listeners.items()):
            try:
                session = await self._feed.authorise(listener.cookies)
            except Exception:
                _log.exception("HR's sessions could not be checked")
                return False
            if session is None:
                self._listeners.pop(sid, None)
                await self._sio.disconnect(sid, namespace=HR)
        return True

    async def _tell_one(self, interview_id: str) -> None:
        if not await self._dismissed_signed_out():
            return
        made: dict[HrSession, HrInterviewChanged | None] = {}
        for listener in list(self._listeners.values()):
            try:
                if listener.session not in made:
                    made[listener.session] = await self._make(listener.session, interview_id)
            except Exception:
                _log.exception("a change could not be told to HR")
                return
            notice = made[listener.session]
            if notice is not None:
                self._send(listener.outbox, HrInterviewChanged.TYPE, notice)

    async def _make(self, session: HrSession, interview_id: str) -> HrInterviewChanged | None:
        interview = await self._feed.interview(session, interview_id)
        return None if interview is None else HrInterviewChanged(interview=interview)

    def _send(self, outbox: Outbox, name: str, body: Message) -> None:
        outbox.send(HR, name, body)


def _cookies(environ: dict[str, Any]) -> dict[str, str]:
    try:
        parsed = SimpleCookie(str(environ.get("HTTP_COOKIE", "")))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in parsed.items()}
