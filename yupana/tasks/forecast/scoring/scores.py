"""Proper scores of quantile forecasts.

The weighted interval score over 23 quantiles is the score of the forecast hubs (Bracher, Ray,
Gneiting, Reich 2021, PLoS Comput Biol 17:e1008618): it approximates the CRPS, is in the unit of
the counts, and lower is better. On log1p counts it scores growth rather than size (Bosse et al.
2023, PLoS Comput Biol 19:e1011393), so that one city does not outweigh all small districts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.quantiles import QUANTILES

Array = npt.NDArray[np.float64]
METRIC = "wis"
"""Name of the weighted interval score in evaluations and specs."""


def weighted_interval_scores(
    observed: Array, forecast: Array, levels: Sequence[float] = QUANTILES
) -> Array:
    """The score of every row and horizon.

    Args:
        observed: counts, shape (rows, horizons), no NaN.
        forecast: quantiles, shape (rows, horizons, levels).
        levels: symmetric about 0.5, which is among them.

    Returns:
        Scores of shape (rows, horizons), in cases.
    """
    import scoringrules

    # Bracher et al., section 2.2: with their weights, WIS is twice the mean quantile loss. Not
    # scoringrules.weighted_interval_score: without numba, 0.10.0 adds the median itself where
    # the distance from the median belongs, and drops axes of length one.
    losses = scoringrules.quantile_score(observed[..., None], forecast, np.asarray(levels))
    return np.asarray(2 * losses.mean(axis=-1), dtype=np.float64)


def inside(observed: Array, forecast: Array, low: float, high: float) -> npt.NDArray[np.bool_]:
    """Whether each observation lies in the central interval between two levels, ends included."""
    lower = forecast[..., QUANTILES.index(low)]
    upper = forecast[..., QUANTILES.index(high)]
    return np.asarray((lower <= observed) & (observed <= upper))


def _coverage(observed: Array, forecast: Array, low: float, high: float) -> float:
    """Share of observations inside the central interval between two levels."""
    return float(inside(observed, forecast, low, high).mean())


def score(observed: Array, forecast: Array) -> dict[str, Any]:
    """All scores of a forecast, over the counts that are known.

    Args:
        observed: counts, shape (rows, horizons); NaN where not known.
        forecast: quantiles at `QUANTILES`, shape (rows, horizons, 23).

    Returns:
        `wis` and `mae` (cases), `wis_log` (log1p cases), `coverage_50`, `coverage_80`,
        `coverage_90`, `coverage_95` (shares), `counts` (how many were scored).

    Raises:
        TerminalError: shapes disagree, a forecast is not a number, or no count is known.
    """
    finite = ~np.isnan(observed)
    if forecast.shape != (*observed.shape, len(QUANTILES)):
        raise TerminalError(
            f"Forecast {forecast.shape} does not fit observations {observed.shape}.",
            where="yupana.tasks.forecast.scoring.scores.score",
            fix="Ask the forecaster for the levels `quantiles.QUANTILES`.",
        )
    if not finite.any() or not np.isfinite(forecast).all():
        raise TerminalError(
            "There is nothing to score: no count is known, or a forecast is not a number.",
            where="yupana.tasks.forecast.scoring.scores.score",
            fix="Score origins whose weeks ahead were published; check the features' range.",
        )
    counts, quantiles = observed[finite], forecast[finite]
    middle = QUANTILES.index(0.50)
    return {
        "wis": float(weighted_interval_scores(counts, quantiles).mean()),
        "wis_log": float(weighted_interval_scores(np.log1p(counts), np.log1p(quantiles)).mean()),
        "mae": float(np.abs(counts - quantiles[..., middle]).mean()),
        "coverage_50": _coverage(counts, quantiles, 0.25, 0.75),
        "coverage_80": _coverage(counts, quantiles, 0.10, 0.90),
        "coverage_90": _coverage(counts, quantiles, 0.05, 0.95),
        "coverage_95": _coverage(counts, quantiles, 0.025, 0.975),
        "counts": int(finite.sum()),
    }
