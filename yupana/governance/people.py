"""Who did it, by a pseudonym: the ledger keeps `person:…`, and this table alone knows the name.

The pseudonym is drawn at random, not computed from the name: once the row is gone, nobody can
try out names against the ledger, not even who holds every key.
"""

from __future__ import annotations

import re
import secrets

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.governance.database import engine

PSEUDONYM = re.compile(r"person:[0-9a-f]{16}")
_METADATA = sa.MetaData()

PEOPLE = sa.Table(
    "people",
    _METADATA,
    sa.Column("account", sa.String(200), primary_key=True),
    sa.Column("pseudonym", sa.String(23), nullable=False, unique=True),
)
_ADD = sa.text(
    "INSERT INTO people (account, pseudonym) VALUES (:account, :pseudonym) "
    "ON CONFLICT (account) DO NOTHING"
)


def prepare(url: str) -> sa.Engine:
    """Make the table, before a transaction of another module asks for a pseudonym."""
    return engine(url, _METADATA)


def pseudonym(settings: Settings, account: str) -> str:
    """The pseudonym of an account (`person:` and 16 hexadecimal digits), given on first use."""
    with prepare(settings.platform_db).begin() as connection:
        return known(connection, account)


def known(connection: sa.Connection, account: str) -> str:
    """The pseudonym of an account, in the caller's transaction."""
    asked = sa.select(PEOPLE.c.pseudonym).where(PEOPLE.c.account == account)
    if found := connection.scalar(asked):
        return str(found)
    fresh = f"person:{secrets.token_hex(8)}"
    connection.execute(_ADD, {"account": account, "pseudonym": fresh})
    # Another process may have given one in the same moment.
    return str(connection.scalar(asked))


def account(url: str, name: str) -> str | None:
    """The account behind a pseudonym; None when it is erased or was never given."""
    query = sa.select(PEOPLE.c.account).where(PEOPLE.c.pseudonym == name)
    with prepare(url).connect() as connection:
        return connection.scalar(query)


def erase(connection: sa.Connection, given: str) -> tuple[str, str] | None:
    """Remove a person by account or pseudonym; both of them, or None when it is not there."""
    mine = (PEOPLE.c.account == given) | (PEOPLE.c.pseudonym == given)
    gone = sa.delete(PEOPLE).where(mine).returning(PEOPLE.c.account, PEOPLE.c.pseudonym)
    row = connection.execute(gone).one_or_none()
    return (row.account, row.pseudonym) if row else None
