"""Quotas and rate limits: fixed windows counted in the platform database for all workers.

A worker leases of a window what a key needs for some seconds (a hundredth of it at most, at least
one request) and spends that in memory, so that a busy key costs a question to the database once
in many requests and a small limit is counted exactly. All workers together never answer more than
the limit. What a worker did not spend it gives back when it ends; one that is killed loses it to
the others until the window ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa

from yupana.core.errors import UsageError
from yupana.database.engine import TABLES, engine

_SECONDS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86400}
_LIMIT = re.compile(r"([1-9][0-9]{0,8})/([a-z]+)")
_LEASES = 100
LEASE_SECONDS = 5.0
"""How long a lease is to last at the pace of the one before."""

SPENT = sa.Table(
    "quota_spent",
    TABLES,
    sa.Column("key_id", sa.String(12), primary_key=True),
    sa.Column("policy", sa.String(16), primary_key=True),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("spent", sa.BigInteger, nullable=False),
)
# A window that began later is another worker's clock a moment ahead, and counts; one that begins
# more than a window later was written before a clock was set back, and does not.
_TAKE = sa.text("""
INSERT INTO quota_spent (key_id, policy, start, spent) VALUES (:key, :policy, :start, :n)
ON CONFLICT (key_id, policy) DO UPDATE SET
  spent = CASE WHEN quota_spent.start BETWEEN :start AND :next
    THEN quota_spent.spent + :n ELSE :n END,
  start = CASE WHEN quota_spent.start BETWEEN :start AND :next
    THEN quota_spent.start ELSE :start END
WHERE quota_spent.start NOT BETWEEN :start AND :next OR quota_spent.spent + :n <= :most
RETURNING spent
""")
_GIVE_BACK = sa.text("""
UPDATE quota_spent SET spent = spent - :n
WHERE key_id = :key AND policy = :policy AND start BETWEEN :start AND :next AND spent >= :n
""")


class Policy(NamedTuple):
    """At most `limit` requests in each window of `seconds`, counted from 1970 in UTC."""

    name: str
    limit: int
    seconds: int


class Standing(NamedTuple):
    """Where a key stands in a window: requests left, and seconds until the next window."""

    policy: Policy
    rest: int
    reset: int


Shortage = tuple[str, Sequence[Policy], float]
"""A key, what it lacks, and when it was asked for, in seconds since 1970."""


@dataclass
class _Lease:
    start: int
    policy: Policy
    size: int
    taken: float
    """When, in seconds since 1970."""
    stock: int
    """Requests that this worker may still answer without asking."""
    beyond: int
    """Requests that nobody had taken when the database was last asked."""

    def next_size(self, now: float) -> int:
        """Requests to lease after this one: as many as its pace needs, twice as many at most."""
        pace = self.size / max(now - self.taken, 1e-3)
        most = min(2 * self.size, max(self.policy.limit // _LEASES, 1))
        return min(max(int(pace * LEASE_SECONDS), 1), most)


@lru_cache(maxsize=1024)
def parse(name: str, text: str) -> Policy | None:
    """A policy from text such as 1000/day; None for `none`.

    Raises:
        UsageError: the text is no limit.
    """
    if text == "none":
        return None
    match = _LIMIT.fullmatch(text)
    if not match or match[2] not in _SECONDS:
        raise UsageError(
            f"'{text}' is not a limit.",
            where="quota or rate",
            fix=f"Use a number and one of {', '.join(_SECONDS)}: 1000/day, 60/min; or none.",
        )
    return Policy(name, int(match[1]), _SECONDS[match[2]])


class Counter:
    """What one worker may answer for each key. `lacking` and `spend` never wait; `fetch` does."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._leases: dict[tuple[str, str], _Lease] = {}

    def lacking(self, key_id: str, policies: Sequence[Policy], now: float) -> list[Policy]:
        """The policies of which nothing is held and the database must be asked."""
        policies_to_lease = []
        for policy in policies:
            lease = self._lease(key_id, policy, now)
            # A window that was found spent is not asked for again: what others may give back
            # of it is less than the questions would cost.
            if lease is None or (lease.stock == 0 and lease.beyond > 0):
                policies_to_lease.append(policy)
        return policies_to_lease

    def fetch(self, shortages: Sequence[Shortage]) -> None:
        """Lease from the database what is lacking, all in one transaction; blocks."""
        leases: dict[tuple[str, str], _Lease] = {}
        with engine(self._url, durable=False).begin() as connection:
            # In one order, so that two workers never wait for each other's rows.
            for key_id, policies, now in sorted(shortages, key=lambda one: one[0]):
                for policy in sorted(policies, key=lambda policy: policy.name):
                    leases[key_id, policy.name] = self._take(connection, key_id, policy, now)
        # After the commit: what was not written is not held.
        self._leases.update(leases)

    def _take(self, connection: sa.Connection, key_id: str, policy: Policy, now: float) -> _Lease:
        start = int(now) // policy.seconds * policy.seconds
        parameters = {**_window(key_id, policy, start), "most": policy.limit}
        before = self._leases.get((key_id, policy.name))
        size = before.next_size(now) if before and before.policy == policy else 1
        for n in sorted({size, 1}, reverse=True):
            spent = connection.scalar(_TAKE, {**parameters, "n": n})
            if spent is not None:
                return _Lease(start, policy, n, now, n, max(policy.limit - spent, 0))
        return _Lease(start, policy, 1, now, 0, 0)

    def give_back(self) -> None:
        """Return what is leased and not spent, before this worker ends; blocks."""
        unspent = [
            {**_window(key_id, lease.policy, lease.start), "n": lease.stock}
            for (key_id, _), lease in sorted(self._leases.items(), key=lambda one: one[0])
            if lease.stock
        ]
        self._leases.clear()
        if unspent:
            with engine(self._url, durable=False).begin() as connection:
                connection.execute(_GIVE_BACK, unspent)

    def spend(
        self, key_id: str, policies: Sequence[Policy], now: float
    ) -> tuple[bool, list[Standing]]:
        """Take one request of every policy, or of none when one is spent; and the standing."""
        leases = [self._lease(key_id, policy, now) for policy in policies]
        allowed = all(lease is not None and lease.stock > 0 for lease in leases)
        standing = []
        for policy, lease in zip(policies, leases, strict=True):
            if lease and allowed:
                lease.stock -= 1
            rest = lease.stock + lease.beyond if lease else 0
            reset = policy.seconds - int(now) % policy.seconds
            standing.append(Standing(policy, rest, reset))
        return allowed, standing

    def _lease(self, key_id: str, policy: Policy, now: float) -> _Lease | None:
        lease = self._leases.get((key_id, policy.name))
        start = int(now) // policy.seconds * policy.seconds
        return lease if lease and lease.start == start and lease.policy == policy else None


def _window(key_id: str, policy: Policy, start: int) -> dict[str, str | int]:
    return {"key": key_id, "policy": policy.name, "start": start, "next": start + policy.seconds}


def headers(standing: Sequence[Standing]) -> dict[str, str]:
    """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10)."""
    if not standing:
        return {}
    of = [(s.policy, s) for s in standing]
    return {
        "RateLimit-Policy": ", ".join(f'"{p.name}";q={p.limit};w={p.seconds}' for p, _ in of),
        "RateLimit": ", ".join(f'"{p.name}";r={s.rest};t={s.reset}' for p, s in of),
    }
