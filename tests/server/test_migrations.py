"""Migrations from empty, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hr.database import Database, database_url, open_database
from server import migrations
from server.migrations.upgrade import HEAD, METADATA, current_version, upgrade

SCRIPTS = Path(migrations.__file__).parent


@pytest_asyncio.fixture(
    loop_scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
async def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "postgres":
        return request.getfixturevalue("postgres").new_database()
    return None


@pytest_asyncio.fixture(loop_scope="session")
async def database(url: str | None, tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(database_url(url, tmp_path))
    yield database
    await database.close()


def test_head_is_the_newest_script() -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [HEAD]


async def test_the_scripts_make_what_the_models_say(database: Database) -> None:
    await upgrade(database)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, METADATA)

    async with database.connection() as connection:
        assert await connection.run_sync(current_version) == HEAD
        assert await connection.run_sync(differences) == []


async def test_nodes_that_start_together_migrate_once(url: str | None, tmp_path: Path) -> None:
    databases = [open_database(database_url(url, tmp_path)) for _ in range(4)]
    try:
        async with asyncio.TaskGroup() as nodes:
            for one in databases:
                nodes.create_task(upgrade(one))
        async with databases[0].connection() as connection:
            assert await connection.run_sync(current_version) == HEAD
    finally:
        for one in databases:
            await one.close()


async def test_downgrading_leaves_nothing(database: Database) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import inspect

    await upgrade(database)

    def down(connection: Connection) -> list[str]:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        return inspect(connection).get_table_names()

    async with database.connection() as connection:
        assert await connection.run_sync(down) == ["alembic_version"]
