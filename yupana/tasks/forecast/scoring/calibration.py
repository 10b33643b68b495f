"""Calibration of count forecasts by the randomised probability integral transform.

A count that is mostly zero falls inside nearly every interval that starts at zero, so plain
coverage reads too high. The randomised transform draws each value's place between the forecast's
probability of less and of no more (Czado, Gneiting, Held 2009, Biometrics 65:1254): it is
uniform if and only if the forecasts are calibrated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from yupana.tasks.forecast.quantiles import QUANTILES

Array = npt.NDArray[np.float64]
DECILES = 10
BAND = 0.03
"""How far a tenth of the PIT may be from 0.10 and still be called calibrated."""


def randomised_pit(observed: Array, forecast: Array, *, seed: int) -> Array:
    """One value in 0..1 a forecast.

    A count takes the forecast's probability from half a case below to half a case above it, read
    from the quantiles by straight lines: the middle of the step where the quantiles are whole
    numbers, and what rounds to the count where they are not.

    Args:
        observed: counts, shape (n,).
        forecast: quantiles, shape (n, levels).
        seed: of the draws.
    """
    below = _probability(observed - 0.5, forecast)
    upto = _probability(observed + 0.5, forecast)
    below = np.where(observed <= 0, 0.0, below)
    return below + np.random.default_rng(seed).random(observed.shape) * (upto - below)


def deciles(pit: Array) -> list[float]:
    """Share of the values in each tenth of 0..1; 0.1 each when calibrated."""
    counts, _ = np.histogram(pit, bins=DECILES, range=(0.0, 1.0))
    return [float(share) for share in counts / max(len(pit), 1)]


def central_shares(pit: Array) -> dict[str, float]:
    """Share of the values in the central 50, 90 and 95 %: coverage without the gift of zeros."""
    inside = {"50": 0.25, "90": 0.05, "95": 0.025}
    return {
        name: float(((tail <= pit) & (pit <= 1 - tail)).mean()) for name, tail in inside.items()
    }


def _probability(value: Array, forecast: Array) -> Array:
    """The forecast's probability of at most `value`, which lies between two counts."""
    # Nothing is known outside the outer quantiles but that half a case further all is told.
    ends = forecast[:, :1] - 0.5, forecast[:, -1:] + 0.5
    points = np.concatenate([ends[0], forecast, ends[1]], axis=1)
    heights = np.array([0.0, *QUANTILES, 1.0])
    under = (points <= value[:, None]).sum(axis=1)
    below, right = np.clip(under - 1, 0, len(heights) - 1), np.clip(under, 0, len(heights) - 1)
    rows = np.arange(len(value))
    start, end = points[rows, below], points[rows, right]
    width = np.where(end > start, end - start, 1.0)
    share = np.clip((value - start) / width, 0.0, 1.0)
    return np.asarray(heights[below] + share * (heights[right] - heights[below]))
