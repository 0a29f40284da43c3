"""One SQL database: SQLite in a file, or PostgreSQL. Transactions are opened here only."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, event, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from hr.errors import DatabaseUnavailableError, DatabaseUrlError

BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite writer waits for another one."""

READY_TIMEOUT_S = 2.0


class Base(DeclarativeBase):
    """All tables; constraints are named alike on both databases so that migrations find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept as UTC; SQLite has no zones, so none is written there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "naive datetimes are a bug of the caller"
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def database_url(configured: str | None, data_dir: Path) -> URL:
    """The URL with its async driver. Raises DatabaseUrlError, which never shows the URL."""
    if not configured:
        return URL.create("sqlite+aiosqlite", database=str(data_dir / "mianshi.db"))
    try:
        url = make_url(configured)
    except ArgumentError:
        raise DatabaseUrlError("The database URL is malformed.") from None
    drivers = {
        "postgres": "postgresql+asyncpg",
        "postgresql": "postgresql+asyncpg",
        "postgresql+asyncpg": "postgresql+asyncpg",
        "sqlite": "sqlite+aiosqlite",
        "sqlite+aiosqlite": "sqlite+aiosqlite",
    }
    if url.drivername not in drivers:
        raise DatabaseUrlError("The database URL names neither PostgreSQL nor SQLite.")
    return url.set(drivername=drivers[url.drivername])


class Database:
    """Open with `open_database`; the owner calls `close`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writing = engine.execution_options(mianshi_write=True)

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that only reads."""
        async with _unavailable(), AsyncSession(self._engine) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction: committed at the end, rolled back on an exception.

        On SQLite it takes the write lock at once, so that what it read stays true.
        """
        async with (
            _unavailable(),
            AsyncSession(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare connection in a write transaction, for migrations."""
        async with _unavailable(), self._writing.begin() as connection:
            yield connection

    async def ready(self) -> bool:
        """Whether the database answers a query in time."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S), self.read() as session:
                await session.execute(text("SELECT 1"))
        except (DatabaseUnavailableError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        await self._engine.dispose()


@asynccontextmanager
async def _unavailable() -> AsyncIterator[None]:
    """Driver errors that mean `no database now` become one error of ours."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        raise DatabaseUnavailableError from error
    except DBAPIError as error:
        # A connection that ends while it is used: PostgreSQL's driver has many names for that.
        if not error.connection_invalidated:
            raise
        raise DatabaseUnavailableError from error


def open_database(url: URL) -> Database:
    """Make the engine; nothing is connected yet."""
    if url.get_backend_name() != "sqlite":
        return Database(create_async_engine(url, pool_pre_ping=True, pool_timeout=5))
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return Database(engine)


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401 (DBAPI's own)
    """Let us, not the driver, say BEGIN; and set what SQLite keeps per connection."""
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        # SQLite does not wait here for a node that is switching at this moment. It need not: the
        # mode is the file's, so the other's switch, or the next connection's, is ours too.
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mianshi_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
