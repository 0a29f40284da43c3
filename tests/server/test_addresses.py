"""Which of a machine's addresses links name."""

from types import SimpleNamespace

import pytest

from server import addresses


def adapter(*ips: str):
    return SimpleNamespace(ips=[SimpleNamespace(ip=ip, is_IPv4=True, is_IPv6=False) for ip in ips])


@pytest.mark.parametrize(
    ("own", "routed", "named"),
    [
        (["127.0.0.1", "172.17.0.1", "192.168.1.5"], "192.168.1.5", "192.168.1.5"),
        (["127.0.0.1", "192.168.122.1", "192.168.2.5"], "192.168.2.5", "192.168.2.5"),
        (["127.0.0.1", "10.8.0.2", "203.0.113.9"], "203.0.113.9", "203.0.113.9"),
        (["127.0.0.1", "203.0.113.9", "192.168.1.5"], None, "192.168.1.5"),
        (["127.0.0.1", "192.168.1.5"], "100.64.0.1", "192.168.1.5"),
        (["127.0.0.1", "169.254.3.4"], None, "127.0.0.1"),
    ],
    ids=["container", "virtual-machine", "public", "no-route", "gone", "alone"],
)
def test_links_name_the_address_that_others_reach(
    own: list[str], routed: str | None, named: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(addresses.ifaddr, "get_adapters", lambda: [adapter(*own)])
    monkeypatch.setattr(addresses, "default_route_address", lambda: routed)
    assert addresses.reachable_host("0.0.0.0") == named
    assert addresses.reachable_host("127.0.0.1") == "127.0.0.1"
    assert set(addresses.lan_addresses()) <= set(own)


def test_the_default_route_is_one_of_ours_or_none():
    routed = addresses.default_route_address()
    assert routed is None or routed in addresses.lan_addresses()
