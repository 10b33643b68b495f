"""Columns that follow from no other: do they stand still, and do they jump?"""

from __future__ import annotations

import numpy as np

from yupana.monitoring.checks import counts
from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import Measure, Traits, lags, of_kind
from yupana.monitoring.checks.window import Array, Places, Window

STILL, SHIFT = "still", "shift"
PLACES, WEEKS = 2, 8
PROVINCE, YEAR = 4, 52
"""Weather is judged by province, once all seasons of a year were seen."""



def measure(window: Window, traits: Traits) -> list[Statistic]:
    """Log odds of unchanged values, and the week's move against the moves before."""
    if len(window) < WEEKS + 2:
        return []
    found = []
    for name in [lags(traits)[0], *of_kind(traits, Measure)]:
        now, before = (_told(window, traits, name, back) for back in (0, 1))
        some = window.present[-1] & window.present[-2] & ((now != 0) | (before != 0))
        if some.sum() < PLACES:
            continue
        same = int((now == before)[some].sum())
        odds = np.log((same + 0.5) / (some.sum() - same + 0.5))
        found.append(Statistic(STILL, name, "", float(odds)))
    for name in of_kind(traits, Measure):
        found += _shift(window, name)
    return found


def _told(window: Window, traits: Traits, name: str, back: int) -> Array:
    """A column; counts as they were reported, since the share known of them moves each week."""
    newest = lags(traits)[0]
    return counts.known(window, traits, back) if name == newest else window.column(name, back)


def missing(window: Window) -> list[str]:
    """Columns in which a place that has a row has no number."""
    held = window.values[-1, window.present[-1]]
    gone = ~np.isfinite(held).all(axis=0)
    return [c for c, lost in zip(window.columns, gone, strict=True) if lost]


def _shift(window: Window, name: str) -> list[Statistic]:
    """Moves and level of a province's mean against its past, of the province that is oddest.

    In logs where all is above zero: a unit is a factor. The level counts as well: a unit that
    changed slowly is as wrong as one that jumped.
    """
    moved, away = [], []
    for place in np.unique(window.group(PROVINCE)):
        there = (window.group(PROVINCE) == place) & window.present[-1]
        mean = _means(window, name, there)
        moves = np.abs(np.diff(mean))
        past = mean[:-1][~np.isnan(mean[:-1])]
        typical = float(np.nanmedian(moves[:-1])) if len(past) >= YEAR else 0.0
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
    """Of the places, by week; NaN where none has a row."""
    told = window.values[:, there, window.places[name]]
    if np.nanmin(told, initial=np.inf) > 0:
        told = np.log(told)
    held = ~np.isnan(told)
    total = np.where(held, told, 0).sum(axis=1)
    return np.where(held.any(axis=1), total / np.maximum(held.sum(axis=1), 1), np.nan)
