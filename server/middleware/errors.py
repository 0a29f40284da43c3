"""Errors become JSON with a stable code: one of the two places where that happens."""

from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from hr.errors import ConflictError, DatabaseUnavailableError, HrError, NotFoundError, RefusedError
from rooms.errors import RoomsError
from server.errors import (
    MediaTypeError,
    MetricsRefusedError,
    OriginRefusedError,
    PreconditionError,
    PreconditionMissingError,
    RateLimitedError,
    RequestInvalidError,
    ServerError,
    SessionUnknownError,
    TokenRefusedError,
    UnauthenticatedError,
)
from sfu.api import BusyError, SdpError, SfuError
from signaling.errors import SignalingError

log = structlog.get_logger("server.http")

STATUSES: dict[type[Exception], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    RefusedError: HTTPStatus.FORBIDDEN,
    ConflictError: HTTPStatus.CONFLICT,
    DatabaseUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    TokenRefusedError: HTTPStatus.UNAUTHORIZED,
    OriginRefusedError: HTTPStatus.FORBIDDEN,
    MetricsRefusedError: HTTPStatus.UNAUTHORIZED,
    RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    RequestInvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    MediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    SessionUnknownError: HTTPStatus.NOT_FOUND,
    PreconditionError: HTTPStatus.PRECONDITION_FAILED,
    PreconditionMissingError: HTTPStatus.PRECONDITION_REQUIRED,
    SdpError: HTTPStatus.BAD_REQUEST,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
}

CODE_STATUSES = {
    "token_invalid": HTTPStatus.UNAUTHORIZED,
    "token_expired": HTTPStatus.UNAUTHORIZED,
    "token_used": HTTPStatus.UNAUTHORIZED,
    "token_revoked": HTTPStatus.UNAUTHORIZED,
    "not_permitted": HTTPStatus.FORBIDDEN,
    "interview_closed": HTTPStatus.FORBIDDEN,
    "participant_unknown": HTTPStatus.NOT_FOUND,
    "interview_unknown": HTTPStatus.NOT_FOUND,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""For rooms and signalling, by their codes; what is not here contradicts the room's state."""

OurError = HrError | ServerError | RoomsError | SfuError | SignalingError

HTTP_CODES = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
}

AUTHENTICATE = {HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"}}
"""RFC 9110 section 11.6.1: a 401 says how to authenticate."""


def error_response(
    status: int, code: str, message: str, remedy: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error": {"code": code, "message": message, "remedy": remedy}}
    return web.json_response(body, status=status, headers=headers)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _from_aiohttp(error)
    except (HrError, ServerError, RoomsError, SfuError, SignalingError) as error:
        return _from_ours(error)
    except Exception:
        log.exception("request_failed", route=route_of(request))
        return error_response(500, "internal", "The server failed; its log has the details.")


def _from_ours(error: OurError) -> web.Response:
    status = _status_of(error)
    code = error.reason if isinstance(error, TokenRefusedError) else error.code
    remedy = getattr(error, "remedy", "")
    return error_response(status, code, str(error), remedy, AUTHENTICATE.get(status))


def _status_of(error: OurError) -> HTTPStatus:
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return status
    if error.code.startswith("sdp_"):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, RoomsError | SignalingError):
        return CODE_STATUSES.get(error.code, HTTPStatus.CONFLICT)
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _from_aiohttp(error: web.HTTPException) -> web.StreamResponse:
    if error.status < HTTPStatus.BAD_REQUEST:
        return error
    code = HTTP_CODES.get(HTTPStatus(error.status), "request_invalid")
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return error_response(error.status, code, error.reason, headers=headers)


def route_of(request: web.Request) -> str:
    """The route's pattern, never the path: links in paths are secrets."""
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical
