"""Seasons as scaled and shifted copies of past ones: a mixture weighed by the season so far.

Each past season's smoothed curve, moved by a few weeks and multiplied by a factor, is a
candidate for the new season. A candidate weighs as much as the weeks seen so far are likely
under it; recent weeks count more. Future weeks are drawn around the candidate with a drifting
factor, as no season follows another to its end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special, stats

from models.outbreak.challenge.season_targets import WEEKS, Array, City, Counts, of_paths

PATHS = 6000
SHIFTS = tuple(range(-6, 7, 2))  # weeks
_SHIFT_SD = 3.0
_BANDWIDTH = 1.5  # weeks of the smoothed curves
_FLOOR = 0.3  # cases a week that even an empty season may have
# Factors on a log grid; their prior is a Student t, so that a season may be far outside the past.
_FACTORS = np.linspace(-2.8, 2.8, 29)
_FACTOR_SD, _FACTOR_DF = 0.8, 5
_HALF_LIFE = 12  # weeks until a seen week counts half
_TEMPER = 0.5  # neighbouring weeks err together: each is worth half an independent one
_DRIFT = 0.12  # standard deviation of the log factor's step from week to week
_SIZES = np.exp(np.linspace(0.0, 3.5, 29))


def nb_log_pmf(counts: Any, mean: Any, size: Any) -> Any:
    """Log probability of a negative binomial with variance mean + mean² / size."""
    return (
        special.gammaln(counts + size)
        - special.gammaln(size)
        - special.gammaln(counts + 1)
        + size * np.log(size / (size + mean))
        + counts * np.log(mean / (size + mean))
    )


def _kernel(weeks: int) -> Array:
    distance = np.subtract.outer(np.arange(weeks), np.arange(weeks)) / _BANDWIDTH
    return np.asarray(np.exp(-0.5 * distance**2))


class Analog:
    """The ensemble of analog seasons.

    Args:
        city: the official bins.
        past: ended seasons in order, shape (seasons, 52).
    """

    def __init__(self, city: City, past: Counts) -> None:
        self._city = city
        series = past.ravel().astype(float)
        kernel = _kernel(len(series))
        curve = kernel @ series / kernel.sum(axis=1) + _FLOOR
        # Noise around a curve that has not seen the week itself, else it looks too small.
        np.fill_diagonal(kernel, 0.0)
        others = kernel @ series / kernel.sum(axis=1) + _FLOOR
        fits = [nb_log_pmf(series, others, size).sum() for size in _SIZES]
        self._size = _SIZES[int(np.argmax(fits))]
        starts = np.arange(0, len(series), WEEKS)[:, None] + np.asarray(SHIFTS)
        weeks = np.clip(starts[..., None] + np.arange(WEEKS), 0, len(series) - 1)
        curves = curve[weeks].reshape(-1, 1, WEEKS)
        self._means = curves * np.exp(_FACTORS)[:, None]  # (seasons × shifts, factors, 52)
        shift = np.tile(stats.norm.logpdf(SHIFTS, 0.0, _SHIFT_SD), len(past))
        factor = stats.t.logpdf(_FACTORS / _FACTOR_SD, _FACTOR_DF)
        self._prior = shift[:, None] + factor

    def forecast(self, so_far: Counts, rng: np.random.Generator) -> dict[str, Array]:
        """Probabilities of every bin, by target.

        Args:
            so_far: counts of the season's first weeks, shape (0..51,).
        """
        weeks_past, ahead = len(so_far), WEEKS - len(so_far)
        weight = self._prior
        if weeks_past:
            age = 0.5 ** (np.arange(weeks_past)[::-1] / _HALF_LIFE)
            likely = nb_log_pmf(so_far, self._means[..., :weeks_past], self._size)
            weight = weight + _TEMPER * (likely * age).sum(axis=-1)
        chance = np.exp(weight - weight.max()).ravel()
        sample = rng.choice(chance.size, PATHS, p=chance / chance.sum())
        drift = np.cumsum(rng.normal(0.0, _DRIFT, (PATHS, ahead)), axis=1)
        mean = self._means.reshape(-1, WEEKS)[sample, weeks_past:] * np.exp(drift)
        future = rng.poisson(mean * rng.gamma(self._size, 1 / self._size, mean.shape))
        return of_paths(self._city, np.hstack([np.tile(so_far, (PATHS, 1)), future]))
