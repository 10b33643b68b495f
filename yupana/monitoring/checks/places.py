"""Is the set of districts the one of last week, and is a new one a part of an old one?"""

from __future__ import annotations

import numpy as np

from yupana.monitoring.checks import counts
from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import Mean, Share, Traits, lags, of_kind
from yupana.monitoring.checks.window import Array, Window

NEW, SILENT_ONE = "new_place", "silent_place"
SILENT = 52
"""Weeks without a case after which a place counts as new."""

FEWEST = 5
"""Cases in two weeks below which a new place says nothing."""

LEAST = 0.2
"""Expected cases of a week from which on a place can have lost some."""


def measure(window: Window, traits: Traits) -> list[Statistic]:
    """Of each place that is new, or had no case for a year: do its cases miss elsewhere?"""
    if len(window) < 3:
        return []
    own = lags(traits)
    year = next((c for c in of_kind(traits, Mean) if traits[c] == Mean(SILENT)), None)
    # Late reports of the week before count as well.
    now, before = counts.known(window, traits), np.maximum(np.round(window.column(own[1])), 0)
    total = window.column(own[0]) + window.column(own[1])
    past = np.sum([window.column(c) for c in own[2:]], axis=0)
    if year:
        past = np.maximum(past, SILENT * window.column(year) - total)
    fresh = (past < 1e-6) & (now + before >= FEWEST)
    known = np.asarray(window.present[:-2].any(axis=0))
    found = []
    for at in map(int, np.flatnonzero(fresh)):
        # A week in which it had no case yet tells nothing of what the others lost.
        since = 1 if before[at] else 0
        mean = counts.usual(window, traits, since)
        if since:
            mean = mean + mean / np.maximum(_share(window, traits), 0.01)
        value = _taken(window, now + since * before, mean, at)
        name = SILENT_ONE if known[at] else NEW
        found.append(Statistic(name, "", window.ubigeos[at], value))
    return found


def _share(window: Window, traits: Traits) -> Array:
    """Share of the week before that was known a week ago, by place."""
    share = of_kind(traits, Share)
    return window.column(share[0], 1) if share else np.ones(len(window.ubigeos))


def _taken(window: Window, n: Array, mean: Array, at: int) -> float:
    """Log likelihood ratio of "a place of the same province lost what the new one has" against
    "an outbreak where none was", which starts with n cases with a chance of 1/n(n + 1).

    All places of the province share a growth; a part that was split off may be any part.
    """
    from scipy.special import logsumexp

    province = window.ubigeos[at][:4]
    others = [
        i for i, u in enumerate(window.ubigeos)
        if u.startswith(province) and i != at and mean[i] > LEAST
    ]  # fmt: skip
    came = float(np.log(n[at] * (n[at] + 1)))
    if not others:
        return came - float(np.log(n[at] + 1))
    prior = counts.prior()
    each = np.stack([counts.chance(n[i], mean[i]) for i in others])
    usual = float(logsumexp(prior + each.sum(axis=0)))
    best = -np.inf
    for k, i in enumerate(others):
        whole = counts.chance(n[i] + n[at], mean[i])
        lost = float(logsumexp(prior + each.sum(axis=0) - each[k] + whole))
        best = max(best, lost - usual - float(np.log(n[i] + n[at] + 1)))
    return came + best


def vanished(window: Window) -> list[str]:
    """Places that had a row a week ago and have none now."""
    if len(window) < 2:
        return []
    gone = window.present[-2] & ~window.present[-1]
    return [u for u, g in zip(window.ubigeos, gone, strict=True) if g]
