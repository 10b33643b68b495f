"""Recalibration: which level to ask for, so that past observations fell below as often as told.

The levels of a forecast are mapped through the past probability integral transforms (Kuleshov,
Fenner, Ermon 2018, ICML), shrunk towards no change, because a few past seasons know their tails
badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

GRID = np.concatenate([[0.002, 0.005], np.arange(1, 40) / 40, [0.995, 0.998]])
"""Levels at which a forecast's distribution is read off."""

KNOTS = np.arange(21) / 20


def transforms(observed: Array, quantiles: Array, seed: int) -> Array:
    """Randomised probability integral transforms, uniform if the forecasts are calibrated.

    Counts are discrete: a count is placed at random within the probability of its step
    (Czado, Gneiting, Held 2009, Biometrics 65:1254).

    Args:
        observed: counts, any shape; NaN stays NaN.
        quantiles: at `GRID`, shape (*observed.shape, levels).
    """
    draw = np.random.default_rng(seed).random(observed.size)
    rows = quantiles.reshape(-1, len(GRID))
    low, high = np.empty(observed.size), np.empty(observed.size)
    levels = np.concatenate([[0.0], GRID, [1.0]])
    for i, (count, at) in enumerate(zip(observed.ravel(), rows, strict=True)):
        # Beyond the outermost levels the distribution is taken to end half a step further.
        ends = np.concatenate([[at[0] - 0.5], at, [at[-1] * 1.5 + 1]])
        low[i], high[i] = np.interp((count - 0.5, count + 0.5), ends, levels)
    values = np.where(np.isnan(observed.ravel()), np.nan, low + draw * (high - low))
    return np.asarray(values.reshape(observed.shape), dtype=np.float64)


def learn(past: Array, trust: float) -> Array:
    """The level to ask for at each of `KNOTS`, rising from 0 to 1.

    Args:
        past: transforms, any shape; NaN are left out.
        trust: 0 changes nothing, 1 takes the past as it was.
    """
    knots = np.quantile(past[~np.isnan(past)], KNOTS)
    knots[0], knots[-1] = 0.0, 1.0
    return np.asarray((1 - trust) * KNOTS + trust * knots, dtype=np.float64)


def inner_levels(levels: Sequence[float], learned: Array) -> Array:
    """The levels to ask the uncalibrated forecast for."""
    return np.asarray(np.interp(levels, KNOTS, learned), dtype=np.float64)
