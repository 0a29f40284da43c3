"""Keep secrets and persons out of the logs, whatever is logged."""

import re
from collections.abc import MutableMapping
from typing import Any

HIDDEN = "[hidden]"

SECRET_KEYS = frozenset(
    {
        "token",
        "join_token",
        "resume",
        "link",
        "secret",
        "cookie",
        "authorization",
        "password",
        "device",
        "name",
        "holder_name",
        "phone",
        "sdp",
        "offer",
        "answer",
        "ice_pwd",
        "credential",
        "database_url",
        "redis_url",
        "text",
    }
)
"""Values of these keys are never written."""

_PATTERNS = (
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"), HIDDEN),  # a JWT
    (re.compile(r"\bmk_[\w-]{16,}"), HIDDEN),  # an API key
    (re.compile(r"(/(?:i|hr|api/links)/)[\w-]{16,}"), r"\1" + HIDDEN),
    (re.compile(r"(a=(?:ice-pwd|ice-ufrag|fingerprint):)\S+"), r"\1" + HIDDEN),
    (re.compile(r"(://[^\s/:@]{0,64}):[^\s/@]{1,256}@"), r"\1:" + HIDDEN + "@"),  # a password
    (re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)"), HIDDEN),  # a phone
)

MAX_TEXT_CHARS = 16_000
"""Of one value. Cut before the patterns look, so that no input makes them slow."""

MAX_DEPTH = 4


def redact_text(text: str) -> str:
    text = text[:MAX_TEXT_CHARS]
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _redact(value: object, depth: int) -> object:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, int | float | bool | None):
        return value
    if depth >= MAX_DEPTH:
        return redact_text(repr(value))
    if isinstance(value, dict):
        return {
            str(key): HIDDEN if str(key).lower() in SECRET_KEYS else _redact(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(item, depth + 1) for item in value]
    return redact_text(repr(value))


def redact(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor; put it after everything that adds text."""
    for key, value in event.items():
        if not key.startswith("_"):
            event[key] = HIDDEN if key.lower() in SECRET_KEYS else _redact(value, 0)
    return event
