"""Rows of a small line list, and the comparison of two states of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import polars as pl

from yupana.config.settings import ROOT
from yupana.data.contracts import contract
from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.validation import changes
from yupana.validation.changes import count

WEEKS = [date(2024, 1, 7) + timedelta(weeks=n) for n in range(6)]
SCHEMA = {"id": pl.Int32, "week_start": pl.Date, "class": pl.String, "cases": pl.Int32,
          "rain": pl.Float64, "source_line": pl.Int64}  # fmt: skip
Row = tuple[int, date | None, str, int | None, float | None]


@lru_cache
def about(key: tuple[str, ...]) -> Contract:
    columns = (
        Column("id", "id", "integer"),
        Column("week_start", "week_start", "date"),
        Column("class", "class", "string", relation="classes.code"),
        Column("cases", "cases", "integer", unit="cases"),
        Column("rain", "rain", "number", unit="mm"),
    )
    base = contract.load(ROOT, "iquitos_weekly")
    return replace(base, key=key, columns=columns, rules=(), period="week_start")


def frame(rows: list[Row]) -> pl.LazyFrame:
    full = [(*row, n) for n, row in enumerate(rows)]
    return pl.LazyFrame(full, schema=SCHEMA, orient="row")


def compared(old: list[Row], new: list[Row], key: tuple[str, ...] = ()) -> changes.Comparison:
    return changes.comparison(about(key), (frame(old), frame(new)), 0, None)


def movement(old: list[Row], new: list[Row], key: tuple[str, ...]) -> count.Movement:
    """Rows that move, exactly: also those that no change shows."""
    last = max((row[1] for row in old if row[1]), default=None)
    same = [name for name in SCHEMA if name != "source_line"]
    return count.movement((frame(old), frame(new)), key, same, ("week_start",), last)
