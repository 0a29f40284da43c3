"""Which addresses this machine has, and which of them browsers are told."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

LOOPBACK = "127.0.0.1"


def lan_addresses() -> tuple[str, ...]:
    """IPv4 addresses that others on the network may reach us at, private ones first."""
    found = {
        str(ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4 and not _is_local_only(IPv4Address(str(ip.ip)))
    }
    return tuple(sorted(found, key=lambda one: (not IPv4Address(one).is_private, one)))


def _is_local_only(address: IPv4Address) -> bool:
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
    if is_wildcard(bound_host):
        return lan_addresses() or (LOOPBACK,)
    return (resolved(bound_host),)


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
