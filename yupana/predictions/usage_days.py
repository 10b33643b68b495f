"""Days of the statistics of use, vouched for by the ledger once they are over.

While a day lasts its rows change twice a second, and the ledger would hold little else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from yupana.ledger import vouched
from yupana.ledger.entries import Entry
from yupana.ledger.table import LEDGER
from yupana.ledger.vouched import ROW_NONCES

_GRACE = timedelta(minutes=10)
"""After midnight: until then another worker may still count the day before."""


def last_over(now: datetime) -> str:
    """The last day (UTC) that is over."""
    return (now - _GRACE - timedelta(days=1)).date().isoformat()


def close(connection: sa.Connection, tables: Collection[sa.Table], now: datetime) -> list[Entry]:
    """The ledger's entries on the days that are over and were not closed yet."""
    entries = []
    for table in tables:
        _alone(connection, table)
        newest = sa.select(sa.func.max(ROW_NONCES.c.key)).where(ROW_NONCES.c.source == table.name)
        closed = connection.scalar(newest) or ""
        over = (table.c.day > closed) & (table.c.day <= last_over(now))
        days = connection.execute(sa.select(table.c.day).where(over).distinct()).all()
        entries += vouched.changes(connection, {table: [tuple(day) for day in days]})
    return entries


@contextmanager
def late(
    connection: sa.Connection, table: sa.Table, days: Collection[str], now: datetime
) -> Iterator[list[Entry]]:
    """Counts of days that are over, from while the database was away.

    A day that is not as the ledger has it stays so: `audit verify` goes on naming it.

    Returns:
        Empty; at the end of the block it has the ledger's entries on those days.
    """
    entries: list[Entry] = []
    over = [(day,) for day in sorted(days) if day <= last_over(now)]
    if not over:
        yield entries
        return
    _alone(connection, table)
    before = {row.key: row.digest for row in vouched.stored(connection, table, over)}
    intact = [
        (day,) for (day,) in over if day not in before or _is_vouched(connection, before[day])
    ]
    yield entries
    entries += vouched.changes(connection, {table: intact})


def _is_vouched(connection: sa.Connection, digest: str) -> bool:
    query = sa.select(LEDGER.c.seq).where(
        LEDGER.c.kind == vouched.KIND, LEDGER.c.line.contains(f'"{digest}"')
    )
    return connection.scalar(query.limit(1)) is not None


def _alone(connection: sa.Connection, table: sa.Table) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
