"""The certificate that a node makes for itself."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.tls import LIFETIME, own_certificate

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ADDRESSES = ("192.168.1.5",)


def test_it_is_kept_while_it_fits(tmp_path: Path):
    certificate, key = own_certificate(tmp_path, ADDRESSES, NOW)
    before = certificate.read_bytes(), key.read_bytes()
    own_certificate(tmp_path, ADDRESSES, NOW)
    assert (certificate.read_bytes(), key.read_bytes()) == before
    own_certificate(tmp_path, (*ADDRESSES, "10.0.0.2"), NOW)
    assert certificate.read_bytes() != before[0]


@pytest.mark.parametrize("damage", [b"", b"no key", b"another's"])
def test_a_key_that_does_not_belong_to_it_is_replaced(tmp_path: Path, damage: bytes):
    certificate, key = own_certificate(tmp_path / "own", ADDRESSES, NOW)
    if damage == b"another's":
        damage = own_certificate(tmp_path / "other", ADDRESSES, NOW)[1].read_bytes()
    key.write_bytes(damage)
    before = certificate.read_bytes()
    own_certificate(tmp_path / "own", ADDRESSES, NOW)
    assert certificate.read_bytes() != before
    assert key.read_bytes() != damage


def test_it_is_made_anew_before_it_ends(tmp_path: Path):
    certificate, _ = own_certificate(tmp_path, ADDRESSES, NOW)
    before = certificate.read_bytes()
    own_certificate(tmp_path, ADDRESSES, NOW + LIFETIME)
    assert certificate.read_bytes() != before
