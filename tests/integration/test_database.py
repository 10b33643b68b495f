"""The platform database: migrations make what the code describes, and lose no row."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from answers import prediction, record
from command import yupana as command
from platform_db import postgres

import yupana
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.database import schema
from yupana.database.engine import TABLES, Moment, engine, unchecked
from yupana.ledger import entries, verifier
from yupana.ledger.fault import Check, Fault, Ground
from yupana.ledger.table_check import TableCheck
from yupana.predictions import feedback, ledger_check, log_writer, prediction_log

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERSON = {"account": "os:ana", "pseudonym": "person:0123456789abcdef"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as (url, _):
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/platform.db"
        return
    address = request.getfixturevalue("server")
    with unchecked(address).begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.cache_clear()
    yield address


def every_table() -> sa.MetaData:
    """Import all of yupana's modules that describe a table."""
    for module in pkgutil.walk_packages(yupana.__path__, "yupana."):
        source = module.module_finder.find_spec(module.name)  # type: ignore[call-arg, union-attr]
        if not module.ispkg and "TABLES" in Path(source.origin).read_text("utf-8"):  # type: ignore
            importlib.import_module(module.name)
    return TABLES


def test_migrations_make_the_tables_that_the_code_describes(url: str) -> None:
    tables = every_table()
    with engine(url).connect() as connection:
        options = {"compare_type": True, "version_table": schema.VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables) == []
    assert {"ledger", "keys", "prediction_records", "projects"} <= set(tables.tables)


def test_the_newest_migration_is_what_the_code_needs() -> None:
    assert schema._revisions()[-1] == schema.HEAD


def test_tables_from_before_migrations_are_refused_then_adopted_with_their_rows(url: str) -> None:
    people = every_table().tables["people"]
    old = unchecked(url)
    with old.begin() as connection:
        people.create(connection)
        connection.execute(sa.insert(people).values(PERSON))
    with pytest.raises(TerminalError, match="of before migrations") as refused:
        engine(url)
    assert "yupana database upgrade" in refused.value.fix
    assert schema.upgrade(old) == ("", schema.HEAD)
    with engine(url).connect() as connection:
        assert dict(connection.execute(sa.select(people)).mappings().one()) == PERSON


def test_a_newer_schema_is_refused(url: str) -> None:
    with engine(url).begin() as connection:
        connection.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    engine.cache_clear()
    with pytest.raises(TerminalError, match="schema 9999") as refused:
        engine(url)
    assert "newer yupana" in refused.value.fix


def test_processes_that_meet_an_empty_database_make_its_tables_once(url: str) -> None:
    code = f"from yupana.database.engine import engine; engine({url!r})"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    with engine(url).connect() as connection:
        assert schema.read(connection).is_current


# What schema 0002 held: the columns of weekly forecasts, before predictions were of any kind.
EARLIER: dict[str, list[dict[str, Any]]] = {
    "districts_asked": [
        {"day": "2026-01-02", "agency": "DIRESA", "model": "outbreak@3", "ubigeo": "160101",
         "asked": 7}
    ],
    "requests_counted": [
        {"day": "2026-01-02", "key_id": "k1", "agency": "DIRESA", "model": "outbreak@3",
         "scope": "outbreak:forecast", "status": 200, "latency": 3, "n": 9}
    ],
    "forecasts_told": [
        {"key": "f1", "use_case": "outbreak", "model_version": "3", "deployment": "outbreak:3",
         "features_ref": "delta:features/outbreak_weekly@2", "ubigeo": "160101",
         "data_as_of": "2022-01-01", "features": '{"odd": "a\\u0000b ñ"}',
         "answer": '[{"horizon": 1, "week_ending": "2022-01-08", "median": 1.50}]',
         "caveats": "[]"}
    ],
    "answers_given": [
        {"prediction_id": f"p{n}", "time": 1_772_366_400.25 + n, "told": "f1",
         "horizon": 8 - n, "as_of": "2022-01-05", "key_id": "k1", "agency": "DIRESA Loreto",
         "kind": "answer", "request_id": "r \"1\""}
        for n in (1, 2)
    ],
    "log_signs": [{"name": "id", "value": "abc"}],
    "feedback": [
        {"feedback_id": "a", "time": NOON, "prediction_id": "p1", "kind": "observed",
         "week_ending": "2022-01-08", "cases": 4, "comment": "", "key_id": "k1", "agency": "A"},
        {"feedback_id": "b", "time": NOON, "prediction_id": "p2", "kind": "complaint",
         "week_ending": None, "cases": None, "comment": "Faltan camas.", "key_id": "k1",
         "agency": "A"},
        # On an answer that moved to the lake.
        {"feedback_id": "c", "time": NOON, "prediction_id": "gone", "kind": "observed",
         "week_ending": "2022-01-08", "cases": 0, "comment": "", "key_id": "k1", "agency": "A"},
        {"feedback_id": "d", "time": NOON, "prediction_id": "p1", "kind": "complaint",
         "week_ending": "2022-01-08", "cases": None, "comment": "No.", "key_id": "k1",
         "agency": "A"},
    ],
}  # fmt: skip


def test_alerts_and_runs_of_the_monitor_go_down_and_up_again(url: str) -> None:
    database, tables = engine(url), every_table()
    day = date(2022, 1, 1)
    rows = {
        name: {c.name: _value(c, day) for c in tables.tables[name].columns}
        for name in ("alerts", "monitor_runs", "monitor_checks")
    }
    with database.begin() as connection:
        for name, row in rows.items():
            connection.execute(sa.insert(tables.tables[name]).values(row))
    schema.downgrade(database, "0002")
    with database.connect() as connection:
        weeks = "SELECT a.week, a.first_week, r.week, c.week FROM alerts a, monitor_runs r, "
        old = connection.exec_driver_sql(f"{weeks} monitor_checks c").one()
    assert {str(one) for one in old} == {str(day)}
    schema.upgrade(database)
    with database.connect() as connection:
        for name, row in rows.items():
            found = connection.execute(sa.select(tables.tables[name])).mappings()
            assert dict(found.one()) == row


def _value(column: sa.Column[Any], day: date) -> Any:
    """A value that the column takes."""
    kinds = {sa.Date: day, sa.Float: 0.5, sa.Integer: 3}
    if isinstance(column.type, Moment):
        return datetime(2022, 1, 5, 12, tzinfo=UTC)
    return next((v for kind, v in kinds.items() if isinstance(column.type, kind)), column.name)


def fill(database: sa.Engine, tables: dict[str, list[dict[str, Any]]]) -> None:
    meta = sa.MetaData()
    with database.begin() as connection:
        for name, rows in tables.items():
            table = sa.Table(name, meta, autoload_with=connection)
            connection.execute(sa.insert(table), rows)


def read(database: sa.Engine, name: str) -> list[dict[str, Any]]:
    """All rows of a table, in the order of its first column; times as the database has them."""
    with database.connect() as connection:
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        rows = connection.execute(sa.select(table).order_by(next(iter(table.columns)))).mappings()
        return [dict(row) for row in rows]


@pytest.fixture
def earlier(url: str) -> sa.Engine:
    """A database of schema 0001 with rows, two of whose records were sealed by the ledger."""
    database = unchecked(url)
    schema.upgrade(database, "0001")
    fill(database, EARLIER)
    rows = [
        [one[name] for name in ("prediction_id", "time", "told", "horizon", "as_of", "key_id",
                                "agency", "kind", "request_id")]
        for one in EARLIER["answers_given"]
    ]  # fmt: skip
    facts = {
        "n": 2, "rows": [1, 2], "first": "p1", "last": "p2",
        "sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest(),
    }  # fmt: skip
    with database.begin() as connection:
        entries.write(connection, [entries.Entry("predictions", "outbreak", facts)], NOON)
    return database


def test_rows_go_up_and_down_and_up_again(earlier: sa.Engine, url: str) -> None:
    before = {name: read(earlier, name) for name in EARLIER}
    assert schema.upgrade(earlier) == ("0001", schema.HEAD)
    own = {"ledger", "row_nonces"}
    upgraded = {name: read(earlier, name) for name in every_table().tables if name not in own}
    assert table_faults(url) == []
    assert schema.downgrade(earlier, "0001") == (schema.HEAD, "0001")
    for name, rows in before.items():
        assert [_plain(row) for row in read(earlier, name)] == [_plain(row) for row in rows], name
    assert schema.upgrade(earlier) == ("0001", schema.HEAD)
    for name, rows in upgraded.items():
        assert [_plain(row) for row in read(earlier, name)] == [_plain(row) for row in rows], name
    assert table_faults(url) == []
    with earlier.begin() as connection:
        connection.exec_driver_sql("UPDATE feedback SET agency = 'B' WHERE feedback_id = 'a'")
        connection.exec_driver_sql("DELETE FROM request_counts")
    places = [(fault.what, fault.place, fault.key) for fault in table_faults(url)]
    assert places == [("changed", "feedback", "a"), ("deleted", "request_counts", "2026-01-02")]
    with earlier.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), every_table()) == [
            ("remove_table", ANY)  # that of the schema's own version
        ]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose JSON is read: SQLite writes it anew on the way down."""
    return {k: json.loads(v) if _is_json(v) else v for k, v in row.items()}


def _is_json(value: Any) -> bool:
    return isinstance(value, str) and value[:1] in ("{", "[")


def test_weekly_forecasts_become_predictions_of_any_kind(earlier: sa.Engine, url: str) -> None:
    schema.upgrade(earlier)
    entry = prediction_log.by_id(url, "p2", "outbreak")
    assert entry and (entry.entity, entry.agency) == ("160101", "DIRESA Loreto")
    assert entry.payload["weeks"][0]["median"] == 1.5 and entry.payload_version == 1
    assert entry.parameters == {"as_of": "2022-01-05", "horizon": 6}
    assert entry.features == {"odd": "a\0b ñ"} and entry.request_id == 'r "1"'
    listed = sorted(feedback.listing(url, "outbreak", NOON), key=lambda one: one.feedback_id)
    observed, complaint, moved, partial = listed
    assert observed.payload == {"week_ending": "2022-01-08", "cases": 4}
    assert (observed.entity, complaint.entity, moved.entity) == ("160101", "160101", "")
    assert (complaint.payload, moved.payload["cases"]) == ({}, 0)
    assert partial.payload == {"week_ending": "2022-01-08"}
    # The next number is higher than any that was there, also after the newest row went.
    with earlier.begin() as connection:
        connection.exec_driver_sql("DELETE FROM prediction_records WHERE seq = 2")
    log_writer.record(url, [record()])
    assert read(earlier, "prediction_records")[-1]["seq"] == 3


def table_faults(url: str) -> list[Fault]:
    """What the ledger says otherwise of the tables and answers than they are."""
    with entries.snapshot(url) as connection:
        ground, last, faults = Ground(Settings(), connection, sqlite3.connect("")), 0, list[Fault]()
        checks: list[Check] = [TableCheck(ground), ledger_check.AnswerCheck(ground)]
        for last, kind, _, line in entries.stored(connection):
            for check in checks:
                faults += check.event(last, kind, line) if kind in check.kinds else []
        return faults + [fault for check in checks for fault in check.finish(last)]


def changed(url: str, event: entries.Sealed) -> list[Fault]:
    """What is wrong with the group of an event."""
    with engine(url).connect() as connection:
        rows = list(ledger_check.records(connection, *event.facts["rows"]))
    return ledger_check.group_faults(event.seq, event.time, event.facts, rows)


def test_the_ledger_of_before_still_verifies_and_still_finds_a_change(
    earlier: sa.Engine, url: str
) -> None:
    schema.upgrade(earlier)
    (event,) = entries.read(url, kind="predictions")
    assert changed(url, event) == []
    log_writer.record(url, [record()])
    first, second = entries.read(url, kind="predictions")
    assert "digest" not in first.facts and second.facts["digest"] == 3
    assert changed(url, second) == []
    schema.downgrade(earlier, "0003")
    schema.upgrade(earlier)
    for event in (first, second):
        assert changed(url, event) == [], "down and up again"
    for column, value in (
        ("parameters", '{"as_of": "2022-01-05", "horizon": 5}'), ("parameters", "{}"),
        ("parameters", "no JSON"), ("agency", "B"), ("prediction_key", "f2"),
    ):  # fmt: skip
        where = {"id": "p2", "value": value}
        change = sa.text(
            f"UPDATE prediction_records SET {column} = :value WHERE prediction_id = :id"
        )
        with earlier.connect() as connection:
            old = read(earlier, "prediction_records")[1][column]
            connection.execute(change, where)
            connection.commit()
        (found,) = changed(url, first)
        assert found.what == "changed", (column, value)
        with earlier.begin() as connection:
            connection.execute(change, {**where, "value": old})
    assert changed(url, first) == []


def test_a_database_and_an_export_that_an_earlier_release_wrote_still_verify(
    tmp_path: Path,
) -> None:
    """Written by the release of schema 0002: two groups of answers, feedback, a signed day."""
    earlier = Path(__file__).parents[1] / "golden" / "schema_0002"
    with sqlite3.connect(tmp_path / "platform.db") as connection:
        connection.executescript((earlier / "platform.sql").read_text("utf-8"))
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    assert schema.upgrade(unchecked(url)) == ("0002", schema.HEAD)
    lines = [*verifier.lines_of(earlier / "ledger.jsonl")]
    report = verifier.verify(lines, (earlier / "ledger.pub").read_text())
    assert report.ok and report.checked == 6, report
    stored = [line for *_, line in entries.rows(url)]
    assert stored[:6] == lines[:-1], "no migration touches what the ledger has"
    groups = [*entries.read(url, kind="predictions")]
    assert [event.facts["n"] for event in groups] == [2, 2]
    assert [changed(url, e) for e in groups] == [[], []]
    kinds = [e.kind for e in prediction_log.entries(url, "outbreak", kinds=("answer", "shadow"))]
    assert kinds == ["answer", "answer", "shadow", "answer"]
    with engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE prediction_records SET agency = 'B' WHERE seq = 4")
    assert [bool(changed(url, e)) for e in groups] == [False, True]


@pytest.mark.parametrize(
    ("content", "parameters", "table"),
    [
        ({"class": "billing"}, {"as_of": "2022-01-05", "horizon": 1}, "predictions"),
        ({"weeks": []}, {}, "prediction_records"),
    ],
)
def test_a_prediction_of_another_kind_has_no_way_down(
    url: str, content: dict[str, Any], parameters: dict[str, Any], table: str
) -> None:
    one = record(prediction()._replace(payload=content))._replace(parameters=parameters)
    log_writer.record(url, [one])
    database = engine(url)
    with pytest.raises(UsageError, match=f"1 rows of {table}"):
        schema.downgrade(database, "0003")
    assert prediction_log.by_id(url, one.prediction_id, "outbreak"), "as it was"


def test_a_migration_that_fails_leaves_what_was_there(earlier: sa.Engine) -> None:
    with earlier.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW entity_counts AS SELECT 1 AS one")
    with pytest.raises((sa.exc.DBAPIError, TransientError)):
        schema.upgrade(earlier)
    with earlier.connect() as connection:
        assert schema.read(connection).revision == "0001"
    assert read(earlier, "districts_asked") == EARLIER["districts_asked"]


def test_a_database_that_is_held_by_another_is_worth_a_retry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yupana.database.engine.BUSY_SECONDS", 0.1)
    database = unchecked(f"sqlite:///{tmp_path}/platform.db")
    with database.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="does not answer"):
            schema.upgrade(database)


def test_the_ledger_has_no_way_down(url: str) -> None:
    database = engine(url)
    with pytest.raises(UsageError, match="no way down"):
        schema.downgrade(database, "base")


def test_the_commands_say_what_they_do(lake: Settings) -> None:
    first = command(lake, "database", "check")
    assert first.code == 0 and "none: it is empty" in first.stdout
    assert f"none → {schema.HEAD}" in command(lake, "database", "upgrade").stdout
    assert f"{schema.HEAD}, as before" in command(lake, "database", "upgrade").stdout
    report = json.loads(command(lake, "database", "check", "--json").stdout)
    assert report == {"schema": schema.HEAD, "needs": schema.HEAD, "empty": False}
    unknown = command(lake, "database", "downgrade", "0777")
    assert unknown.code == 2 and schema.HEAD in unknown.stderr
