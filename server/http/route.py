"""A resource's method: path, handler and schemas, from which the API document is made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from server.errors import MediaTypeError, RequestInvalidError
from server.security.hr_sessions import COOKIE, Caller
from server.services import SERVICES, Services

Body = TypeVar("Body", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """`who` names the credential; `gives` is the schema of the answer with `status`."""

    method: Literal["GET", "POST", "PATCH", "DELETE", "OPTIONS"]
    path: str
    handler: Handler
    summary: str
    who: Literal["anyone", "hr", "join_token", "operator"] = "anyone"
    takes: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    status: int = 200


def services_of(request: web.Request) -> Services:
    return request.app[SERVICES]


def bearer_of(request: web.Request) -> str | None:
    """The bearer credential (RFC 6750 section 2.1), if there is one."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


async def hr_caller(request: web.Request) -> Caller:
    """Raises UnauthenticatedError."""
    sessions = services_of(request).hr_sessions
    return await sessions.caller(request.cookies.get(COOKIE), bearer_of(request))


async def read_body(request: web.Request, schema: type[Body]) -> Body:
    """Raises MediaTypeError, RequestInvalidError; aiohttp raises for an oversized body."""
    if request.content_type != "application/json":
        raise MediaTypeError
    raw = await request.read()
    try:
        return schema.model_validate_json(raw)
    except ValidationError as error:
        raise RequestInvalidError(describe(error)) from None


def describe(error: ValidationError) -> str:
    """The first few complaints, without the values that caused them."""
    told = [
        f"{'.'.join(str(part) for part in entry['loc']) or 'body'}: {entry['msg']}"
        for entry in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return "; ".join(told[:5])[:500]


def answer(body: BaseModel, status: int = 200) -> web.Response:
    return web.Response(text=body.model_dump_json(), content_type="application/json", status=status)
