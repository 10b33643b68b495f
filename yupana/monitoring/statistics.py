"""Statistics of one column, with small cells hidden before anything is drawn or written.

Numbers that would let a hidden count be solved for, such as a mean beside all cells but two, are
taken of the rows in the cells that are shown; no number is a single row's (a minimum, a maximum).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.core import disclosure
from yupana.data.contracts.columns import Column
from yupana.monitoring.profile_results import ColumnStatistics, Ends, Filled, Histogram, Spread

if TYPE_CHECKING:
    import polars as pl

TOP = 12
BINS = 24
PERCENTILES = (5, 25, 50, 75, 95)
# A whole number with few values, of five rows on average, is counted by value: years, weeks, codes.
_DISCRETE = 60
# By value, unless more rows than the rest would be hidden.
_MOST = 0.95
# Long texts that hardly repeat are free text, whose words are nobody's category.
_LONG_TEXT = 40
_REPEATED = 0.1
# Rows that a bin should have on average, so that few bins are too small to show.
_IN_A_BIN = 2 * disclosure.FEWEST
# Values more than bins that mean and deviation, two equations more, cannot be solved for.
_UNKNOWN = 10


def describe(values: pl.Series, column: Column, personal: bool) -> ColumnStatistics:
    """Counts, spread and the commonest values of a column.

    Args:
        personal: the column is made from personal ones: no single value (minimum, maximum) is
            told.
    """
    # Whatever the column is called, no name of ours can be the same.
    there, nulls = values.drop_nulls().alias("value"), values.null_count()
    base = ColumnStatistics(
        column.name, _kind(there, column), column.unit, column.description,
        _filled(disclosure.hide([len(there), nulls])), there.n_unique(),
    )  # fmt: skip
    described = _of_kind(base, there, nulls)
    return replace(described, ends=None) if personal else described


def _of_kind(base: ColumnStatistics, there: pl.Series, nulls: int) -> ColumnStatistics:
    if base.kind == "whole":
        by_value, described = _by_value(base, there, nulls)
        if described >= _MOST * len(there):
            return by_value
        base = replace(base, kind="number")
    if base.kind == "number":
        return _number(base, there, nulls)
    if base.kind == "category":
        return _commonest(base, there, nulls)
    if base.kind == "date":
        return replace(base, ends=_ends(there))
    if base.kind == "text":
        length = there.str.len_chars()
        mean = _plain(length.mean()) if base.filled.count is not None else None
        return replace(base, length={"mean": mean, "maximum": _ends(length).maximum})
    return base


def identifies(values: pl.Series, column: Column) -> bool:
    """Whether a column names records: called an id, or a text that stands once in each row."""
    if column.name == "id" or column.name.endswith("_id"):
        return True
    there = values.drop_nulls()
    return column.type == "string" and len(there) > 1 and there.n_unique() == len(there)


def _kind(there: pl.Series, column: Column) -> str:
    if there.is_empty():
        return "empty"
    if column.type in ("date", "timestamp"):
        return "date"
    if column.type == "number":
        return "number"
    if column.type == "integer":
        values = there.n_unique()
        often = len(there) >= values * disclosure.FEWEST
        return "whole" if values <= _DISCRETE and often else "number"
    if column.type == "boolean":
        return "category"
    mean = there.str.len_chars().mean()
    free = isinstance(mean, float) and mean > _LONG_TEXT
    return "text" if free and there.n_unique() > _REPEATED * len(there) else "category"


def _filled(cells: list[int | None]) -> Filled:
    """Of the rows with a value and those without: the total of both is told."""
    count, nulls = cells if None not in cells else (None, None)
    return Filled(count, nulls)


def _disclosure(counts: list[int], nulls: int) -> tuple[list[int | None], Filled]:
    """The cells that may be shown beside the empty ones, and count and nulls of the column."""
    *cells, empty = disclosure.hide([*counts, nulls])
    return cells, _filled([sum(counts) if empty is not None else None, empty])


def _spread(rows: pl.Series) -> Spread:
    """Of rows in cells of five rows or more; no percentile is one of the four rows at an end."""
    ends = disclosure.ends(rows.to_list())
    edge = (disclosure.FEWEST - 1) / max(1, len(rows) - 1)
    at = {str(p): min(max(p / 100, edge), 1 - edge) for p in PERCENTILES}
    order = rows.sort()
    percentiles = {
        p: _plain(order[int(share * (len(rows) - 1) + 0.5)]) if ends else None
        for p, share in at.items()
    }
    return Spread(len(rows), _plain(rows.mean()), _plain(rows.std()), percentiles)


def _ends(there: pl.Series) -> Ends:
    low, high = disclosure.ends(there.to_list()) or (None, None)
    return Ends(_plain(low), _plain(high))


def _number(base: ColumnStatistics, there: pl.Series, nulls: int) -> ColumnStatistics:
    """As many bins as leave the fewest rows hidden."""
    import numpy as np

    whole = there.filter(np.isfinite(there.to_numpy()))
    numbers, empty = whole.to_numpy(), nulls + len(there) - len(whole)
    ends = disclosure.ends(numbers.tolist())
    if ends is None:
        spread = _spread(there.clear())
        return replace(base, spread=spread, ends=Ends(None, None), histogram=Histogram([], []))
    most = max(1, min(BINS, len(numbers) // _IN_A_BIN))
    binnings = [_bins(numbers, ends, max(1, most >> halved)) for halved in range(5)]
    best = max(binnings, key=lambda b: sum(c or 0 for c in _disclosure(b.counts, empty)[0]))
    cells, filled = _disclosure(best.counts, empty)
    visible = [n for n, count in enumerate(cells) if count is not None]
    rows = whole.filter(np.isin(best.places, visible))
    return replace(
        base,
        filled=filled,
        spread=_spread(rows.clear() if _solvable(rows, len(visible)) else rows),
        ends=Ends(_plain(ends[0]), _plain(ends[1])),
        histogram=Histogram([_plain(float(e)) for e in best.edges], cells),
    )


class _Bins(NamedTuple):
    """Edges of n bins (n+1 numbers), their counts, and the bin of each row (0 to n-1)."""

    edges: Any
    counts: list[int]
    places: Any


def _bins(numbers: Any, ends: tuple[Any, Any], bins: int) -> _Bins:
    """Equal bins over the middle 98 %, and no more than the fifth rows from the ends; the tails
    fall into the first and last bin.
    """
    import numpy as np

    low, high = np.percentile(numbers, [1, 99])
    low, high = max(low, ends[0]), min(high, ends[1])
    if np.issubdtype(numbers.dtype, np.integer):
        # Whole numbers fall evenly into bins only when a bin holds a whole number of them.
        low = np.floor(low)
        step = max(1, int(np.ceil((high - low + 1) / bins)))
        bins = max(1, int(np.ceil((high - low + 1) / step)))
        high = low + bins * step
    within = np.clip(numbers, low, high)
    counts, edges = np.histogram(within, bins=bins, range=(low, high))
    # As the histogram counts: a bin ends before its upper edge, the last one with it.
    places = np.clip(np.searchsorted(edges, within, side="right") - 1, 0, bins - 1)
    return _Bins(edges, [int(c) for c in counts], places)


def _solvable(rows: pl.Series, bins: int) -> bool:
    """Whether a value of few rows, in a bin with others, follows from the bins and a mean."""
    sizes = rows.value_counts(name="rows")["rows"]
    few = not sizes.is_empty() and bool((sizes < disclosure.FEWEST).any())
    return few and len(sizes) - bins < _UNKNOWN


def _by_value(base: ColumnStatistics, there: pl.Series, nulls: int) -> tuple[ColumnStatistics, int]:
    """By each value, and how many rows have one that is shown."""
    counted = there.value_counts(name="rows").sort("value")
    cell_counts, filled = _disclosure(counted["rows"].to_list(), nulls)
    cells = [(v, c) for v, c in zip(counted["value"], cell_counts, strict=True) if c is not None]
    covert = None if filled.count is None else filled.count - sum(c for _, c in cells)
    if cell_counts and not cells:
        covert = None
    values = [v for v, _ in cells]
    spread = _spread(there.filter(there.is_in(values)))
    by_value = replace(
        base,
        filled=filled,
        spread=spread,
        ends=Ends(values[0], values[-1]) if values else Ends(None, None),
        top=[{"value": str(v), "count": c} for v, c in cells],
        others={"values": len(cell_counts) - len(cells), "count": covert},
    )
    return by_value, spread.described


def _commonest(base: ColumnStatistics, there: pl.Series, nulls: int) -> ColumnStatistics:
    import polars as pl

    counted = there.cast(pl.String).value_counts(name="rows")
    counts = dict(zip(counted["value"].to_list(), counted["rows"].to_list(), strict=True))
    cells, (values, rows) = disclosure.largest(counts, TOP, nulls)
    covert = 0 < nulls < disclosure.FEWEST
    return replace(
        base,
        filled=Filled(None, None) if covert else base.filled,
        top=[{"value": v, "count": c} for v, c in cells],
        others={"values": values, "count": rows},
    )


def _plain(value: Any) -> Any:
    """A value for JSON; six significant digits say all that a summary can."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if value == value else None
    return value if value is None or isinstance(value, int) else str(value)
