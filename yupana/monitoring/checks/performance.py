"""Does the model hold, once truth has arrived, and for whom does it not?

Truth is compared when a week is fully reported, so that late reports never read as error.
"""

from __future__ import annotations

import numpy as np

from yupana.core.forecast import QUANTILES
from yupana.monitoring.checks import counts
from yupana.monitoring.checks.forecasts import HIGH, LOW
from yupana.monitoring.checks.record import Record
from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import Traits, lags
from yupana.monitoring.checks.window import Array, Window

SCORE, COVERAGE = "score", "coverage"
HORIZONS, WEEKS, FEWEST = 4, 26, 12
WANTED, SLACK = 0.9, 0.05
SIZES = {"large": 5.0, "middle": 0.5, "small": 0.0}
"""Cases a week from which on a place is of a size."""


def measure(window: Window, traits: Traits, record: Record) -> list[Statistic]:
    """By department, province and size group: score and coverage of the last half year.

    `score` is the log of the model's summed WIS over the summed error of the last value;
    `coverage` a cumulative sum (Page 1954) of how far the 90 % interval held less than 85 %.
    """
    wis, naive, inside = _scored(window, traits, record)
    found = []
    for name, mine in _groups(window, record).items():
        weeks = np.flatnonzero(~np.isnan(wis[:, mine]).all(axis=1))
        if len(weeks) < FEWEST:
            continue
        ours, theirs = (float(np.nansum(a[weeks][:, mine])) for a in (wis, naive))
        noise = np.sqrt(0.02 + 1 / (theirs / HORIZONS + 1))
        ratio = np.log((ours + 1) / (theirs + 1)) / noise
        found.append(Statistic(SCORE, "", name, float(ratio)))
        total = 0.0
        for share in np.nanmean(inside[weeks][:, mine], axis=1):
            total = max(0.0, total + WANTED - SLACK - float(share))
        found.append(Statistic(COVERAGE, "", name, total))
    return found


def _scored(window: Window, traits: Traits, record: Record) -> tuple[Array, Array, Array]:
    """WIS, last value's error and share inside by week and place, means over horizons."""
    weeks = np.flatnonzero(~np.isnan(record.truth).all(axis=1))[-WEEKS:]
    ahead = np.arange(1, min(HORIZONS, record.quantiles.shape[2]) + 1)
    origins = weeks[:, None] - ahead
    told = record.quantiles[np.maximum(origins, 0), :, ahead - 1]
    told[origins < 0] = np.nan
    came = record.truth[weeks][:, None]
    levels, error = np.asarray(QUANTILES), came[..., None] - told
    # As evaluation.scores: the interval score is twice the mean quantile loss.
    wis = 2 * np.maximum(levels * error, (levels - 1) * error).mean(axis=-1)
    known = window.values[np.maximum(origins, 0), :, window.places[lags(traits)[0]]]
    naive = np.abs(came - np.where(np.isnan(told[..., 0]), np.nan, known))
    held = (told[..., LOW] <= came) & (came <= told[..., HIGH])
    return _mean(wis), _mean(naive), _mean(np.where(np.isnan(wis), np.nan, held))


def _mean(told: Array) -> Array:
    """Over horizons; NaN where none is there."""
    there = ~np.isnan(told)
    total = np.where(there, told, 0).sum(axis=1)
    return np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), np.nan)


def _groups(window: Window, record: Record) -> dict[str, np.ndarray]:
    there = ~np.isnan(record.truth[-60:])
    total = np.where(there, record.truth[-60:], 0).sum(axis=0)
    size = total / np.maximum(there.sum(axis=0), 1)
    found = dict(counts.groups(window))
    above = np.inf
    for name, least in SIZES.items():
        found[name] = (size >= least) & (size < above)
        above = least
    return {name: mine for name, mine in found.items() if mine.any()}
