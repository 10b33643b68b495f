"""Counts behind a comparison of two states of a table: by period, by code, row by row.

Rows are known by 64-bit hashes of their key and of their values: among 10 million, the odds that
any two share one by chance are 3 in a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from yupana.core import disclosure

if TYPE_CHECKING:
    import polars as pl

    Sides = tuple[pl.LazyFrame, pl.LazyFrame]
    Counted = tuple[pl.DataFrame, pl.DataFrame]
else:
    Sides = Counted = tuple

OWN = ("source_sha256", "source_line", "quality_flags")
"""Columns that yupana adds: they differ in every file, and say nothing of its rows."""


@dataclass(frozen=True)
class Pair:
    """A number before and after; None where it must not be shown, or where there is none."""

    before: float | int | None
    after: float | int | None


@dataclass(frozen=True)
class Cell:
    """A period or a code: its rows, and the total of each measure of the comparison."""

    value: str
    rows: Pair
    totals: tuple[Pair, ...]

    @property
    def differs(self) -> bool:
        """Whether any number that may be shown is another."""
        return any(pair.before != pair.after for pair in (self.rows, *self.totals))


@dataclass(frozen=True)
class Measure:
    """A column with a unit: whole numbers are added up (`sum`), others averaged (`mean`)."""

    name: str
    unit: str
    what: str
    total: Pair


@dataclass(frozen=True)
class Moved:
    """Rows that are new, gone or changed; `revised` are those of the past among them."""

    added: int
    removed: int
    changed: int
    revised: int


def counted(
    sides: Sides, groupings: Sequence[tuple[str, ...]], measures: Sequence[Measure]
) -> list[Counted]:
    """Rows (`rows`), totals and numbers of values of both sides, by each grouping (`by`)."""
    import polars as pl

    totals = [
        pl.col(m.name).cast(pl.Int64).sum() if m.what == "sum" else pl.col(m.name).mean()
        for m in measures
    ]
    totals += [pl.col(m.name).count().alias(_values(m)) for m in measures]
    asked = [
        side.group_by(_value(side, by).alias("by")).agg(pl.len().alias("rows"), *totals)
        for by in groupings
        for side in sides
    ]
    found = pl.collect_all(asked, engine="streaming")
    return list(zip(found[::2], found[1::2], strict=True))


def moved(
    sides: Sides, key: tuple[str, ...], same: Sequence[str], axis: tuple[str, ...], last: Any
) -> Moved:
    """Compare row by row.

    Args:
        key: columns by which a row is known again; empty: all of them.
        same: columns of both sides with one type.
        last: the last period of the past; None without an axis.
    """
    import polars as pl

    flat = [c for c in same if not sides[0].collect_schema()[c].is_nested()]
    own, values = list(key) or flat, [c for c in flat if c not in key] or flat
    first = pl.col("side") == 0
    hashed = [
        side.select(
            pl.struct(own).hash(seed=0).alias("key"),
            pl.struct(values).hash(seed=1).alias("values"),
            (_value(side, axis) <= last if last is not None else pl.lit(n == 0)).alias("past"),
            pl.lit(n).alias("side"),
        )
        for n, side in enumerate(sides)
    ]
    rows = pl.concat(hashed).group_by("key").agg(
        first.sum().cast(pl.Int64).alias("old"),
        (~first).sum().cast(pl.Int64).alias("new"),
        (pl.col("values").filter(first).sum() != pl.col("values").filter(~first).sum()).alias(
            "other"
        ),
        pl.col("past").any(),
    )  # fmt: skip
    more = pl.col("new") - pl.col("old")
    kinds = {
        "added": more.clip(lower_bound=0),
        "removed": (-more).clip(lower_bound=0),
        "changed": pl.when((more == 0) & pl.col("other")).then("old").otherwise(0),
    }
    found = rows.select("past", **kinds).select(
        *(pl.sum(kind) for kind in kinds),
        pl.sum_horizontal(*kinds).filter("past").sum().alias("revised"),
    )
    return Moved(**found.collect(engine="streaming").row(0, named=True))


def total(sides: Counted, measure: Measure) -> Measure:
    """A measure with its totals over all groups."""

    def of(side: pl.DataFrame) -> float | int | None:
        if measure.what == "sum":
            return int(side[measure.name].sum())
        count = int(side[_values(measure)].sum())
        whole = float((side[measure.name] * side[_values(measure)]).sum())
        return _short(whole / count) if count else None

    return replace(measure, total=Pair(*(of(side) for side in sides)))


def cells(sides: Counted, measures: Sequence[Measure], by: tuple[str, ...]) -> tuple[Cell, ...]:
    """Every period or code with its numbers, in order; small ones are None."""
    rows = [{row["by"]: row for row in side.iter_rows(named=True)} for side in sides]
    values = sorted({*rows[0], *rows[1]} - {None})
    values += [None] if any(None in side for side in rows) else []
    shown = [disclosure.hide([s[v]["rows"] if v in s else 0 for v in values]) for s in rows]
    return tuple(
        Cell(
            label(value, by),
            Pair(*(part[at] for part in shown)),
            tuple(_totals([s.get(value) for s in rows], [part[at] for part in shown], measures)),
        )
        for at, value in enumerate(values)
    )


def label(value: Any, by: tuple[str, ...]) -> str:
    """A period or a code as people read it."""
    if value is None:
        return "(none)"
    if len(by) == 2:
        return f"{value // 100}-{'W' if by[1] == 'week' else ''}{value % 100:02}"
    return str(value)


def _value(side: pl.LazyFrame, by: tuple[str, ...]) -> pl.Expr:
    """What orders the periods: the column's value, its day, or year and number in one."""
    import polars as pl

    if not by:
        return pl.lit(0)
    if len(by) == 2:
        return pl.col(by[0]).cast(pl.Int64) * 100 + pl.col(by[1])
    is_moment = isinstance(side.collect_schema()[by[0]], pl.Datetime)
    return pl.col(by[0]).dt.date() if is_moment else pl.col(by[0])


def _totals(
    sides: list[Any], shown: list[int | None], measures: Sequence[Measure]
) -> Iterator[Pair]:
    """A sum of people or cases is a count as well: small ones are hidden."""
    for m in measures:
        pair = []
        for side, rows in zip(sides, shown, strict=True):
            value = side[m.name] if side and rows is not None else None
            small = m.what == "sum" and value in range(1, disclosure.FEWEST)
            pair.append(None if value is None or small else _short(value))
        yield Pair(*pair)


def _values(measure: Measure) -> str:
    """Name of the column that counts a measure's values, which weigh its mean."""
    return f"values of {measure.name}"


def _short(value: float) -> float:
    """Six digits: what engines add up in another order is the same."""
    return value if isinstance(value, int) else float(f"{value:.6g}")
