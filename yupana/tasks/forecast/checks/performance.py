"""Does the model hold, once truth has arrived, and for whom does it not?

Truth is compared when a period is fully reported, so that late reports never read as error.
"""

from __future__ import annotations

import numpy as np

from yupana.tasks.forecast.checks import counts
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
    truth = record.truth[reported][:, None]
    levels, error = np.asarray(QUANTILES), truth[..., None] - values
    # As evaluation.scores: the interval score is twice the mean quantile loss.
    wis = 2 * np.maximum(levels * error, (levels - 1) * error).mean(axis=-1)
    newest = window.values[np.maximum(origins, 0), :, window.places[lags(invariants)[0]]]
    naive = np.abs(truth - np.where(np.isnan(values[..., 0]), np.nan, newest))
    inside = (values[..., LOW] <= truth) & (truth <= values[..., HIGH])
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


ANSWERS = "forecast"
MIDDLE = QUANTILES.index(0.5)
LOW, HIGH = QUANTILES.index(0.05), QUANTILES.index(0.95)


def measure_answers(window: Window, invariants: Invariants, record: Record) -> list[Statistic]:
    """Do forecasts answer their inputs as before?

    Three numbers, each up and down: forecast to input, update to surprise, width to median.
    """
    now, before = record.quantiles[-1], record.quantiles[-2] if len(window) > 1 else None
    there = ~np.isnan(now).any(axis=(1, 2))
    if not there.any() or before is None:
        return []
    own = lags(invariants)
    median = now[there, :, MIDDLE]
    recent = (window.column(own[0])[there].sum() + window.column(own[1])[there].sum()) / 2
    noise = np.sqrt(0.05 + 1 / (recent + 1))
    numbers = {"ratio": np.log((median[:, 0].sum() + 1) / (recent + 1)) / noise}
    width = (now[there, 0, HIGH] - now[there, 0, LOW]).sum()
    numbers["width"] = np.log((width + 1) / (np.sqrt(median[:, 0].sum()) + recent + 1))
    both = there & ~np.isnan(before).any(axis=(1, 2))
    overlap = min(2, now.shape[1] - 1)
    if both.sum() > 2 and overlap:
        earlier, observed = before[both, :, MIDDLE], window.column(own[0])[both]
        moved = np.log1p(now[both, :overlap, MIDDLE]) - np.log1p(earlier[:, 1 : overlap + 1])
        update = np.abs(moved).mean()
        surprise = np.abs(np.log1p(observed) - np.log1p(earlier[:, 0])).mean()
        numbers["update"] = np.log((update + 0.005) / (surprise + 0.02))
    return [
        Statistic(ANSWERS, name, side, float(sign * value))
        for name, value in numbers.items()
        for side, sign in (("up", 1), ("down", -1))
    ]


def faults(window: Window, record: Record) -> list[str]:
    """Places whose newest forecast is absent, negative, not a number or falls along levels."""
    now = record.quantiles[-1]
    wrong = np.isnan(now).any(axis=(1, 2)) | (now < 0).any(axis=(1, 2))
    wrong |= (np.diff(now, axis=2) < -1e-6).any(axis=(1, 2))
    wrong &= window.present[-1]
    return [u for u, w in zip(window.entities, wrong, strict=True) if w]
