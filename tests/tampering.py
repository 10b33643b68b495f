"""Whoever owns the platform database: reads and writes its tables past the platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from yupana.ledger import vouched, vouched_tables

EDIT, DELETE, ADD, COPY = ACTIONS = ("edit", "delete", "add", "copy back")
TRIGGERS = {
    "sqlite": [f"DROP TRIGGER ledger_no_{what}" for what in ("update", "delete", "replace")],
    "postgresql": ["DROP TRIGGER ledger_no_change ON ledger"],
}
Row = tuple[Any, ...]
Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class Table:
    """A table as the database describes it; `key` are the places of its primary key's columns."""

    name: str
    columns: tuple[str, ...]
    key: tuple[int, ...]

    def key_of(self, row: Row) -> Row:
        return tuple(row[place] for place in self.key)

    def name_of(self, row: Row) -> str:
        """How the ledger names a row."""
        columns = vouched_tables.VOUCHED[self.name].key
        return vouched.name_of(tuple(row[self.columns.index(name)] for name in columns))

    def free(self) -> set[str]:
        """Columns of which nothing is vouched for."""
        rows = vouched_tables.VOUCHED.get(self.name)
        return {*rows.free} if rows else set()


class Owner:
    """A connection of its own, on which the ledger's triggers were dropped."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        dialect = self._engine.dialect.name
        self._mark = "?" if dialect == "sqlite" else "%s"
        if dialect == "postgresql":
            sa.event.listen(self._engine, "connect", _texts)
        inspector = sa.inspect(self._engine)
        self.tables = tuple(self._described(inspector, n) for n in inspector.get_table_names())

    def drop_triggers(self) -> None:
        with self._engine.begin() as connection:
            for statement in TRIGGERS[self._engine.dialect.name]:
                connection.exec_driver_sql(statement)

    def _described(self, inspector: sa.Inspector, name: str) -> Table:
        columns = tuple(column["name"] for column in inspector.get_columns(name))
        key = inspector.get_pk_constraint(name)["constrained_columns"]
        return Table(name, columns, tuple(columns.index(c) for c in key) or (0,))

    def rows(self, table: str) -> list[Row]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"')]

    def everything(self) -> Rows:
        return {table.name: self.rows(table.name) for table in self.tables}

    def put_back(self, rows: Rows, *tables: str) -> None:
        """Leave these tables as they were."""
        with self._engine.begin() as connection:
            for name in tables:
                connection.exec_driver_sql(f'DELETE FROM "{name}"')
                for row in rows[name]:
                    connection.exec_driver_sql(self._insert(name, row), row)

    def replace(self, table: Table, row: Row, fresh: Row) -> bool:
        """Whether the database took it, as of the next two."""
        columns = ", ".join(f'"{column}" = {self._mark}' for column in table.columns)
        statement = f'UPDATE "{table.name}" SET {columns} WHERE {self._where(table)}'
        return self._do(statement, (*fresh, *table.key_of(row)))

    def delete(self, table: Table, row: Row) -> bool:
        return self._do(f'DELETE FROM "{table.name}" WHERE {self._where(table)}', table.key_of(row))

    def insert(self, table: str, row: Row) -> bool:
        return self._do(self._insert(table, row), row)

    def _do(self, statement: str, values: Row) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(statement, values)
        except sa.exc.DBAPIError:
            return False
        return True

    def _insert(self, table: str, row: Row) -> str:
        return f'INSERT INTO "{table}" VALUES ({", ".join(self._mark for _ in row)})'

    def _where(self, table: Table) -> str:
        return " AND ".join(f'"{table.columns[place]}" = {self._mark}' for place in table.key)


def _texts(connection: Any, _: Any) -> None:
    """JSON comes as the text that goes back in."""
    from psycopg.types.string import TextLoader

    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, TextLoader)


def other(value: Any, random: Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime):
        return value + timedelta(seconds=random.choice([1, -1, 300]))
    if isinstance(value, date):
        return value + timedelta(days=random.choice([1, -1, 300]))
    if isinstance(value, str):
        return random.choice([value + "x", value[1:], "", value.replace("1", "2")])
    return 1 if value is None else value + random.choice([1, -1, 300])


def tamper(owner: Owner, whole: Rows, backup: Rows, random: Random) -> tuple[str, Table, Row]:
    """Do one thing at random; what was done, to which table, and the row that it left or took.

    The row is (None,) where all that changed is a column of which nothing is vouched for.
    """
    changes = {EDIT: _edited, DELETE: _deleted, ADD: _added, COPY: _copied_back}
    while True:
        table, action = random.choice(owner.tables), random.choice(ACTIONS)
        row = changes[action](owner, table, whole, backup, random)
        if row:
            return action, table, row


def _edited(owner: Owner, table: Table, whole: Rows, backup: Rows, random: Random) -> Row | None:
    row = random.choice(whole[table.name])
    place = random.randrange(len(row))
    others = [r[place] for r in whole[table.name]]
    value = random.choice([other(row[place], random), *others])
    fresh = (*row[:place], value, *row[place + 1 :])
    if value == row[place] or not owner.replace(table, row, fresh):
        return None
    return fresh if table.columns[place] not in table.free() else (None,)


def _deleted(owner: Owner, table: Table, whole: Rows, backup: Rows, random: Random) -> Row | None:
    row = random.choice(whole[table.name])
    return row if owner.delete(table, row) else None


def _added(owner: Owner, table: Table, whole: Rows, backup: Rows, random: Random) -> Row | None:
    row = random.choice(whole[table.name])
    place = random.choice(table.key)
    is_number = isinstance(row[place], int)
    value = row[place] + random.randrange(1, 99) if is_number else f"{row[place]}x"
    fresh = [*row[:place], value, *row[place + 1 :]]
    if table.name == "prediction_records":
        fresh[table.columns.index("prediction_id")] += "x"
    if table.name == "people":
        fresh[table.columns.index("pseudonym")] = "person:0123456789abcdef"
    return tuple(fresh) if owner.insert(table.name, tuple(fresh)) else None


def _copied_back(
    owner: Owner, table: Table, whole: Rows, backup: Rows, random: Random
) -> Row | None:
    """A row as the backup has it, half of the time with its nonce."""
    now = {*whole[table.name]}
    different = sorted({*backup[table.name]} - now, key=repr)
    if not different:
        return None
    fresh = random.choice(different)
    old = next((row for row in now if table.key_of(row) == table.key_of(fresh)), None)
    changed = owner.replace(table, old, fresh) if old else owner.insert(table.name, fresh)
    if not changed:
        return None
    if table.name in vouched_tables.VOUCHED and random.random() < 0.5:
        _copy_nonce(owner, table.name, table.name_of(fresh), whole, backup)
    differing = {c for c, a, b in zip(table.columns, old or (), fresh, strict=False) if a != b}
    return (None,) if old and differing <= table.free() else fresh


def _copy_nonce(owner: Owner, table: str, key: str, whole: Rows, backup: Rows) -> None:
    nonces = next(t for t in owner.tables if t.name == "row_nonces")
    for row in backup[nonces.name]:
        if row[:2] == (table, key):
            old = next((r for r in whole[nonces.name] if r[:2] == row[:2]), None)
            owner.replace(nonces, old, row) if old else owner.insert(nonces.name, row)
