"""The check of a key in a running service: all keys in memory, read again when one changes.

Every key costs the same work whether it exists or not, and whether it is good or not: two
hashes, two comparisons in constant time, and no question to the database.
"""

from __future__ import annotations

import hmac
import re
import threading
import time
from dataclasses import dataclass

from yupana.identity import api_keys, quotas

FRESH_SECONDS = 1.0
"""How old the keys in memory may be; a revocation is in effect after this."""
_PRESENTED = re.compile(r"yup_([0-9a-f]{12})_([0-9a-f]{64})")


@dataclass(frozen=True)
class Grant:
    """What a key, or a token, is good for and by whom it is used."""

    id: str
    agency: str
    role: str
    scopes: tuple[str, ...]
    policies: tuple[quotas.Policy, ...]


@dataclass(frozen=True)
class Key:
    """A key as the service holds it; times in seconds since 1970."""

    grant: Grant
    salt: bytes
    hash: bytes
    old_salt: bytes
    old_hash: bytes
    old_until: float
    expires: float
    revoked: bool


# Stands in for a key that does not exist, so that its check takes as long.
_NOBODY = Key(
    Grant("", "", "agency", (), ()), bytes(16), bytes(32), bytes(16), bytes(32), 0, 0, False
)


class Keyring:
    """The keys of the platform database, as one worker knows them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._ended: dict[str, float] = {}
        self._revision = -1
        self._fresh = self._tried = float("-inf")

    def age(self) -> float:
        """Seconds since the keys were last known to be those of the database."""
        return time.monotonic() - self._fresh

    def refresh(self) -> None:
        """Read what changed; those who ask while it is being read share one reading after it."""
        start = time.monotonic()
        with self._lock:
            if self._tried >= start:
                return
            began = self._tried = time.monotonic()
            revision = api_keys.revision(self._url)
            if revision != self._revision:
                # The number first: keys changed in between are then read once more.
                self._keys = {row.id: _key(row) for row in api_keys.stored(self._url)}
                self._ended = api_keys.revoked_subjects(self._url)
                self._revision = revision
            self._fresh = began

    def check(self, presented: str, now: float) -> tuple[Grant | None, str]:
        """The key that was presented, or why it is refused.

        Args:
            now: seconds since 1970.

        Returns:
            What it is good for and "" when it is good; else that of the key that it names, if
            any, and one of `unknown`, `wrong`, `revoked`, `expired`.
        """
        match = _PRESENTED.fullmatch(presented)
        name, secret = match.groups() if match else ("", "")
        entry = self._keys.get(name)
        key, text = entry or _NOBODY, secret.encode()
        present = hmac.compare_digest(api_keys.digest(key.salt, text), key.hash)
        old = hmac.compare_digest(api_keys.digest(key.old_salt, text), key.old_hash)
        if entry is None:
            return None, "unknown"
        if not (present or (old and now < key.old_until)):
            return entry.grant, "wrong"
        if key.revoked:
            return entry.grant, "revoked"
        return entry.grant, "expired" if now >= key.expires else ""

    def ended(self, subject_id: str, issued: float, leeway: float) -> bool:
        """Whether the token that a subject was issued at a time was revoked; `leeway` in seconds,
        by which the issuer's clock may be ahead."""
        return issued <= self._ended.get(subject_id, float("-inf")) + leeway


def _key(row: object) -> Key:
    values = row._mapping  # type: ignore[attr-defined]
    limits = (quotas.parse("rate", values["rate"]), quotas.parse("quota", values["quota"]))
    until = values["old_until"]
    return Key(
        grant=Grant(
            values["id"],
            values["agency"],
            values["role"],
            tuple(values["scopes"]),
            tuple(limit for limit in limits if limit),
        ),
        salt=values["salt"],
        hash=values["hash"],
        old_salt=values["old_salt"] or bytes(16),
        old_hash=values["old_hash"] or bytes(32),
        old_until=until.timestamp() if until else 0,
        expires=values["expires"].timestamp(),
        revoked=values["revoked"] is not None,
    )
