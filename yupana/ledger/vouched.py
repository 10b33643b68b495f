"""Rows that decide or testify follow from the ledger: each change leaves their new SHA-256 there.

Who writes such a row records, in the same transaction, `changes(connection, {TABLE: keys})`: the
rows are read back as the database has them. `audit verify` (`table_check`) replays these events
over the tables as they are. What a table's rows are vouched by is listed in
`vouched_tables`, of every table.

A digest begins with a random number of the row's own (`ROW_NONCES`), which goes when the row goes:
nobody can then try out names, or what somebody wrote, against the ledger.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from yupana.database.engine import TABLES, Moment
from yupana.ledger.entries import Entry, hold
from yupana.ledger.vouched_tables import VOUCHED

KIND, SUBJECT, BASELINE = "rows", "tables", "baseline"
MOST = 5_000
"""Rows in one event."""

Key = tuple[Any, ...]
"""The values of a row's `Rows.key`."""
Changes = Mapping[sa.Table, Iterable[Key]]
"""Keys of rows that were written or removed, by table."""
Digests = dict[tuple[str, str], str]
"""Digests by table and the row's name in the ledger."""


ROW_NONCES = sa.Table(
    "row_nonces",
    TABLES,
    sa.Column("source", sa.String(64), primary_key=True, doc="the table"),
    sa.Column("key", sa.Text, primary_key=True, doc="as the ledger names the row"),
    sa.Column("nonce", sa.String(32), nullable=False),
)


class RowDigest(NamedTuple):
    """A row, or the rows of one key, as the database has them now."""

    key: str
    nonce: str
    digest: str


def present(connection: sa.Connection, rows: Changes) -> Digests:
    """Rows as they are before the caller changes them, and nobody else meanwhile.

    Who tells `changes` does not vouch for what was tampered with before: the event then says what
    the row was, and `audit verify` finds that no event had left it so.
    """
    lock(connection)
    return {
        (table.name, row.key): row.digest
        for table, keys in rows.items()
        for row in stored(connection, table, list(keys))
    }


def changes(
    connection: sa.Connection, rows: Changes, before: Digests | None = None, *, renew: bool = False
) -> list[Entry]:
    """The ledger's entries on rows that were written or removed in the caller's transaction.

    Args:
        rows: by table, the keys of what changed; the caller has made the changes already.
        before: what of them was `present` before.
        renew: give each row another nonce: what it held before can then not be guessed.
    """
    states = [
        (table.name, key, value)
        for table, keys in rows.items()
        for key, value in _renewed(connection, table, list(dict.fromkeys(keys)), renew)
    ]
    return entries_of(states, before)


def entries_of(
    states: list[tuple[str, str, str | None]], before: Digests | None = None
) -> list[Entry]:
    """The ledger's entries that say which digest each row has; None of one that is gone."""
    entries = []
    for start in range(0, len(states), MOST):
        facts: dict[str, list[list[str | None]]] = {}
        for table, key, value in states[start : start + MOST]:
            old = [before[table, key]] if before and (table, key) in before else []
            facts.setdefault(table, []).append([key, value, *old])
        entries.append(Entry(KIND, SUBJECT, facts))
    return entries


def lock(connection: sa.Connection) -> None:
    """Let no one else append to the ledger until the transaction ends.

    Whoever changes rows that others change too does so first: of two who take rows and this lock
    in another order, each would wait for the other.
    """
    hold(connection.connection.driver_connection, connection.dialect.name)


def _renewed(
    connection: sa.Connection, table: sa.Table, keys: list[Key], renew: bool
) -> list[tuple[str, str | None]]:
    if not keys:
        return []
    rows = {row.key: row for row in stored(connection, table, keys)}
    names = [name_of(key) for key in keys]
    mine = (ROW_NONCES.c.source == table.name) & ROW_NONCES.c.key.in_(names)
    if VOUCHED[table.name].nonce:
        fresh = [name for name, row in rows.items() if renew or not row.nonce]
        if renew or len(rows) < len(names):
            stale = mine if renew else mine & ROW_NONCES.c.key.not_in(list(rows))
            connection.execute(sa.delete(ROW_NONCES).where(stale))
        if fresh:
            connection.execute(
                sa.insert(ROW_NONCES),
                [{"source": table.name, "key": k, "nonce": secrets.token_hex(16)} for k in fresh],
            )
            rows = {row.key: row for row in stored(connection, table, keys)}
    return [(name, rows[name].digest if name in rows else None) for name in names]


def name_of(key: Key) -> str:
    """How the ledger names a row."""
    return "/".join(str(value) for value in key)


def stored(
    connection: sa.Connection, table: sa.Table, keys: list[Key] | None = None
) -> Iterator[RowDigest]:
    """The rows of a table, by key, with their digests as they are now.

    Args:
        keys: only these; default: all.
    """
    spec = VOUCHED[table.name]
    columns = [table.c[name] for name in spec.key]
    name: sa.ColumnElement[str] = sa.cast(columns[0], sa.Text)
    for column in columns[1:]:
        name = name + "/" + sa.cast(column, sa.Text)
    content = [column for column in table.c if column.name not in spec.free]
    # Raw values: one that was tampered with may not be of its column's type.
    raw = [sa.type_coerce(c, sa.types.NullType()).label(f"c{i}") for i, c in enumerate(content)]
    nonces = (ROW_NONCES.c.source == table.name) & (ROW_NONCES.c.key == name)
    query = (
        sa.select(name.label("row_key"), ROW_NONCES.c.nonce, *raw)
        .select_from(table.outerjoin(ROW_NONCES, nonces))
        .order_by(*columns, *table.primary_key)
    )
    if keys is not None:
        query = query.where(
            columns[0].in_([key[0] for key in keys])
            if len(columns) == 1
            else sa.tuple_(*columns).in_(keys)
        )
    options = {"yield_per": 2000} if keys is None else {}
    result = connection.execute(query, execution_options=options)
    for (key, nonce), rows in groupby(result, lambda row: (str(row[0]), str(row[1] or ""))):
        if key in spec.free_rows:
            continue
        texts = [text({c.name: plain(v, c.type) for c, v in zip(content, row[2:], strict=True)})
                 for row in rows]  # fmt: skip
        yield RowDigest(key, nonce, digest(nonce, texts))


def digest(nonce: str, texts: Iterable[str]) -> str:
    """SHA-256 (hexadecimal) of a nonce and the texts of the rows of one key, a line each."""
    return hashlib.sha256("\n".join([nonce, *texts]).encode("utf-8", "surrogatepass")).hexdigest()


def text(row: Mapping[str, Any]) -> str:
    """The canonical text of a row: JSON, by the names of the columns."""
    return json.dumps(
        row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
    )


def plain(value: Any, kind: Any) -> Any:
    """A column's value as JSON, the same from SQLite's texts and PostgreSQL's types.

    What is not of the column's type stays as it is: then the digest is not that of before.
    """
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(kind, Moment | sa.DateTime):
        return _moment(value)
    if isinstance(kind, sa.JSON) and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value.isoformat() if isinstance(value, date) else value


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if not isinstance(value, datetime):
        return value
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")
