"""Which addresses this machine has, and which of them browsers are told."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

LOOPBACK = "127.0.0.1"

_ELSEWHERE = "198.51.100.1"
"""Of the addresses for documentation (RFC 5737): only a default route leads there."""

MAX_V6 = 3
"""Machines with temporary addresses (RFC 8981) have many; each costs clients checks."""


def lan_addresses() -> tuple[str, ...]:
    """IPv4 addresses that others may reach us at: that of the default route first, then private
    ones. A container's bridge or a virtual machine's looks like a LAN but has no route."""
    found = {
        str(ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4 and not _is_local_only(IPv4Address(str(ip.ip)))
    }
    routed = default_route_address()
    return tuple(
        sorted(found, key=lambda one: (one != routed, not IPv4Address(one).is_private, one))
    )


def default_route_address() -> str | None:
    """Ours on the way to other networks; None without such a way. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def lan_addresses_v6() -> tuple[str, ...]:
    """IPv6 addresses that others may reach us at, global ones first; a few suffice."""
    found = {
        ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv6 and not _is_local_only(IPv6Address(ip.ip[0]))
    }
    return tuple(sorted(found, key=lambda one: (not IPv6Address(one).is_global, one)))[:MAX_V6]


def _is_local_only(address: IPv4Address | IPv6Address) -> bool:
    return address.is_loopback or address.is_link_local or address.is_unspecified


def is_wildcard(host: str) -> bool:
    return host in ("", "*") or (_is_ip(host) and ip_address(host).is_unspecified)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def reachable_host(bound_host: str) -> str:
    """The host to print in links for a server that binds `bound_host`."""
    if not is_wildcard(bound_host):
        return bound_host
    return next(iter(lan_addresses()), LOOPBACK)


def media_addresses(bound_host: str) -> tuple[str, ...]:
    """The addresses to offer as ICE candidates for a media port bound to `bound_host`."""
    if not is_wildcard(bound_host):
        return (resolved(bound_host),)
    found = lan_addresses()
    if ":" in bound_host:
        found += lan_addresses_v6()
    return found or (LOOPBACK,)


def has_ipv6() -> bool:
    """Whether the kernel lets a socket take both families."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def resolved(host: str) -> str:
    """The IP address of a host that is given by name. Raises OSError."""
    if _is_ip(host):
        return host
    return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])


def url_host(host: str) -> str:
    """An IPv6 address needs brackets in a URL (RFC 3986 section 3.2.2)."""
    if _is_ip(host) and isinstance(ip_address(host), IPv6Address):
        return f"[{host}]"
    return host


def is_loopback_host(host: str) -> bool:
    return host == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)
