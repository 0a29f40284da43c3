"""The database: URLs, write locks, and what happens when it is away."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from hr.database import Database, database_url, open_database
from hr.errors import DatabaseUnavailableError, DatabaseUrlError
from hr.interviews.interview import Interview
from hr.interviews.models import ParticipantRow


@pytest.mark.parametrize(
    ("configured", "driver"),
    [
        (None, "sqlite+aiosqlite"),
        ("sqlite:///x.db", "sqlite+aiosqlite"),
        ("postgres://u@h/d", "postgresql+asyncpg"),
        ("postgresql://u@h/d", "postgresql+asyncpg"),
    ],
)
def test_urls_get_their_async_driver(configured: str | None, driver: str, tmp_path: Path) -> None:
    assert database_url(configured, tmp_path).drivername == driver


@pytest.mark.parametrize("configured", ["mysql://u:hunter2@h/d", "hunter2", "://hunter2"])
def test_a_bad_url_is_refused_without_being_shown(configured: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        database_url(configured, tmp_path)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


async def test_writers_that_read_first_lose_no_update(
    database: Database, interview: Interview
) -> None:
    person = interview.participants[0].id

    async def raise_version() -> None:
        async with database.write() as session:
            query = select(ParticipantRow.link_version).where(ParticipantRow.id == person)
            if not database.is_sqlite:
                query = query.with_for_update()
            version = (await session.execute(query)).scalar_one()
            await asyncio.sleep(0)
            await session.execute(
                update(ParticipantRow)
                .where(ParticipantRow.id == person)
                .values(link_version=version + 1)
            )

    await asyncio.gather(*(raise_version() for _ in range(8)))
    async with database.read() as session:
        row = await session.get(ParticipantRow, person)
        assert row is not None
        assert row.link_version == 8


async def test_an_absent_database_is_said_plainly(tmp_path: Path) -> None:
    url = database_url(f"postgresql://nobody@/none?host={tmp_path}", tmp_path)
    database = open_database(url)
    try:
        assert not await database.ready()
        with pytest.raises(DatabaseUnavailableError):
            async with database.read() as session:
                await session.execute(select(ParticipantRow))
    finally:
        await database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_a_connection_that_the_server_ends_is_said_plainly(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError):
        async with database.read() as session:
            pid = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with database.read() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await session.execute(select(ParticipantRow))
    assert await database.ready()


async def test_a_failed_transaction_leaves_nothing(
    database: Database, interview: Interview
) -> None:
    person = interview.participants[0].id
    with pytest.raises(RuntimeError):
        async with database.write() as session:
            await session.execute(update(ParticipantRow).values(name="changed"))
            raise RuntimeError
    async with database.read() as session:
        row = await session.get(ParticipantRow, person)
        assert row is not None
        assert row.name == "李明"
    assert await database.ready()
