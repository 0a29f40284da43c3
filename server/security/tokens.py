"""Our JWTs: one algorithm, one audience each, a `kid` that must be known.

`alg` of a token's header is never believed: PyJWT gets the one algorithm that we sign with, so
`none`, RS256 with a public key as secret and the like fail (RFC 8725 section 3.1).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import jwt

from server.errors import TokenRefusedError
from server.security.keyring import Keyring

ALGORITHM = "HS256"
ISSUER = "mianshi"
MAX_TOKEN_CHARS = 4096

Purpose = Literal["join", "resume", "hr"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `details` are the purpose's own claims."""

    subject: str
    token_id: str = field(repr=False)
    expires_at_s: int
    details: dict[str, Any] = field(repr=False)


class TokenSigner:
    def __init__(self, keyring: Callable[[], Keyring], now: Callable[[], datetime]) -> None:
        self._keyring = keyring
        self._now = now

    def sign(
        self, purpose: Purpose, subject: str, lifetime: timedelta, details: dict[str, Any]
    ) -> str:
        key = self._keyring().signing
        now = int(self._now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": purpose,
            "sub": subject,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
            "d": details,
        }
        return jwt.encode(claims, key.secret, algorithm=ALGORITHM, headers={"kid": key.kid})

    def verify(self, purpose: Purpose, token: str) -> Claims:
        """Raises TokenRefusedError with reason `token_invalid` or `token_expired`."""
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            raise TokenRefusedError("token_invalid")
        try:
            claims = self._decode(purpose, token)
        except (jwt.InvalidTokenError, ValueError):
            raise TokenRefusedError("token_invalid") from None
        # The clock is ours, not PyJWT's, so that tests run in virtual time.
        if claims.expires_at_s <= self._now().timestamp():
            raise TokenRefusedError("token_expired")
        return claims

    def _decode(self, purpose: Purpose, token: str) -> Claims:
        kid = jwt.get_unverified_header(token).get("kid")
        key = self._keyring().find(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefusedError("token_invalid")
        body = jwt.decode(
            token,
            key.secret,
            algorithms=[ALGORITHM],
            audience=purpose,
            issuer=ISSUER,
            options={
                "require": ["iss", "aud", "sub", "jti", "iat", "exp", "d"],
                "verify_exp": False,
                "verify_iat": False,
                "strict_aud": True,
            },
        )
        subject, token_id, expires, details = body["sub"], body["jti"], body["exp"], body["d"]
        if not isinstance(expires, int) or not isinstance(details, dict):
            raise TokenRefusedError("token_invalid")
        return Claims(subject, token_id, expires, details)
