"""Who calls the HR API: a browser with the session cookie, or a program with an API key."""

from dataclasses import dataclass, field
from datetime import timedelta

from hr.links.link import Link
from hr.links.service import LinkService
from server.errors import TokenRefusedError, UnauthenticatedError
from server.security.api_keys import ApiKeyService
from server.security.sign_outs import SignOuts
from server.security.tokens import TokenSigner

COOKIE = "mianshi_hr"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller of the HR API."""

    organisation_id: str
    name: str = field(repr=False)
    expires_at_s: int | None
    """None for an API key."""


class HrSessions:
    def __init__(
        self,
        signer: TokenSigner,
        links: LinkService,
        keys: ApiKeyService,
        sign_outs: SignOuts,
        lifetime: timedelta,
    ) -> None:
        self._signer = signer
        self._links = links
        self._keys = keys
        self._sign_outs = sign_outs
        self.lifetime = lifetime

    def begin(self, link: Link) -> str:
        """The cookie's value for the holder of an HR link."""
        details = {"link": link.id, "name": link.holder_name}
        return self._signer.sign("hr", link.organisation_id, self.lifetime, details)

    async def from_cookie(self, value: str | None) -> Caller | None:
        """None unless the cookie is ours, in time, not signed out, and its link in force."""
        if not value:
            return None
        try:
            claims = self._signer.verify("hr", value)
        except TokenRefusedError:
            return None
        link_id, name = claims.details.get("link"), claims.details.get("name")
        if not isinstance(link_id, str) or not await self._links.still_open(link_id):
            return None
        if await self._sign_outs.noted(claims):
            return None
        return Caller(claims.subject, str(name), claims.expires_at_s)

    async def end(self, value: str | None) -> None:
        """The cookie's session is over, wherever copies of the cookie are."""
        if not value:
            return
        try:
            claims = self._signer.verify("hr", value)
        except TokenRefusedError:
            return  # there is no session to end
        await self._sign_outs.note(claims)

    async def caller(self, cookie: str | None, bearer: str | None) -> Caller:
        """Raises UnauthenticatedError."""
        if bearer is not None:
            organisation = await self._keys.organisation_of(bearer)
            caller = None if organisation is None else Caller(organisation, "API key", None)
        else:
            caller = await self.from_cookie(cookie)
        if caller is None:
            raise UnauthenticatedError
        return caller
