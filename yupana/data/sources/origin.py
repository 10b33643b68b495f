"""Where an answer may lead: an origin is scheme, host and port (RFC 6454, section 4).

Pages stay on the origin that was asked. A file may lie elsewhere, as portals lead to stores; but
nobody outside may lead this machine to itself or into its own network.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    import httpx

_PORTS = {"http": 80, "https": 443}


def of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port; the port that the scheme means where none is named."""
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)


def require_same(here: httpx.URL, there: httpx.URL) -> None:
    """Hold a redirect of a page to the page's origin.

    Raises:
        TerminalError: it leads to another; nothing was asked of that one.
    """
    if of(here) != of(there):
        raise TerminalError(
            "A page is redirected to another server, scheme or port.",
            where=f"{_address(here)} → {_address(there)}",
            fix="Nothing was asked there. If that is the publisher's address, name it itself.",
        )


def require_outward(here: httpx.URL, there: httpx.URL) -> None:
    """Refuse to be led from outside to this machine (RFC 1122, RFC 3927) or its network (RFC 1918).

    Raises:
        TerminalError: an address that is no public one; nothing was asked there.
    """
    if of(here) == of(there):
        return
    for address in _addresses(there.host):
        if address.is_loopback or address.is_link_local or address.is_unspecified:
            break
        if address.is_private and not all(a.is_private for a in _addresses(here.host)):
            break
    else:
        return
    raise TerminalError(
        "The address leads to this machine or into its own network.",
        where=f"{_address(here)} → {_address(there)}",
        fix="Nothing was asked there. If that is where the file lies, name that address itself.",
    )


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """What a host's name stands for; nothing where it stands for none here, as behind a proxy."""
    try:
        infos = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return []
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in infos]
    return [getattr(a, "ipv4_mapped", None) or a for a in addresses]


def _address(url: httpx.URL) -> str:
    """An address without what may be a secret in it."""
    return str(url.copy_with(userinfo=None, query=None, fragment=None))
