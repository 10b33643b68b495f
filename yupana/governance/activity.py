"""The activity log of access: every key made, rotated and revoked, and every key refused.

Never a secret, and never what an unknown caller sent: that would let anyone write into the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.governance.database import Moment, engine

_METADATA = sa.MetaData()

ACTIVITY = sa.Table(
    "activity",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", Moment, nullable=False, index=True),
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("key_id", sa.String(12), nullable=False),
    sa.Column("agency", sa.String(100), nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
)


def prepare(url: str) -> None:
    """Make the table, before a transaction of another module writes into it."""
    engine(url, _METADATA)


def write(connection: sa.Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows (the columns of `ACTIVITY`) in the caller's transaction."""
    if given := list(rows):
        connection.execute(sa.insert(ACTIVITY), given)


def listing(url: str, since: datetime, key_id: str = "") -> list[dict[str, Any]]:
    """What happened since a moment, oldest first; of one key, or of all."""
    query = sa.select(ACTIVITY).where(ACTIVITY.c.time >= since).order_by(ACTIVITY.c.id)
    if key_id:
        query = query.where(ACTIVITY.c.key_id == key_id)
    with engine(url, _METADATA).connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
