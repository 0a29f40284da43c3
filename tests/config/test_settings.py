"""Settings: where values come from, and what is said about bad ones."""

import pytest

from config import SettingsError, read_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("MIANSHI_") or name in ("PORT", "REDIS_URL", "DATABASE_URL"):
            monkeypatch.delenv(name)


def test_defaults_serve_this_machine_only() -> None:
    settings = read_settings()
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.media.port is None
    assert settings.storage.redis_url is None


def test_well_known_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.setenv("MIANSHI_DATA", "/srv/mianshi")
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@redis/0")
    settings = read_settings()
    assert settings.http.port == 9001
    assert str(settings.storage.data_dir) == "/srv/mianshi"
    assert settings.storage.redis_url is not None
    assert settings.storage.redis_url.get_secret_value() == "redis://:hunter2@redis/0"


def test_sectioned_names_win_over_well_known_and_arguments_over_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.setenv("MIANSHI_HTTP_PORT", "9002")
    monkeypatch.setenv("MIANSHI_HTTP_HOST", "10.0.0.1")
    assert read_settings().http.port == 9002
    given = read_settings({"http": {"port": 9003}})
    assert (given.http.port, given.http.host) == (9003, "10.0.0.1")


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIANSHI_MEDIA_ADVERTISED", "203.0.113.5, 10.0.0.7:9000")
    monkeypatch.setenv("MIANSHI_HTTP_ALLOWED_ORIGINS", "https://a.example/")
    settings = read_settings()
    assert settings.media.advertised == ("203.0.113.5", "10.0.0.7:9000")
    assert settings.http.allowed_origins == ("https://a.example",)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("MIANSHI_HTTP_PORT", "-1"),
        ("MIANSHI_HTTP_PUBLIC_URL", "interviews.example.com"),
        ("MIANSHI_HTTP_ALLOWED_ORIGINS", "https://ok.example,nonsense"),
        ("MIANSHI_SECURITY_JOIN_TOKEN_S", "301"),
        ("MIANSHI_HTTP_TLS", "perhaps"),
        ("MIANSHI_LOG_LEVEL", "loud"),
        ("MIANSHI_HTTP_PORTT", "80"),
        ("MIANSHI_MEDIA_MAX_PEERS", "0"),
    ],
)
def test_a_bad_value_names_its_variable_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert caught.value.variable.startswith(variable)
    assert variable in str(caught.value)
    assert caught.value.remedy


def test_a_certificate_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIANSHI_HTTP_TLS_CERTIFICATE", "/etc/cert.pem")
    with pytest.raises(SettingsError):
        read_settings()


def test_nothing_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@db/x")
    monkeypatch.setenv("REDIS_URL", "redis://:hunter3@redis/0")
    monkeypatch.setenv("MIANSHI_HR_PHONE", "13800138000")
    shown = repr(read_settings()) + str(read_settings())
    for secret in ("hunter2", "hunter3", "13800138000"):
        assert secret not in shown
