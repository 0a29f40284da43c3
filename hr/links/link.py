"""A link as a value, and when it opens."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

LinkState = Literal["open", "early", "expired", "revoked", "ended", "other_device"]
Audience = Literal["participant", "hr"]

SECRET_BYTES = 24
"""192 bits: at least 128 are needed so that guessing is hopeless even without a rate limit."""

SECRET_CHARS = 32
"""What `SECRET_BYTES` become in base64url."""

EARLY_ENTRY = timedelta(minutes=30)
LATE_ENTRY = timedelta(hours=2)
"""Rounds run late; how long after the planned end a link still opens."""


@dataclass(frozen=True, slots=True)
class Link:
    """What is kept of a link: never its secret. `current` is false once a newer one exists."""

    id: str
    organisation_id: str
    audience: Audience
    interview_id: str | None
    participant_id: str | None
    holder_name: str = field(repr=False)
    """For HR links; participants have their name in the interview."""
    version: int
    current: bool
    not_before: datetime
    expires_at: datetime
    revoked_at: datetime | None
    device_hash: str | None = field(repr=False)
    bound_at: datetime | None
    asked_at: datetime | None

    def state(self, now: datetime, device: str | None, *, ended: bool) -> LinkState:
        """What a visitor with this device cookie would meet; the gravest reason first."""
        if self.revoked_at is not None or not self.current:
            return "revoked"
        if ended:
            return "ended"
        if now >= self.expires_at:
            return "expired"
        if self.device_hash is not None and not self.is_bound_to(device):
            return "other_device"
        return "early" if now < self.not_before else "open"

    def is_bound_to(self, device: str | None) -> bool:
        if device is None or self.device_hash is None:
            return False
        return hmac.compare_digest(secret_hash(device), self.device_hash)


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A link that was just made; its secret exists nowhere else."""

    link: Link
    secret: str = field(repr=False)


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_hash(secret: str) -> str:
    """A plain hash is enough: the secret is random and long, so no dictionary holds it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
