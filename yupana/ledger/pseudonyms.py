"""Who did it, by a pseudonym: the ledger keeps `person:…`, and this table alone knows the name.

The pseudonym is drawn at random, not computed from the name: once the row is gone, nobody can
try out names against the ledger, not even who holds every key.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import TABLES, engine
from yupana.ledger import entries, vouched

PEOPLE = sa.Table(
    "people",
    TABLES,
    sa.Column("account", sa.String(200), primary_key=True),
    sa.Column("pseudonym", sa.String(23), nullable=False, unique=True),
)
_ADD = sa.text(
    "INSERT INTO people (account, pseudonym) VALUES (:account, :pseudonym) "
    "ON CONFLICT (account) DO NOTHING"
)


def pseudonym(settings: Settings, account: str, now: datetime | None = None) -> str:
    """The pseudonym of an account (`person:` and 16 hexadecimal digits), given on first use."""
    with engine(settings.platform_db).begin() as connection:
        return of(connection, account, now)


def of(connection: sa.Connection, account: str, now: datetime | None = None) -> str:
    """The pseudonym of an account, in the caller's transaction."""
    query = sa.select(PEOPLE.c.pseudonym).where(PEOPLE.c.account == account)
    if name := connection.scalar(query):
        return str(name)
    fresh = f"person:{secrets.token_hex(8)}"
    vouched.lock(connection)
    connection.execute(_ADD, {"account": account, "pseudonym": fresh})
    # Another process may have given one in the same moment.
    name = str(connection.scalar(query))
    if name == fresh:
        additions = vouched.changes(connection, {PEOPLE: [(name,)]})
        entries.write(connection, additions, now or datetime.now(UTC))
    return name


def account(url: str, name: str) -> str | None:
    """The account behind a pseudonym; None when it is erased or was never given."""
    query = sa.select(PEOPLE.c.account).where(PEOPLE.c.pseudonym == name)
    with engine(url).connect() as connection:
        return connection.scalar(query)


def erase(connection: sa.Connection, person: str) -> tuple[str, str] | None:
    """Remove a person by account or pseudonym; both of them, or None when it is not there."""
    mine = (PEOPLE.c.account == person) | (PEOPLE.c.pseudonym == person)
    statement = sa.delete(PEOPLE).where(mine).returning(PEOPLE.c.account, PEOPLE.c.pseudonym)
    row = connection.execute(statement).one_or_none()
    return (row.account, row.pseudonym) if row else None
