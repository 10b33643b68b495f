"""No small count follows from a column's statistics, and no column's name is in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small_lake
from command import yupana
from hypothesis import given
from hypothesis import strategies as some
from small_lake import NAME

from yupana.core.disclosure import FEWEST
from yupana.data.contracts import contract
from yupana.monitoring.profile import profile
from yupana.monitoring.statistics import describe

SIZES = some.integers(1, 9) | some.integers(40, 400)
CELLS = some.dictionaries(some.integers(0, 40), SIZES, min_size=1, max_size=12)


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = small_lake.make(tmp_path_factory.mktemp("hidden")).root
    return {c.type: c for c in contract.load(root, NAME).columns}


def of(columns: dict[str, Any], kind: str, counts: dict[Any, int], nulls: int) -> dict[str, Any]:
    values = [v for value, n in counts.items() for v in [value] * n] + [None] * nulls
    column = replace(columns["integer"], name="n", type=kind)
    return describe(pl.Series("n", values), column, personal=False).document()


def test_two_hidden_cells_cannot_be_solved_for(columns: dict[str, Any]) -> None:
    """3 and 7 would be 3 and 14 rows by the mean of all."""
    counts = {3: 3, 7: 14, 5: 15, 6: 15, 8: 14, 9: 14, 10: 14, 11: 14}
    column = of(columns, "integer", counts, 0)
    assert column["kind"] == "number" and column["mean"] is None and column["sd"] is None
    assert (column["minimum"], column["maximum"], column["count"]) == (5, 11, 103)
    assert column["histogram"]["counts"] == [18, 15, 14, 14, 14, 14, 14]
    column = of(columns, "integer", dict.fromkeys(range(5, 12), 100) | {3: 3, 7: 14}, 0)
    assert [t["value"] for t in column["top"]] == ["5", "6", "8", "9", "10", "11"]
    assert column["others"] == {"values": 2, "count": 17} and column["described"] == 600
    assert (column["minimum"], column["maximum"], column["mean"]) == (5, 11, 8.16667)


def test_neither_one_person_nor_one_empty_cell_is_seen(columns: dict[str, Any]) -> None:
    ages = {20 + n: 10 for n in range(10)} | {97: 1}
    column = of(columns, "integer", ages, 1)
    assert column["maximum"] == 29 and column["count"] is None and column["nulls"] is None
    assert "97" not in str(column)
    column = of(columns, "number", {float(n): 1 for n in range(100)} | {970.0: 1}, 0)
    assert column["maximum"] == 96 and column["minimum"] == 4
    assert max(column["histogram"]["edges"]) == 96
    column = of(columns, "boolean", {False: 100, True: 2}, 1)
    assert column["top"] == [] and column["others"] == {"values": 2, "count": None}
    assert column["count"] is None and column["nulls"] is None
    days = {small_lake.day("1931-05-02"): 1, small_lake.day("2024-01-01"): 30}
    dated = of(columns, "date", days, 2)
    assert dated["minimum"] == "2024-01-01" and dated["nulls"] is None


@given(CELLS, some.integers(0, 9))
def test_what_is_told_of_values_is_of_those_shown(
    columns: dict[str, Any], counts: dict[int, int], nulls: int
) -> None:
    """So that whoever knows it learns nothing but the counts beside it."""
    column = of(columns, "integer", counts, nulls)
    assert column["nulls"] not in range(1, FEWEST) and column["count"] not in range(1, FEWEST)
    if column["kind"] != "whole":
        return
    rows = pl.Series([int(t["value"]) for t in column["top"] for _ in range(t["count"])])
    assert all(t["count"] >= FEWEST for t in column["top"])
    assert column["described"] == len(rows)
    if len(rows):
        assert column["mean"] == pytest.approx(rows.mean(), rel=1e-4)
        assert column["sd"] == pytest.approx(rows.std(), rel=1e-4, abs=1e-4)
        assert (column["minimum"], column["maximum"]) == (rows.min(), rows.max())
        parts = column["others"]["values"] + (column["nulls"] is None)
        together = sum(counts.values()) + nulls - len(rows) - (column["nulls"] or 0)
        assert not parts or together - (parts - 1) >= FEWEST, "each may be five or more"


@given(CELLS, some.integers(0, 9))
def test_what_is_told_of_numbers_holds_five_rows(
    columns: dict[str, Any], counts: dict[int, int], nulls: int
) -> None:
    column = of(columns, "number", {n / 2: count for n, count in counts.items()}, nulls)
    values = [n / 2 for n, count in counts.items() for _ in range(count)]
    bins = [c for c in column["histogram"]["counts"] if c]
    assert all(c >= FEWEST for c in bins) and column["nulls"] not in range(1, FEWEST)
    if column["minimum"] is not None:
        assert sum(v <= column["minimum"] for v in values) >= FEWEST
        assert sum(v >= column["maximum"] for v in values) >= FEWEST
    if column["mean"] is not None:
        assert column["described"] == sum(bins)


@pytest.mark.parametrize(
    ("code", "measure"), [("n", "rows"), ("rows", "by"), ("value", "n"), ("count", "value")]
)
def test_a_column_may_have_any_name(tmp_path: Path, code: str, measure: str) -> None:
    names = {"diagnosis_class": code, "fever": measure}
    text = small_lake.CONTRACT.replace("logicalType: number", "logicalType: integer")
    for old, new in names.items():
        text = text.replace(f"name: {old}", f"name: {new}")
    lake = small_lake.make(tmp_path, text)
    for n, day in enumerate(("2024-04-01", "2024-04-08")):
        fever = pl.Series([36 + (i + n) % 5 for i in range(60)], dtype=pl.Int32)
        rows = small_lake.frame().with_columns(fever=fever).rename(names)
        small_lake.publish(lake, rows, known_on=day, source="ab"[n])
    assert {code, measure} <= {c.name for c in profile(lake, NAME).columns}
    for command in ("diff", "quality", "history"):
        assert yupana(lake, command, NAME).code == 0
