"""API keys: made, listed, rotated and revoked; only a salted hash of the secret is stored.

The secret has 256 random bits, so one keyed BLAKE2b (RFC 7693) is enough: a slow hash protects what
people choose, and NIST SP 800-63B (5.1.2.2) asks it of secrets below 112 bits only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from yupana.core.errors import UsageError
from yupana.database.engine import TABLES, Moment, engine
from yupana.identity import activity, actors, quotas, roles
from yupana.ledger import entries, vouched

LONGEST, LONGEST_SANDBOX = timedelta(days=366), timedelta(days=90)
AGENCY = re.compile(r"[\w][\w .,&()'-]{0,99}")

KEYS = sa.Table(
    "keys",
    TABLES,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("agency", sa.String(100), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("salt", sa.LargeBinary(16), nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("old_salt", sa.LargeBinary(16)),
    sa.Column("old_hash", sa.LargeBinary(32)),
    sa.Column("old_until", Moment),
    sa.Column("quota", sa.String(32), nullable=False),
    sa.Column("rate", sa.String(32), nullable=False),
    sa.Column("created", Moment, nullable=False),
    sa.Column("expires", Moment, nullable=False),
    sa.Column("revoked", Moment),
    sa.Column("last_used", Moment),
)
# Tokens of a subject are refused when they were issued before this moment.
REVOKED = sa.Table(
    "subjects_revoked",
    TABLES,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("before", Moment, nullable=False),
)
# One row, one number: it rises with every change, so that a service asks for this alone.
REVISION = sa.Table(
    "keys_revision",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, nullable=False),
)
_SHOWN = [c for c in KEYS.c if c.name not in ("salt", "hash", "old_salt", "old_hash")]


@dataclass(frozen=True)
class Terms:
    """What a key is good for; `quota` and `rate` are such as 1000/day, or none."""

    agency: str
    scopes: tuple[str, ...]
    role: str = "agency"
    expires: timedelta = timedelta(days=90)
    quota: str = "10000/day"
    rate: str = "60/min"

    @property
    def longest(self) -> timedelta:
        """How long a key of its role may live."""
        return LONGEST_SANDBOX if self.role == roles.SANDBOX else LONGEST


def digest(salt: bytes, secret: bytes) -> bytes:
    """What is stored of a secret: 32 bytes."""
    return hashlib.blake2b(secret, key=salt, digest_size=32).digest()


def create(url: str, terms: Terms, *, now: datetime, by: str) -> str:
    """Make a key and return it; it cannot be read again.

    Raises:
        UsageError: an agency, role, scope, quota, rate or time that a key cannot have.
    """
    roles.demand(terms.role, terms.scopes)
    for limit in (terms.quota, terms.rate):
        quotas.parse("", limit)
    if not AGENCY.fullmatch(terms.agency):
        raise UsageError(
            f"'{terms.agency}' cannot be the name of an agency.",
            where="--agency",
            fix="Use up to 100 letters, digits, spaces and . , & ( ) ' -",
        )
    if not timedelta() < terms.expires <= terms.longest:
        raise UsageError(
            "A key lives at least a second and at most a year, one for trying out 90 days.",
            where="--expires",
            fix="For example: --expires 90d",
        )
    key_id, secret, salt = secrets.token_hex(6), secrets.token_hex(32), secrets.token_bytes(16)
    expires = (now + terms.expires).astimezone(UTC)
    row = {
        "id": key_id,
        "agency": terms.agency,
        "role": terms.role,
        "scopes": sorted(set(terms.scopes)),
        "salt": salt,
        "hash": digest(salt, secret.encode()),
        "quota": terms.quota,
        "rate": terms.rate,
        "created": now,
        "expires": expires,
    }
    facts = {k: row[k] for k in ("role", "scopes", "quota", "rate")}
    facts["expires"] = expires.isoformat(timespec="microseconds")
    with engine(url).begin() as connection:
        vouched.lock(connection)
        connection.execute(sa.insert(KEYS), row)
        _note(connection, KEYS, "create", key_id, terms.agency, by, now, facts)
    return f"yup_{key_id}_{secret}"


def rotate(url: str, key_id: str, *, grace: timedelta, now: datetime, by: str) -> str:
    """Give a key a new secret and return it; the old one stays good for `grace`.

    Raises:
        UsageError: there is no such key, or it is revoked or expired.
    """
    secret, salt = secrets.token_hex(32), secrets.token_bytes(16)
    until = now + grace
    new = {"salt": salt, "hash": digest(salt, secret.encode())}
    old = {"old_salt": KEYS.c.salt, "old_hash": KEYS.c.hash, "old_until": until}
    facts = {"old_until": until.isoformat()}
    _change(url, key_id, "rotate", new | old, facts, now=now, by=by, good=KEYS.c.expires > now)
    return f"yup_{key_id}_{secret}"


def revoke(url: str, key_id: str, *, now: datetime, by: str) -> None:
    """End a key; a running service refuses it within `keyring.FRESH_SECONDS`.

    Raises:
        UsageError: there is no such key, or it is revoked already.
    """
    _change(url, key_id, "revoke", {"revoked": now}, {}, now=now, by=by)


def _change(
    url: str, key_id: str, what: str, values: dict[str, Any], facts: dict[str, Any], *,
    now: datetime, by: str, good: sa.ColumnElement[bool] = sa.true(),
) -> None:  # fmt: skip
    # One statement: no one can revoke the key, or rotate it, between a look and the change.
    change = (
        sa.update(KEYS)
        .where(KEYS.c.id == key_id, KEYS.c.revoked.is_(None), good)
        .values(values)
        .returning(KEYS.c.agency)
    )
    with engine(url).begin() as connection:
        before = vouched.present(connection, {KEYS: [(key_id,)]})
        agency = connection.scalar(change)
        if agency is None:
            raise _unknown(key_id)
        _note(connection, KEYS, what, key_id, agency, by, now, facts, before)


def revoke_subject(url: str, subject_id: str, *, now: datetime, by: str) -> None:
    """End the tokens that a subject (`oidc.subject_id`) was issued until now, not later ones."""
    ended = sa.text(
        "INSERT INTO subjects_revoked (id, before) VALUES (:id, :before) "
        "ON CONFLICT (id) DO UPDATE SET before = :before"
    ).bindparams(sa.bindparam("before", type_=Moment))
    with engine(url).begin() as connection:
        before = vouched.present(connection, {REVOKED: [(subject_id,)]})
        connection.execute(ended, {"id": subject_id, "before": now})
        facts = {"tokens_before": now.isoformat()}
        _note(connection, REVOKED, "revoke", subject_id, "", by, now, facts, before)


def revoked_subjects(url: str) -> dict[str, float]:
    """By subject, the second since 1970 until which its tokens were revoked."""
    with engine(url).connect() as connection:
        return {row.id: row.before.timestamp() for row in connection.execute(sa.select(REVOKED))}


def listing(url: str, agency: str = "") -> list[dict[str, Any]]:
    """All keys, oldest first, without salts and hashes."""
    query = sa.select(*_SHOWN).order_by(KEYS.c.created)
    if agency:
        query = query.where(KEYS.c.agency == agency)
    with engine(url).connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def revision(url: str) -> int:
    """A number that rises with every change to a key."""
    with engine(url).connect() as connection:
        return connection.scalar(sa.select(REVISION.c.revision)) or 0


def stored(url: str) -> list[sa.Row[Any]]:
    """All keys with salts and hashes, for the check."""
    with engine(url).connect() as connection:
        return list(connection.execute(sa.select(KEYS)))


def used(connection: sa.Connection, times: dict[str, datetime]) -> None:
    """Note when keys were last used, in the caller's transaction."""
    change = sa.update(KEYS).where(KEYS.c.id == sa.bindparam("key"))
    change = change.values(last_used=sa.bindparam("time"))
    connection.execute(change, [{"key": key, "time": time} for key, time in times.items()])


def _note(
    connection: sa.Connection,
    table: sa.Table,
    what: str,
    key_id: str,
    agency: str,
    by: str,
    now: datetime,
    facts: dict[str, Any],
    before: vouched.Digests | None = None,
) -> None:
    """Log a change, raise the revision, so that running services read the keys again, and leave
    an event in the ledger, without the agency: some are named after a person."""
    row = {"time": now, "what": what, "key_id": key_id, "agency": agency, "by": by}
    lines = activity.write(connection, [{**row, "facts": facts}])
    connection.execute(
        sa.text(
            "INSERT INTO keys_revision (id, revision) VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET revision = keys_revision.revision + 1"
        )
    )
    actor = actors.actor(connection, now)
    entry = entries.Entry("key", f"key:{key_id}", {"what": what, **facts}, actor)
    rows: vouched.Changes = {table: [(key_id,)], REVISION: [(1,)], activity.ACTIVITY: lines}
    entries.write(connection, [entry, *vouched.changes(connection, rows, before)], now)


def _unknown(key_id: str) -> UsageError:
    return UsageError(
        f"There is no living key '{key_id}'.",
        where="keys",
        fix="yupana keys list shows them; a revoked or expired key is made anew.",
    )
