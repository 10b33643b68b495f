"""Erasure of a person: the name goes, and what they did stays, by nobody's pseudonym."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.identity import activity, actors
from yupana.ledger import entries, pseudonyms, vouched, witness
from yupana.tracking import slots


def forget(settings: Settings, person: str, now: datetime) -> str:
    """Erase a person, with their name where other tables have it; the ledger stays as it is.

    Args:
        person: an account (`os:ana`), or its pseudonym.

    Returns:
        The pseudonym, which from now on nobody can lead back to a name.

    Raises:
        UsageError: there is no such person.
    """
    url = settings.platform_db
    with engine(url).begin() as connection:
        vouched.lock(connection)
        actor = actors.actor(connection, now)
        erasure = pseudonyms.erase(connection, person)
        if erasure is None:
            raise UsageError(
                "There is no such person.",
                where="audit forget",
                fix="Give the account as the register does (os:NAME), or a pseudonym of "
                "`yupana audit list`.",
            )
        account, name = erasure
        # What the ledger says of the person's rows would let a name be tried out: so each gets
        # another nonce.
        rows = vouched.changes(connection, {pseudonyms.PEOPLE: [(name,)]})
        for table in (activity.ACTIVITY, slots.SLOTS):
            mine = table.c.by.in_([account, account.removeprefix("os:")])
            change = sa.update(table).where(mine).values(by=name)
            keys = connection.execute(change.returning(*table.primary_key))
            rows += vouched.changes(connection, {table: [tuple(k) for k in keys]}, renew=True)
        entries.write(connection, [*rows, entries.Entry("forget", name, {}, actor)], now)
    witness.leave(settings)
    return name
