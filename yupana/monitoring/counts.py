"""Large tables as counts: how often each value, or each narrow bin of values, stands in a column.

Rows are read batch by batch, so that memory depends on the columns and not on the rows. Whole
numbers over a short range and categories are counted exactly; other numbers fall into `BINS`
equal bins over the range of both tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Array = npt.NDArray[np.float64]
Read = Callable[[list[str]], Iterator["pa.RecordBatch"]]

BINS = 1 << 16
ABREAST = 5
"""Columns that are read at a time: a whole row group of each is in memory."""


@dataclass
class Counted:
    """One column of two tables as counts.

    Attributes:
        values: what was counted, ascending: numbers (the middle of their bin), or texts.
        reference, current: how many rows have each value, shape as `values`.
        width: of a bin, in the column's unit; 0 where the counts are exact.
        deviation: standard deviation of the reference's numbers, from all rows; 0 for texts.
        nulls: rows without a (finite) value, in the reference and in the current table.
    """

    values: Any
    reference: Array
    current: Array
    width: float = 0.0
    deviation: float = 0.0
    nulls: tuple[int, int] = (0, 0)

    @property
    def numeric(self) -> bool:
        return isinstance(self.values, np.ndarray)

    @property
    def empty(self) -> bool:
        """Whether one of the tables has no value at all."""
        return not (self.reference.sum() and self.current.sum())


@dataclass
class _Extent:
    """What one pass over a numeric column tells."""

    low: float = np.inf
    high: float = -np.inf
    whole: bool = True
    rows: int = 0
    mean: float = 0.0
    squares: float = 0.0
    nulls: int = 0
    texts: Counter[str] = field(default_factory=Counter)


def read(source: Any, rows: int = 1 << 17) -> Read:
    """A reader of a pyarrow Dataset or Table, for `count`."""
    import pyarrow.dataset as ds

    made = source if isinstance(source, ds.Dataset) else ds.dataset(source)

    def batches(columns: list[str]) -> Iterator[pa.RecordBatch]:
        # A batch or two ahead and no more: reading far ahead would hold the table after all.
        yield from made.to_batches(
            columns=columns, batch_size=rows, batch_readahead=2, fragment_readahead=1
        )

    return batches


def count(reference: Read, current: Read, numbers: list[str], texts: list[str]) -> dict[str, Any]:
    """The columns of two tables as `Counted`, by name.

    Args:
        numbers: columns of numbers; NaN and infinity count as missing.
        texts: columns of categories.
    """
    extents = [_extents(side, numbers, texts) for side in (reference, current)]
    plans = {c: _plan(extents[0][c], extents[1][c]) for c in numbers}
    found = [_histograms(side, plans) for side in (reference, current)]
    made = {c: _numbers(plans[c], [f[c] for f in found], [e[c] for e in extents]) for c in numbers}
    return made | {c: _texts([e[c] for e in extents]) for c in texts}


def exact(reference: Read, current: Read, column: str) -> Counted:
    """One column of numbers counted value by value: its own memory, and no bins."""
    sides = [
        np.concatenate([np.empty(0), *(_floats(batch, column) for batch in side([column]))])
        for side in (reference, current)
    ]
    known = [values[np.isfinite(values)] for values in sides]
    every, place = np.unique(np.concatenate(known), return_inverse=True)
    cut = len(known[0])
    first, second = (
        np.bincount(where, minlength=len(every)).astype(np.float64)
        for where in (place[:cut], place[cut:])
    )
    missing = (len(sides[0]) - len(known[0]), len(sides[1]) - len(known[1]))
    return Counted(every, first, second, 0.0, spread(every, first), missing)


def spread(values: Array, counts: Array) -> float:
    """Standard deviation of values that stand `counts` times; 0 without any."""
    if not counts.sum():
        return 0.0
    mean = np.average(values, weights=counts)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=counts)))


def _floats(batch: pa.RecordBatch, column: str) -> Array:
    import pyarrow as pa

    values = batch.column(column)
    if values.type != pa.float64():
        values = values.cast(pa.float64())
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _extents(side: Read, numbers: list[str], texts: list[str]) -> dict[str, _Extent]:
    found = {c: _Extent() for c in (*numbers, *texts)}
    for column, batch in _columns(side, [*numbers, *texts]):
        if column in texts:
            _tally(found[column], batch, column)
        else:
            _grow(found[column], _floats(batch, column))
    return found


def _columns(side: Read, columns: list[str]) -> Iterator[tuple[str, pa.RecordBatch]]:
    for start in range(0, len(columns), ABREAST):
        some = columns[start : start + ABREAST]
        for batch in side(some):
            yield from ((column, batch) for column in some)


def _grow(extent: _Extent, values: Array) -> None:
    fine = np.isfinite(values)
    if not fine.all():
        extent.nulls += int((~fine).sum())
        values = values[fine]
    if not len(values):
        return
    extent.low = min(extent.low, float(values.min()))
    extent.high = max(extent.high, float(values.max()))
    extent.whole = extent.whole and bool((values == np.rint(values)).all())
    # Chan, Golub, LeVeque 1983: means and squares of parts are put together without loss.
    mean = float(values.mean())
    squares = float(((values - mean) ** 2).sum())
    together, apart = extent.rows + len(values), mean - extent.mean
    extent.squares += squares + apart**2 * extent.rows * len(values) / together
    extent.mean += apart * len(values) / together
    extent.rows = together


def _tally(extent: _Extent, batch: pa.RecordBatch, column: str) -> None:
    for pair in batch.column(column).cast("string").value_counts().to_pylist():
        if pair["values"] is None:
            extent.nulls += pair["counts"]
        else:
            extent.texts[pair["values"]] += pair["counts"]


def _plan(reference: _Extent, current: _Extent) -> tuple[float, float, int]:
    """Where a column's bins begin, their width (0: whole numbers one by one), and how many."""
    low, high = min(reference.low, current.low), max(reference.high, current.high)
    if not np.isfinite(low):
        return 0.0, 0.0, 1
    if reference.whole and current.whole and high - low < BINS:
        return low, 0.0, int(high - low) + 1
    return low, (high - low) / BINS or 1.0, BINS


def _histograms(side: Read, plans: dict[str, tuple[float, float, int]]) -> dict[str, Array]:
    found = {column: np.zeros(bins) for column, (_, _, bins) in plans.items()}
    for column, batch in _columns(side, list(plans)):
        low, width, bins = plans[column]
        values = _floats(batch, column)
        fine = np.isfinite(values)
        values = values if fine.all() else values[fine]
        place = ((values - low) / (width or 1.0)).astype(np.int64)
        np.minimum(place, bins - 1, out=place)
        found[column] += np.bincount(place, minlength=bins)
    return found


def _numbers(plan: tuple[float, float, int], sides: list[Array], extents: list[_Extent]) -> Counted:
    low, width, bins = plan
    there = (sides[0] + sides[1]) > 0
    values = low + (np.arange(bins) * (width or 1.0))[there] + width / 2
    known = extents[0]
    deviation = float(np.sqrt(known.squares / known.rows)) if known.rows else 0.0
    nulls = (extents[0].nulls, extents[1].nulls)
    return Counted(values, sides[0][there], sides[1][there], width, deviation, nulls)


def _texts(extents: list[_Extent]) -> Counted:
    names = sorted({*extents[0].texts, *extents[1].texts})
    sides = [np.array([e.texts[n] for n in names], dtype=float) for e in extents]
    return Counted(names, sides[0], sides[1], nulls=(extents[0].nulls, extents[1].nulls))
