"""The prediction log in the lake: every answer once, whatever happens in between."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from answers import NOON, prediction, record
from deltalake import CommitProperties, Transaction, write_deltalake
from platform_db import Control, postgres

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.database.engine import engine
from yupana.ledger import entries as book
from yupana.lineage import events, sole_writer
from yupana.monitoring import answers
from yupana.predictions import archive, lake_table, log_writer, prediction_log
from yupana.predictions import export as prediction_export
from yupana.trace import audit
from yupana.trace.backward import trace

# A run that the system ends in the middle of its second commit's files, or before its event.
KILLED = """
import os, signal, sys
from pathlib import Path
from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.lineage import events, sole_writer
from yupana.predictions import export as prediction_export
from yupana.predictions import log_pages
prediction_export.PAGE, pages = 40, []
batch = log_pages.batch
def killed(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
def second_is_killed(*args):
    pages.append(args)
    return batch(*args) if len(pages) < 2 else killed()
if sys.argv[2] == "files":
    log_pages.batch = second_is_killed
else:
    events.append = killed
prediction_export.export(Settings(home=Path(sys.argv[1])), "outbreak", Silent())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as database:
        yield database


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    config = Settings(home=tmp_path / "var")
    config.home.mkdir()
    return config


def _answer(settings: Settings, many: int, start: float = NOON) -> list[str]:
    answers = [record(prediction(f"16{n % 7:04}"), start + n) for n in range(many)]
    log_writer.record(settings.platform_db, answers)
    return [one.prediction_id for one in answers]


def _rows(settings: Settings) -> list[str]:
    rows = delta.read(settings.table("predictions", "outbreak"))["prediction_id"].to_list()
    assert len(rows) == len(set(rows)), "an answer twice"
    return sorted(rows)


def test_each_answer_is_appended_once_and_a_rerun_does_nothing(home: Settings) -> None:
    first = _answer(home, 90)
    log_writer.record(home.platform_db, [record(prediction(use_case="cholera"))])
    result = prediction_export.export(home, "outbreak", Silent())
    assert result.outputs == ("delta:predictions/outbreak@1",) and result.metrics["rows"] == 90
    assert "model:outbreak@3" in result.inputs and "deployment:outbreak:3" in result.inputs
    assert prediction_export.export(home, "outbreak", Silent()).status == "unchanged"
    second = _answer(home, 10, NOON + 1000)
    again = prediction_export.export(home, "outbreak", Silent())
    assert (again.status, again.metrics["rows"]) == ("done", 10)
    assert _rows(home) == sorted(first + second)
    # One event a run that did something, and an answer of the lake leads on by it.
    assert sum(e["step"] == "export-predictions" for e in events.read(home.events)) == 2
    node = trace(home.events, "delta:predictions/outbreak@2")
    assert "model:outbreak@3" in [child.ref for child in node.children]


def test_rows_are_typed_and_whole(home: Settings) -> None:
    one = record(horizon=2)
    log_writer.record(home.platform_db, [one])
    prediction_export.export(home, "outbreak", Silent())
    (row,) = delta.read(home.table("predictions", "outbreak")).to_dicts()
    assert row["time"] == datetime.fromtimestamp(NOON, UTC)
    assert (row["entity"], row["data_as_of"]) == ("160101", date(2022, 1, 1))
    assert json.loads(row["parameters"]) == one.parameters and row["payload_version"] == 1
    assert json.loads(row["features"]) == one.prediction.features
    assert row["prediction_key"] == one.prediction.key
    facts = delta.commit_facts(home.table("predictions", "outbreak"))
    assert (facts["after"], facts["through"], facts["rows"]) == (0, 1, 1)
    (newest,) = lake_table.newest(home, "outbreak", 5)
    assert (newest.payload, newest.parameters) == (one.prediction.payload, one.parameters)
    assert newest.features == one.prediction.features
    logged = prediction_log.by_id(home.platform_db, one.prediction_id, "outbreak")
    archive.forget(home, "outbreak", datetime.fromtimestamp(NOON + 1, UTC))
    assert prediction_log.by_id(home.platform_db, one.prediction_id, None) is None
    assert logged and lake_table.by_id(home, one.prediction_id, "outbreak") == logged
    assert lake_table.by_id(home, one.prediction_id, None) == logged
    assert lake_table.by_id(home, one.prediction_id, "cholera") is None, "of another use case"
    assert lake_table.by_id(home, "0" * 32, None) is None


def test_an_empty_log_is_no_error(home: Settings) -> None:
    assert prediction_export.export(home, "outbreak", Silent()).outputs == ()
    assert lake_table.newest(home, "outbreak", 5) == []


def killed(home: Settings, place: str) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(home.home), place], cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("place", "whole"), [("files", 40), ("event", 100)])
def test_a_run_that_was_killed_is_finished_by_the_next(
    home: Settings, place: str, whole: int
) -> None:
    first = _answer(home, 100)
    killed(home, place)
    assert len(_rows(home)) == whole, "a commit is whole, or not there"
    finished(home, 100, first)
    second = _answer(home, 100, NOON + 1000)
    killed(home, place)
    assert len(_rows(home)) == 100 + whole
    finished(home, 100, first + second)
    archive.forget(home, "outbreak", datetime.fromtimestamp(NOON + 5000, UTC))
    third = _answer(home, 100, NOON + 10_000)
    killed(home, place)
    killed(home, place)
    finished(home, 100, first + second + third)


def test_rows_of_a_stranger_go_with_those_of_a_killed_run(home: Settings) -> None:
    """A run after it would else have vouched for both."""
    ids = _answer(home, 100)
    prediction_export.export(home, "outbreak", Silent())
    ids += _answer(home, 100, NOON + 1000)
    killed(home, "event")
    table = home.table("predictions", "outbreak")
    forged = delta.read(table).head(1).with_columns(prediction_id=pl.lit("0" * 32))
    write_deltalake(str(table), forged.to_arrow(), mode="append")
    finished(home, 100, ids)


def test_what_the_database_has_no_more_is_never_taken_back(home: Settings) -> None:
    ids = _answer(home, 100)
    prediction_export.export(home, "outbreak", Silent())
    ids += _answer(home, 100, NOON + 1000)
    killed(home, "event")
    log = prediction_export._log(engine(home.platform_db))
    sole_writer.put_back(home, "predictions/outbreak", sole_writer.Count(log, least=150))
    assert _rows(home) == sorted(ids)
    sole_writer.put_back(home, "predictions/outbreak", sole_writer.Count(log, least=100))
    assert _rows(home) == sorted(ids[:100]) and prediction_export.exported(home, "outbreak") == 100


def finished(home: Settings, rows: int, ids: list[str]) -> None:
    """A run after a killed one leaves all rows, once, and one event that tells of all of them."""
    result = prediction_export.export(home, "outbreak", Silent())
    assert (result.metrics["rows"], _rows(home)) == (rows, sorted(ids))
    assert "model:outbreak@3" in result.inputs
    report = audit.verify(home, Silent())
    assert report.ok, report
    assert prediction_export.export(home, "outbreak", Silent()).status == "unchanged"


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_runs_at_once_add_nothing_twice(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on two machines, whose locks know nothing of each other."""
    monkeypatch.setattr(prediction_export, "PAGE", 20)
    other = Settings(home=home.home.parent / "other", platform_url=home.platform_db)
    other.home.mkdir()
    (other.home / "lake").symlink_to(home.lake)
    (home.home / "keys").mkdir(mode=0o700, exist_ok=True)
    (other.home / "keys").symlink_to(home.home / "keys")
    home.lake.mkdir()
    given_ids = _answer(home, 200)
    busy: list[str] = []
    start = threading.Barrier(2)

    def run(settings: Settings) -> None:
        start.wait()
        for _ in range(12):
            try:
                prediction_export.export(settings, "outbreak", Silent())
                return
            except TransientError as error:
                busy.append(error.what)

    threads = [threading.Thread(target=run, args=(s,)) for s in (home, other)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert _rows(home) == sorted(given_ids)
    assert busy, "neither saw the other: the test shows nothing"


def test_only_what_is_in_the_lake_is_forgotten(home: Settings) -> None:
    for n in range(0, 50, 10):
        _answer(home, 10, NOON + n)
    prediction_export.export(home, "outbreak", Silent())
    later = _answer(home, 30, NOON + 25)
    before = datetime.fromtimestamp(NOON + 40, UTC)
    assert archive.forget(home, "outbreak", before) == 40
    rest = [entry.prediction_id for entry in prediction_log.entries(home.platform_db, "outbreak")]
    assert len(rest) == 40 and set(later) <= set(rest)
    (event,) = book.read(home.platform_db, kind="archive")
    assert (event.facts["rows"], event.facts["n"]) == ([1, 40], 40)
    report = audit.verify(home, Silent())
    assert report.ok, report
    prediction_export.export(home, "outbreak", Silent())
    assert len(_rows(home)) == 80
    assert archive.forget(home, "outbreak", before) == 0
    later_still = datetime.fromtimestamp(NOON + 1000, UTC)
    assert archive.forget(home, "outbreak", later_still) == 40
    report = audit.verify(home, Silent())
    assert report.ok, report


def test_a_group_that_was_tampered_with_does_not_leave_the_log(home: Settings) -> None:
    for n in range(0, 30, 10):
        _answer(home, 10, NOON + n)
    prediction_export.export(home, "outbreak", Silent())
    with engine(home.platform_db).begin() as connection:
        connection.exec_driver_sql("UPDATE prediction_records SET agency = 'B' WHERE seq = 15")
    with pytest.raises(TerminalError, match="not as they were sealed"):
        archive.forget(home, "outbreak", datetime.fromtimestamp(NOON + 1000, UTC))
    report = audit.verify(home, Silent())
    assert not report.ok and "rows 11 to 20" in report.message, report


def test_another_database_starts_its_own_count(home: Settings, tmp_path: Path) -> None:
    """Moving from SQLite to a server: its numbers begin at one again."""
    first = _answer(home, 30)
    prediction_export.export(home, "outbreak", Silent())
    moved = Settings(home=home.home, platform_url=f"sqlite:///{tmp_path / 'new.db'}")
    second = _answer(moved, 20)
    prediction_export.export(moved, "outbreak", Silent())
    assert _rows(home) == sorted(first + second)


def test_an_answer_that_is_still_being_written_is_not_passed_over(
    server: tuple[str, Control], tmp_path: Path
) -> None:
    """PostgreSQL numbers rows before it commits them: a lower number may come later."""
    settings = Settings(home=tmp_path, platform_url=server[0])
    database = engine(server[0])
    slow, late = record(), threading.Event()
    raw = database.raw_connection()
    writer = log_writer.Inserter(raw, "postgresql")
    cursor = raw.cursor()
    log_writer.record(server[0], [record()])
    cursor.execute(writer._sql["prediction_records"], (json.dumps([log_writer.record_row(slow)]),))
    log_writer.record(server[0], [record()])

    def export() -> None:
        prediction_export.export(settings, "outbreak", Silent())
        late.set()

    running = threading.Thread(target=export)
    running.start()
    assert not late.wait(1), "it waits for the writer"
    raw.commit()
    running.join()
    raw.close()
    assert slow.prediction_id in _rows(settings) and len(_rows(settings)) == 3
    with database.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(prediction_log.RECORDS))


def test_a_database_that_is_away_is_worth_a_retry(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, platform_url="postgresql+psycopg://x@127.0.0.1:1/none")
    with pytest.raises(TransientError, match="away"):
        prediction_export.export(settings, "outbreak", Silent())


def _of_the_first_shape(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the lake as it was before predictions were of any kind."""
    parameters, payload = json.loads(row.pop("parameters")), json.loads(row.pop("payload"))
    del row["payload_version"]
    names = {"prediction_key": "told", "entity": "ubigeo"}
    return {names.get(name, name): value for name, value in row.items()} | {
        "horizon": parameters["horizon"], "as_of": date.fromisoformat(parameters["as_of"]),
        "answer": json.dumps(payload["weeks"]),
    }  # fmt: skip


def test_a_lake_table_of_before_is_rewritten_by_the_next_export(home: Settings) -> None:
    ids = _answer(home, 90)
    prediction_export.export(home, "outbreak", Silent())
    originals = {i: prediction_log.by_id(home.platform_db, i, "outbreak") for i in ids}
    archive.forget(home, "outbreak", datetime.fromtimestamp(NOON + 1000, UTC))
    table = home.table("predictions", "outbreak")
    log = prediction_export._log(engine(home.platform_db))
    earlier = [_of_the_first_shape(row) for row in delta.read(table).to_dicts()]
    shutil.rmtree(table)
    write_deltalake(
        str(table), pl.DataFrame(earlier).to_arrow(),
        commit_properties=CommitProperties(app_transactions=[Transaction(log, 90)]),
    )  # fmt: skip
    ref = "delta:predictions/outbreak@0"
    events.append(home, "vouch", ref, status="done", outputs=(ref,))
    for read in (
        lambda: lake_table.newest(home, "outbreak", 5),
        lambda: lake_table.by_id(home, ids[0], "outbreak"),
        lambda: answers.count(home, "outbreak", date(2026, 1, 1)),
    ):
        with pytest.raises(TerminalError, match="earlier release") as refused:
            read()
        assert refused.value.fix.startswith("Run `yupana export-predictions outbreak`")
    more = _answer(home, 10, NOON + 1000)
    assert prediction_export.export(home, "outbreak", Silent()).metrics["rows"] == 10
    assert _rows(home) == sorted(ids + more), "every record once"
    assert {i: lake_table.by_id(home, i, "outbreak") for i in ids} == originals
    assert len(lake_table.newest(home, "outbreak", 100)) == 100
    assert prediction_export.export(home, "outbreak", Silent()).status == "unchanged"
