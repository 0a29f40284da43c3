"""Databases at the newest version: SQLite in a file, and a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hr.database import Database, database_url, open_database
from hr.interviews.interview import Interview
from hr.interviews.schemas import NewInterview, NewParticipant, NewRound
from hr.interviews.service import InterviewService
from hr.links.service import LinkService
from server.migrations.upgrade import upgrade

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    configured = None
    if request.param == "postgres":
        configured = request.getfixturevalue("postgres").new_database()
    database = open_database(database_url(configured, tmp_path))
    await upgrade(database)
    yield database
    await database.close()


@pytest.fixture
def interviews(database: Database, clock: Clock) -> InterviewService:
    return InterviewService(database, clock)


@pytest.fixture
def links(database: Database, clock: Clock) -> LinkService:
    return LinkService(database, clock)


def two_rounds(**changes: object) -> NewInterview:
    fields: dict[str, object] = {
        "title": "后端工程师",
        "starts_at": START,
        "ends_at": START + timedelta(hours=2),
        "rounds": (NewRound(title="初面"), NewRound(title="复面", admission="automatic")),
        "participants": (
            NewParticipant(name="李明", role="candidate", round=0),
            NewParticipant(name="王芳", role="interviewer", round=0),
            NewParticipant(name="陈静", role="interviewer", round=1),
            NewParticipant(name="赵敏", role="observer"),
        ),
    }
    return NewInterview.model_validate({**fields, **changes})


@pytest.fixture
async def interview(interviews: InterviewService) -> Interview:
    return await interviews.create(two_rounds())
