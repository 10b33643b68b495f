"""Erasure of a person: the name goes, and what they did stays, by nobody's pseudonym."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.governance import acting, activity, deployments, people
from yupana.governance.ledger import book


def forget(settings: Settings, given: str, now: datetime) -> str:
    """Erase a person, with their name where other tables have it; the ledger stays as it is.

    Args:
        given: an account (`os:ana`), or its pseudonym.

    Returns:
        The pseudonym, which from now on nobody can lead back to a name.

    Raises:
        UsageError: there is no such person.
    """
    url = settings.platform_db
    deployments.prepare(url)
    with people.prepare(url).begin() as connection:
        actor = acting.actor(connection)
        erased = people.erase(connection, given)
        if erased is None:
            raise UsageError(
                "There is no such person.",
                where="audit forget",
                fix="Give the account as the register does (os:NAME), or a pseudonym of "
                "`yupana audit list`.",
            )
        account, name = erased
        for column in (activity.ACTIVITY.c.by, deployments.SLOTS.c.by):
            mine = column.in_([account, account.removeprefix("os:")])
            connection.execute(sa.update(column.table).where(mine).values({column: name}))
        book.write(connection, [book.Entry("forget", name, {}, actor)], now)
    book.witness(settings)
    return name
