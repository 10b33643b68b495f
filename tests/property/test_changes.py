"""Comparisons of two states of a table against counts by hand; bounds; what must not be shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yupana.config.settings import ROOT
from yupana.data import contract as contracts
from yupana.data.columns import Column
from yupana.data.contract import Contract
from yupana.data.release_options import Bounds
from yupana.validation import change_bounds, change_words, changes
from yupana.validation.changes_count import Pair

WEEKS = [date(2024, 1, 7) + timedelta(weeks=n) for n in range(4)]
SCHEMA = {"id": pl.Int32, "week_start": pl.Date, "class": pl.String, "cases": pl.Int32,
          "rain": pl.Float64, "source_line": pl.Int64}  # fmt: skip
Row = tuple[int, date, str, int | None, float | None]


@lru_cache
def about(key: tuple[str, ...]) -> Contract:
    columns = (
        Column("id", "id", "integer"),
        Column("week_start", "week_start", "date"),
        Column("class", "class", "string", relation="classes.code"),
        Column("cases", "cases", "integer", unit="cases"),
        Column("rain", "rain", "number", unit="mm"),
    )
    found = contracts.load(ROOT, "iquitos_weekly")
    return replace(found, key=key, columns=columns, rules=(), period="week_start")


def frame(rows: list[Row]) -> pl.LazyFrame:
    full = [(*row, n) for n, row in enumerate(rows)]
    return pl.LazyFrame(full, schema=SCHEMA, orient="row")


def compared(old: list[Row], new: list[Row], key: tuple[str, ...]) -> changes.Change:
    return changes.compare(about(key), (frame(old), frame(new)), 0, None)


ROW = st.tuples(
    st.integers(0, 8), st.sampled_from(WEEKS), st.sampled_from("AB"),
    st.one_of(st.none(), st.integers(0, 9)), st.one_of(st.none(), st.sampled_from([0.0, 1.5])),
)  # fmt: skip
BY_KEY = st.lists(ROW, max_size=9, unique_by=lambda row: row[0])


@settings(max_examples=60)
@given(BY_KEY, BY_KEY)
def test_rows_with_a_key(old: list[Row], new: list[Row]) -> None:
    change = compared(old, new, ("id",))
    one, other = ({row[0]: row for row in rows} for rows in (old, new))
    both = one.keys() & other.keys()
    assert change.added == len(other.keys() - one.keys())
    assert change.removed == len(one.keys() - other.keys())
    assert change.changed == sum(one[k] != other[k] for k in both)
    last = max((row[1] for row in old), default=None)
    past = [
        k for k in one.keys() | other.keys()
        if one.get(k) != other.get(k) and last
        and min(side[k][1] for side in (one, other) if k in side) <= last
    ]  # fmt: skip
    assert change.revised == len(past)


@settings(max_examples=60)
@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=12))
def test_rows_without_a_key(old: list[Row], new: list[Row]) -> None:
    change = compared(old, new, ())
    one, other = Counter(old), Counter(new)
    assert (change.added, change.removed) == ((other - one).total(), (one - other).total())
    assert change.changed == 0
    assert change.rows == Pair(len(old), len(new))
    weeks = [{str(row[1]) for row in rows} for rows in (old, new)]
    assert set(change.periods_gone) == weeks[0] - weeks[1]
    assert set(change.periods_new) == weeks[1] - weeks[0]
    cases, rain = change.measures
    assert cases.total == Pair(*(sum(r[3] or 0 for r in rows) for rows in (old, new)))
    for side, rows in ((rain.total.before, old), (rain.total.after, new)):
        known = [r[4] for r in rows if r[4] is not None]
        assert side == (pytest.approx(sum(known) / len(known)) if known else None)


@settings(max_examples=60)
@given(st.lists(ROW, max_size=40), st.lists(ROW, max_size=40))
def test_no_small_count_is_kept(old: list[Row], new: list[Row]) -> None:
    change = compared(old, new, ())
    for cell in (*change.periods, *change.groups["class"]):
        for number in (cell.rows.before, cell.rows.after, *asdict(cell.totals[0]).values()):
            assert number is None or number == 0 or number >= 5


def weekly(counts: list[int], kind: str = "A") -> list[Row]:
    return [(n, WEEKS[w], kind, 1, None) for w, count in enumerate(counts) for n in range(count)]


def test_a_new_code_is_named_when_it_is_not_rare() -> None:
    old = weekly([10, 10])
    new = [*old, *weekly([6], "B"), *weekly([2], "C")]
    (codes,) = compared(old, new, ()).codes
    assert (codes.column, codes.new, codes.gone) == ("class", 2, 0) and "C" not in codes.shown
    many = [*old, *weekly([6], "B"), *weekly([7], "D")]
    assert compared(old, many, ()).codes[0].shown == ("D", "B")


def test_columns_of_another_type_are_told_and_not_compared() -> None:
    old, new = frame(weekly([9])), frame(weekly([9])).with_columns(pl.col("rain").cast(pl.String))
    new = new.rename({"cases": "case_count"})
    change = changes.compare(about(()), (old, new), 0, None)
    told = (change.columns_new, change.columns_gone, change.retyped)
    assert told == (("case_count",), ("cases",), ("rain",))
    assert (change.added, change.removed) == (0, 0)
    assert any("another type" in w for w in change_bounds.warnings(Bounds(), change))


@pytest.mark.parametrize(
    ("bounds", "new", "over"),
    [
        (Bounds(rows=0.5), [10, 10, 10, 10], "rows: 0.5"),
        (Bounds(rows=0.5), [10, 10, 10, 9], ""),
        (Bounds(rows=0.5), [10], "rows: 0.5"),
        (Bounds(rows=1), [10, 10], ""),
        (Bounds(past=0.1), [9, 9], ""),
        (Bounds(past=0.1), [8, 9], "past: 0.1"),
        (Bounds(past=0.1), [9, 12], "past: 0.1"),
        (Bounds(past=0), [10, 10, 4], ""),
        (Bounds(periods=True), [20], "1 periods are gone: 2024-01-14 (periods: keep)"),
        (Bounds(), [0, 0, 50], ""),
    ],
)
def test_bounds(bounds: Bounds, new: list[int], over: str) -> None:
    change = compared(weekly([10, 10]), weekly(new), ())
    found = change_bounds.breaches(bounds, change)
    assert over in "".join(found) if over else not found
    assert bounds != Bounds() or len(change_bounds.warnings(bounds, change)) == 3


def test_a_key_and_no_period(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = replace(about(("id",)), period=None)
    monkeypatch.setattr(changes.periods, "columns", lambda _: ())
    sides = frame(weekly([9])), frame([*weekly([8]), (99, WEEKS[0], "A", 1, None)])
    change = changes.compare(contract, sides, 0, 1)
    assert (change.axis, change.added, change.removed, change.revised) == ((), 1, 1, 1)
    assert not any("period" in line for line in change_words.lines(change))


def test_the_words_say_what_the_numbers_do() -> None:
    old, new = weekly([10, 10]), weekly([9, 10, 6])
    change = compared(old, new, ("id", "week_start"))
    lines: list[Any] = change_words.lines(change)
    assert lines[:4] == [
        "rows: 20 → 25 (+25.0%)",
        "keys: 6 new, 1 gone, 0 changed",
        "past (up to 2024-01-14): 1 rows revised, 5.0% of those before",
        "periods new: 1 (2024-01-21)",
    ]
    assert "total of cases (cases): 20 → 25 (+25.0%)" in lines
