"""The built front end: one page for every screen, hashed assets, compressed once."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

COMPRESSIBLE = frozenset({".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".txt", ".map"})
MAX_ASSETS = 500
MAX_ASSET_BYTES = 8 * 2**20

HASHED_DIR = "assets"
"""Vite puts a content hash into the names there, so a browser may keep them for ever."""

FOREVER = "public, max-age=31536000, immutable"
SHORTLY = "public, max-age=300"

CONTENT_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
}
"""Where the system's table is often wrong or missing; with nosniff a wrong type breaks a page."""


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes = field(repr=False)
    gzipped: bytes | None = field(repr=False)
    content_type: str
    etag: str
    cache_control: str


class Assets:
    """Files of `root` by their URL path, read when the server starts.

    Only what was listed then can be asked for, so no path of a request ever reaches the disk.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._assets: Mapping[str, Asset] = _read_all(root)

    def find(self, path: str) -> Asset | None:
        """`path` without its leading slash."""
        return self._assets.get(path)

    @property
    def page(self) -> Asset | None:
        """The one page; None if the front end is not built."""
        return self._assets.get("index.html")


def _read_all(root: Path) -> dict[str, Asset]:
    if not root.is_dir():
        return {}
    files = sorted(path for path in root.rglob("*") if _is_servable(path))[:MAX_ASSETS]
    return {path.relative_to(root).as_posix(): _read(path, root) for path in files}


def _is_servable(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_ASSET_BYTES:
        return False
    return not path.name.startswith(".")


def _read(path: Path, root: Path) -> Asset:
    content = path.read_bytes()
    guessed = CONTENT_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    hashed = path.relative_to(root).parts[0] == HASHED_DIR
    packed = gzip.compress(content, 6, mtime=0) if path.suffix in COMPRESSIBLE else None
    return Asset(
        content=content,
        gzipped=packed if packed is not None and len(packed) < len(content) else None,
        content_type=guessed or "application/octet-stream",
        etag=hashlib.sha256(content).hexdigest()[:32],
        cache_control=FOREVER if hashed else SHORTLY,
    )
