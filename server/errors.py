"""The errors of the server itself; HR's and the media plane's have their own."""

from typing import ClassVar


class ServerError(Exception):
    """The root. `code` is stable; `remedy` says what the caller can do."""

    code: ClassVar[str] = "internal"
    remedy: str = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class UnauthenticatedError(ServerError):
    """This needs an HR session or an API key."""

    code = "unauthenticated"
    remedy = "Open the HR link, or send an API key as bearer."


class MetricsRefusedError(ServerError):
    """The figures of this node are for its operators."""

    code = "metrics_refused"
    remedy = "Read them on the machine itself, or send MIANSHI_HTTP_METRICS_TOKEN as bearer."


class OriginRefusedError(ServerError):
    """The page comes from another site than this server."""

    code = "origin_refused"
    remedy = "Call from the server's own pages, or add the origin to MIANSHI_HTTP_ALLOWED_ORIGINS."


class RateLimitedError(ServerError):
    """Too many requests from this address."""

    code = "rate_limited"
    remedy = "Wait a minute."


class RequestInvalidError(ServerError):
    """The request does not match the schema."""

    code = "request_invalid"
    remedy = "See /api/openapi.json."


class MediaTypeError(ServerError):
    """The body is of another type than this resource takes."""

    code = "media_type"
    remedy = "Set Content-Type as /api/openapi.json says."


class SessionUnknownError(ServerError):
    """There is no such WHIP or WHEP session, or it is another token's."""

    code = "session_unknown"


class PreconditionError(ServerError):
    """The ETag is not the session's current one."""

    code = "precondition"
    remedy = "Take the ETag of the newest answer."


class PreconditionMissingError(ServerError):
    """A PATCH names the session's state that it is for with If-Match."""

    code = "precondition_missing"
    remedy = 'Send If-Match with the ETag, or "*" to restart ICE.'


class KeysUnreadableError(ServerError):
    """The keys file cannot be read."""

    code = "keys_unreadable"


class StartError(ServerError):
    """The node cannot start; the message says why and what to do."""

    code = "cannot_start"

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class TokenRefusedError(ServerError):
    """A token that this server does not take; `reason` is its stable code."""

    code = "token_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The token is refused: {reason}.")
        self.reason = reason
