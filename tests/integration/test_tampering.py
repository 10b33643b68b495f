"""Whoever owns the database tampers with it at random places: each is found and named.

On a real home (`used_home`) that every part of the platform wrote. What is drawn is a table, a row
and an action: a value edited, the row deleted, one added, or one copied back from a backup. The
mark of the last good check lies in the middle of the home's work, so that half of what is tampered
with is from before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import pytest
from platform_db import postgres
from schemas import every_table

from tests import tampering, used_home
from tests.tampering import COPY, EDIT, Owner, Row, Rows, Table
from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database import schema
from yupana.database.engine import engine
from yupana.ledger import mark, vouched_tables
from yupana.ledger.check import Audit
from yupana.predictions import usage_days
from yupana.trace import audit

SHORT, LONG = 60, 2_000
UNDEFENDED = {"quota_spent", schema.VERSION_TABLE}


@dataclass(frozen=True)
class Home:
    """A home after ordinary work, its rows as they were, and as they were some work before."""

    settings: Settings
    owner: Owner
    whole: Rows
    backup: Rows
    marked: int
    """Events that the mark has seen."""

    def put_back(self, *tables: str) -> None:
        self.owner.put_back(self.whole, *tables)
        folder = self.settings.home / "ledger"
        for name in (mark.MARK, mark.REPLAY):
            (folder / name).write_bytes((folder / f"whole.{name}").read_bytes())

    def verified(self, *, incremental: bool = True) -> Audit:
        return audit.verify(self.settings, Silent(), incremental=incremental)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("tampering")
    if request.param == "sqlite":
        yield made(used_home.make(folder))
        return
    with postgres() as (url, _):
        engine.cache_clear()
        yield made(used_home.make(folder, url))


def made(settings: Settings) -> Home:
    used_home.work(settings, 0)
    owner = Owner(settings.platform_db)
    backup = owner.everything()
    used_home.work(settings, 1)
    used_home.serve(settings, 1)  # What was answered before has moved to the lake.
    report = audit.verify(settings, Silent())
    assert report.ok, report
    for name in (mark.MARK, mark.REPLAY):
        path = settings.home / "ledger" / name
        path.with_name(f"whole.{name}").write_bytes(path.read_bytes())
    used_home.work(settings, 2)
    owner.drop_triggers()
    return Home(settings, owner, owner.everything(), backup, report.checked)


def test_every_table_is_vouched_for_or_listed_with_a_reason() -> None:
    listed = {*vouched_tables.VOUCHED, *vouched_tables.OTHERWISE, *vouched_tables.OUTSIDE}
    assert {*every_table().tables} <= listed, "say what vouches for a new table"
    outside = vouched_tables.OUTSIDE
    assert all(all(reason) for reason in outside.values()) and len(outside) <= 5
    for name, rows in vouched_tables.VOUCHED.items():
        columns = {*every_table().tables[name].columns.keys()}
        assert {*rows.key, *rows.free} <= columns and all(rows.free.values())


def test_ordinary_work_raises_no_alarm(home: Home) -> None:
    """And fills every table of which something is said: else nothing would be shown below."""
    for incremental in (True, False):
        home.put_back()
        report = home.verified(incremental=incremental)
        assert report.ok and report.witness.files == 1, report
        assert report.scope.since == (home.marked if incremental else 0), report
    for table in home.owner.tables:
        assert home.whole[table.name], table.name


@pytest.mark.parametrize(
    ("seed", "many"),
    [pytest.param(29, SHORT), pytest.param(17, LONG, marks=pytest.mark.long)],
)
def test_whatever_is_tampered_with_is_found_and_named(home: Home, seed: int, many: int) -> None:
    random, undefended, later = Random(seed), 0, 0
    for number in range(many):
        home.put_back()
        action, table, row = tampering.tamper(home.owner, home.whole, home.backup, random)
        try:
            if not defended(table, action, row):
                undefended += 1
                continue
            report = home.verified()
            if report.ok:
                later += 1
                assert not_read_again(home, action, table, row), (number, action, table.name, row)
                report = home.verified(incremental=False)
            assert not report.ok, (number, action, table.name, row)
            assert names(report, table), (number, action, table.name, row, str(report))
        finally:
            home.put_back(table.name, "row_nonces")
    print(f"{many} places: {undefended} not defended, {later} found by --all alone")
    assert undefended < many / 4 and later < many / 4, "the lists of what is not found are short"
    assert home.verified().ok and home.verified(incremental=False).ok


def defended(table: Table, action: str, row: Row) -> bool:
    """Whether it is not of the list of what nothing vouches for."""
    rows = vouched_tables.VOUCHED.get(table.name)
    if table.name in UNDEFENDED or row == (None,):
        return False
    if rows and rows.daily:
        # A day that is not over, or pretends not to be.
        return table.name_of(row) <= usage_days.last_over(datetime.now(UTC)) and action != COPY
    return not (rows and table.name_of(row) in rows.free_rows)


def not_read_again(home: Home, action: str, table: Table, row: Row) -> bool:
    """Whether it is the text of an event, or an answer, that an earlier check read."""
    if action not in (EDIT, COPY) or table.name not in ("ledger", "prediction_records"):
        return False
    if table.name == "ledger":
        return bool(row[0] <= home.marked)
    groups = [json.loads(line) for seq, kind, _, line in home.whole["ledger"]
              if seq <= home.marked and kind == "predictions"]  # fmt: skip
    last = max(group["facts"]["rows"][1] for group in groups)
    return bool(row[table.columns.index("seq")] <= last)


def names(report: Audit, table: Table) -> bool:
    """Whether the table is named, or the one that a nonce belongs to."""
    places = {fault.place for fault in report.faults}
    if table.name == "row_nonces":
        return bool(places)
    if table.name == "ledger":
        return bool(report.first_bad)
    if table.name == "event_refs":
        return bool(places & {"events", "event_refs"})
    return table.name in places
