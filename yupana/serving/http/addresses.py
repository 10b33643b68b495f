"""Callers without a key, by the address they call from: which it is, and how often it may ask.

Counted in the memory of each worker, so that no address is kept: a limit holds for each worker by
itself, and ends with it.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence

from starlette.types import Scope

from yupana.identity.quotas import Policy, Standing
from yupana.webhooks.address import Network

MOST = 50_000
"""Names that one worker counts at a time; beyond them the one that asked longest ago is free."""

_HOME_BITS = 64
"""Of an IPv6 address: what is behind them is one caller's own network (RFC 6177)."""


class Attempts:
    """Requests by a name of the caller or of what it asks for, in windows from 1970 in UTC."""

    def __init__(self, policy: Policy | None) -> None:
        self.policy = policy
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def take(self, name: str, now: float) -> Standing | None:
        """Count one request; the standing after it, whose `rest` is below zero where it is one too
        many, and None where there is no limit."""
        if self.policy is None:
            return None
        start = self._start(now)
        before, count = self._counts.pop(name, (start, 0))
        count = count + 1 if before == start else 1
        self._counts[name] = (start, count)
        if len(self._counts) > MOST:
            self._counts.popitem(last=False)
        return self._standing(count, now)

    def look(self, name: str, now: float) -> Standing | None:
        """The standing without a request; `rest` is 0 where none is left."""
        if self.policy is None:
            return None
        before, count = self._counts.get(name, (0, 0))
        return self._standing(count if before == self._start(now) else 0, now)

    def _start(self, now: float) -> int:
        assert self.policy is not None
        return int(now) // self.policy.seconds * self.policy.seconds

    def _standing(self, count: int, now: float) -> Standing:
        assert self.policy is not None
        reset = self.policy.seconds - int(now) % self.policy.seconds
        return Standing(self.policy, self.policy.limit - count, reset)


def client(scope: Scope, proxies: Sequence[Network]) -> str:
    """The address that a request came from; one home's, of IPv6.

    Args:
        proxies: networks whose `X-Forwarded-For` is believed. Each proxy adds the address that it
            was called from, so the last one that is no proxy's is the caller's, and what stands
            before it is the caller's own word.
    """
    address = (scope.get("client") or ("", 0))[0]
    sent = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    hops = [hop.strip() for hop in b",".join(sent).decode("latin-1").split(",") if hop.strip()]
    while hops and (number := _number(address)) and any(number in one for one in proxies):
        address = hops.pop()
    if (number := _number(address)) is None:
        return "?"
    if number.version == 4:
        return str(number)
    return str(ipaddress.ip_network((number, _HOME_BITS), strict=False))


def _number(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        number = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(number, "ipv4_mapped", None) or number
