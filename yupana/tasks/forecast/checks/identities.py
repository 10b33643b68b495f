"""What must hold between features, and how far a period is from it.

Each column with an equation has an expected vector, made from the other columns of the period and
from the periods before. Late reports move the newest lags a little (`scale.late`), which is usual;
all else holds exactly.
"""

from __future__ import annotations

import numpy as np

from yupana.tasks.forecast.checks.invariants import (
    Constant,
    Invariants,
    Lag,
    Mean,
    Season,
    Share,
    Since,
    lags,
)
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Array, Window

CHECK = "identity"
TINY = 1e-6
"""What rounding may do; it stands for 0 in the logarithm."""


def measure(window: Window, invariants: Invariants) -> list[Statistic]:
    """Log distance of every column from what it must be, as a share of its size."""
    every = (of(window, invariants, name) for name in invariants)
    return [statistic for statistic in every if statistic]


def of(window: Window, invariants: Invariants, name: str) -> Statistic | None:
    """Log distance of one column from its expected vector; None where that cannot be told.

    The sum of absolute differences over √total + 0.3 total + 1: counting noise grows with the
    root of a count, and what varies between periods in reporting with the count itself.
    """
    vector = expected(window, invariants, name)
    if vector is None:
        return None
    values = window.column(name)[window.present[-1]]
    off, total = np.abs(values - vector).sum(), (np.abs(values).sum() + np.abs(vector).sum()) / 2
    if isinstance(invariants[name], Share):
        reported = values * window.column(lags(invariants)[0])[window.present[-1]]
        off, total = off + np.abs(reported - np.round(reported)).sum(), np.abs(reported).sum()
    share = float(off / (np.sqrt(total) + 0.3 * total + 1))
    return Statistic(CHECK, name, "", float(np.log(share + TINY)))


def inputs(window: Window, invariants: Invariants, name: str) -> tuple[str, ...]:
    """Columns of the same period that a column's equation rests on, itself first."""
    invariant, own = invariants[name], lags(invariants)
    if isinstance(invariant, Lag) and invariant.digits is not None:
        return name, own[invariant.periods]
    if isinstance(invariant, Mean):
        return name, *own[: invariant.periods]
    if isinstance(invariant, Since):
        return name, *own
    return (name, own[0]) if isinstance(invariant, Share) else (name,)


def expected(window: Window, invariants: Invariants, name: str) -> Array | None:
    """What a column must be, by place that has a row; None where that cannot be told."""
    invariant, values = invariants[name], window.column(name)
    if isinstance(invariant, Season):
        vector: Array | None = np.full(len(values), invariant.of(window.end))
    elif isinstance(invariant, Share):
        # The same in all places, and no more than all.
        vector = np.full(len(values), min(float(np.median(values[window.present[-1]])), 1.0))
    elif isinstance(invariant, Constant) and len(window) > 1:
        vector = np.where(window.present[-2], window.column(name, 1), values)
    else:
        vector = _counted(window, invariants, name)
    return None if vector is None else np.asarray(vector[window.present[-1]])


def _counted(window: Window, invariants: Invariants, name: str) -> Array | None:
    """The same for what follows from counts."""
    invariant, own, values = invariants[name], lags(invariants), window.column(name)
    if isinstance(invariant, Lag) and invariant.digits is not None:
        return _sums(window, values, window.column(own[invariant.periods]), invariant.digits)
    if isinstance(invariant, Lag) and invariant.periods and len(window) > 1:
        return window.column(own[invariant.periods - 1], 1)
    if isinstance(invariant, Mean):
        return _mean(window, own, invariant.periods)
    if isinstance(invariant, Since) and len(window) > 1:
        return _since(window, own, name, invariant.most)
    return None


def _sums(window: Window, values: Array, counts: Array, digits: int) -> Array:
    """Counts added by group; a sum that holds a place without a row cannot be told."""
    group = np.unique(window.group(digits), return_inverse=True)[1]
    sums = np.bincount(group, weights=counts)[group]
    untold = np.bincount(group, weights=window.gone)[group] > 0
    return np.asarray(np.where(untold, values, sums), dtype=np.float64)


def _mean(window: Window, own: list[str], periods: int) -> Array | None:
    """From the lags of the period, and for older ones the oldest lag of the periods before."""
    oldest = len(own) - 1
    if len(window) <= periods - 1 - oldest:
        return None
    total = np.sum([window.column(c) for c in own[:periods]], axis=0)
    older = max(periods - oldest - 1, 0)
    return np.asarray((total + window.total(own[oldest], older)) / periods, dtype=np.float64)


def _since(window: Window, own: list[str], name: str, most: int) -> Array:
    some = np.stack([window.column(c) > 0 for c in own])
    # A place that is new has no case behind it: as long ago as can be told.
    before = np.where(window.present[-2], window.column(name, 1), most)
    vector = np.where(some.any(axis=0), some.argmax(axis=0), np.minimum(before + 1, most))
    return np.asarray(vector, dtype=np.float64)
