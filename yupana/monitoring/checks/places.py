"""Is the set of districts the one of last week, and is a new one a part of an old one?"""

from __future__ import annotations

import numpy as np

from yupana.monitoring.checks import counts
from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import Mean, Traits, lags, of_kind
from yupana.monitoring.checks.window import Window

NEW, SILENT_ONE = "new_place", "silent_place"
SILENT = 52
"""Weeks without a case after which a place counts as new."""


def measure(window: Window, traits: Traits) -> list[Statistic]:
    """Cases in the newest two weeks of each place that is new, or had none for a year before."""
    if len(window) < 3:
        return []
    own = lags(traits)
    year = next((c for c in of_kind(traits, Mean) if traits[c] == Mean(SILENT)), None)
    now, before = (counts.known(window, traits, back) for back in (0, 1))
    total = window.column(own[0]) + window.column(own[1])
    past = np.sum([window.column(c) for c in own[2:]], axis=0)
    if year:
        past = np.maximum(past, SILENT * window.column(year) - total)
    fresh = (past < 1e-6) & (now + before > 0)
    known = window.present[:-2].any(axis=0)
    return [
        Statistic(SILENT_ONE if was else NEW, "", u, float(np.log(n)))
        for u, n, some, was in zip(window.ubigeos, now + before, fresh, known, strict=True)
        if some
    ]


def vanished(window: Window) -> list[str]:
    """Places that had a row a week ago and have none now."""
    if len(window) < 2:
        return []
    gone = window.present[-2] & ~window.present[-1]
    return [u for u, g in zip(window.ubigeos, gone, strict=True) if g]


def arrived(window: Window) -> list[str]:
    """Places that have a row for the first time."""
    if len(window) < 2:
        return []
    new = window.present[-1] & ~window.present[:-1].any(axis=0)
    return [u for u, n in zip(window.ubigeos, new, strict=True) if n]
