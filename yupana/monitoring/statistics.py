"""Statistics of one column, with small cells hidden before anything is drawn or written.

Numbers that would let a hidden count be solved for, such as a mean beside all cells but two, are
taken of the rows in the cells that are shown; no number is a single row's (a minimum, a maximum).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.core import disclosure
from yupana.data.contracts.columns import Column

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


def describe(values: pl.Series, column: Column, personal: bool) -> dict[str, Any]:
    """Counts, spread and the commonest values of a column.

    Args:
        personal: the column is made from personal ones: no single value (minimum, maximum) is
            told.

    Returns:
        `kind` is number, whole, category, date, text or empty. All: name, unit, description,
        count, nulls (both None where one of them is under 5 or tells a hidden cell), distinct.
        number, whole: mean, sd, percentiles (by `5` … `95`), of `described` rows: those in cells
        that are shown.
        number, whole, date: minimum, maximum: five rows or more are as low, or as high.
        number: histogram (edges, counts; None is hidden). whole, category: top [value, count],
        others (values, count; None is hidden). text: length (mean, maximum), in characters.
    """
    # Whatever the column is called, no name of ours can be the same.
    there, nulls = values.drop_nulls().alias("value"), values.null_count()
    kind = _kind(there, column)
    facts: dict[str, Any] = {
        "name": column.name,
        "kind": kind,
        "unit": column.unit,
        "description": column.description,
        **_totals(disclosure.hide([len(there), nulls])),
        "distinct": there.n_unique(),
    }
    if kind == "whole":
        by_value = _by_value(there, nulls)
        if by_value["described"] < _MOST * len(there):
            kind = facts["kind"] = "number"
        else:
            facts.update(by_value)
    if kind == "number":
        facts.update(_number(there, nulls))
    if kind == "category":
        facts.update(_commonest(there, nulls))
    if kind == "date":
        facts.update(_ends(there))
    if kind == "text":
        length = there.str.len_chars()
        mean = _plain(length.mean()) if facts["count"] is not None else None
        facts["length"] = {"mean": mean, "maximum": _ends(length)["maximum"]}
    if personal:
        facts = {k: v for k, v in facts.items() if k not in ("minimum", "maximum")}
    return facts


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


def _totals(cells: list[int | None]) -> dict[str, int | None]:
    """How many rows have a value and how many have none: the total of both is told."""
    count, nulls = cells if None not in cells else (None, None)
    return {"count": count, "nulls": nulls}


def _disclosure(counts: list[int], nulls: int) -> tuple[list[int | None], dict[str, Any]]:
    """The cells that may be shown beside the empty ones, and count and nulls of the column."""
    *cells, empty = disclosure.hide([*counts, nulls])
    return cells, _totals([sum(counts) if empty is not None else None, empty])


def _spread(rows: pl.Series) -> dict[str, Any]:
    """Of rows in cells of five rows or more; no percentile is one of the four rows at an end."""
    ends = disclosure.ends(rows.to_list())
    edge = (disclosure.FEWEST - 1) / max(1, len(rows) - 1)
    at = {str(p): min(max(p / 100, edge), 1 - edge) for p in PERCENTILES}
    order = rows.sort()
    return {
        "described": len(rows),
        "mean": _plain(rows.mean()),
        "sd": _plain(rows.std()),
        "percentiles": {
            p: _plain(order[int(share * (len(rows) - 1) + 0.5)]) if ends else None
            for p, share in at.items()
        },
    }


def _ends(there: pl.Series) -> dict[str, Any]:
    low, high = disclosure.ends(there.to_list()) or (None, None)
    return {"minimum": _plain(low), "maximum": _plain(high)}


def _number(there: pl.Series, nulls: int) -> dict[str, Any]:
    """As many bins as leave the fewest rows hidden."""
    import numpy as np

    whole = there.filter(np.isfinite(there.to_numpy()))
    numbers, empty = whole.to_numpy(), nulls + len(there) - len(whole)
    ends = disclosure.ends(numbers.tolist())
    if ends is None:
        none: list[Any] = []
        histogram = {"edges": none, "counts": none}
        return {"histogram": histogram, "minimum": None, "maximum": None, **_spread(there.clear())}
    most = max(1, min(BINS, len(numbers) // _IN_A_BIN))
    histograms = [_histogram(numbers, ends, max(1, most >> halved)) for halved in range(5)]
    best = max(histograms, key=lambda h: sum(c or 0 for c in _disclosure(h.counts, empty)[0]))
    cells, totals = _disclosure(best.counts, empty)
    visible = [n for n, count in enumerate(cells) if count is not None]
    rows = whole.filter(np.isin(best.places, visible))
    return {
        **totals,
        **_spread(rows.clear() if _solvable(rows, len(visible)) else rows),
        "minimum": _plain(ends[0]),
        "maximum": _plain(ends[1]),
        "histogram": {"edges": [_plain(float(e)) for e in best.edges], "counts": cells},
    }


class _Histogram(NamedTuple):
    """Edges of n bins (n+1 numbers), their counts, and the bin of each row (0 to n-1)."""

    edges: Any
    counts: list[int]
    places: Any


def _histogram(numbers: Any, ends: tuple[Any, Any], bins: int) -> _Histogram:
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
    return _Histogram(edges, [int(c) for c in counts], places)


def _solvable(rows: pl.Series, bins: int) -> bool:
    """Whether a value of few rows, in a bin with others, follows from the bins and a mean."""
    sizes = rows.value_counts(name="rows")["rows"]
    few = not sizes.is_empty() and bool((sizes < disclosure.FEWEST).any())
    return few and len(sizes) - bins < _UNKNOWN


def _by_value(there: pl.Series, nulls: int) -> dict[str, Any]:
    counted = there.value_counts(name="rows").sort("value")
    cell_counts, totals = _disclosure(counted["rows"].to_list(), nulls)
    cells = [(v, c) for v, c in zip(counted["value"], cell_counts, strict=True) if c is not None]
    covert = None if totals["count"] is None else totals["count"] - sum(c for _, c in cells)
    if cell_counts and not cells:
        covert = None
    values = [v for v, _ in cells]
    return {
        **totals,
        **_spread(there.filter(there.is_in(values))),
        "minimum": values[0] if values else None,
        "maximum": values[-1] if values else None,
        "top": [{"value": str(v), "count": c} for v, c in cells],
        "others": {"values": len(cell_counts) - len(cells), "count": covert},
    }


def _commonest(there: pl.Series, nulls: int) -> dict[str, Any]:
    import polars as pl

    counted = there.cast(pl.String).value_counts(name="rows")
    counts = dict(zip(counted["value"].to_list(), counted["rows"].to_list(), strict=True))
    cells, (values, rows) = disclosure.largest(counts, TOP, nulls)
    covert = 0 < nulls < disclosure.FEWEST
    return {
        **({"count": None, "nulls": None} if covert else {}),
        "top": [{"value": v, "count": c} for v, c in cells],
        "others": {"values": values, "count": rows},
    }


def _plain(value: Any) -> Any:
    """A value for JSON; six significant digits say all that a summary can."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if value == value else None
    return value if value is None or isinstance(value, int) else str(value)
