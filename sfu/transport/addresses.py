"""The addresses that we offer as ICE candidates."""

from collections.abc import Sequence
from ipaddress import ip_address

from sfu.errors import SfuError
from sfu.transport.sdp import HostAddress


def host_addresses(
    bound_host: str, bound_port: int, advertised: Sequence[str], tcp_port: int | None = None
) -> tuple[HostAddress, ...]:
    """What clients are told: `advertised` (`ip`, `ip:port`, `[ip]:port`), else what is bound.

    TCP candidates, if there is a `tcp_port`, come behind all others. Their port is the one bound,
    or, where UDP and TCP are bound to one number, the one that is advertised.

    Raises SfuError `sfu_address`: not an IP address, or nothing but a wildcard to offer.
    """
    found = tuple(_parse(text, bound_port) for text in (advertised or (bound_host,)))
    if any(ip_address(address.ip).is_unspecified for address in found):
        raise SfuError(
            "sfu_address", f"browsers cannot reach {bound_host}: say which addresses to advertise"
        )
    if tcp_port is None:
        return found
    same = tcp_port == bound_port
    return found + tuple(
        HostAddress(one.ip, one.port if same else tcp_port, "tcp") for one in found
    )


def _parse(text: str, default_port: int) -> HostAddress:
    ip, port = _split(text)
    try:
        address = ip_address(ip)
        number = int(port) if port else default_port
    except ValueError:
        raise SfuError(
            "sfu_address", f"{text!r} is not an IP address with or without port"
        ) from None
    if not 0 < number <= 0xFFFF:
        raise SfuError("sfu_address", f"{text!r} has no valid port")
    return HostAddress(str(address), number)


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        ip, bracket, port = text[1:].partition("]")
        return (ip, port.removeprefix(":")) if bracket else ("", "")
    if text.count(":") == 1:
        ip, _, port = text.partition(":")
        return ip, port
    return text, ""
