"""A recall: of a planted home, exactly the predictions that rest on a file, wherever they lie."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import recall_case
import small_lake
from answers import NOON
from deltalake import DeltaTable
from recall_case import FEATURES, PUBLISHED, A, B, C, Planted
from typer.testing import CliRunner

from yupana.cli.main import app
from yupana.config.settings import settings as chosen
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.database.engine import engine
from yupana.lineage import events
from yupana.predictions import archive, export, log_writer
from yupana.trace import recall, recall_answers


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return Planted(tmp_path_factory.mktemp("recall"))


@pytest.fixture
def own(tmp_path: Path) -> Planted:
    """One that a test may change."""
    return Planted(tmp_path)


def _found(home: Planted, what: str) -> dict[str, str]:
    """Every prediction that the recall lists, and where it was found; none twice."""
    report = recall.recall(home.settings, what)
    rows = [
        *recall_answers.forecasts(home.settings, report),
        *recall_answers.answers(home.settings, report, Silent()),
    ]
    assert [i for i, n in Counter(row.prediction_id for row in rows).items() if n > 1] == []
    return {row.prediction_id: row.place for row in rows}


def test_the_list_is_that_of_the_planted_case(home: Planted) -> None:
    assert home.free and _found(home, A) == home.touched
    places = Counter(home.touched.values())
    assert places["lake"] == 30 and places["database"] == places["spool"] == 15, (
        "all places have some"
    )


def test_what_else_the_file_touched(home: Planted) -> None:
    report = recall.recall(home.settings, "a" * 64)
    assert report.of("published") == [f"{PUBLISHED}@0", f"{PUBLISHED}@1"], "2 holds no row of it"
    assert report.of("features") == [f"{FEATURES}@0", f"{FEATURES}@1"]
    assert report.of("models") == ["model:outbreak@1", "model:outbreak@2"]
    assert report.of("deployments") == ["deployment:outbreak:2"], "the other model stood beside it"
    assert report.of("forecasts") == ["delta:forecasts/outbreak@0", "delta:forecasts/outbreak@1"]


def test_a_file_that_replaced_nothing_yet_touches_all_after_it(home: Planted) -> None:
    report = recall.recall(home.settings, B)
    assert report.of("published") == [f"{PUBLISHED}@1", f"{PUBLISHED}@2"]
    assert set(report.of("models")) == {"model:outbreak@2", "model:outbreak@3"}
    everything = home.touched | home.free
    of_first = {i for i, kept in everything.items() if kept == "delta:forecasts/outbreak@0"}
    untouched = everything.keys() - _found(home, B).keys()
    assert of_first <= untouched and len(untouched - of_first) == 3 * 4, "model 1 on version 0"


def test_a_file_of_the_newest_version_alone(home: Planted) -> None:
    report = recall.recall(home.settings, C)
    assert report.of("models") == ["model:outbreak@3"]
    assert {"through model", "through features"} == {
        f"through {row.through}" for row in recall_answers.answers(home.settings, report, Silent())
    }, "model 2 was asked on the newest features"


def test_after_all_is_exported_and_the_spool_came_home(own: Planted) -> None:
    (path,) = own.spool.waiting()
    raw = engine(own.settings.platform_db).raw_connection()
    writer = log_writer.Inserter(raw, "sqlite")
    for predictions, records in own.spool.rows(path):
        writer.write(predictions, records, "outbreak", late=True)
    raw.close()
    export.export(own.settings, "outbreak", Silent())
    archive.forget(own.settings, "outbreak", datetime.fromtimestamp(NOON + 1e6, UTC))
    lake = {"database": "lake", "spool": "lake"}
    assert _found(own, A) == {i: lake.get(kept, kept) for i, kept in own.touched.items()}


def test_a_version_that_was_cleaned_away_counts_as_touched(own: Planted) -> None:
    """Nobody can show any more that it held no row of the file."""
    table = own.settings.table("published", small_lake.NAME)
    # By the statistics in the table's log, a version with these two may hold A as well.
    rows = [
        small_lake.frame(weeks=range(1, 3)).with_columns(pl.lit(one * 64).alias("source_sha256"))
        for one in "9f"
    ]
    facts = delta.commit_metadata(source_sha256="f" * 64, known_on="2022-01-22")
    small_lake.commit(table, pl.concat(rows), facts)
    newest = [f"{PUBLISHED}@3", f"{FEATURES}@3"]
    for step, read, made in (("ingest", f"raw:{'f' * 64}", newest[0]), ("features", *newest)):
        events.append(
            own.settings, step, "outbreak", status="done", inputs=(read,), outputs=(made,)
        )
    assert not set(newest) & set(recall.recall(own.settings, A).refs)
    for uri in DeltaTable(table).file_uris():
        Path(uri).unlink()
    assert set(newest) <= set(recall.recall(own.settings, A).refs)


def test_a_run_that_was_done_again_is_listed_with_what_it_replaced(own: Planted) -> None:
    """The agency may have acted on the forecast that a later run took away."""
    day = recall_case.ORIGINS[0]
    rows = [
        {"prediction_id": "new".ljust(32, "0"), "model": "model:outbreak@3", "ubigeo": "160101",
         "origin": day, "horizon": 1, "q0.5": 1.0}
    ]  # fmt: skip
    delta.replace(
        own.settings.lake, "forecasts", "outbreak", pa.Table.from_pylist(rows),
        f"origin = DATE '{day}'", [],
    )  # fmt: skip
    events.append(
        own.settings, "forecast", "outbreak", status="done", facts={"data_as_of": str(day)},
        inputs=("model:outbreak@3", f"{PUBLISHED}@2"), outputs=("delta:forecasts/outbreak@3",),
    )  # fmt: skip
    assert _found(own, A).keys() == own.touched.keys()


def test_an_unknown_file_is_said(home: Planted, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("x\n")
    with pytest.raises(UsageError, match="never saw"):
        recall.recall(home.settings, str(tmp_path / "other.csv"))


@pytest.fixture
def command(home: Planted, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("YUPANA_HOME", str(home.settings.home))
    monkeypatch.setenv("YUPANA_ROOT", str(home.settings.root))
    chosen.cache_clear()
    yield CliRunner()
    chosen.cache_clear()


def test_the_command_writes_each_prediction(
    command: CliRunner, home: Planted, tmp_path: Path
) -> None:
    out = tmp_path / "touched.csv"
    result = command.invoke(app, ["trace", A, "--forward", "--out", str(out), "--json"])
    report = json.loads(result.stdout.splitlines()[-1])
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["prediction_id"] for row in rows} == home.touched.keys()
    assert report["predictions"] == len(rows) and report["serving_now"] == ["deployment:outbreak:2"]
    kinds = {kind: sum(row["kind"] == kind for row in rows) for kind in ("answer", "shadow")}
    assert kinds == {"answer": 20, "shadow": 20}
    assert report["forecast_rows"] == [
        {"table": "outbreak", "use_case": "outbreak", "model_version": version,
         "data_as_of": str(recall_case.ORIGINS[n]), "rows": 4}
        for n, version in enumerate(("1", "3"))
    ]  # fmt: skip
