"""Forecasts of a dengue season's peak and size: members, and their linear pool.

The pool's weights are learned from how the members scored on earlier seasons, each forecast from
what preceded it, one set of weights a target. They start from equal weights worth `PRIOR`
forecasts, because the thirteen forecasts of a season are far from independent and seasons are few.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.outbreak.challenge.season_analog import Analog
from models.outbreak.challenge.season_paths import Paths
from models.outbreak.challenge.season_targets import (
    TARGETS,
    Array,
    City,
    Counts,
    of_paths,
    possible,
)
from models.outbreak.challenge.season_trend import Trend

MEMBERS = ("analog", "trend", "paths")
# A season needs this many before it: fewer say next to nothing of how seasons differ.
SEASONS_NEEDED = 3
EVEN = 0.04  # part of the pool that is even over the bins that are still possible
FLOOR = 0.001  # part that is even over all bins, so that none ever has probability 0
PRIOR = 20.0

Forecasts = dict[str, Array]


def even(city: City, so_far: Counts) -> Forecasts:
    """All bins that the season so far leaves possible, alike: what any forecast has to beat."""
    return {target: mask / mask.sum() for target, mask in possible(city, so_far).items()}


def plain_analog(city: City, past: Counts, so_far: Counts, rng: np.random.Generator) -> Forecasts:
    """The plain ensemble of analog seasons, to compare with: no shift, no autocorrelation."""
    weeks_past, draws = len(so_far), 3000
    weight, factor = np.ones(len(past)), np.ones(len(past))
    if weeks_past:
        apart = np.abs(np.log1p(past[:, :weeks_past]) - np.log1p(so_far)).mean(axis=1)
        weight = np.exp(-2 * apart)
        factor = np.clip((so_far.sum() + 1) / (past[:, :weeks_past].sum(axis=1) + 1), 0.25, 4.0)
    sample = rng.choice(len(past), draws, p=weight / weight.sum())
    spread = rng.gamma(3.0, 1 / 3.0, (draws, 1))
    paths = rng.poisson((past * factor[:, None])[sample] * spread)
    paths[:, :weeks_past] = so_far
    return of_paths(city, paths)


class Seasons:
    """The members, fitted to the seasons that ended.

    Args:
        city: the official bins.
        past: ended seasons in order, shape (seasons, 52), at least `SEASONS_NEEDED`.
        seed: the forecasts of a season depend on it, on the seasons before and the weeks seen.
    """

    def __init__(self, city: City, past: Counts, seed: int) -> None:
        self._city, self._seed, self._past = city, seed, past
        self._members: dict[str, Analog | Trend | Paths] = {
            "analog": Analog(city, past),
            "trend": Trend(city, past),
            "paths": Paths(city, past, np.random.default_rng([seed, len(past)])),
        }

    def forecasts(self, so_far: Counts) -> dict[str, Forecasts]:
        """What each member says, and to compare with, the two plain ways.

        Args:
            so_far: counts of the season's first weeks, shape (0..51,).

        Returns:
            By member, `plain_analog` and `uniform`: probabilities by target, no bin 0.
        """
        every = np.random.default_rng([self._seed, len(self._past), len(so_far)])
        by_member = {
            name: member.forecast(so_far, rng)
            for (name, member), rng in zip(
                self._members.items(), every.spawn(len(MEMBERS)), strict=True
            )
        }
        by_member["plain_analog"] = plain_analog(self._city, self._past, so_far, every)
        rest = even(self._city, so_far)
        return {name: _open(t, rest) for name, t in by_member.items()} | {"uniform": rest}


def _open(forecast: Forecasts, rest: Forecasts) -> Forecasts:
    """The forecast with a small even part, as no simulation draws all that may happen."""
    return {
        target: (1 - EVEN - FLOOR) * forecast[target] + EVEN * even + FLOOR / len(even)
        for target, even in ((target, rest[target]) for target in TARGETS)
    }


def weights(likelihoods: Array) -> Array:
    """Weights of the linear pool from past forecasts: expectation-maximisation.

    Args:
        likelihoods: what each member gave to the bin that came true, shape (forecasts, members).

    Returns:
        Weights of shape (members,), summing to 1; equal where there are no forecasts.
    """
    shares = np.full(len(MEMBERS), 1 / len(MEMBERS))
    for _ in range(100):
        share = likelihoods * shares
        credit = (share / share.sum(axis=1, keepdims=True)).sum(axis=0)
        shares = (credit + PRIOR / len(MEMBERS)) / (len(likelihoods) + PRIOR)
    return np.asarray(shares)


def pool(by_member: Mapping[str, Forecasts], weight: Mapping[str, Array]) -> Forecasts:
    """The members' linear pool, weights by target of shape (members,)."""
    return {
        target: np.asarray(
            sum(
                w * by_member[name][target]
                for w, name in zip(weight[target], MEMBERS, strict=True)
            )
        )
        for target in TARGETS
    }
