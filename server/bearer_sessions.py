"""WHIP and WHEP sessions as HTTP sees them: whose they are, and their last offer."""

import hmac
import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from hashlib import sha256

from hr.links.link import secret_hash
from server.errors import PreconditionError, SessionUnknownError

_UFRAG = re.compile(r"^a=ice-ufrag:([^\r\n]{4,256})\r?$", re.MULTILINE)
_PWD = re.compile(r"^a=ice-pwd:([^\r\n]{22,256})\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class HttpSession:
    id: str
    token_hash: str = field(repr=False)
    offer: str = field(repr=False)
    etag: str
    """Names the ICE session (RFC 9725 section 4.3.1)."""


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """RFC 8839 section 5.4."""

    ufrag: str
    pwd: str = field(repr=False)


def ice_credentials(sdp: str) -> IceCredentials | None:
    """The first pair in a description or fragment, if both are there."""
    ufrag, pwd = _UFRAG.search(sdp), _PWD.search(sdp)
    return None if ufrag is None or pwd is None else IceCredentials(ufrag[1], pwd[1])


def with_ice_credentials(offer: str, credentials: IceCredentials) -> str:
    """The same offer with other credentials: what a full re-offer for an ICE restart would say."""
    offer = _UFRAG.sub(lambda found: _keep_end(found, f"a=ice-ufrag:{credentials.ufrag}"), offer)
    return _PWD.sub(lambda found: _keep_end(found, f"a=ice-pwd:{credentials.pwd}"), offer)


def _keep_end(found: re.Match[str], line: str) -> str:
    return line + ("\r" if found[0].endswith("\r") else "")


def etag_of(answer: str) -> str:
    """Changes exactly when our ICE credentials do."""
    credentials = ice_credentials(answer)
    named = "" if credentials is None else credentials.ufrag + credentials.pwd
    return sha256(named.encode()).hexdigest()[:24]


class BearerSessions:
    """Bounded: the oldest is forgotten, and can then no longer be changed by HTTP."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._sessions: OrderedDict[str, HttpSession] = OrderedDict()

    def begin(self, session_id: str, token: str, offer: str, answer: str) -> HttpSession:
        session = HttpSession(session_id, secret_hash(token), offer, etag_of(answer))
        self._sessions[session_id] = session
        while len(self._sessions) > self._capacity:
            self._sessions.popitem(last=False)
        return session

    def find(self, session_id: str, token: str) -> HttpSession:
        """The session, for the token that began it. Raises SessionUnknownError."""
        session = self._sessions.get(session_id)
        if session is None or not hmac.compare_digest(session.token_hash, secret_hash(token)):
            raise SessionUnknownError
        return session

    def restarted(self, session: HttpSession, offer: str, answer: str) -> HttpSession:
        """Note an ICE restart. Raises PreconditionError if another one was first."""
        if self._sessions.get(session.id) is not session:
            raise PreconditionError
        changed = replace(session, offer=offer, etag=etag_of(answer))
        self._sessions[session.id] = changed
        return changed

    def end(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
