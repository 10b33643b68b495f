"""Counts behind a comparison of two states of a table: by period, by code, row by row.

Rows are known by 64-bit hashes of their key and of their values: among 10 million, the odds that
any two share one by chance are 3 in a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.validation.changes.hidden import Cover, Part, hidden, of_periods, small

if TYPE_CHECKING:
    import polars as pl

    Sides = tuple[pl.LazyFrame, pl.LazyFrame]
    Counted = tuple[pl.DataFrame, pl.DataFrame]
else:
    Sides = Counted = tuple

# No column of a contract begins so.
BY, ROWS = "_by", "_rows"
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
class Movement:
    """Rows that are new, gone or changed, of the past (`revised`) and of what came after it."""

    revised: dict[str, int]
    later: dict[str, int]

    def of(self, kind: str) -> int:
        """Rows `added`, `removed` or `changed`."""
        return self.revised[kind] + self.later[kind]

    @property
    def past(self) -> int:
        """Rows of the past that are new, gone or changed."""
        return sum(self.revised.values())

    @property
    def tells(self) -> bool:
        """Whether any of the counts that make up the others is small."""
        return any(small(n) for n in (*self.revised.values(), *self.later.values()))


def by_groups(
    sides: Sides, groupings: Sequence[tuple[str, ...]], measures: Sequence[Measure]
) -> list[Counted]:
    """Rows (`ROWS`), totals and numbers of values of both sides, by each grouping (`BY`)."""
    import polars as pl

    totals = [
        pl.col(m.name).cast(pl.Int64).sum() if m.what == "sum" else pl.col(m.name).mean()
        for m in measures
    ]
    totals += [pl.col(m.name).count().alias(_values(m)) for m in measures]
    queries = [
        side.group_by(value_of(side, by).alias(BY)).agg(pl.len().alias(ROWS), *totals)
        for by in groupings
        for side in sides
    ]
    frames = pl.collect_all(queries, engine="streaming")
    return list(zip(frames[::2], frames[1::2], strict=True))


def movement(
    sides: Sides, key: tuple[str, ...], same: Sequence[str], axis: tuple[str, ...], last: Any
) -> Movement:
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
            (value_of(side, axis) <= last if last is not None else pl.lit(n == 0)).alias("past"),
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
    past = pl.col("past").fill_null(False)
    sums = rows.select(past, **kinds).group_by("past").agg(pl.sum(kind) for kind in kinds)
    counts = {row.pop("past"): row for row in sums.collect(engine="streaming").to_dicts()}
    none = dict.fromkeys(kinds, 0)
    return Movement(counts.get(True, none), counts.get(False, none))


def total(sides: Counted, measure: Measure) -> Measure:
    """A measure with its totals over all groups; None where a small count follows from them."""

    def of(side: pl.DataFrame) -> float | int | None:
        if measure.what == "sum":
            return int(side[measure.name].sum())
        count = int(side[_values(measure)].sum())
        whole = float((side[measure.name] * side[_values(measure)]).sum())
        return _short(whole / count) if count else None

    counts = [_values(measure), *([measure.name] if measure.what == "sum" else [])]
    tells = any(_whole(sides, column).tells for column in counts)
    return replace(measure, total=Pair(*(None if tells else of(side) for side in sides)))


class Spread(NamedTuple):
    """Cells in order, and whether new, gone and changed rows may be shown with them."""

    cells: tuple[Cell, ...]
    rows_visible: bool


def cells(
    sides: Counted, measures: Sequence[Measure], by: tuple[str, ...], last: Any = None
) -> Spread:
    """Every period or code with its numbers, in order; what must not be shown is None.

    Args:
        measures: with their totals, which are None where they are not shown.
        by: the columns of the period, or the column of codes.
        last: the last period of the past; None for codes.
    """
    rows = [{row[BY]: row for row in side.iter_rows(named=True)} for side in sides]
    values = sorted({*rows[0], *rows[1]} - {None})
    values += [None] if any(None in side for side in rows) else []
    pairs = [(rows[0].get(value), rows[1].get(value)) for value in values]
    parts = _parts(pairs, ROWS)
    if last is None:
        cover = Cover(hidden(parts, (), least=1), True)
    else:
        cover = of_periods(parts, [v is not None and v <= last for v in values])
    totals = [_totals(pairs, cover.places, m) for m in measures]
    every = tuple(
        Cell(
            label(value, by),
            Pair(None, None) if at in cover.places else Pair(parts[at].before, parts[at].after),
            tuple(measure[at] for measure in totals),
        )
        for at, value in enumerate(values)
    )
    return Spread(every, cover.rows_visible)


def label(value: Any, by: tuple[str, ...]) -> str:
    """A period or a code as people read it."""
    if value is None:
        return "(none)"
    if len(by) == 2:
        return f"{value // 100}-{'W' if by[1] == 'week' else ''}{value % 100:02}"
    return str(value)


def value_of(side: pl.LazyFrame, by: tuple[str, ...]) -> pl.Expr:
    """What orders the periods: the column's value, its day, or year and number in one."""
    import polars as pl

    if not by:
        return pl.lit(0)
    if len(by) == 2:
        return pl.col(by[0]).cast(pl.Int64) * 100 + pl.col(by[1])
    is_moment = isinstance(side.collect_schema()[by[0]], pl.Datetime)
    return pl.col(by[0]).dt.date() if is_moment else pl.col(by[0])


def _whole(sides: Counted, column: str) -> Part:
    before, after = (int(side[column].sum()) for side in sides)
    return Part(before, after, (True, True))


def _parts(pairs: Sequence[tuple[Any, Any]], column: str) -> list[Part]:
    return [
        Part(old[column] if old else 0, new[column] if new else 0, (bool(old), bool(new)))
        for old, new in pairs
    ]


def _totals(
    pairs: Sequence[tuple[Any, Any]], covert: set[int], measure: Measure
) -> list[Pair]:
    """A measure's pair of each cell: of five values up, and sums, which are counts, hidden as rows.

    A sum is of people or cases; a mean follows from the means of the others and their numbers.
    """
    covert = hidden(_parts(pairs, _values(measure)), covert)
    if measure.what == "sum":
        has_total = measure.total != Pair(None, None)
        covert = hidden(_parts(pairs, measure.name), covert, total=has_total)
    none = Pair(None, None)
    return [
        none if at in covert else Pair(*(_of(side, measure) for side in pair))
        for at, pair in enumerate(pairs)
    ]


def _of(side: Any, measure: Measure) -> float | int | None:
    value = side[measure.name] if side else None
    return None if value is None else _short(value)


def _values(measure: Measure) -> str:
    """Name of the column that counts a measure's values, which weigh its mean."""
    return f"values of {measure.name}"


def _short(value: float) -> float:
    """Six digits: what engines add up in another order is the same."""
    return value if isinstance(value, int) else float(f"{value:.6g}")
