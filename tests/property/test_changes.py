"""Comparisons of two states of a table against counts by hand; bounds; what must not be shown."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import polars as pl
import pytest
from change_rows import WEEKS, Row, about, compared, frame, movement
from hypothesis import given, settings
from hypothesis import strategies as st

from yupana.data.contracts.release_options import Bounds
from yupana.validation import changes
from yupana.validation.changes import bounds as change_bounds
from yupana.validation.changes import text
from yupana.validation.changes.count import Pair

ROW = st.tuples(
    st.integers(0, 8), st.sampled_from(WEEKS), st.sampled_from("AB"),
    st.one_of(st.none(), st.integers(0, 9)), st.one_of(st.none(), st.sampled_from([0.0, 1.5])),
)  # fmt: skip
BY_KEY = st.lists(ROW, max_size=9, unique_by=lambda row: row[0])


@settings(max_examples=60)
@given(BY_KEY, BY_KEY)
def test_rows_with_a_key(old: list[Row], new: list[Row]) -> None:
    exact = movement(old, new, ("id",))
    one, other = ({row[0]: row for row in rows} for rows in (old, new))
    both = one.keys() & other.keys()
    assert exact.of("added") == len(other.keys() - one.keys())
    assert exact.of("removed") == len(one.keys() - other.keys())
    assert exact.of("changed") == sum(one[k] != other[k] for k in both)
    last = max((row[1] for row in old), default=None)
    past = [
        k for k in one.keys() | other.keys()
        if one.get(k) != other.get(k) and last
        and min(side[k][1] for side in (one, other) if k in side) <= last
    ]  # fmt: skip
    assert exact.past == (len(past) if old else 0)
    comparison = compared(old, new, ("id",))
    assert comparison.past == (exact.past / len(old) if old else 0)
    change = comparison.change
    assert (change.added, change.revised) in {(exact.of("added"), exact.past), (None, None)}


@settings(max_examples=60)
@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=12))
def test_rows_without_a_key(old: list[Row], new: list[Row]) -> None:
    change, exact = compared(old, new).change, movement(old, new, ())
    one, other = Counter(old), Counter(new)
    assert exact.of("added") == (other - one).total()
    assert exact.of("removed") == (one - other).total()
    assert exact.of("changed") == 0
    assert change.rows == Pair(len(old), len(new))
    weeks = [{str(row[1]) for row in rows} for rows in (old, new)]
    assert set(change.periods_gone) == weeks[0] - weeks[1]
    assert set(change.periods_new) == weeks[1] - weeks[0]
    cases, rain = change.measures
    sums = Pair(*(sum(r[3] or 0 for r in rows) for rows in (old, new)))
    assert cases.total in (sums, Pair(None, None))
    for side, rows in ((rain.total.before, old), (rain.total.after, new)):
        values = [r[4] for r in rows if r[4] is not None]
        assert side is None or side == pytest.approx(sum(values) / len(values))


def weekly(counts: list[int], kind: str = "A") -> list[Row]:
    return [(n, WEEKS[w], kind, 1, None) for w, count in enumerate(counts) for n in range(count)]


def test_a_new_code_is_named_when_it_is_not_rare() -> None:
    old = weekly([10, 10])
    new = [*old, *weekly([6], "B"), *weekly([2], "C")]
    (codes,) = compared(old, new).change.codes
    assert (codes.column, codes.new, codes.gone) == ("class", 2, 0) and "C" not in codes.shown
    many = [*old, *weekly([6], "B"), *weekly([7], "D")]
    assert compared(old, many).change.codes[0].shown == ("D", "B")


def test_columns_of_another_type_are_told_and_not_compared() -> None:
    old, new = frame(weekly([9])), frame(weekly([9])).with_columns(pl.col("rain").cast(pl.String))
    new = new.rename({"cases": "case_count"})
    comparison = changes.comparison(about(()), (old, new), 0, None)
    change = comparison.change
    columns = (change.columns_new, change.columns_gone, change.retyped)
    assert columns == (("case_count",), ("cases",), ("rain",))
    assert (change.added, change.removed) == (0, 0)
    assert any("another type" in w for w in change_bounds.warnings(Bounds(), comparison))


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
    comparison = compared(weekly([10, 10]), weekly(new))
    breaches = change_bounds.breaches(bounds, comparison)
    assert over in "".join(breaches) if over else not breaches
    assert bounds != Bounds() or len(change_bounds.warnings(bounds, comparison)) == 3


def test_a_key_and_no_period(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = replace(about(("id",)), period=None)
    monkeypatch.setattr(changes.periods, "columns", lambda _: ())
    fresh = [(n, WEEKS[0], "A", 1, None) for n in range(99, 105)]
    change = changes.compare(contract, (frame(weekly([9])), frame([*weekly([4]), *fresh])), 0, 1)
    assert (change.axis, change.added, change.removed, change.revised) == ((), 6, 5, 5)
    assert not any("period" in line for line in text.lines(change))


def test_the_words_say_what_the_numbers_do() -> None:
    old, new = weekly([20, 20]), weekly([15, 20, 6])
    change = compared(old, new, ("id", "week_start")).change
    lines: list[Any] = text.lines(change)
    assert lines[:4] == [
        "rows: 40 → 41 (+2.5%)",
        "keys: 6 new, 5 gone, 0 changed",
        "past (up to 2024-01-14): 5 rows revised, 12.5% of those before",
        "periods new: 1 (2024-01-21)",
    ]
    assert "total of cases (cases): · → ·" in lines, "one case more would be told"


def test_a_bound_stops_on_what_it_does_not_say() -> None:
    comparison = compared(weekly([10, 10]), weekly([8, 10]))
    (line,) = change_bounds.breaches(Bounds(past=0.05), comparison)
    assert line == (
        "more rows of the past (up to 2024-01-14) are changed, gone or new than 5.0% of 20 "
        "(past: 0.05)"
    )
    assert comparison.past == 0.1 and "0.1" not in json.dumps(asdict(comparison.change))
    assert text.summary(comparison.change)["removed"] is None
