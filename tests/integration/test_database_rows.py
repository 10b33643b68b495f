"""Rows of earlier schemas: they go up, down and up again, and their ledger still verifies."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from answers import record
from schemas import EARLIER, NOON, earlier, every_table, read, server, table_faults, url

from yupana.core.errors import TransientError
from yupana.database import schema
from yupana.database.engine import Moment, engine, unchecked
from yupana.ledger import entries, verifier
from yupana.ledger.fault import Fault
from yupana.predictions import feedback, ledger_check, log_writer, prediction_log

__all__ = ["earlier", "server", "url"]


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
    # SQLite wrote the text of this one anew on the way down.
    anew = [("changed", "predictions", "f1")] if url.startswith("sqlite") else []
    assert [(fault.what, fault.place, fault.key) for fault in table_faults(url)] == anew
    with earlier.begin() as connection:
        connection.exec_driver_sql("UPDATE feedback SET agency = 'B' WHERE feedback_id = 'a'")
        connection.exec_driver_sql("DELETE FROM request_counts")
    places = [(fault.what, fault.place, fault.key) for fault in table_faults(url)]
    assert places == [
        *anew, ("changed", "feedback", "a"), ("deleted", "request_counts", "2026-01-02"),
    ]  # fmt: skip
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
    release = Path(__file__).parents[1] / "golden" / "schema_0002"
    with sqlite3.connect(tmp_path / "platform.db") as connection:
        connection.executescript((release / "platform.sql").read_text("utf-8"))
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    assert schema.upgrade(unchecked(url)) == ("0002", schema.HEAD)
    lines = [*verifier.lines_of(release / "ledger.jsonl")]
    report = verifier.verify(lines, (release / "ledger.pub").read_text())
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


def test_a_migration_that_fails_leaves_what_was_there(earlier: sa.Engine) -> None:
    with earlier.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW entity_counts AS SELECT 1 AS one")
    with pytest.raises((sa.exc.DBAPIError, TransientError)):
        schema.upgrade(earlier)
    with earlier.connect() as connection:
        assert schema.read(connection).revision == "0001"
    assert read(earlier, "districts_asked") == EARLIER["districts_asked"]
