"""What tests of the platform database share: empty ones, one of an early schema, its rows."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from platform_db import postgres

import yupana
from yupana.config.settings import Settings
from yupana.database import schema
from yupana.database.engine import TABLES, engine, unchecked
from yupana.ledger import entries
from yupana.ledger.fault import Check, Fault, Ground
from yupana.ledger.table_check import TableCheck
from yupana.predictions import ledger_check

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


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


def table_faults(url: str) -> list[Fault]:
    """What the ledger says otherwise of the tables and answers than they are."""
    with entries.snapshot(url) as connection:
        ground, last, faults = Ground(Settings(), connection, sqlite3.connect("")), 0, list[Fault]()
        checks: list[Check] = [TableCheck(ground), ledger_check.AnswerCheck(ground)]
        for last, kind, _, line in entries.stored(connection):
            for check in checks:
                faults += check.event(last, kind, line) if kind in check.kinds else []
        return faults + [fault for check in checks for fault in check.finish(last)]
