"""What clients are told of the TURN server."""

from datetime import UTC, datetime

import pytest

from config import SettingsError, TurnSettings, read_settings
from server.turn import TurnServers

NOW = datetime(2027, 3, 1, tzinfo=UTC)
SECRET = "sixteen chars or more"


def turn(*urls: str) -> TurnServers:
    return TurnServers(TurnSettings(urls=urls, secret=SECRET), lambda: NOW)


def test_without_a_server_clients_are_told_of_none() -> None:
    assert TurnServers(TurnSettings(), lambda: NOW).for_participant("p1") == []


def test_a_password_is_the_names_hmac_as_coturn_computes_it() -> None:
    # printf NAME | openssl dgst -sha1 -hmac 'sixteen chars or more' -binary | base64
    username, password = turn("turn:t.example").credentials("p1")
    assert username.split(":")[0] == str(int(NOW.timestamp()) + 6 * 3600)
    assert (username, password) == ("1803880800:862ea9b851dc", "WMVQUpjfj9gqfwyoEkL98PiXlSk=")


def test_names_tell_people_apart_and_nothing_about_them() -> None:
    servers = turn("turn:t.example")
    names = {servers.credentials(who)[0] for who in ("candidate-1", "candidate-2")}
    assert len(names) == 2
    assert not any("candidate" in name for name in names)
    assert servers.credentials("candidate-1")[0] in names


def test_only_relays_get_credentials() -> None:
    stun, relay = turn("turn:a:1?transport=udp", "stun:b", "turns:a:443").for_participant("p1")
    assert (stun.urls, stun.username, stun.credential) == (["stun:b"], None, None)
    assert relay.urls == ["turn:a:1?transport=udp", "turns:a:443"]
    assert relay.username
    assert relay.credential


@pytest.mark.parametrize(
    "urls", ["http://turn.example", "turn:", "turn:a b", "turn:a?transport=sctp", "turn:a?x=1"]
)
def test_what_no_browser_takes_is_refused_at_the_start(
    urls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIANSHI_TURN_URLS", urls)
    monkeypatch.setenv("MIANSHI_TURN_SECRET", SECRET)
    with pytest.raises(SettingsError, match="MIANSHI_TURN_URLS"):
        read_settings()


def test_a_relay_without_secret_is_refused_and_a_secret_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIANSHI_TURN_URLS", "turn:a,turns:a:443?transport=tcp")
    with pytest.raises(SettingsError, match="MIANSHI_TURN_SECRET"):
        read_settings()
    monkeypatch.setenv("MIANSHI_TURN_SECRET", SECRET)
    assert SECRET not in repr(read_settings())
