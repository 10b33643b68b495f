"""Drift of large tables from their counts, and the small tables that Evidently is given for them.

Evidently holds every row of both tables in pandas and copies them for each column. Its distances
need the distributions alone: the Wasserstein distance of numbers and the Jensen-Shannon distance
of categories follow from counts (`counts.py`). Evidently then gets, for each column, `SIZE` values
at equal steps of the distribution, so that the report, its pictures and its tests are its own; by
how much its distances differ from those of all rows is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.monitoring import counts
from yupana.monitoring.counts import Array, Counted, Read

if TYPE_CHECKING:
    import pandas as pd

SIZE = 4096
LARGEST = 1 << 16
DISTANCE = 0.1
"""From this distance on a column has drifted: Evidently's own threshold of both distances."""
FEW = 5
"""Numbers with at most so many different values are compared as categories, as Evidently does."""
_LEAST_DEVIATION = 0.001
_CLOSE = 1e-9


@dataclass(frozen=True)
class Scored:
    """One column's distance, and how far from all rows' distance it can be.

    Attributes:
        method: `wasserstein` (in standard deviations of the reference) or `jensenshannon`.
        score: from the counts.
        error: the most by which the score of all rows can differ from `score`; 0 where exact.
        drifted: whether the score is `DISTANCE` or more.
    """

    method: str
    score: float
    error: float
    drifted: bool


def score(
    reference: Read, current: Read, numbers: list[str], texts: list[str]
) -> tuple[dict[str, Counted], dict[str, Scored]]:
    """Counts of every column, and the distance of those that have values on both sides.

    A column whose bins are too wide to say on which side of the threshold it lies is counted
    again value by value.
    """
    found = counts.count(reference, current, numbers, texts)
    scored = {}
    for column in found:
        if found[column].empty:
            continue
        first = distance(found[column])
        if abs(first.score - DISTANCE) <= first.error + _CLOSE and first.error:
            found[column] = counts.exact(reference, current, column)
            first = distance(found[column])
        scored[column] = first
    return found, scored


def distance(counted: Counted) -> Scored:
    """The distance of one column's two distributions, as Evidently's methods define them."""
    reference = counted.reference / counted.reference.sum()
    current = counted.current / counted.current.sum()
    if not counted.numeric or (not counted.width and len(counted.values) <= FEW):
        found = _jensen_shannon(reference, current)
        return Scored("jensenshannon", found, 0.0, found >= DISTANCE)
    norm = max(counted.deviation, _LEAST_DEVIATION)
    found = _wasserstein(counted.values, reference, current) / norm
    # Each value is moved by half a bin at the most, in both tables.
    return Scored("wasserstein", found, counted.width / norm, found >= DISTANCE)


def tables(
    found: dict[str, Counted], scored: dict[str, Scored]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Small tables with the same distributions, and by column how far their distance is off.

    Large enough that every column lies on the same side of the threshold as its counts do, and
    at most `LARGEST` rows: a distance nearer to the threshold than that is a draw.

    Returns:
        reference, current, and |distance of the small tables - distance of the counts|.
    """
    import pandas as pd

    size = SIZE
    while True:
        sides: list[dict[str, Any]] = [{}, {}]
        off = {}
        for column, exact in scored.items():
            of = found[column]
            picks = [_steps(each, size) for each in (of.reference, of.current)]
            named = of.values if of.numeric else np.array(of.values, dtype=object)
            for side, pick in zip(sides, picks, strict=True):
                side[column] = named[pick]
            off[column] = _off(of, picks, exact)
        near = [
            c for c, s in scored.items()
            if abs(s.score - DISTANCE) <= off[c] + _CLOSE
        ]  # fmt: skip
        if not near or size >= LARGEST:
            return pd.DataFrame(sides[0]), pd.DataFrame(sides[1]), off
        size *= 4


def _off(of: Counted, picks: list[Any], exact: Scored) -> float:
    small = [np.bincount(p, minlength=len(of.values)).astype(float) for p in picks]
    deviation = of.deviation
    if of.numeric:
        deviation = counts.spread(of.values, small[0])
    told = distance(Counted(of.values, small[0], small[1], of.width, deviation))
    return abs(told.score - exact.score)


def _steps(of: Array, size: int) -> Any:
    """Places of `size` values at equal steps of a distribution given by counts."""
    reached = np.cumsum(of) / of.sum()
    middles = (np.arange(size) + 0.5) / size
    return np.minimum(np.searchsorted(reached, middles), len(of) - 1)


def _wasserstein(values: Array, reference: Array, current: Array) -> float:
    apart = np.abs(np.cumsum(reference) - np.cumsum(current))
    return float((apart[:-1] * np.diff(values)).sum())


def _jensen_shannon(reference: Array, current: Array) -> float:
    from scipy.spatial import distance as distances

    return float(distances.jensenshannon(reference, current))
