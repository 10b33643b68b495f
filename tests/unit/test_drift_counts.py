"""Distances from counts against the same distances from rows, by scipy and by Evidently."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.stats import wasserstein_distance

from yupana.monitoring import counts, evidently_counts, report

ROWS = (3_000, 8_000)
NUMBERS = ["whole", "smooth", "far", "few", "constant"]
TEXTS = ["zone"]


def table(rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    smooth = rng.gamma(2, 3, rows) + shift
    smooth[::17] = np.nan
    return pa.table(
        {
            "whole": rng.negative_binomial(2, 0.1, rows) + int(10 * shift),
            "smooth": smooth,
            "far": 300 + rng.normal(0, 1, rows),
            "few": rng.integers(0, 4, rows),
            "constant": np.ones(rows),
            "zone": rng.choice(["coast", "jungle"], rows, p=[0.5 + shift / 3, 0.5 - shift / 3]),
        }
    )


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table]:
    return table(ROWS[0], 1), table(ROWS[1], 2, 0.5)


@pytest.fixture(scope="module")
def scored(tables: tuple[pa.Table, pa.Table]) -> dict[str, evidently_counts.Scored]:
    readers = [counts.read(each, rows=1_000) for each in tables]
    return evidently_counts.score(readers[0], readers[1], NUMBERS, TEXTS)[1]


def known(of: pa.Table, column: str) -> np.ndarray:
    values = of[column].to_numpy().astype(float)
    return values[np.isfinite(values)]


@pytest.mark.parametrize("column", ["whole", "smooth", "far"])
def test_a_distance_is_that_of_the_rows(scored, tables, column: str) -> None:
    first, second = (known(each, column) for each in tables)
    exact = wasserstein_distance(first, second) / first.std()
    found = scored[column]
    assert found.method == "wasserstein"
    assert abs(found.score - exact) <= found.error + 1e-12
    assert (found.error == 0) is (column == "whole")
    assert found.error < 0.001


@pytest.mark.parametrize("column", [*NUMBERS[:4], *TEXTS])
def test_it_is_what_evidently_finds(scored, tables, column: str) -> None:
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    first, second = (each[column].to_pandas().dropna() for each in tables)
    kind = ColumnType.Categorical if column in TEXTS else ColumnType.Numerical
    theirs = get_stattest(first, second, kind, None)(first, second, kind, 0.1)
    assert scored[column].score == pytest.approx(theirs.drift_score, abs=2e-4)
    assert scored[column].drifted == theirs.drifted


def test_missing_values_are_counted_and_a_constant_has_not_drifted(tables, scored) -> None:
    found = counts.count(*(counts.read(each) for each in tables), NUMBERS, TEXTS)
    assert found["smooth"].nulls == tuple(-(-rows // 17) for rows in ROWS)
    assert found["smooth"].reference.sum() == ROWS[0] - found["smooth"].nulls[0]
    assert scored["constant"].score == 0 and not scored["constant"].drifted


def test_bins_too_wide_to_decide_are_counted_value_by_value() -> None:
    """One value a million times larger than the others, and a distance beside the threshold."""
    rng = np.random.default_rng(3)
    first = rng.normal(0, 1, 4_000)
    first[0] = 3_000.0
    second = first + 0.1 * first.std() * (1 + 1e-6)
    sides = [counts.read(pa.table({"x": values})) for values in (first, second)]
    binned = evidently_counts.distance(counts.count(sides[0], sides[1], ["x"], [])["x"])
    assert binned.error > 1e-6
    found = evidently_counts.score(sides[0], sides[1], ["x"], [])[1]["x"]
    assert found.error == 0 and found.drifted


def test_small_tables_tell_the_same_of_every_column(tables, scored) -> None:
    readers = [counts.read(each) for each in tables]
    found, _ = evidently_counts.score(readers[0], readers[1], NUMBERS, TEXTS)
    first, second, off = evidently_counts.tables(found, scored)
    assert len(first) == len(second) <= evidently_counts.LARGEST
    exact = wasserstein_distance(first["whole"], second["whole"]) / first["whole"].std(ddof=0)
    assert abs(exact - scored["whole"].score) == pytest.approx(off["whole"], abs=1e-9)
    assert max(off.values()) < 0.005


def test_memory_does_not_grow_with_the_rows() -> None:
    """A reader that makes its rows on the way: five million of them are never there at once."""
    held = 0

    def rows(columns: list[str]) -> Iterator[pa.RecordBatch]:
        nonlocal held
        for part in range(50):
            values = np.random.default_rng(part).normal(0, 1, 100_000)
            held = max(held, pa.total_allocated_bytes())
            yield pa.RecordBatch.from_arrays([pa.array(values)], columns)

    before = pa.total_allocated_bytes()
    found = counts.count(rows, rows, ["x"], [])["x"]
    assert found.reference.sum() == 5e6 and len(found.values) <= counts.BINS
    assert held - before < 3 * 800_000


def test_large_tables_go_by_counts_and_evidently_draws_its_page(tmp_path: Path) -> None:
    large = [table(25_000, 4), table(21_000, 5, 0.5)]
    page = tmp_path / "drift.html"
    found = report.compare(large[0], large[1], ["whole", "smooth"], TEXTS, page)
    assert found.how == "counts" and found.drifted == ["whole", "smooth", "zone"]
    theirs = {
        m["config"]["column"]: m["value"] for m in found.evidently["metrics"]
        if "column" in m["config"]
    }  # fmt: skip
    off = found.evidently["made_from"]["off"]
    for column, score in found.scores.items():
        assert abs(theirs[column] - score) <= off[column] + 1e-3
    assert found.evidently["metrics"][0]["value"]["count"] == 3
    assert "<html" in page.read_text()[:2000].lower()


def test_a_large_table_against_a_small_one_is_sampled_with_its_error(tmp_path: Path) -> None:
    small, large = table(200, 6), table(40_000, 7, 0.5)
    found = report.compare(large, small, ["smooth"], [], tmp_path / "drift.html")
    assert found.how == "sample" and found.drifted == ["smooth"]
    assert found.error == pytest.approx(0.0096, abs=1e-4)
    again = report.compare(large, small, ["smooth"], [], tmp_path / "drift.html")
    assert again.scores == found.scores


def test_the_stated_error_of_a_sample_holds() -> None:
    rng = np.random.default_rng(8)
    every = np.sort(rng.lognormal(0, 2, 50_000))
    place = np.arange(1, len(every) + 1) / len(every)
    over = 0
    for _ in range(200):
        some = np.sort(rng.choice(every, 1_000))
        told = np.searchsorted(some, every, side="right") / len(some)
        over += np.abs(told - place).max() > report.dkw(1_000)
    assert over <= 20


def test_answers_are_reduced_to_distinct_forecasts(tmp_path: Path) -> None:
    from datetime import date

    from yupana.config.settings import Settings
    from yupana.monitoring import answers

    rows = pl.DataFrame(
        {
            "told": ["a", "a", "a", "b", "c", "d"],
            "kind": ["answer"] * 5 + ["shadow"],
            "ubigeo": "160101",
            "data_as_of": [date(2022, 1, 1)] * 4 + [date(2022, 2, 5), date(2022, 1, 1)],
            "model_version": "1",
            "features": ['{"x": 1, "zone": "coast"}'] * 3 + ['{"x": "?", "zone": null}'] * 3,
            "answer": '[{"horizon": 2, "median": 9.0}, {"horizon": 1, "median": 4.5}]',
        }
    )
    settings = Settings(home=tmp_path)
    table = settings.table("predictions", "outbreak")
    table.parent.mkdir(parents=True)
    rows.write_delta(str(table))
    found = answers.told(settings, "outbreak", ["x", answers.FORECAST], ["zone"], date(2022, 1, 8))
    assert found["times"].to_list() == [3, 1]
    assert found[answers.FORECAST].to_list() == [4.5, 4.5]
    assert found["x"].to_list() == [1.0, None] and found["zone"].to_list() == ["coast", None]
    nothing = Settings(home=tmp_path / "other")
    assert answers.told(nothing, "outbreak", ["x"], [], date(2022, 1, 8)).is_empty()


def test_empty_columns_are_told_apart(tmp_path: Path) -> None:
    first = table(30, 9).to_pandas().assign(smooth=np.nan)
    made = pa.Table.from_pandas(pd.DataFrame(first), preserve_index=False)
    found = report.compare(made, table(30, 10), ["smooth", "far"], [], tmp_path / "x.html")
    assert found.empty == ["smooth"] and found.compared == ["far"]
