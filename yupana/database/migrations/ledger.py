"""How migrations append to the ledger: as it was written when the first of them did (0006)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

LEDGER = sa.table("ledger", *map(sa.column, ("seq", "kind", "subject", "line")))
Event = dict[str, Any]
_LOCK = 0x79757061


def hold(connection: sa.Connection) -> None:
    """Let no one else append until the transaction ends; SQLite's writer is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def text(row: dict[str, Any]) -> str:
    """Canonical JSON."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def append(connection: sa.Connection, events: Iterable[Event]) -> None:
    """Add events to the ledger's chain."""
    newest = sa.select(LEDGER.c.line).order_by(LEDGER.c.seq.desc()).limit(1)
    head = connection.scalar(newest)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for event in events:
        before: Event = json.loads(head) if head else {"seq": 0, "time": ""}
        previous = hashlib.sha256(head.encode()).hexdigest() if head else "0" * 64
        whole = {**event, "actor": "", "previous": previous, "seq": before["seq"] + 1,
                 "time": max(now, before["time"])}  # fmt: skip
        head = text(whole)
        row = {"seq": whole["seq"], "kind": event["kind"], "subject": event["subject"]}
        connection.execute(sa.insert(LEDGER).values({**row, "line": head}))


MOST = 5_000
"""Rows that an event tells of."""


def forget(connection: sa.Connection, tables: Mapping[str, tuple[str, ...]]) -> None:
    """Tell the ledger that all rows of some tables are gone, and remove their nonces.

    Args:
        tables: by name, the columns of the key that vouches for a row.
    """
    hold(connection)
    gone = []
    for name, columns in tables.items():
        table = sa.table(name, *map(sa.column, columns))
        rows = connection.execute(sa.select(table).order_by(*table.columns))
        gone += [(name, "/".join(row)) for row in rows]
    events = []
    for start in range(0, len(gone), MOST):
        facts: dict[str, list[list[str | None]]] = {}
        for name, key in gone[start : start + MOST]:
            facts.setdefault(name, []).append([key, None])
        events.append({"kind": "rows", "subject": "tables", "facts": facts})
    append(connection, events)
    nonces = sa.table("row_nonces", sa.column("source"))
    connection.execute(sa.delete(nonces).where(nonces.c.source.in_(tables)))
