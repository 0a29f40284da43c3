"""Why a link does not open."""

from hr.errors import NotFoundError, RefusedError


class LinkUnknownError(NotFoundError):
    """This link was never given out."""

    code = "link_unknown"
    remedy = "Check that the whole link was copied."


class LinkEarlyError(RefusedError):
    """The interview does not begin yet."""

    code = "link_early"
    remedy = "Come back shortly before it starts."


class LinkExpiredError(RefusedError):
    """The time of this link is over."""

    code = "link_expired"
    remedy = "Ask HR for a new link."


class LinkRevokedError(RefusedError):
    """This link was replaced or withdrawn."""

    code = "link_revoked"
    remedy = "Use the newest link that HR sent."


class LinkEndedError(RefusedError):
    """The interview has ended."""

    code = "link_ended"


class LinkOtherDeviceError(RefusedError):
    """This link is in use on another device."""

    code = "link_other_device"
    remedy = "Open it on the first device, or ask HR to let this one in."


class LinkNotAskableError(RefusedError):
    """Only a device that was refused can ask to be let in."""

    code = "link_not_askable"
