"""Whoever owns the database tampers with it at random places: each is found and named.

On a real home (`used_home`) that every part of the platform wrote. What is drawn is a table, a row
and an action: a value edited, the row deleted, one added, or one copied back from a backup.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from test_database import every_table

from tests import used_home
from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database import schema
from yupana.identity import api_keys, oidc
from yupana.ledger import vouched
from yupana.ledger.check import Audit
from yupana.monitoring import alerts, delivery
from yupana.predictions import usage_days
from yupana.trace import audit
from yupana.tracking import projects, slots
from yupana.webhooks import delivery as webhooks
from yupana.webhooks import endpoints

SHORT, LONG = 200, 2_000
EDIT, DELETE, ADD, COPY = ACTIONS = ("edit", "delete", "add", "copy back")
TRIGGERS = ("ledger_no_update", "ledger_no_delete", "ledger_no_replace")
UNDEFENDED = {"quota_spent", schema.VERSION_TABLE}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A table as SQLite describes it; `key` are the places of its primary key's columns."""

    name: str
    columns: tuple[str, ...]
    key: tuple[int, ...]

    def key_of(self, row: Row) -> Row:
        return tuple(row[place] for place in self.key)


@dataclass(frozen=True)
class Home:
    """A home after ordinary work, and its database as it was, and some work before that."""

    settings: Settings
    whole: Path
    backup: Path
    tables: tuple[Table, ...]

    @property
    def path(self) -> Path:
        return self.settings.home / "platform.db"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("tampering")
    settings = used_home.make(folder)
    path = settings.home / "platform.db"
    used_home.work(settings, 0)
    copy(path, folder / "backup.db")
    used_home.work(settings, 1)
    used_home.work(settings, 2)
    copy(path, folder / "whole.db")
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = tuple(
            described(connection, name) for (name,) in names if not name.startswith("sqlite_")
        )
    return Home(settings, folder / "whole.db", folder / "backup.db", tables)


def copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def described(connection: sqlite3.Connection, name: str) -> Table:
    columns = list(connection.execute(f'PRAGMA table_info("{name}")'))
    key = [(column[5], column[0]) for column in columns if column[5]]
    places = tuple(place for _, place in sorted(key)) or (0,)
    return Table(name, tuple(column[1] for column in columns), places)


def verified(home: Home) -> Audit:
    return audit.verify(home.settings, Silent())


def test_every_table_is_vouched_for_or_listed_with_a_reason() -> None:
    listed = {*vouched.VOUCHED, *vouched.OTHERWISE, *vouched.OUTSIDE}
    assert {*every_table().tables} <= listed, "say what vouches for a new table"
    assert all(all(reason) for reason in vouched.OUTSIDE.values()) and len(vouched.OUTSIDE) <= 5
    for name, rows in vouched.VOUCHED.items():
        columns = {*every_table().tables[name].columns.keys()}
        assert {*rows.key, *rows.free} <= columns and all(rows.free.values())


def test_ordinary_work_raises_no_alarm(home: Home) -> None:
    """And fills every table of which something is said: else nothing would be shown below."""
    report = verified(home)
    assert report.ok and report.witness.files == 1, report
    with closing(sqlite3.connect(home.path)) as connection:
        for table in home.tables:
            assert next(connection.execute(f'SELECT 1 FROM "{table.name}"'), None), table.name


@pytest.mark.parametrize(
    ("seed", "many"),
    [pytest.param(29, SHORT), pytest.param(17, LONG, marks=pytest.mark.long)],
)
def test_whatever_is_tampered_with_is_found_and_named(home: Home, seed: int, many: int) -> None:
    random, undefended = Random(seed), 0
    try:
        for number in range(many):
            copy(home.whole, home.path)
            with closing(sqlite3.connect(home.path)) as connection:
                for trigger in TRIGGERS:
                    connection.execute(f"DROP TRIGGER {trigger}")
                action, table, row = tamper(home, connection, random)
                connection.commit()
            if defended(table, action, row):
                report = verified(home)
                assert not report.ok, (number, action, table.name, row)
                assert names(report, table, row), (number, action, table.name, row, str(report))
            else:
                undefended += 1
    finally:
        copy(home.whole, home.path)
    assert undefended < many / 4, "the list of what is not defended is short"
    assert verified(home).ok


CHANGES: dict[str, tuple[str, Callable[[Settings, datetime], object]]] = {
    "keys": (
        "UPDATE keys SET role = 'auditor' WHERE revoked IS NULL",
        lambda own, now: [
            api_keys.revoke(own.platform_db, key["id"], now=now, by="os:b")
            for key in api_keys.listing(own.platform_db) if key["revoked"] is None
        ],
    ),
    "subjects_revoked": (
        "UPDATE subjects_revoked SET before = '2020-01-01 00:00:00.000000'",
        lambda own, now: [
            api_keys.revoke_subject(own.platform_db, oidc.subject_id("https://id", f"s{n}"),
                                    now=now, by="os:b") for n in range(2)
        ],
    ),
    "projects": (
        "UPDATE projects SET data = '[\"personal\"]'",
        lambda own, now: projects.change(own, "sala", title="Otra"),
    ),
    "deployment_slots": (
        "UPDATE deployment_slots SET tag = 'outbreak:66' WHERE slot = 'champion'",
        lambda own, now: slots.clear(own.platform_db, "outbreak", "champion", now=now, by="os:b"),
    ),
    "alerts": (
        "UPDATE alerts SET times = 1",
        lambda own, now: alerts.update(own, "outbreak", "run9", [used_home.LOUD], "ana", now),
    ),
    "alert_messages": (
        "UPDATE alert_messages SET body = replace(body, 'warning', 'info'), delivered = NULL",
        lambda own, now: delivery.send(own, now, lambda _: None),
    ),
    "webhooks": (
        "UPDATE webhooks SET url = 'https://elsewhere.example/' WHERE removed IS NULL",
        lambda own, now: [
            endpoints.remove(own, hook.id, now)
            for hook in endpoints.listing(own.platform_db) if hook.removed is None
        ],
    ),
    "webhook_notices": (
        "UPDATE webhook_notices SET body = '{}' WHERE state = 'waiting'",
        lambda own, now: webhooks.send(own, now + timedelta(days=1), Silent()),
    ),
}  # fmt: skip
"""By table: what someone does to a row, and what the platform then does to it rightly."""


@pytest.mark.parametrize("table", sorted(CHANGES))
def test_a_rightful_change_does_not_cover_up_what_was_tampered_with(
    home: Home, table: str, tmp_path: Path
) -> None:
    statement, change = CHANGES[table]
    for tampered in (False, True):
        folder = tmp_path / str(tampered)
        shutil.copytree(home.settings.home.parent, folder)
        own = Settings(home=folder / "home", ledger_witness=folder / "elsewhere")
        if tampered:
            with closing(sqlite3.connect(own.home / "platform.db")) as connection:
                assert connection.execute(statement).rowcount
                connection.commit()
        change(own, datetime.now(UTC))
        report = audit.verify(own, Silent())
        assert {fault.place for fault in report.faults} == ({table} if tampered else set()), report


def tamper(home: Home, connection: sqlite3.Connection, random: Random) -> tuple[str, Table, Row]:
    """Do one thing at random; what was done, to which table, and the row that it left or took."""
    while True:
        table, action = random.choice(home.tables), random.choice(ACTIONS)
        rows = list(connection.execute(f'SELECT * FROM "{table.name}"'))
        row = random.choice(rows)
        change = {EDIT: edited, DELETE: deleted, ADD: added, COPY: copied_back}[action]
        result = change(home, connection, table, row, random)
        if result:
            return action, table, result


def edited(
    home: Home, connection: sqlite3.Connection, table: Table, row: Row, random: Random
) -> Row | None:
    place = random.randrange(len(row))
    others = [r[place] for r in connection.execute(f'SELECT * FROM "{table.name}"')]
    value = random.choice([other(row[place], random), *others])
    fresh = (*row[:place], value, *row[place + 1 :])
    if value == row[place] or not replaced(connection, table, row, fresh):
        return None
    return fresh if table.columns[place] not in free(table) else (None,)


def other(value: Any, random: Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, str):
        return random.choice([value + "x", value[1:], "", value.replace("1", "2")])
    return 1 if value is None else value + random.choice([1, -1, 300])


def deleted(
    home: Home, connection: sqlite3.Connection, table: Table, row: Row, random: Random
) -> Row:
    connection.execute(f'DELETE FROM "{table.name}" WHERE {where(table)}', table.key_of(row))
    return row


def added(
    home: Home, connection: sqlite3.Connection, table: Table, row: Row, random: Random
) -> Row | None:
    place = random.choice(table.key)
    is_number = isinstance(row[place], int)
    value = row[place] + random.randrange(1, 99) if is_number else f"{row[place]}x"
    fresh = [*row[:place], value, *row[place + 1 :]]
    if table.name == "prediction_records":
        fresh[table.columns.index("prediction_id")] += "x"
    if table.name == "people":
        fresh[table.columns.index("pseudonym")] = "person:0123456789abcdef"
    return tuple(fresh) if inserted(connection, table, tuple(fresh)) else None


def copied_back(
    home: Home, connection: sqlite3.Connection, table: Table, row: Row, random: Random
) -> Row | None:
    """A row as the backup has it, half of the time with its nonce."""
    with closing(sqlite3.connect(home.backup)) as backup:
        earlier = {*backup.execute(f'SELECT * FROM "{table.name}"')}
        nonces = list(backup.execute("SELECT * FROM row_nonces WHERE source = ?", [table.name]))
    now = {*connection.execute(f'SELECT * FROM "{table.name}"')}
    different = sorted(earlier - now, key=repr)
    if not different:
        return None
    fresh = random.choice(different)
    connection.execute(f'DELETE FROM "{table.name}" WHERE {where(table)}', table.key_of(fresh))
    if not inserted(connection, table, fresh):
        return None
    if random.random() < 0.5:
        marks = "INSERT OR REPLACE INTO row_nonces VALUES (?, ?, ?)"
        connection.executemany(marks, [n for n in nonces if n[1] == key_text(table, fresh)])
    old = next((r for r in now if table.key_of(r) == table.key_of(fresh)), None)
    changes = [c for c, a, b in zip(table.columns, old or fresh, fresh, strict=True) if a != b]
    return (None,) if old and {*changes} <= free(table) else fresh


def replaced(connection: sqlite3.Connection, table: Table, row: Row, fresh: Row) -> bool:
    columns = ", ".join(f'"{column}" = ?' for column in table.columns)
    statement = f'UPDATE "{table.name}" SET {columns} WHERE {where(table)}'
    try:
        connection.execute(statement, (*fresh, *table.key_of(row)))
    except sqlite3.IntegrityError:
        return False
    return True


def inserted(connection: sqlite3.Connection, table: Table, row: Row) -> bool:
    marks = ", ".join("?" for _ in row)
    try:
        connection.execute(f'INSERT INTO "{table.name}" VALUES ({marks})', row)
    except sqlite3.IntegrityError:
        return False
    return True


def where(table: Table) -> str:
    return " AND ".join(f'"{table.columns[place]}" IS ?' for place in table.key)


def free(table: Table) -> set[str]:
    rows = vouched.VOUCHED.get(table.name)
    return {*rows.free} if rows else set()


def key_text(table: Table, row: Row) -> str:
    """How the ledger names a row."""
    rows = vouched.VOUCHED[table.name]
    return vouched.name_of(tuple(row[table.columns.index(name)] for name in rows.key))


def defended(table: Table, action: str, row: Row) -> bool:
    """Whether it is not of the list of what nothing vouches for."""
    rows = vouched.VOUCHED.get(table.name)
    if table.name in UNDEFENDED or row == (None,):
        return False
    if rows and rows.daily:
        # A day that is not over, or pretends not to be.
        return key_text(table, row) <= usage_days.last_over(datetime.now(UTC)) and action != COPY
    return not (rows and key_text(table, row) in rows.free_rows)


def names(report: Audit, table: Table, row: Row) -> bool:
    """Whether the table is named, or the one that a nonce belongs to."""
    places = {fault.place for fault in report.faults}
    if table.name == "row_nonces":
        return bool(places)
    if table.name == "ledger":
        return bool(report.first_bad)
    if table.name == "event_refs":
        return bool(places & {"events", "event_refs"})
    return table.name in places

