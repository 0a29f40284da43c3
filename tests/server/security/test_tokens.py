"""Tokens under attack: forged, altered, expired, of another kind, with another algorithm."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from server.errors import TokenRefusedError
from server.security import keyring
from server.security.keyring import Keyring, ReloadingKeyring, SigningKey
from server.security.tokens import TokenSigner

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
KEY = SigningKey("kid-1", b"k" * 32, NOW)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signer(clock: Clock) -> TokenSigner:
    return TokenSigner(lambda: Keyring((KEY,)), clock)


@pytest.fixture
def token(signer: TokenSigner) -> str:
    return signer.sign("join", "person_1", timedelta(minutes=2), {"interview": "i1"})


def reason(signer: TokenSigner, token: str, purpose: str = "join") -> str:
    with pytest.raises(TokenRefusedError) as caught:
        signer.verify(purpose, token)  # type: ignore[arg-type]
    return caught.value.reason


def encoded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims(**changes: object) -> dict[str, object]:
    now = int(NOW.timestamp())
    whole: dict[str, object] = {
        "iss": "mianshi",
        "aud": "join",
        "sub": "person_1",
        "jti": "j",
        "iat": now,
        "exp": now + 60,
        "d": {},
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def signed(**changes: object) -> str:
    return jwt.encode(claims(**changes), KEY.secret, "HS256", headers={"kid": KEY.kid})


def test_a_good_token(signer: TokenSigner, token: str) -> None:
    found = signer.verify("join", token)
    assert (found.subject, found.details) == ("person_1", {"interview": "i1"})
    assert found.token_id not in repr(found)
    assert signer.verify("join", signed()).subject == "person_1"


def test_it_expires_to_the_second(signer: TokenSigner, token: str, clock: Clock) -> None:
    clock.now += timedelta(seconds=119)
    signer.verify("join", token)
    clock.now += timedelta(seconds=1)
    assert reason(signer, token) == "token_expired"


@pytest.mark.parametrize("purpose", ["resume", "hr"])
def test_a_token_is_for_one_purpose(signer: TokenSigner, token: str, purpose: str) -> None:
    assert reason(signer, token, purpose) == "token_invalid"


def test_every_altered_character_is_noticed(signer: TokenSigner, token: str) -> None:
    for place in range(0, len(token) - 1, 7):
        other = "A" if token[place] != "A" else "B"
        assert reason(signer, token[:place] + other + token[place + 1 :]) == "token_invalid"


def test_alg_none(signer: TokenSigner) -> None:
    for alg in ("none", "None", "NONE", ""):
        head = encoded({"alg": alg, "typ": "JWT", "kid": KEY.kid})
        for signature in ("", "AAAA"):
            assert reason(signer, f"{head}.{encoded(claims())}.{signature}") == "token_invalid"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_the_right_key_with_another_algorithm(signer: TokenSigner, algorithm: str) -> None:
    forged = jwt.encode(claims(), KEY.secret * 2, algorithm, headers={"kid": KEY.kid})
    assert reason(signer, forged) == "token_invalid"


def test_an_asymmetric_signature(signer: TokenSigner) -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    forged = jwt.encode(claims(), pem, "RS256", headers={"kid": KEY.kid})
    assert reason(signer, forged) == "token_invalid"


@pytest.mark.parametrize("kid", ["kid-2", "", None, "../../keys.json", "x" * 3000])
def test_unknown_keys(signer: TokenSigner, kid: str | None) -> None:
    headers = {} if kid is None else {"kid": kid}
    assert reason(signer, jwt.encode(claims(), KEY.secret, "HS256", headers)) == "token_invalid"


def test_another_installations_key_of_the_same_name(signer: TokenSigner) -> None:
    forged = jwt.encode(claims(), b"z" * 32, "HS256", headers={"kid": KEY.kid})
    assert reason(signer, forged) == "token_invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"iss": None},
        {"aud": None},
        {"aud": ["join", "hr"]},
        {"sub": None},
        {"sub": 7},
        {"jti": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e30},
        {"d": None},
        {"d": "text"},
        {"iat": None},
        {"nbf": int(NOW.timestamp()) + 10**9},
    ],
)
def test_well_signed_but_malformed(signer: TokenSigner, changes: dict[str, object]) -> None:
    assert reason(signer, signed(**changes)) == "token_invalid"


@pytest.mark.parametrize(
    "garbage",
    ["", ".", "..", "a.b.c", "é" * 40, "x" * 5000, "e30.e30.e30", "\x00" * 20, "null.null.null"],
)
def test_garbage(signer: TokenSigner, garbage: str) -> None:
    assert reason(signer, garbage) == "token_invalid"


def test_rotation_keeps_old_tokens_valid(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "keys.json"
    keys = ReloadingKeyring(path, clock)
    signer = TokenSigner(keys, clock)
    before = signer.sign("join", "person_1", timedelta(minutes=2), {})
    clock.now += timedelta(seconds=10)
    rotated = keyring.rotate(path, clock())
    after = signer.sign("join", "person_1", timedelta(minutes=2), {})
    assert jwt.get_unverified_header(after)["kid"] == rotated.signing.kid
    assert jwt.get_unverified_header(before)["kid"] != rotated.signing.kid
    assert signer.verify("join", before).subject == signer.verify("join", after).subject


def test_keys_leave_when_nothing_they_signed_can_be_valid(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "keys.json"
    first = keyring.open_keyring(path, clock()).signing.kid
    clock.now += timedelta(days=400)  # it signed until now
    assert keyring.rotate(path, clock()).find(first) is not None
    clock.now += timedelta(days=32)
    assert keyring.rotate(path, clock()).find(first) is None
