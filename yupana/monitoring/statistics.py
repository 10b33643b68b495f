"""Statistics of one column, with small cells hidden before anything is drawn or written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yupana.core import disclosure
from yupana.data.columns import Column

if TYPE_CHECKING:
    import polars as pl

TOP = 12
BINS = 24
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# A whole number with few values is counted by value: years, weeks, codes.
_DISCRETE = 60
# Long texts that hardly repeat are free text, whose words are nobody's category.
_LONG_TEXT = 40
_REPEATED = 0.1


def describe(values: pl.Series, column: Column, personal: bool) -> dict[str, Any]:
    """Counts, spread and the commonest values of a column.

    Args:
        personal: the column is made from personal ones: no single value (minimum, maximum) is
            told.

    Returns:
        `kind` is number, whole, category, date, text or empty. All: name, unit, description,
        count, nulls, distinct. number, whole: mean, sd, quantiles. number, whole, date: minimum,
        maximum. number: histogram (edges, counts). whole, category: top [value, count], others
        (values, count). text: length (mean, maximum), in characters. A count of None is under 5.
    """
    there = values.drop_nulls()
    kind = _kind(there, column)
    found: dict[str, Any] = {
        "name": column.name,
        "kind": kind,
        "unit": column.unit,
        "description": column.description,
        "count": len(there),
        "nulls": values.null_count(),
        "distinct": there.n_unique(),
    }
    if kind in ("number", "whole"):
        found.update(_spread(there))
    if kind in ("number", "whole", "date") and not personal:
        found.update(minimum=_plain(there.min()), maximum=_plain(there.max()))
    if kind == "number":
        found["histogram"] = _histogram(there)
    if kind == "whole":
        found.update(_by_value(there))
    if kind == "category":
        found.update(_commonest(there))
    if kind == "text":
        length = there.str.len_chars()
        found["length"] = {"mean": _plain(length.mean()), "maximum": _plain(length.max())}
    return found


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
        return "whole" if there.n_unique() <= _DISCRETE else "number"
    if column.type == "boolean":
        return "category"
    mean = there.str.len_chars().mean()
    free = isinstance(mean, float) and mean > _LONG_TEXT
    return "text" if free and there.n_unique() > _REPEATED * len(there) else "category"


def _spread(there: pl.Series) -> dict[str, Any]:
    return {
        "mean": _plain(there.mean()),
        "sd": _plain(there.std()),
        "quantiles": {str(q): _plain(there.quantile(q)) for q in QUANTILES},
    }


def _histogram(there: pl.Series) -> dict[str, Any]:
    """Equal bins over the middle 98 %; the tails fall into the first and last bin."""
    import numpy as np

    numbers = there.to_numpy()
    numbers = numbers[np.isfinite(numbers)]
    low, high = np.quantile(numbers, [0.01, 0.99])
    bins = BINS
    if np.issubdtype(numbers.dtype, np.integer):
        # Whole numbers fall evenly into bins only when a bin holds a whole number of them.
        step = max(1, int(np.ceil((high - low + 1) / BINS)))
        bins = max(1, int(np.ceil((high - low + 1) / step)))
        high = low + bins * step
    counts, edges = np.histogram(np.clip(numbers, low, high), bins=bins, range=(low, high))
    return {
        "edges": [_plain(float(e)) for e in edges],
        "counts": disclosure.hide([int(c) for c in counts]),
    }


def _by_value(there: pl.Series) -> dict[str, Any]:
    counted = there.value_counts(name="n").sort(there.name)
    shown = disclosure.hide(counted["n"].to_list())
    values = [str(v) for v in counted[there.name]]
    return {"top": [{"value": v, "count": c} for v, c in zip(values, shown, strict=True)]}


def _commonest(there: pl.Series) -> dict[str, Any]:
    import polars as pl

    counted = there.cast(pl.String).value_counts(name="n")
    counts = dict(zip(counted[there.name].to_list(), counted["n"].to_list(), strict=True))
    shown, (values, rows) = disclosure.largest(counts, TOP)
    return {
        "top": [{"value": v, "count": c} for v, c in shown],
        "others": {"values": values, "count": rows},
    }


def _plain(value: Any) -> Any:
    """A value for JSON; six significant digits say all that a summary can."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if value == value else None
    return value if value is None or isinstance(value, int) else str(value)
