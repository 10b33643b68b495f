"""Where a notice may go: to a public address by https, never into the platform's own network.

What a name stands for is looked up once, and that address is connected to: a name that means
another machine a moment later (DNS rebinding) leads nowhere else. OWASP, Server Side Request
Forgery Prevention Cheat Sheet, case 2.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from yupana.core.errors import UsageError, YupanaError

LONGEST = 2_000
_PORTS = {"http": 80, "https": 443}
# Each holds IPv4 addresses, of any network: the standard library calls them global.
_HOLDS_OTHERS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "2002::/16", "2001::/32")))
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def demand(url: str) -> tuple[str, int]:
    """Host and port of an address that has the form of one for notices.

    Raises:
        UsageError: it is not https (http is for this machine alone), has no host, or has a user,
            a password or a fragment.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    if not (is_plain and secure and host) or "@" in parts.netloc or parts.fragment:
        raise UsageError(
            "A notice cannot go to this address.",
            where="--url",
            fix="Give https:// with a host, without user, password and #; encode what is no ASCII.",
        )
    return host, port or _PORTS[parts.scheme]


def networks(text: str, where: str = "YUPANA_WEBHOOK_NETWORKS") -> tuple[Network, ...]:
    """The networks of a setting, separated by commas.

    Raises:
        UsageError: one is none.
    """
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(
            f"A network cannot be used: {error}.",
            where=where,
            fix="Give networks such as 10.20.0.0/16, separated by commas.",
        ) from error


def demand_allowed(host: str, allowed: Sequence[Network]) -> None:
    """Refuse a number in place of a name that no notice may go to; names are looked up at each try.

    Raises:
        UsageError: it is an address of the platform's own network.
    """
    number = _number(host)
    if number is not None and not _may(number, allowed):
        raise UsageError(
            f"Notices do not go to {number}: it is not a public address.",
            where="--url",
            fix="Give a public address, or name its network in YUPANA_WEBHOOK_NETWORKS: "
            "10.20.0.0/16.",
        )


async def resolve(host: str, port: int, allowed: Sequence[Network]) -> str:
    """The address to connect to, of a host all of whose addresses may be written to.

    Args:
        allowed: networks that are not public and may be written to all the same.

    Raises:
        YupanaError: one may not.
        OSError: the name stands for nothing.
    """
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(host, port, type=1)
    addresses = [_plain(str(info[4][0])) for info in infos]
    if not addresses or not all(_may(one, allowed) for one in addresses):
        raise YupanaError("the address is not a public one")
    return str(addresses[0])


def _may(one: Address, allowed: Sequence[Network]) -> bool:
    if any(one in network for network in allowed):
        return True
    public = one.is_global and not one.is_multicast and not one.is_reserved
    return public and not any(one in network for network in _HOLDS_OTHERS)


def _plain(text: str) -> Address:
    one = ipaddress.ip_address(text.partition("%")[0])
    return getattr(one, "ipv4_mapped", None) or one


def _number(host: str) -> Address | None:
    """The address that a host is, in any way of writing that the system's look-up reads as one."""
    with suppress(ValueError):
        return _plain(host)
    with suppress(OSError):
        return ipaddress.IPv4Address(socket.inet_aton(host))
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
