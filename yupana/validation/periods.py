"""The time axis of a table: which column tells a row's period, and which periods are absent."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from yupana.data.contracts.contract import Contract
from yupana.validation.indicators import Ratio

if TYPE_CHECKING:
    import polars as pl

# A step this much longer than the usual one has left a period out; months differ by less.
_LONG = 1.5


def columns(contract: Contract) -> tuple[str, ...]:
    """The columns that tell a row's period: a date, or year and week, year and month, year.

    Dates of the key come first, then those made from year and week, then required ones; empty
    when the table has no time axis.
    """
    by_name = {c.name: c for c in contract.table_columns}
    days = [
        c
        for c in contract.table_columns
        if c.type in ("date", "timestamp") and not any(o.personal for o in contract.columns
                                                       if o.name in (c.name, *c.derive_from))
    ]  # fmt: skip
    if days:
        best = min(days, key=lambda c: (c.name not in contract.key, not c.derive, not c.required))
        return (best.name,)
    for pair in (("year", "week"), ("year", "month"), ("year",)):
        if all(name in by_name and by_name[name].type == "integer" for name in pair):
            return pair
    return ()


def has_calendar(contract: Contract) -> bool:
    """Whether every period should have a row: its columns are in the key, or year and week.

    A table of events with a date (complaints, say) may well have days without any.
    """
    names = set(columns(contract))
    present = {c.name for c in contract.table_columns}
    return bool(names) and (names <= set(contract.key) or {"year", "week"} <= present)


def of_rows(rows: pl.DataFrame, names: tuple[str, ...]) -> pl.Series:
    """First day of every row's period; null where it is not known or does not exist."""
    import polars as pl

    if len(names) == 1 and names[0] != "year":
        return rows[names[0]].cast(pl.Date)
    if names == ("year",):
        return rows.select(pl.date("year", 1, 1).alias("period"))["period"]
    if names == ("year", "month"):
        return rows.select(pl.date("year", "month", 1).alias("period"))["period"]
    from yupana.data.national import calendar

    starts = calendar.week_starts()
    pairs = rows.select(names).unique()
    days = [starts.get((y, w)) for y, w in pairs.iter_rows()]
    dated = pairs.with_columns(pl.Series("period", days, dtype=pl.Date))
    return rows.select(names).join(dated, on=names, how="left", maintain_order="left")["period"]


class Coverage(NamedTuple):
    """Which periods a table has between its first and its last.

    Attributes:
        periods: those that are there, of those that are expected.
        gaps: last day before a gap, and first day after it.
    """

    periods: Ratio
    gaps: tuple[tuple[date, date], ...]


def coverage(days: list[date]) -> Coverage:
    """Periods present and expected between the first and last day, and the gaps.

    The usual step is the median one, so that a calendar with steps of 7, 8 and 9 days, or of
    28 to 31, has no gap of its own.

    Args:
        days: the distinct first days of periods, ascending.
    """
    steps = [(b - a).days for a, b in pairwise(days)]
    if not steps:
        return Coverage(Ratio(len(days), len(days)), ())
    usual = sorted(steps)[len(steps) // 2]
    gaps = tuple((a, b) for a, b in pairwise(days) if (b - a).days >= _LONG * usual)
    absent = sum(round((b - a).days / usual) - 1 for a, b in gaps)
    return Coverage(Ratio(len(days), len(days) + absent), gaps)
