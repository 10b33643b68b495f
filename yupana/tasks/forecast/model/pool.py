"""Several members as one forecast: weighted quantiles, recalibrated, with joint sums.

The quantiles of the members are averaged (Vincent's average): it keeps their sharpness, where the
average of their probabilities widens an already calibrated forecast (Lichtendahl, Grushka-
Cockayne, Winkler 2013, Manage Sci 59:1594). Weights are learned from past origins only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast import frequency
from yupana.tasks.forecast.model import areas, recalibration
from yupana.tasks.forecast.model.area_regressions import AreaRegressions
from yupana.tasks.forecast.quantiles import QUANTILES, Forecaster
from yupana.tasks.forecast.scoring.scores import weighted_interval_scores

Array = np.ndarray[Any, np.dtype[np.float64]]

STEP = 0.1
"""Weights are multiples of it: finer ones would be read from the noise of three seasons."""

TRUST, TRUST_TOTAL = 0.5, 0.5


@dataclass(frozen=True)
class Learned:
    """What a pool learned from past origins.

    Attributes:
        weights: by member, summing to 1.
        levels: level map of the districts' forecasts, shape (knots,).
        total_levels: level map of the sum of a department's districts.
        templates: past transforms, shape (origins, districts, horizons).
        districts: of the templates.
    """

    weights: dict[str, float]
    levels: Array
    total_levels: Array
    templates: Array
    districts: tuple[str, ...]


class Pool:
    """A `yupana.tasks.forecast.quantiles.Forecaster` and `Totals`, made of members."""

    def __init__(
        self, members: Mapping[str, Forecaster], learned: Learned, sums: AreaRegressions
    ) -> None:
        self.members, self.learned, self.sums = members, learned, sums
        self.horizons: Sequence[int] = next(iter(members.values())).horizons

    def knows(self, entity: str) -> bool:
        """Whether every member had the district in training; others get a pooled forecast."""
        return all(member.knows(entity) for member in self.members.values())

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        inner = recalibration.inner_levels(levels, self.learned.levels)
        by_member = {
            name: member.quantiles(features, inner.tolist())
            for name, member in self.members.items()
            if self.learned.weights[name] > 0
        }
        return average(by_member, self.learned.weights)

    def totals(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of the sum over the rows, shape (horizons, levels), rising along levels.

        Args:
            features: one row a district, all of one origin.
        """
        if len(features) == 1:
            return self.quantiles(features, levels)[0]
        names = features["entity"].astype(str).tolist()
        templates = areas.aligned(self.learned.templates, self.learned.districts, names)
        samples = areas.samples(self.quantiles(features, recalibration.GRID.tolist()), templates)
        inner = recalibration.inner_levels(levels, self.learned.total_levels)
        summed = areas.sums(features, areas.DEPARTMENT)
        regressions = self.sums.of(str(summed["entity"].iloc[0]))
        direct = [regression.quantiles(summed, levels)[0] for regression in regressions]
        views = [np.quantile(samples, inner, axis=0).T, *direct]
        return np.asarray(np.round(np.mean(views, axis=0)), dtype=np.float64)


def average(by_member: Mapping[str, Array], weights: Mapping[str, float]) -> Array:
    """The weighted mean of the members' quantiles, as whole cases."""
    parts = [weights[name] * quantiles for name, quantiles in by_member.items()]
    # A median of 0.3 cases is none: told as a fraction it would miss both 0 and 1.
    return np.asarray(np.round(np.sum(parts, axis=0)), dtype=np.float64)


def learn_weights(
    by_member: Mapping[str, Array], observed: Array, prior: Mapping[str, float]
) -> dict[str, float]:
    """The weights with the least interval score over past origins, drawn half-way to a prior.

    Weights learned from a few seasons are so noisy that fixed ones often win (Claeskens et al.
    2016, Int J Forecast 32:754); half of each keeps a bad member small.

    The score on counts, which the large outbreaks rule, and the one on log1p counts, which the
    many small districts rule, count alike, each in units of the equal-weights pool.

    Args:
        by_member: quantiles at `conformal.GRID`, shape (rows, horizons, levels).
        observed: counts, shape (rows, horizons), NaN where not known.
        prior: weights by member, summing to 1.
    """
    names, finite = list(by_member), ~np.isnan(observed)
    counts = observed[finite]
    mine = [at(by_member[name][finite], np.asarray(QUANTILES)) for name in names]
    parts = round(1 / STEP)
    grid = [w for w in product(range(parts + 1), repeat=len(names)) if sum(w) == parts]
    unit = _losses(counts, np.mean(mine, axis=0))
    best, choice = np.inf, grid[0]
    for weights in grid:
        pooled = np.sum([w / parts * q for w, q in zip(weights, mine, strict=True)], axis=0)
        loss = float((_losses(counts, np.round(pooled)) / unit).sum())
        if loss < best:
            best, choice = loss, weights
    return {name: (w / parts + prior[name]) / 2 for name, w in zip(names, choice, strict=True)}


def _losses(counts: Array, quantiles: Array) -> Array:
    """Interval scores on counts and on log1p counts, shape (2,)."""
    logs = np.log1p(counts), np.log1p(quantiles)
    pairs = ((counts, quantiles), logs)
    return np.array([weighted_interval_scores(*pair).mean() for pair in pairs])


def learn(
    by_member: Mapping[str, Array],
    rows: pd.DataFrame,
    observed: Array,
    *,
    prior: Mapping[str, float],
    seed: int,
) -> Learned:
    """Weights, level maps and templates from what the members told at past origins.

    Args:
        by_member: quantiles at `conformal.GRID`, shape (rows, horizons, levels).
        rows: features of the past forecasts, one a district and origin.
        observed: counts that came, shape (rows, horizons); NaN where not known.
        prior: weights by member before any evidence, summing to 1.
        seed: places counts within their step.
    """
    weights = learn_weights(by_member, observed, prior)
    pooled = average(by_member, weights)
    past = recalibration.transforms(observed, pooled, seed)
    levels = recalibration.learn(past, TRUST)
    names, index = np.unique(rows["entity"].astype(str), return_inverse=True)
    times, when = np.unique(rows["event_timestamp"], return_inverse=True)
    shape = (len(times), len(names), observed.shape[1])
    templates, counts = np.full(shape, 0.5), np.full(shape, np.nan)
    quantiles = np.zeros((*shape, pooled.shape[2]))
    # A template is of the recalibrated forecast: its level, by the inverse of the map.
    unmapped = np.interp(past, levels, recalibration.KNOTS)
    templates[when, index] = np.where(np.isnan(unmapped), 0.5, unmapped)
    mapped = recalibration.inner_levels(recalibration.GRID.tolist(), levels)
    quantiles[when, index] = at(pooled, mapped)
    counts[when, index] = observed
    period = frequency.of(rows.columns)
    apart = period.year // period.thinning // 2
    totals = [
        _past_totals(quantiles[:, mine], counts[:, mine], templates[:, mine], apart, seed)
        for mine in areas.members(names.tolist(), areas.DEPARTMENT)
    ]
    return Learned(
        weights=weights,
        levels=levels,
        total_levels=recalibration.learn(np.concatenate(totals), TRUST_TOTAL),
        templates=templates.astype(np.float32).astype(np.float64),
        districts=tuple(str(n) for n in names),
    )


def at(quantiles: Array, levels: Array) -> Array:
    """From quantiles at `conformal.GRID` to those at other levels."""
    near = np.searchsorted(recalibration.GRID, levels).clip(1, len(recalibration.GRID) - 1)
    low, high = recalibration.GRID[near - 1], recalibration.GRID[near]
    share = ((levels - low) / (high - low)).clip(0, 1)
    return np.asarray(quantiles[..., near - 1] * (1 - share) + quantiles[..., near] * share)


def _past_totals(
    quantiles: Array, counts: Array, templates: Array, apart: int, seed: int
) -> Array:
    """Transforms of the sums of past origins, each sampled by the templates of other years.

    Args:
        apart: origins of half a year.
    """
    origins = len(templates)
    values = np.full((origins, counts.shape[2]), np.nan)
    for i in range(origins):
        # Half a year either side: an origin must not be told by its own outbreak.
        others = np.abs(np.arange(origins) - i) > min(apart, origins // 4)
        samples = areas.samples(quantiles[i], templates[others])
        sums = np.quantile(samples, recalibration.GRID, axis=0).T
        values[i] = recalibration.transforms(counts[i].sum(axis=0), sums, seed + i)
    return values
