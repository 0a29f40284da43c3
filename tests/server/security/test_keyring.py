"""The keys file: private, whole, and never silently replaced."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.errors import KeysUnreadableError
from server.security.keyring import ReloadingKeyring, open_keyring, rotate

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def test_made_at_the_first_start_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys.json"
    made = open_keyring(path, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_keyring(path, NOW).signing == made.signing
    assert made.signing.secret.hex() not in repr(made.signing)
    rotate(path, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["keys.json"]


def test_nodes_that_start_together_agree(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        kids = set(pool.map(lambda _: open_keyring(path, NOW).signing.kid, range(16)))
    assert len(kids) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": 3}',
        '{"keys": [{}]}',
        '{"keys": [{"kid": "a", "secret": "AAAA", "created_at": "2027-01-01T00:00:00+00:00"}]}',
        '{"keys": [{"kid": "a", "secret": "!", "created_at": "x"}]}',
    ],
)
def test_a_damaged_file_is_said_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeysUnreadableError) as caught:
        open_keyring(path, NOW)
    assert str(path) in str(caught.value)
    assert path.read_text() == content


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    open_keyring(path, NOW)
    path.chmod(0o644)
    with pytest.raises(KeysUnreadableError):
        open_keyring(path, NOW)


def test_a_running_node_goes_on_when_the_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = ReloadingKeyring(path, lambda: NOW)
    before = keys().signing
    path.write_text("damaged")
    assert keys().signing == before
    path.unlink()
    assert keys().signing == before
