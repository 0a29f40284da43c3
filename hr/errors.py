"""The root error of HR and the kinds that the HTTP edge turns into statuses.

Every code is stable: pages and scripts rely on it.
"""

from typing import ClassVar


class HrError(Exception):
    """Something that HR's rules refuse."""

    code: ClassVar[str] = "hr_error"
    remedy: ClassVar[str] = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class NotFoundError(HrError):
    """There is no such thing, or it belongs to another organisation."""

    code = "not_found"


class RefusedError(HrError):
    """It exists, but not for this caller or not now."""

    code = "refused"


class ConflictError(HrError):
    """It contradicts what is there already."""

    code = "conflict"


class DatabaseUnavailableError(HrError):
    """The database does not answer."""

    code = "database_unavailable"
    remedy = "Try again shortly."


class DatabaseUrlError(HrError):
    """The database URL cannot be used."""

    code = "database_url"
    remedy = "Set DATABASE_URL to postgresql://… or sqlite:///…, or unset it."
