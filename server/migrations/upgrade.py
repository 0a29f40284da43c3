"""Bring the database to the newest version; nodes that start together wait for each other."""

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from hr.database import Base, Database
from hr.interviews import models as interviews
from hr.links import models as links
from hr.quality import models as quality
from server.security import models as security

METADATA = Base.metadata
"""All tables: the modules above put theirs in when imported."""

TABLE_MODULES = (interviews, links, quality, security)

HEAD = "0003"
"""The newest version; a test compares it with the scripts."""

LOCK_KEY = 0x6D69616E
"""PostgreSQL's advisory lock of migrations ("mian")."""


async def upgrade(database: Database) -> None:
    """Apply what is missing, in one transaction that also is the lock.

    SQLite: the transaction has the write lock from its first statement. PostgreSQL: an advisory
    lock that ends with the transaction.
    """
    async with database.connection() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": LOCK_KEY})
        await connection.run_sync(_upgrade)


def current_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    if current_version(connection) == HEAD:
        return
    # Alembic is imported only when there is something to do: a start should be quick.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
