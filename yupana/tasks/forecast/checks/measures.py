"""Columns that follow from no other: do they stand still, and do they jump?"""

from __future__ import annotations

import numpy as np

from yupana.tasks.forecast.checks import counts
from yupana.tasks.forecast.checks.invariants import Invariants, Measure, lags, of_kind, prefixes
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Array, Places, Window

STILL, SHIFT = "still", "shift"
PLACES, PERIODS = 2, 8


def measure(window: Window, invariants: Invariants) -> list[Statistic]:
    """Log odds of unchanged values, and the period's move against the moves before."""
    if len(window) < PERIODS + 2:
        return []
    statistics = []
    for name in [lags(invariants)[0], *of_kind(invariants, Measure)]:
        now, before = (_column(window, invariants, name, back) for back in (0, 1))
        some = window.present[-1] & window.present[-2] & ((now != 0) | (before != 0))
        if some.sum() < PLACES:
            continue
        same = int((now == before)[some].sum())
        odds = np.log((same + 0.5) / (some.sum() - same + 0.5))
        statistics.append(Statistic(STILL, name, "", float(odds)))
    for name in of_kind(invariants, Measure):
        statistics += _shift(window, invariants, name)
    return statistics


def _column(window: Window, invariants: Invariants, name: str, back: int) -> Array:
    """A column; counts as they were reported, since the share known of them moves each period."""
    newest = lags(invariants)[0]
    if name == newest:
        return counts.reported(window, invariants, back)
    return window.column(name, back)


def missing(window: Window) -> list[str]:
    """Columns in which a place that has a row has no number."""
    values = window.values[-1, window.present[-1]]
    absent = ~np.isfinite(values).all(axis=0)
    return [c for c, is_absent in zip(window.columns, absent, strict=True) if is_absent]


def _shift(window: Window, invariants: Invariants, name: str) -> list[Statistic]:
    """Moves and level of a group's mean against its past, of the smallest group that is oddest.

    In logs where all is above zero: a unit is a factor. The level counts as well: a unit that
    changed slowly is as wrong as one that jumped. Judged once a year and all its seasons were seen.
    """
    moved, away = [], []
    names = window.group((0, *prefixes(invariants))[-1])
    for group in np.unique(names):
        there = (names == group) & window.present[-1]
        mean = _means(window, name, there)
        moves = np.abs(np.diff(mean))
        past = mean[:-1][~np.isnan(mean[:-1])]
        typical = float(np.nanmedian(moves[:-1])) if len(past) >= window.frequency.year else 0.0
        if typical > 0 and not np.isnan(moves[-1]):
            moved.append(float(np.log(moves[-1] / typical + 0.1)))
            away.append(abs(mean[-1] - np.median(past)) / (np.ptp(past) + typical))
    if not moved:
        return []
    return [
        Statistic(SHIFT, name, "move", max(moved)),
        Statistic(SHIFT, name, "level", float(max(away))),
    ]


def _means(window: Window, name: str, there: Places) -> Array:
    """Of the places, by period; NaN where none has a row."""
    values = window.values[:, there, window.places[name]]
    if np.nanmin(values, initial=np.inf) > 0:
        values = np.log(values)
    there_is = ~np.isnan(values)
    total = np.where(there_is, values, 0).sum(axis=1)
    return np.where(there_is.any(axis=1), total / np.maximum(there_is.sum(axis=1), 1), np.nan)
