"""Places and codes that used to come in every period, and have no row in the newest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from yupana.core.disclosure import FEWEST
from yupana.data.contracts.contract import Contract
from yupana.data.national.columns import PLACE_NAMES
from yupana.validation.changes.count import BY, Counted, Sides, label, value_of

if TYPE_CHECKING:
    import polars as pl

PERIODS = 4
"""Newest periods of the release before, in each of which what is missed had rows."""

MOST = 10
"""Values that are named."""


@dataclass(frozen=True)
class Absent:
    """Values of a column without a row in the newest period; `named` are the first of them.

    `FEWEST` rows or more of each were to be expected by its part in the periods before, so that
    what is said is of no small count.
    """

    column: str
    period: str
    count: int
    named: tuple[str, ...]


def absent(
    contract: Contract, sides: Sides, whole: Counted, axis: tuple[str, ...], groups: list[str]
) -> tuple[Absent, ...]:
    """What is missed, by column, places first.

    Args:
        sides: rows before and after.
        whole: their counts by period.
        groups: columns of codes.
    """
    import polars as pl

    newest = whole[1][BY].max() if axis else None
    earlier = (pl.col(BY) < newest) & pl.col(BY).is_not_null()
    before = whole[0].filter(earlier).sort(BY).tail(PERIODS)
    names = sides[1].collect_schema().names()
    # The smallest have a code each, and their names are not theirs alone.
    columns = list(dict.fromkeys([*(p for p in PLACE_NAMES[:-1] if p in names), *groups]))
    if newest is None or len(before) < PERIODS or not columns:
        return ()
    period = value_of(sides[0], axis)
    then = sides[0].filter(period.is_in(before[BY].to_list())).select(period.alias(BY), *columns)
    now = sides[1].filter(value_of(sides[1], axis) == newest).select(columns)
    old, new = pl.collect_all([then, now], engine="streaming")
    label_of = label(newest, axis)
    every = (_of(column, old, new, label_of) for column in columns)
    return tuple(a for a in every if a.count)


def _of(column: str, old: pl.DataFrame, new: pl.DataFrame, period: str) -> Absent:
    import polars as pl

    counts = old.drop_nulls(column).group_by(column).agg(pl.len(), pl.n_unique(BY).alias("periods"))
    # By the others: a period that has just begun, or is reported late, has fewer of all.
    expected = pl.col("len") / (len(old) - pl.col("len")) * len(new)
    there = pl.col(column).is_in(new[column].implode())
    missed = counts.filter((pl.col("periods") == PERIODS) & (expected >= FEWEST) & ~there)
    values = sorted(map(str, missed[column]))
    return Absent(column, period, len(values), tuple(values[:MOST]))
