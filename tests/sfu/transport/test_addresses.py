import pytest

from sfu.errors import SfuError
from sfu.transport.addresses import host_addresses
from sfu.transport.sdp import HostAddress


def test_what_is_bound_is_offered_by_default():
    assert host_addresses("127.0.0.1", 5000, ()) == (HostAddress("127.0.0.1", 5000),)


def test_advertised_addresses_may_bring_their_ports():
    offered = host_addresses(
        "0.0.0.0", 5000, ["192.0.2.1", "192.0.2.2:99", "::1", "[2001:db8::1]:7"]
    )
    assert offered == (
        HostAddress("192.0.2.1", 5000),
        HostAddress("192.0.2.2", 99),
        HostAddress("::1", 5000),
        HostAddress("2001:db8::1", 7),
    )


def test_tcp_candidates_stand_behind_all_others():
    assert host_addresses("::1", 5000, ["::1", "192.0.2.1:99"], 5001) == (
        HostAddress("::1", 5000),
        HostAddress("192.0.2.1", 99),
        HostAddress("::1", 5001, "tcp"),
        HostAddress("192.0.2.1", 5001, "tcp"),
    )


def test_one_number_for_both_transports_is_one_outside_too():
    offered = host_addresses("127.0.0.1", 5000, ["192.0.2.1:99"], 5000)
    assert offered[1] == HostAddress("192.0.2.1", 99, "tcp")


@pytest.mark.parametrize(
    ("host", "advertised"),
    [
        ("0.0.0.0", ()),
        ("::", ()),
        ("127.0.0.1", ["0.0.0.0"]),
        ("127.0.0.1", ["example.com"]),
        ("127.0.0.1", ["1.2.3.4:99999"]),
        ("127.0.0.1", ["1.2.3.4:x"]),
        ("127.0.0.1", ["[::1"]),
    ],
)
def test_what_browsers_could_not_use_is_refused(host, advertised):
    with pytest.raises(SfuError) as caught:
        host_addresses(host, 5000, advertised)
    assert caught.value.code == "sfu_address"
