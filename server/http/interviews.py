"""`/api/interviews`: what HR schedules, and the links of its people."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field, ValidationError

from hr.interviews.interview import Interview
from hr.interviews.schemas import (
    MAX_PAGE,
    InterviewOut,
    NewInterview,
    ParticipantOut,
    Schema,
    round_outs,
)
from hr.links.link import Link
from hr.links.schemas import NewLinkOut
from hr.quality.schemas import InterviewQualityOut, QualityLineOut, line_out, quality_out
from server.errors import RequestInvalidError
from server.http.route import Route, answer, describe, hr_caller, read_body, services_of


class PageQuery(Schema):
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=200)] | None = None


class InterviewDetailOut(InterviewOut):
    """An interview with the sentence about its connections; null before anybody was recorded."""

    quality: QualityLineOut | None


class InterviewPage(Schema):
    """`next` is the cursor of the following page, null at the end."""

    interviews: tuple[InterviewOut, ...]
    next: str | None


def interview_out(
    interview: Interview, links: Mapping[str, Link], urls: Mapping[str, str] | None = None
) -> InterviewOut:
    """`links`: those in force, by participant; `urls`: those made just now."""
    return InterviewOut(
        id=interview.id,
        title=interview.title,
        starts_at=interview.starts_at,
        ends_at=interview.ends_at,
        ended_at=interview.ended_at,
        rounds=round_outs(interview),
        participants=tuple(
            ParticipantOut(
                id=one.id,
                name=one.name,
                role=one.role,
                round=one.round_id,
                link=(urls or {}).get(one.id),
                bound=one.id in links and links[one.id].device_hash is not None,
                asks_device=one.id in links and links[one.id].asked_at is not None,
            )
            for one in interview.participants
        ),
    )


def _cursor_of(interview: Interview) -> str:
    return urlsafe_b64encode(f"{interview.starts_at.isoformat()} {interview.id}".encode()).decode()


def _position(cursor: str | None) -> tuple[datetime, str] | None:
    """Raises RequestInvalidError for a cursor that we did not make."""
    if cursor is None:
        return None
    try:
        start, _, seen = urlsafe_b64decode(cursor).decode("ascii").partition(" ")
        at = datetime.fromisoformat(start)
    except ValueError:
        raise RequestInvalidError("cursor: not one of ours") from None
    if at.tzinfo is None:
        raise RequestInvalidError("cursor: not one of ours")
    return at, seen


async def index(request: web.Request) -> web.Response:
    await hr_caller(request)
    services = services_of(request)
    try:
        query = PageQuery.model_validate(dict(request.query))
    except ValidationError as error:
        raise RequestInvalidError(describe(error)) from None
    found = await services.interviews.newest(query.limit + 1, _position(query.cursor))
    page = found[: query.limit]
    links = await services.links.in_force(page)
    return answer(
        InterviewPage(
            interviews=tuple(interview_out(one, links) for one in page),
            next=_cursor_of(page[-1]) if len(found) > query.limit else None,
        )
    )


async def create(request: web.Request) -> web.Response:
    await hr_caller(request)
    new = await read_body(request, NewInterview)
    services = services_of(request)
    interview = await services.interviews.create(new)
    issued = await services.links.issue_all(interview)
    services.live.hr_changed(interview.id)
    urls = {one: services.participant_url(link.secret) for one, link in issued.items()}
    links = {one: link.link for one, link in issued.items()}
    return answer(interview_out(interview, links, urls), status=201)


async def show(request: web.Request) -> web.Response:
    await hr_caller(request)
    services = services_of(request)
    interview = await services.interviews.get(request.match_info["interview"])
    shown = interview_out(interview, await services.links.in_force([interview]))
    line = line_out((await services.quality.lines([interview])).get(interview.id))
    return answer(InterviewDetailOut(**dict(shown), quality=line))


async def quality(request: web.Request) -> web.Response:
    await hr_caller(request)
    services = services_of(request)
    interview = await services.interviews.get(request.match_info["interview"])
    return answer(quality_out(interview, await services.quality.of_interview(interview)))


async def new_link(request: web.Request) -> web.Response:
    await hr_caller(request)
    services = services_of(request)
    interview = await services.interviews.get(request.match_info["interview"])
    participant_id = request.match_info["participant"]
    issued = await services.links.issue(interview, participant_id)
    await services.withdraw(participant_id)
    services.live.hr_changed(interview.id)
    return answer(
        NewLinkOut(
            link=services.participant_url(issued.secret),
            participant=participant_id,
            expires_at=issued.link.expires_at,
        ),
        status=201,
    )


async def release(request: web.Request) -> web.Response:
    await hr_caller(request)
    services = services_of(request)
    interview = await services.interviews.get(request.match_info["interview"])
    participant_id = request.match_info["participant"]
    await services.links.release(interview, participant_id)
    await services.withdraw(participant_id)
    services.live.hr_changed(interview.id)
    return web.Response(status=204)


_ONE = "/api/interviews/{interview}"
_PERSON = _ONE + "/participants/{participant}"

ROUTES = (
    Route(
        "GET",
        "/api/interviews",
        index,
        "Interviews, latest start first",
        "hr",
        gives=InterviewPage,
    ),
    Route(
        "POST",
        "/api/interviews",
        create,
        "Schedule an interview; its links are shown once",
        "hr",
        takes=NewInterview,
        gives=InterviewOut,
        status=201,
    ),
    Route("GET", _ONE, show, "One interview", "hr", gives=InterviewDetailOut),
    Route(
        "GET",
        _ONE + "/quality",
        quality,
        "How the connections of an interview were, by participant and over time",
        "hr",
        gives=InterviewQualityOut,
    ),
    Route(
        "POST",
        _PERSON + "/link",
        new_link,
        "A new link; the one before is revoked",
        "hr",
        gives=NewLinkOut,
        status=201,
    ),
    Route("POST", _PERSON + "/release", release, "Unbind the device", "hr", status=204),
)
