"""What must hold between features, and how far a week is from it.

Each column with an equation has an expected vector, made from the other columns of the week and
from the weeks before. Late reports move the newest eight lags a little, which is usual; all else
holds exactly.
"""

from __future__ import annotations

import numpy as np

from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import (
    Constant,
    Lag,
    Mean,
    Season,
    Share,
    Since,
    Traits,
    lags,
)
from yupana.monitoring.checks.window import Array, Window

CHECK = "identity"
TINY = 1e-4
"""What rounding may do; it stands for 0 in the logarithm."""


def measure(window: Window, traits: Traits) -> list[Statistic]:
    """Log distance of every column from what it must be, as a share of its size."""
    return [Statistic(CHECK, c, "", float(np.log(d + TINY))) for c, d in gaps(window, traits).items()]


def gaps(window: Window, traits: Traits) -> dict[str, float]:
    """Distance of each column from its expected vector; columns that cannot be told are absent.

    The sum of absolute differences over √total + 0.3 total + 1: counting noise grows with the
    root of a count, and what varies between weeks in reporting with the count itself.
    """
    found = {}
    for name in traits:
        wanted = expected(window, traits, name)
        if wanted is not None:
            held = _held(window, traits, name)
            total = float(np.abs(held).sum() + np.abs(wanted).sum()) / 2
            off = float(np.abs(held - wanted).sum())
            found[name] = off / (np.sqrt(total) + 0.3 * total + 1)
    return found


def inputs(window: Window, traits: Traits, name: str) -> tuple[str, ...]:
    """Columns of the same week that a column's equation rests on, itself first."""
    trait, own = traits[name], lags(traits)
    if isinstance(trait, Lag) and trait.digits < 6:
        return name, own[trait.weeks]
    if isinstance(trait, Mean):
        return name, *own[: trait.weeks]
    if isinstance(trait, Since):
        return name, *own
    return (name, own[0]) if isinstance(trait, Share) else (name,)


def expected(window: Window, traits: Traits, name: str) -> Array | None:
    """What a column must be, by place; None where that cannot be told."""
    trait, own = traits[name], lags(traits)
    present = window.present[-1]
    if isinstance(trait, Lag) and trait.digits < 6:
        return _sums(window, window.column(own[trait.weeks]), trait.digits)[present]
    if isinstance(trait, Lag):
        younger = trait.weeks and len(window) > 1
        return window.column(own[trait.weeks - 1], 1)[present] if younger else None
    if isinstance(trait, Mean):
        found = _mean(window, own, trait.weeks)
        return None if found is None else found[present]
    if isinstance(trait, Since):
        return _since(window, own, name, trait.most)[present] if len(window) > 1 else None
    if isinstance(trait, Season):
        return np.full(int(present.sum()), trait.of(window.week))
    if isinstance(trait, Share):
        known = (window.column(own[0]) * window.column(name))[present]
        return np.round(known)
    if isinstance(trait, Constant) and len(window) > 1:
        return np.where(window.present[-2], window.column(name, 1), window.column(name))[present]
    return None


def _held(window: Window, traits: Traits, name: str) -> Array:
    """What the column says, in the terms of `expected`."""
    told = window.column(name)
    if isinstance(traits[name], Share):
        told = told * window.column(lags(traits)[0])
    return told[window.present[-1]]


def _sums(window: Window, counts: Array, digits: int) -> Array:
    group = window.group(digits)
    return np.asarray(np.bincount(group, weights=counts)[group], dtype=np.float64)


def _mean(window: Window, own: list[str], weeks: int) -> Array | None:
    """From the lags of the week, and for older weeks the oldest lag of the weeks before."""
    oldest = len(own) - 1
    if len(window) <= weeks - 1 - oldest:
        return None
    total = np.sum([window.column(c) for c in own[:weeks]], axis=0)
    for back in range(1, weeks - oldest):
        total = total + window.column(own[oldest], back)
    return np.asarray(total / weeks, dtype=np.float64)


def _since(window: Window, own: list[str], name: str, most: int) -> Array:
    some = np.stack([window.column(c) > 0 for c in own])
    # A place that is new has no case behind it: as long ago as can be told.
    before = np.where(window.present[-2], window.column(name, 1), most)
    return np.where(some.any(axis=0), some.argmax(axis=0), np.minimum(before + 1, most))
