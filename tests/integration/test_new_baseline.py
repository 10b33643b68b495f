"""Who tampers with tables and then vouches for all of them anew is found by the new baseline."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from schemas import earlier, every_table, server, table_faults, url

from tests import tampering, used_home
from tests.tampering import Owner, Row, Table
from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database import schema
from yupana.database.engine import engine
from yupana.ledger import entries, export, signing, vouched, vouched_tables
from yupana.trace import audit

__all__ = ["earlier", "server", "url"]
TAMPERED = [
    "alerts", "deployment_slots", "feedback", "keys", "monitor_runs", "projects", "webhooks",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = used_home.make(tmp_path_factory.mktemp("baseline"))
    used_home.work(settings, 0)
    assert audit.verify(settings, Silent()).ok
    return settings


def edit(owner: Owner, table: Table, row: Row) -> None:
    place = next(
        n for n, column in enumerate(table.columns)
        if n not in table.key and column not in table.free() and isinstance(row[n], str)
    )  # fmt: skip
    fresh = (*row[:place], tampering.other(row[place], Random(1)), *row[place + 1 :])
    assert owner.replace(table, row, fresh)


def add(owner: Owner, table: Table, row: Row) -> None:
    fresh = [f"{value}x" if n in table.key else value for n, value in enumerate(row)]
    assert owner.insert(table.name, tuple(fresh))


def delete(owner: Owner, table: Table, row: Row) -> None:
    assert owner.delete(table, row)


def vouch_anew(settings: Settings) -> None:
    """Append the digests of all rows as they are now, as the first schema of them did."""
    every_table()
    with engine(settings.platform_db).begin() as connection:
        rows = {
            vouched.TABLES.tables[name]: [
                tuple(row.key.split("/", len(spec.key) - 1))
                for row in vouched.stored(connection, vouched.TABLES.tables[name])
            ]
            for name, spec in vouched_tables.VOUCHED.items()
            if not spec.daily
            and all(isinstance(vouched.TABLES.tables[name].c[k].type, sa.String) for k in spec.key)
        }
        (entry,) = vouched.changes(connection, rows)
        baseline = entries.Entry(entry.kind, vouched.BASELINE, entry.facts)
        entries.write(connection, [baseline], datetime.now(UTC))


@pytest.mark.parametrize("name", TAMPERED)
@pytest.mark.parametrize(
    ("act", "what"), [(edit, "changed"), (add, "inserted"), (delete, "deleted")]
)
@pytest.mark.parametrize("incremental", [True, False])
def test_a_later_baseline_vouches_for_nothing_that_was_tampered_with(
    home: Settings, tmp_path: Path, name: str, act: Callable[[Owner, Table, Row], None], what: str,
    incremental: bool,
) -> None:  # fmt: skip
    settings = copied(home, tmp_path)
    owner = Owner(settings.platform_db)
    table = next(t for t in owner.tables if t.name == name)
    act(owner, table, owner.rows(name)[0])
    vouch_anew(settings)
    report = audit.verify(settings, Silent(), incremental=incremental)
    assert (name, what) in {(fault.place, fault.what) for fault in report.faults}, report
    assert {fault.place for fault in report.faults} <= {name, "keys_revision"}
    export.write(settings, tmp_path / "ledger.jsonl", Silent(), datetime.now(UTC))
    exported = export.checked(tmp_path / "ledger.jsonl", signing.public_key(settings), Silent())
    assert exported.ok == (what == "deleted"), "an export has no tables to look at"


def test_a_baseline_that_says_what_events_said_is_followed(home: Settings, tmp_path: Path) -> None:
    settings = copied(home, tmp_path)
    vouch_anew(settings)
    report = audit.verify(settings, Silent())
    assert report.ok, report
    used_home.work(settings, 1)
    assert audit.verify(settings, Silent(), incremental=True).ok


def copied(home: Settings, folder: Path) -> Settings:
    """A home of its own with the same rows, keys and mark."""
    shutil.copytree(home.home, folder / "home")
    return home.model_copy(update={"home": folder / "home"})


def test_what_was_changed_while_the_schema_was_down_is_named(earlier: sa.Engine, url: str) -> None:
    schema.upgrade(earlier)
    schema.downgrade(earlier, "0005")
    schema.upgrade(earlier)
    assert table_faults(url) == [], "nobody touched anything"
    schema.downgrade(earlier, "0005")
    with earlier.begin() as connection:
        connection.exec_driver_sql("UPDATE feedback SET agency = 'B' WHERE feedback_id = 'a'")
        before = nonces(connection)
    schema.upgrade(earlier)
    (fault,) = table_faults(url)
    assert (fault.what, fault.place, fault.key) == ("changed", "feedback", "a")
    assert "baseline" in fault.message
    with earlier.connect() as connection:
        different = {name for name, nonce in nonces(connection).items() if before[name] != nonce}
    assert different == {("feedback", "a")}


def nonces(connection: sa.Connection) -> dict[tuple[str, str], str]:
    rows = connection.exec_driver_sql("SELECT source, key, nonce FROM row_nonces")
    return {(source, key): nonce for source, key, nonce in rows}
