"""The platform database: migrations make what the code describes, and lose no row."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from answers import prediction, record
from command import yupana as command
from schemas import every_table, server, url

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.database import schema
from yupana.database.engine import engine, unchecked
from yupana.predictions import log_writer, prediction_log

__all__ = ["server", "url"]
PERSON = {"account": "os:ana", "pseudonym": "person:0123456789abcdef"}


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
