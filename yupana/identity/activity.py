"""What is on record of access: keys made, rotated, revoked and refused, and personal data read.

Never a secret, and never what an unknown caller sent: that would let anyone write into the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import TABLES, Moment, engine
from yupana.identity import actors
from yupana.ledger import entries, pseudonyms, writer

ACTIVITY = sa.Table(
    "activity",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", Moment, nullable=False, index=True),
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("key_id", sa.String(12), nullable=False),
    sa.Column("agency", sa.String(100), nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
)


def write(connection: sa.Connection, rows: Iterable[dict[str, Any]]) -> list[tuple[int]]:
    """Add rows (the columns of `ACTIVITY`) in the caller's transaction, who vouches for them.

    Returns:
        Their keys, for `vouched.changes`.
    """
    if not (additions := list(rows)):
        return []
    ids = connection.execute(sa.insert(ACTIVITY).returning(ACTIVITY.c.id), additions)
    return [(int(row.id),) for row in ids]


def listing(url: str, since: datetime, key_id: str = "") -> list[dict[str, Any]]:
    """What happened since a moment, oldest first; of one key, or of all."""
    query = sa.select(ACTIVITY).where(ACTIVITY.c.time >= since).order_by(ACTIVITY.c.id)
    if key_id:
        query = query.where(ACTIVITY.c.key_id == key_id)
    with engine(url).connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def note_access(settings: Settings, what: str, subject: str, **facts: Any) -> None:
    """Record in the ledger that this process's user gets at personal data, before it is given.

    Args:
        what: `name` (who is behind a pseudonym), `file` (a published file with personal columns)
            or `quarantine` (lines of an agency's file).
        subject: the reference of what is read, without personal data.
    """
    actor = pseudonyms.pseudonym(settings, actors.here()[0])
    writer.append(settings, [entries.Entry("access", subject, {"what": what, **facts}, actor)])
