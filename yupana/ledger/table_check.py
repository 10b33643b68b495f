"""The tables as they are against the `rows` events of the ledger, replayed."""

from __future__ import annotations

import json
from collections.abc import Iterable

import sqlalchemy as sa

from yupana.ledger import vouched
from yupana.ledger.fault import Fault, Ground
from yupana.ledger.table import LEDGER
from yupana.ledger.vouched import ROW_NONCES
from yupana.ledger.vouched_tables import VOUCHED

_CHUNK = 2_000
# What is temporary, SQLite writes to the disk when it grows.
_TABLES = """
CREATE TABLE IF NOT EXISTS recorded (source, key, digest, event, PRIMARY KEY (source, key))
WITHOUT ROWID;
CREATE TEMP TABLE present (source, key, digest, PRIMARY KEY (source, key)) WITHOUT ROWID;
CREATE TEMP TABLE nonces (source, key, PRIMARY KEY (source, key)) WITHOUT ROWID;
"""
_RECORD = "INSERT OR REPLACE INTO recorded VALUES (?, ?, ?, ?)"
_DIFFERENT = """
SELECT r.source, r.key, r.event, r.digest, p.digest FROM recorded r
LEFT JOIN present p ON p.source = r.source AND p.key = r.key WHERE r.digest IS NOT p.digest
UNION ALL
SELECT p.source, p.key, 0, NULL, p.digest FROM present p
LEFT JOIN recorded r ON r.source = p.source AND r.key = p.key WHERE r.key IS NULL
ORDER BY 1, 2
"""
_NEEDLESS = """
SELECT n.source, n.key FROM nonces n
LEFT JOIN present p ON p.source = n.source AND p.key = n.key WHERE p.key IS NULL
ORDER BY 1, 2
"""
_LAST = "SELECT digest FROM recorded WHERE source = ? AND key = ?"
_ANY = "SELECT 1 FROM recorded LIMIT 1"
_OTHERWISE = "the row was not as recorded when this event changed it"
_NEW_BASELINE = (
    "a new baseline, which vouches for nothing: no event before it left the row like this"
)
_NEWEST = "SELECT max(key) FROM recorded WHERE source = ? AND digest IS NOT NULL"


class TableCheck:
    """Replays what the ledger says of each row; at the end, compares it with the tables."""

    kinds = (vouched.KIND,)

    def __init__(self, ground: Ground) -> None:
        self._connection, self._state = ground.connection, ground.replay
        self._state.executescript(_TABLES)

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        event = json.loads(line)
        # The first events of rows are believed; who owns the database could write one of later.
        again = event["subject"] == vouched.BASELINE and self._state.execute(_ANY).fetchone()
        faults = []
        for table, rows in event["facts"].items():
            for key, now, *old in rows:
                last = self._state.execute(_LAST, [table, key]).fetchone() or (None,)
                if again and last != (now,):
                    what = "changed" if last[0] else "inserted"
                    faults.append(Fault(seq, what, table, key, _NEW_BASELINE))
                elif old and last != (*old,):
                    faults.append(Fault(seq, "changed", table, key, _OTHERWISE))
            self._state.executemany(_RECORD, ((table, key, v, seq) for key, v, *_ in rows))
        return faults

    def finish(self, last: int) -> list[Fault]:
        for name, spec in VOUCHED.items():
            rows = vouched.stored(self._connection, _table(self._connection, name))
            present: Iterable[vouched.RowDigest] = rows
            if spec.daily:
                # Days after the newest that was closed are still being counted.
                newest = self._state.execute(_NEWEST, [name]).fetchone()[0] or ""
                present = (row for row in rows if row.key <= newest)
            self._fill("present", ((name, row.key, row.digest) for row in present))
        nonces = self._connection.execute(
            sa.select(ROW_NONCES.c.source, ROW_NONCES.c.key),
            execution_options={"yield_per": _CHUNK},
        )
        self._fill("nonces", (tuple(row) for row in nonces))
        faults = [self._fault(*row) for row in self._state.execute(_DIFFERENT)]
        faulty = {(fault.place, fault.key) for fault in faults}
        faults += [
            Fault(0, "inserted", ROW_NONCES.name, f"{source}/{key}", "a nonce of no row")
            for source, key in self._state.execute(_NEEDLESS)
            if (source, key) not in faulty
        ]
        return faults

    def _fill(self, table: str, rows: Iterable[tuple[str, ...]]) -> None:
        marks = {"present": "?, ?, ?", "nonces": "?, ?"}[table]
        self._state.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)

    def _fault(
        self, table: str, key: str, event: int, recorded: str | None, present: str | None
    ) -> Fault:
        """What became of a row whose digest is another than the ledger's."""
        if present is None:
            return Fault(event, "deleted", table, key, "the row is gone, and no event says so")
        earlier = self._earlier(present)
        if earlier:
            message = f"the row is as event {earlier} left it, and was changed or removed since"
            return Fault(event, "rolled back", table, key, message)
        if event == 0:
            return Fault(0, "inserted", table, key, "no event tells of this row")
        if recorded is None:
            return Fault(event, "inserted", table, key, "the row was removed by this event")
        return Fault(event, "changed", table, key, "the row is not as this event left it")

    def _earlier(self, digest: str) -> int:
        """The newest event that has a digest; 0 where none has."""
        query = sa.select(sa.func.max(LEDGER.c.seq)).where(
            LEDGER.c.kind == vouched.KIND, LEDGER.c.line.contains(f'"{digest}"')
        )
        return self._connection.scalar(query) or 0


_tables: dict[tuple[str, str], sa.Table] = {}


def _table(connection: sa.Connection, name: str) -> sa.Table:
    """A table as it is in the database: whoever asks need not have loaded all that writes one."""
    key = connection.dialect.name, name
    if key not in _tables:
        _tables[key] = sa.Table(name, sa.MetaData(), autoload_with=connection)
    return _tables[key]
