"""Does the model hold, once truth has arrived, and for whom does it not?

Truth is compared when a period is fully reported, so that late reports never read as error.
"""

from __future__ import annotations

import numpy as np

from yupana.tasks.forecast.checks import counts
from yupana.tasks.forecast.checks.forecasts import HIGH, LOW
from yupana.tasks.forecast.checks.invariants import Invariants, lags
from yupana.tasks.forecast.checks.record import Record
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Array, Window
from yupana.tasks.forecast.quantiles import QUANTILES

SCORE, COVERAGE = "score", "coverage"
HORIZONS = 4
WANTED, SLACK = 0.9, 0.05
SIZES = {"large": 5.0, "middle": 0.5, "small": 0.0}
"""Cases a period from which on a place is of a size."""


def measure(window: Window, invariants: Invariants, record: Record) -> list[Statistic]:
    """By group of places and by size: score and coverage of the newest periods (`scale.recent`).

    `score` is the log of the model's summed WIS over the summed error of the last value;
    `coverage` a cumulative sum (Page 1954) of how far the 90 % interval held less than 85 %.
    """
    wis, naive, inside = _scored(window, invariants, record)
    statistics = []
    for name, mine in _groups(window, invariants, record).items():
        there = np.flatnonzero(~np.isnan(wis[:, mine]).all(axis=1))
        if len(there) < window.scale.fewest:
            continue
        ours, theirs = (float(np.nansum(a[there][:, mine])) for a in (wis, naive))
        noise = np.sqrt(0.02 + 1 / (theirs / HORIZONS + 1))
        ratio = np.log((ours + 1) / (theirs + 1)) / noise
        statistics.append(Statistic(SCORE, "", name, float(ratio)))
        total = 0.0
        for share in np.nanmean(inside[there][:, mine], axis=1):
            total = max(0.0, total + WANTED - SLACK - float(share))
        statistics.append(Statistic(COVERAGE, "", name, total))
    return statistics


def _scored(window: Window, invariants: Invariants, record: Record) -> tuple[Array, Array, Array]:
    """WIS, last value's error and share inside by period and place, means over horizons."""
    reported = np.flatnonzero(~np.isnan(record.truth).all(axis=1))[-window.scale.recent :]
    ahead = np.arange(1, min(HORIZONS, record.quantiles.shape[2]) + 1)
    origins = reported[:, None] - ahead
    values = record.quantiles[np.maximum(origins, 0), :, ahead - 1]
    values[origins < 0] = np.nan
    came = record.truth[reported][:, None]
    levels, error = np.asarray(QUANTILES), came[..., None] - values
    # As evaluation.scores: the interval score is twice the mean quantile loss.
    wis = 2 * np.maximum(levels * error, (levels - 1) * error).mean(axis=-1)
    newest = window.values[np.maximum(origins, 0), :, window.places[lags(invariants)[0]]]
    naive = np.abs(came - np.where(np.isnan(values[..., 0]), np.nan, newest))
    inside = (values[..., LOW] <= came) & (came <= values[..., HIGH])
    return _mean(wis), _mean(naive), _mean(np.where(np.isnan(wis), np.nan, inside))


def _mean(values: Array) -> Array:
    """Over horizons; NaN where none is there."""
    there = ~np.isnan(values)
    total = np.where(there, values, 0).sum(axis=1)
    return np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), np.nan)


def _groups(
    window: Window, invariants: Invariants, record: Record
) -> dict[str, np.ndarray]:
    # A year that is fully reported.
    newest = record.truth[-window.frequency.year - window.scale.late :]
    there = ~np.isnan(newest)
    total = np.where(there, newest, 0).sum(axis=0)
    size = total / np.maximum(there.sum(axis=0), 1)
    members = dict(counts.groups(window, invariants))
    above = np.inf
    for name, least in SIZES.items():
        members[name] = (size >= least) & (size < above)
        above = least
    return {name: mine for name, mine in members.items() if mine.any()}
