"""What outlives a node: settings and SQL. The command line works on it without a node."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config import Settings
from hr.database import Database, database_url, open_database
from hr.interviews.service import InterviewService
from hr.links.service import LinkService
from hr.quality.service import QualityService
from server.addresses import reachable_host, url_host
from server.migrations.upgrade import upgrade
from server.security.api_keys import ApiKeyService


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Durable:
    """What the command line needs too: settings, SQL and what is kept in it."""

    settings: Settings
    database: Database
    interviews: InterviewService
    links: LinkService
    quality: QualityService
    api_keys: ApiKeyService


@asynccontextmanager
async def open_durable(settings: Settings) -> AsyncIterator[Durable]:
    """Open the database, brought to the newest version."""
    storage = settings.storage
    storage.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    configured = storage.database_url
    secret = None if configured is None else configured.get_secret_value()
    url = database_url(secret, storage.data_dir)
    database = open_database(url)
    try:
        await upgrade(database)
        yield Durable(
            settings=settings,
            database=database,
            interviews=InterviewService(database, utc_now),
            links=LinkService(database, utc_now),
            quality=QualityService(
                database, utc_now, kept_for=timedelta(days=storage.quality_days)
            ),
            api_keys=ApiKeyService(database, utc_now),
        )
    finally:
        await database.close()


def public_url(settings: Settings, port: int) -> str:
    """What links begin with."""
    if settings.http.public_url is not None:
        return settings.http.public_url
    scheme = "https" if settings.http.serves_tls else "http"
    return f"{scheme}://{url_host(reachable_host(settings.http.host))}:{port}"
