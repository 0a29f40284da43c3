"""Join and resume tokens: how a redeemed link becomes a visit, and stays one.

A join token is used up through Redis, a resume token carries a generation that Redis knows, and
both name the link and the device that they came from: a link that is revoked, replaced, expired or
released from the device ends all.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from hr.errors import DatabaseUnavailableError
from hr.interviews.errors import InterviewUnknownError
from hr.interviews.service import Clock, InterviewService
from hr.links.service import LinkService, OpenedLink
from rooms.errors import NodeFull, StoreUnavailable
from rooms.store.tokens import ResumeStamp, TokenStore
from server.errors import TokenRefusedError
from server.observability.metrics import Metrics
from server.security.tokens import Claims, TokenSigner
from signaling.errors import AdmissionRefused
from signaling.session.ports import Check, Guest


@dataclass(frozen=True, slots=True)
class LinkedGuest(Guest):
    """A guest with the link that let them in, and the hash of the device that it is bound to."""

    link: str = field(repr=False)
    device: str = field(repr=False)


class TokenAdmission:
    """Implements `signaling.session.ports.Admission` and `server.services.JoinTokens`."""

    def __init__(
        self,
        *,
        signer: TokenSigner,
        store: TokenStore,
        links: LinkService,
        interviews: InterviewService,
        metrics: Metrics,
        join_lifetime: timedelta,
        resume_lifetime: timedelta,
        now: Clock,
    ) -> None:
        self._signer = signer
        self._store = store
        self._links = links
        self._interviews = interviews
        self._metrics = metrics
        self._join_lifetime = join_lifetime
        self._resume_lifetime = resume_lifetime
        self._now = now

    def join_token(self, opened: OpenedLink) -> str:
        assert opened.participant is not None and opened.interview is not None, "no HR link"
        details = {
            "interview": opened.interview.id,
            "link": opened.link.id,
            "device": opened.link.device_hash,
        }
        return self._signer.sign("join", opened.participant.id, self._join_lifetime, details)

    async def redeem(self, token: str, check: Check) -> Guest:
        """Burn a join token, for WHIP and WHEP too. Raises AdmissionRefused, and as `check`."""
        try:
            claims = self._signer.verify("join", token)
            guest = await self._guest(claims)
            await check(guest)
            left_s = claims.expires_at_s - int(self._now().timestamp())
            if not await self._store.burn(claims.token_id, left_s + 1):
                raise TokenRefusedError("token_used")
        except NodeFull:
            self._metrics.joins.labels("join", NodeFull.code).inc()
            raise
        except (TokenRefusedError, StoreUnavailable, DatabaseUnavailableError) as error:
            raise self._refused("join", error) from None
        self._metrics.joins.labels("join", "ok").inc()
        return guest

    async def resume(self, token: str) -> Guest:
        """Check a resume token: signature, time, link, generation. Raises AdmissionRefused."""
        try:
            claims = self._signer.verify("resume", token)
            stamp = _stamp_of(claims)
            guest = await self._guest(claims)
            if not await self._store.accepts(claims.subject, stamp):
                raise TokenRefusedError("token_revoked")
        except (TokenRefusedError, StoreUnavailable, DatabaseUnavailableError) as error:
            raise self._refused("resume", error) from None
        self._metrics.joins.labels("resume", "ok").inc()
        return guest

    async def issue_resume(self, guest: Guest) -> str:
        """A fresh resume token; it replaces the one before. Raises AdmissionRefused."""
        assert isinstance(guest, LinkedGuest), "guests come from redeem and resume"
        try:
            stamp = await self._store.rotate(guest.participant)
        except StoreUnavailable as error:
            raise self._refused("resume", error) from None
        details = {
            "interview": guest.interview,
            "link": guest.link,
            "device": guest.device,
            "generation": stamp.generation,
            "epoch": stamp.epoch,
        }
        return self._signer.sign("resume", guest.participant, self._resume_lifetime, details)

    async def revoke(self, participant: str) -> None:
        """Make the participant's resume tokens worthless. Raises StoreUnavailable."""
        await self._store.revoke(participant)

    async def _guest(self, claims: Claims) -> LinkedGuest:
        """Who the token speaks for, as SQL knows them now."""
        interview_id, link_id, device = map(claims.details.get, ("interview", "link", "device"))
        if not (
            isinstance(interview_id, str) and isinstance(link_id, str) and isinstance(device, str)
        ):
            raise TokenRefusedError("token_invalid")
        try:
            interview = await self._interviews.get(interview_id)
        except InterviewUnknownError:
            raise TokenRefusedError("interview_unknown") from None
        participant = interview.participant(claims.subject)
        if participant is None:
            raise TokenRefusedError("token_invalid")
        if interview.ended_at is not None:
            raise TokenRefusedError("interview_closed")
        if not await self._links.still_held(link_id, device):
            raise TokenRefusedError("token_revoked")
        return LinkedGuest(
            participant=participant.id,
            name=participant.name,
            role=participant.role,
            interview=interview.id,
            round=participant.round_id,
            link=link_id,
            device=device,
        )

    def _refused(self, way: str, error: Exception) -> AdmissionRefused:
        code, remedy = "busy", "Try again shortly."
        if isinstance(error, TokenRefusedError):
            code, remedy = error.reason, "Open the link again."
        self._metrics.joins.labels(way, code).inc()
        return AdmissionRefused(f"The {way} token is refused.", code=code, remedy=remedy)


def _stamp_of(claims: Claims) -> ResumeStamp:
    generation, epoch = claims.details.get("generation"), claims.details.get("epoch")
    if not isinstance(generation, int) or not isinstance(epoch, int):
        raise TokenRefusedError("token_invalid")
    return ResumeStamp(generation, epoch)
