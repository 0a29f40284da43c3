"""Credentials for the TURN server, as coturn's `use-auth-secret` checks them.

The user name is the time of expiry and a pseudonym, the password its HMAC under the secret that
we share with the TURN server (draft-uberti-behave-turn-rest-00). Nothing is stored on either side.
"""

import base64
import hmac
from collections.abc import Callable
from datetime import datetime

from config import TurnSettings
from signaling.protocol.views import IceServer

PSEUDONYM_BYTES = 6


class TurnServers:
    """What clients are told of the TURN server, if there is one."""

    def __init__(self, settings: TurnSettings, now: Callable[[], datetime]) -> None:
        secret = settings.secret
        self._urls = settings.urls
        self._secret = b"" if secret is None else secret.get_secret_value().encode()
        self._ttl_s = settings.ttl_s
        self._now = now

    def for_participant(self, participant: str) -> list[IceServer]:
        """The configured servers with fresh credentials of the participant's own."""
        relays = [url for url in self._urls if url.startswith("turn")]
        others = [url for url in self._urls if not url.startswith("turn")]
        servers = [IceServer(urls=others)] if others else []
        if relays:
            username, credential = self.credentials(participant)
            servers.append(IceServer(urls=relays, username=username, credential=credential))
        return servers

    def credentials(self, participant: str) -> tuple[str, str]:
        """User name and password. The name tells the TURN server's log nothing about anybody."""
        expires = int(self._now().timestamp()) + self._ttl_s
        pseudonym = self._mac(participant, "sha256")[:PSEUDONYM_BYTES].hex()
        username = f"{expires}:{pseudonym}"
        # HMAC-SHA1 is the one that coturn computes; its weakness is not in HMAC.
        password = base64.b64encode(self._mac(username, "sha1")).decode()
        return username, password

    def _mac(self, text: str, digest: str) -> bytes:
        return hmac.new(self._secret, text.encode(), digest).digest()
