"""What a release changes against the one before it: rows, keys, periods, groups, codes, columns.

Two versions of a table are read as Polars streams, a few columns at a time, so that memory holds
hashes and totals, not rows. What `change_hidden` hides never enters a `Change`: nothing that is
kept, printed or sent holds it. Of personal columns only hashes are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.core import disclosure
from yupana.core.types import RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import BROKEN, MALFORMED
from yupana.data.lake import history
from yupana.validation import periods
from yupana.validation.changes import count
from yupana.validation.changes.absent import Absent, absent
from yupana.validation.changes.count import BY, ROWS, Cell, Measure, Pair, Sides

if TYPE_CHECKING:
    import polars as pl

_CODES = 10
_MEASURES = 6
_MOVED = 50


@dataclass(frozen=True)
class Codes:
    """Codes of a column that the version before did not have; `shown` are those of 5 rows up."""

    column: str
    new: int
    gone: int
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What one version of a table changes against another.

    Attributes:
        before: the version compared with; after: None where it is not published yet.
        key: the columns by which rows are known again; empty: rows are compared whole, so that a
            changed one counts as removed and added.
        added, removed, changed: rows; None, and `revised` and `past` with them, where a count
            from 1 to 4 follows from them.
        retyped: columns whose type is another; their values are not compared.
        axis: the columns that tell the period; empty when there are none.
        last: the last period before; all up to it is the past.
        revised: rows of the past that are changed, gone or new; without an axis, that are
            changed or gone.
        past: `revised` as a share of the rows before.
        periods: every period, in order.
        groups: by column, the codes that moved most, of those whose numbers may be shown.
        absent: places and codes that used to come, and have no row in the newest period.
    """

    before: int
    after: int | None
    rows: Pair
    key: tuple[str, ...]
    added: int | None
    removed: int | None
    changed: int | None
    columns_new: tuple[str, ...]
    columns_gone: tuple[str, ...]
    retyped: tuple[str, ...]
    axis: tuple[str, ...]
    last: str
    revised: int | None
    past: float | None
    periods_new: tuple[str, ...]
    periods_gone: tuple[str, ...]
    measures: tuple[Measure, ...]
    codes: tuple[Codes, ...]
    periods: tuple[Cell, ...]
    groups: dict[str, tuple[Cell, ...]]
    absent: tuple[Absent, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A change, and its `past` also where it must not be shown.

    Bounds are held to it; nothing prints or keeps it.
    """

    change: Change
    past: float


def between(contract: Contract, table: Path, one: int, other: int) -> Change:
    """Compare two published versions of a table.

    Raises:
        UsageError: no publication has such a version.
        FileNotFoundError: its files were cleaned away.
    """
    old, new = history.at_version(table, one), history.at_version(table, other)
    sides = (of_version(table, old.tidy_version), of_version(table, new.tidy_version))
    return compare(contract, sides, old.version, new.version)


def of_version(table: Path, version: int) -> pl.LazyFrame:
    """The rows of a version of a table; a day that Python cannot hold is none.

    Older releases let such days in, and the file that mends them must be comparable.
    """
    import polars as pl
    from deltalake import DeltaTable

    rows = pl.scan_delta(DeltaTable(table, version=version))
    days = [n for n, t in rows.collect_schema().items() if isinstance(t, pl.Date | pl.Datetime)]
    valid = (pl.col(n).dt.year().is_between(1, 9999) for n in days)
    return rows.with_columns(pl.when(h).then(n).alias(n) for n, h in zip(days, valid, strict=True))


def once_published(
    contract: Contract, old: pl.LazyFrame, staged: str, raw: RawObject
) -> pl.LazyFrame:
    """The rows that the table will hold once the good staged rows of a file are published."""
    import polars as pl

    rows = pl.scan_delta(staged).filter(pl.col(BROKEN).is_null())
    rows = rows.drop(BROKEN, MALFORMED, *contract.helpers, strict=False)
    if contract.publication == "snapshot":
        return rows
    others = old.filter(~pl.col("source_sha256").is_in(raw.hashes))
    for columns in contract.replaces:
        others = others.join(rows.select(columns), on=list(columns), how="anti")
    return pl.concat([rows, others], how="diagonal")


def compare(contract: Contract, sides: Sides, before: int, after: int | None) -> Change:
    """What may be kept and shown of a comparison of two states of a table."""
    return comparison(contract, sides, before, after).change


def comparison(
    contract: Contract, sides: Sides, before: int, after: int | None
) -> Comparison:
    """Compare two states of a table.

    Args:
        sides: the rows before and after.
        before, after: the versions, for those who read the result.
    """
    types = tuple(
        {n: t for n, t in side.collect_schema().items() if n not in count.OWN} for side in sides
    )
    same = [c for c in types[1] if types[0].get(c) == types[1][c]]
    axis = _axis(contract, same)
    key = contract.key if set(contract.key) <= set(same) else ()
    measures = _measures(contract, same, axis)
    groups = _groups(contract, same, axis)
    whole, *parts = count.by_groups(sides, [axis, *((g,) for g in groups)], measures)
    last = whole[0][BY].max() if axis else None
    measures = [count.total(whole, m) for m in measures]
    spread, may = count.cells(whole, measures, axis, last) if axis else ((), True)
    movement = count.movement(sides, key, same, axis, last)
    may = may and not movement.tells
    rows = Pair(*(int(side[ROWS].sum()) for side in whole))
    by_column = dict(zip(groups, parts, strict=True))
    codes = [_codes(name, *pair) for name, pair in by_column.items()]
    change = Change(
        before=before,
        after=after,
        rows=rows,
        key=key,
        added=movement.of("added") if may else None,
        removed=movement.of("removed") if may else None,
        changed=movement.of("changed") if may else None,
        columns_new=tuple(c for c in types[1] if c not in types[0]),
        columns_gone=tuple(c for c in types[0] if c not in types[1]),
        retyped=tuple(c for c in types[1] if c in types[0] and c not in same),
        axis=axis,
        last="" if last is None else count.label(last, axis),
        revised=movement.past if may else None,
        past=_share(movement.past, rows) if may else None,
        periods_new=_only(whole[1], whole[0], axis),
        periods_gone=_only(whole[0], whole[1], axis),
        measures=tuple(measures),
        codes=tuple(c for c in codes if c.new or c.gone),
        periods=spread,
        groups={n: _most_moved(count.cells(p, measures, (n,)).cells) for n, p in by_column.items()},
        absent=absent(contract, sides, whole, axis, groups),
    )
    return Comparison(change, _share(movement.past, rows))


def _share(revised: int, rows: Pair) -> float:
    return revised / rows.before if rows.before else 0.0


def _axis(contract: Contract, same: list[str]) -> tuple[str, ...]:
    axis = (contract.period,) if contract.period else periods.columns(contract)
    return axis if set(axis) <= set(same) else ()


def _measures(contract: Contract, same: list[str], axis: tuple[str, ...]) -> list[Measure]:
    kinds, none = {"integer": "sum", "number": "mean"}, Pair(None, None)
    measures = [
        Measure(c.name, c.unit, kinds[c.type], none)
        for c in contract.table_columns
        if c.unit and not c.personal and c.type in kinds and c.name in same
        and c.name not in (*axis, *contract.key)
    ]  # fmt: skip
    return measures[:_MEASURES]


def _groups(contract: Contract, same: list[str], axis: tuple[str, ...]) -> list[str]:
    """Columns of codes: with a list of them, or text in a key of several columns."""
    listed = {rule.column for rule in contract.rules if rule.kind == "codes"}
    listed |= {c.name for c in contract.table_columns if c.relation}
    listed |= set(contract.key) if len(contract.key) > 1 else set()
    texts = [c for c in contract.table_columns if c.type == "string" and not c.personal]
    return [c.name for c in texts if c.name in listed & set(same) and c.name not in axis]


def _only(one: pl.DataFrame, other: pl.DataFrame, axis: tuple[str, ...]) -> tuple[str, ...]:
    if not axis:
        return ()
    alone = set(one[BY].drop_nulls()) - set(other[BY].drop_nulls())
    return tuple(count.label(value, axis) for value in sorted(alone))


def _codes(column: str, old: pl.DataFrame, new: pl.DataFrame) -> Codes:
    before, after = set(old[BY].drop_nulls()), set(new[BY].drop_nulls())
    fresh = {v: n for v, n in new.select(BY, ROWS).iter_rows() if v in after - before}
    largest, _ = disclosure.largest(fresh, _CODES)
    return Codes(column, len(fresh), len(before - after), tuple(value for value, _ in largest))


def _most_moved(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    differ = [c for c in cells if c.differs]
    return tuple(sorted(differ, key=lambda c: -abs((c.rows.after or 0) - (c.rows.before or 0))))[
        :_MOVED
    ]
