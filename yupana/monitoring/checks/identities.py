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
TINY = 1e-6
"""What rounding may do; it stands for 0 in the logarithm."""


def measure(window: Window, traits: Traits) -> list[Statistic]:
    """Log distance of every column from what it must be, as a share of its size."""
    found = (of(window, traits, name) for name in traits)
    return [statistic for statistic in found if statistic]


def of(window: Window, traits: Traits, name: str) -> Statistic | None:
    """Log distance of one column from its expected vector; None where that cannot be told.

    The sum of absolute differences over √total + 0.3 total + 1: counting noise grows with the
    root of a count, and what varies between weeks in reporting with the count itself.
    """
    wanted = expected(window, traits, name)
    if wanted is None:
        return None
    held = window.column(name)[window.present[-1]]
    off, total = np.abs(held - wanted).sum(), (np.abs(held).sum() + np.abs(wanted).sum()) / 2
    if isinstance(traits[name], Share):
        known = held * window.column(lags(traits)[0])[window.present[-1]]
        off, total = off + np.abs(known - np.round(known)).sum(), np.abs(known).sum()
    share = float(off / (np.sqrt(total) + 0.3 * total + 1))
    return Statistic(CHECK, name, "", float(np.log(share + TINY)))


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
    """What a column must be, by place that has a row; None where that cannot be told."""
    trait, told = traits[name], window.column(name)
    if isinstance(trait, Season):
        found: Array | None = np.full(len(told), trait.of(window.week))
    elif isinstance(trait, Share):
        # The same in all places, and no more than all.
        found = np.full(len(told), min(float(np.median(told[window.present[-1]])), 1.0))
    elif isinstance(trait, Constant) and len(window) > 1:
        found = np.where(window.present[-2], window.column(name, 1), told)
    else:
        found = _counted(window, traits, name)
    return None if found is None else np.asarray(found[window.present[-1]])


def _counted(window: Window, traits: Traits, name: str) -> Array | None:
    """The same for what follows from counts."""
    trait, own = traits[name], lags(traits)
    if isinstance(trait, Lag) and trait.digits < 6:
        return _sums(window, window.column(own[trait.weeks]), trait.digits)
    if isinstance(trait, Lag) and trait.weeks and len(window) > 1:
        return window.column(own[trait.weeks - 1], 1)
    if isinstance(trait, Mean):
        return _mean(window, own, trait.weeks)
    if isinstance(trait, Since) and len(window) > 1:
        return _since(window, own, name, trait.most)
    return None


def _sums(window: Window, counts: Array, digits: int) -> Array:
    group = window.group(digits)
    return np.asarray(np.bincount(group, weights=counts)[group], dtype=np.float64)


def _mean(window: Window, own: list[str], weeks: int) -> Array | None:
    """From the lags of the week, and for older weeks the oldest lag of the weeks before."""
    oldest = len(own) - 1
    if len(window) <= weeks - 1 - oldest:
        return None
    total = np.sum([window.column(c) for c in own[:weeks]], axis=0)
    older = max(weeks - oldest - 1, 0)
    return np.asarray((total + window.total(own[oldest], older)) / weeks, dtype=np.float64)


def _since(window: Window, own: list[str], name: str, most: int) -> Array:
    some = np.stack([window.column(c) > 0 for c in own])
    # A place that is new has no case behind it: as long ago as can be told.
    before = np.where(window.present[-2], window.column(name, 1), most)
    found = np.where(some.any(axis=0), some.argmax(axis=0), np.minimum(before + 1, most))
    return np.asarray(found, dtype=np.float64)
