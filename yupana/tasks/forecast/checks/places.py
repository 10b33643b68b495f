"""Is the set of districts the one of the period before, and is a new one a part of an old one?"""

from __future__ import annotations

import numpy as np

from yupana.tasks.forecast.checks import counts
from yupana.tasks.forecast.checks.invariants import Invariants, Mean, Share, lags, of_kind, prefixes
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Array, Window

NEW, SILENT_ONE = "new_place", "silent_place"

FEWEST = 5
"""Cases in two periods below which a new place says nothing."""

LEAST = 0.2
"""Expected cases of a period from which on a place can have lost some."""


def measure(window: Window, invariants: Invariants) -> list[Statistic]:
    """Of each place that is new, or had no case for a year: do its cases miss elsewhere?"""
    if len(window) < 3:
        return []
    own, periods = lags(invariants), window.frequency.year
    year = next((c for c in of_kind(invariants, Mean) if invariants[c] == Mean(periods)), None)
    # Late reports of the period before count as well.
    now = counts.reported(window, invariants)
    before = np.maximum(np.round(window.column(own[1])), 0)
    total = window.column(own[0]) + window.column(own[1])
    past = np.sum([window.column(c) for c in own[2:]], axis=0)
    if year:
        past = np.maximum(past, periods * window.column(year) - total)
    fresh = (past < 1e-6) & (now + before >= FEWEST)
    earlier = np.asarray(window.present[:-2].any(axis=0))
    statistics = []
    for at in map(int, np.flatnonzero(fresh)):
        # A period in which it had no case yet tells nothing of what the others lost.
        since = 1 if before[at] else 0
        mean = counts.usual(window, invariants, since)
        if since:
            mean = mean + mean / np.maximum(_share(window, invariants), 0.01)
        value = _evidence(window, invariants, now + since * before, mean, at)
        name = SILENT_ONE if earlier[at] else NEW
        statistics.append(Statistic(name, "", window.entities[at], value))
    return statistics


def _share(window: Window, invariants: Invariants) -> Array:
    """Share of the period before that was known when it was new, by place."""
    share = of_kind(invariants, Share)
    return window.column(share[0], 1) if share else np.ones(len(window.entities))


def _evidence(window: Window, invariants: Invariants, n: Array, mean: Array, at: int) -> float:
    """Log likelihood ratio of "a place of the same group lost what the new one has" against
    "an outbreak where none was", which starts with n cases with a chance of 1/n(n + 1).

    All places of the smallest group share a growth; a part that was split off may be any part.
    """
    from scipy.special import logsumexp

    names = window.group((0, *prefixes(invariants))[-1])
    others = [int(i) for i in np.flatnonzero((names == names[at]) & (mean > LEAST)) if i != at]
    likelihood = float(np.log(n[at] * (n[at] + 1)))
    if not others:
        return likelihood - float(np.log(n[at] + 1))
    prior = counts.prior()
    each = np.stack([counts.chance(n[i], mean[i]) for i in others])
    usual = float(logsumexp(prior + each.sum(axis=0)))
    best = -np.inf
    for k, i in enumerate(others):
        whole = counts.chance(n[i] + n[at], mean[i])
        ratio = float(logsumexp(prior + each.sum(axis=0) - each[k] + whole))
        best = max(best, ratio - usual - float(np.log(n[i] + n[at] + 1)))
    return likelihood + best


def vanished(window: Window) -> list[str]:
    """Places that had a row lately and have none now: they are gone, or fell silent."""
    return [u for u, g in zip(window.entities, window.gone, strict=True) if g]
