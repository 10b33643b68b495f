"""Columns that follow from no other: do they stand still, and do they jump?"""

from __future__ import annotations

import numpy as np

from yupana.monitoring.checks import counts
from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import Measure, Traits, lags, of_kind
from yupana.monitoring.checks.window import Array, Window

STILL, SHIFT = "still", "shift"
PLACES, WEEKS = 2, 8


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
    """Moves of the mean over places, and of their spread, in units of the moves before."""
    held = window.present[-1]
    told = window.values[:, held, window.places[name]]
    mean = np.nanmean(told, axis=1) if told.size else np.zeros(len(window))
    moves = np.abs(np.diff(mean))
    typical = np.nanmedian(moves[:-1])
    if not typical > 0:
        return []
    # The level counts as well: a unit that changed slowly is as wrong as one that jumped.
    past = mean[:-1][~np.isnan(mean[:-1])]
    away = abs(mean[-1] - np.median(past)) / (np.ptp(past) + typical)
    return [
        Statistic(SHIFT, name, "move", float(np.log(moves[-1] / typical + 0.1))),
        Statistic(SHIFT, name, "level", float(away)),
    ]
