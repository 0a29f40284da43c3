"""What the API gives for links."""

from datetime import datetime

from hr.interviews.interview import Role
from hr.interviews.schemas import Schema
from hr.links.link import LinkState


class HrContactOut(Schema):
    name: str
    phone: str


class LinkOut(Schema):
    """What a page may show before anyone has proven anything: no names."""

    role: Role
    title: str
    round: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    state: LinkState
    hr_contact: HrContactOut


class RedeemedOut(Schema):
    """For participants; the holder of an HR link gets a cookie and null in place of a token."""

    token: str | None
    expires_in: int
    participant: str | None
    interview: str | None


class NewLinkOut(Schema):
    """The secret link, shown this once."""

    link: str
    participant: str
    expires_at: datetime
