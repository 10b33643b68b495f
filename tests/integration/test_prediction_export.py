"""The prediction log in the lake: every answer once, whatever happens in between."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from answers import NOON, given, told
from platform_db import Control, postgres

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TransientError
from yupana.core.progress import Silent
from yupana.data import delta, prediction_export, prediction_table
from yupana.governance import events, prediction_rows, predictions
from yupana.governance.database import engine
from yupana.governance.trace import trace

# A run that the system ends in the middle of its second commit's files.
KILLED = """
import os, signal, sys
from pathlib import Path
from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.data import prediction_export
pages = prediction_export._batch
prediction_export.PAGE = 40
def batch(rows, forecasts, schema):
    table = settings.table("predictions", "outbreak")
    if (table / "_delta_log" / f"{1:020}.json").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return pages(rows, forecasts, schema)
prediction_export._batch = batch
settings = Settings(home=Path(sys.argv[1]))
prediction_export.export(settings, "outbreak", Silent())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "var")
    made.home.mkdir()
    return made


def _answer(settings: Settings, many: int, start: float = NOON) -> list[str]:
    answers = [given(told(f"16{n % 7:04}"), start + n) for n in range(many)]
    prediction_rows.record(settings.platform_db, answers)
    return [one.prediction_id for one in answers]


def _rows(settings: Settings) -> list[str]:
    found = delta.read(settings.table("predictions", "outbreak"))["prediction_id"].to_list()
    assert len(found) == len(set(found)), "an answer twice"
    return sorted(found)


def test_each_answer_is_appended_once_and_a_rerun_does_nothing(home: Settings) -> None:
    first = _answer(home, 90)
    prediction_rows.record(home.platform_db, [given(told()._replace(key="z", use_case="cholera"))])
    done = prediction_export.export(home, "outbreak", Silent())
    assert done.outputs == ("delta:predictions/outbreak@1",) and done.metrics["rows"] == 90
    assert "model:outbreak@3" in done.inputs and "deployment:outbreak:3" in done.inputs
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
    one = given(horizon=2)
    prediction_rows.record(home.platform_db, [one])
    prediction_export.export(home, "outbreak", Silent())
    (row,) = delta.read(home.table("predictions", "outbreak")).to_dicts()
    assert row["time"] == datetime.fromtimestamp(NOON, UTC)
    assert (row["as_of"], row["data_as_of"]) == (date(2022, 1, 5), date(2022, 1, 1))
    assert json.loads(row["features"]) == one.told.features and row["told"] == one.told.key
    facts = delta.commit_facts(home.table("predictions", "outbreak"))
    assert (facts["after"], facts["through"], facts["rows"]) == (0, 1, 1)
    (newest,) = prediction_table.newest(home, "outbreak", 5)
    assert newest["answer"] == one.told.answer[:2] and newest["features"] == one.told.features
    logged = predictions.found(home.platform_db, one.prediction_id)
    prediction_export.forget(home, "outbreak", datetime.fromtimestamp(NOON + 1, UTC))
    found = prediction_table.found(home, one.prediction_id)
    assert logged and found and found["time"] == logged["time"]
    assert found["answer"] == logged["answer"] and found["caveats"] == logged["caveats"]
    assert prediction_table.found(home, "0" * 32) is None


def test_an_empty_log_is_no_error(home: Settings) -> None:
    assert prediction_export.export(home, "outbreak", Silent()).outputs == ()
    assert prediction_table.newest(home, "outbreak", 5) == []


def test_a_run_that_was_killed_is_finished_by_the_next(home: Settings) -> None:
    given_ids = _answer(home, 100)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(home.home)], cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL
    assert len(_rows(home)) == 40, "the first commit is whole, the second is not there"
    assert prediction_export.export(home, "outbreak", Silent()).metrics["rows"] == 60
    assert _rows(home) == sorted(given_ids)


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
    _answer(home, 50)
    prediction_export.export(home, "outbreak", Silent())
    later = _answer(home, 30, NOON + 25)
    before = datetime.fromtimestamp(NOON + 40, UTC)
    assert prediction_export.forget(home, "outbreak", before) == 40
    left = [row["prediction_id"] for row in predictions.logged(home.platform_db, "outbreak")]
    assert len(left) == 40 and set(later) <= set(left)
    prediction_export.export(home, "outbreak", Silent())
    assert len(_rows(home)) == 80


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
    made = engine(server[0], predictions.METADATA)
    slow, late = given(), threading.Event()
    raw = made.raw_connection()
    writer = prediction_rows.Inserter(raw, "postgresql")
    cursor = raw.cursor()
    prediction_rows.record(server[0], [given()])
    cursor.execute(writer._sql["answers_given"], (json.dumps([prediction_rows.answer_row(slow)]),))
    prediction_rows.record(server[0], [given()])

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
    with made.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(predictions.ANSWERS))


def test_a_database_that_is_away_is_worth_a_retry(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, platform_url="postgresql+psycopg://x@127.0.0.1:1/none")
    with pytest.raises(TransientError, match="away"):
        prediction_export.export(settings, "outbreak", Silent())
