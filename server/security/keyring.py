"""The signing keys of this installation, in a file that only its owner can read.

Every token names its key by `kid`. Rotation adds a key and signs with it from then on; the one
before still verifies until the longest-lived token that it signed has expired.
"""

import json
import os
import secrets
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from server.errors import KeysUnreadableError

KEY_BYTES = 32
"""RFC 7518 section 3.2: an HS256 key has at least the size of the hash output."""

RETIRED_FOR = timedelta(days=31)
"""Longer than anything we sign lives."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    secret: bytes = field(repr=False)
    created_at: datetime


class Keyring:
    """The keys by `kid`; the newest one signs."""

    def __init__(self, keys: tuple[SigningKey, ...]) -> None:
        assert keys, "a keyring has a key to sign with"
        self._keys = {key.kid: key for key in keys}
        self.signing = max(keys, key=lambda key: key.created_at)

    def find(self, kid: str) -> SigningKey | None:
        return self._keys.get(kid)

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        return tuple(self._keys.values())


def open_keyring(path: Path, now: datetime) -> Keyring:
    """Read the keys, making the file at the first start. Raises KeysUnreadableError."""
    if not path.exists():
        _write(path, (_new_key(now),), replace=False)
    return Keyring(_read(path))


def rotate(path: Path, now: datetime) -> Keyring:
    """Add a key and drop those whose signatures have all expired."""
    keys = sorted(open_keyring(path, now).keys, key=lambda key: key.created_at)
    # A key stopped signing when the next one was made.
    stopped = [after.created_at for after in keys[1:]] + [now]
    kept = tuple(key for key, at in zip(keys, stopped, strict=True) if now - at < RETIRED_FOR)
    _write(path, (*kept, _new_key(now)), replace=True)
    return Keyring(_read(path))


def _new_key(now: datetime) -> SigningKey:
    return SigningKey(secrets.token_hex(8), secrets.token_bytes(KEY_BYTES), now)


def _read(path: Path) -> tuple[SigningKey, ...]:
    try:
        if path.stat().st_mode & 0o077:
            raise KeysUnreadableError(f"{path} can be read by others: run chmod 600 {path}.")
        keys = tuple(_parse(entry) for entry in json.loads(path.read_text())["keys"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeysUnreadableError(
            f"{path} is damaged ({type(error).__name__}): restore it, or delete it to sign "
            "everybody out."
        ) from None
    if not keys:
        raise KeysUnreadableError(f"{path} holds no key: delete it to start anew.")
    return keys


def _parse(entry: dict[str, Any]) -> SigningKey:
    secret = urlsafe_b64decode(entry["secret"])
    if len(secret) < KEY_BYTES:
        raise ValueError("short key")
    return SigningKey(
        str(entry["kid"]), secret, datetime.fromisoformat(entry["created_at"]).astimezone(UTC)
    )


def _write(path: Path, keys: tuple[SigningKey, ...], *, replace: bool) -> None:
    """Write whole or not at all; of two nodes that start together, one's file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [
        {
            "kid": key.kid,
            "secret": urlsafe_b64encode(key.secret).decode(),
            "created_at": key.created_at.isoformat(),
        }
        for key in keys
    ]
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".keys")  # mode 0600
    written = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"keys": entries}, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            written.replace(path)
        else:
            try:
                path.hardlink_to(written)
            except FileExistsError:
                return  # the other node's keys are the keys
    finally:
        written.unlink(missing_ok=True)


class ReloadingKeyring:
    """The keys as the file has them now, so that a rotation needs no restart."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._keyring = open_keyring(path, now())
        self._stamp = self._stamp_now()

    def __call__(self) -> Keyring:
        stamp = self._stamp_now()
        if stamp is not None and stamp != self._stamp:
            try:
                self._keyring, self._stamp = Keyring(_read(self._path)), stamp
            except KeysUnreadableError:
                # A damaged file must not end running interviews: go on with the keys we have.
                return self._keyring
        return self._keyring

    def _stamp_now(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino
