"""The likelihood of an endemic-epidemic regression of one horizon, and its maximum.

Of a count y with mean m and size k, both of its row: log Γ(y + k) - log Γ(k) + k log(k / (k + m))
+ y log(m / (k + m)), up to a constant. Weak priors keep coefficients small that the data says
nothing of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

LEAST = 1e-4
"""Of a mean, cases a period."""

TYPICAL, TYPICAL_PRECISION = -4.0, 0.04
"""Prior of a coefficient's logarithm."""

SEASON_PRECISION = 2.0
"""Prior of a harmonic's effect on the logarithm, about none."""

SIZE, SIZE_PRECISION = np.array([0.0, 0.3]), 0.5
"""Prior of the size: its logarithm where the mean is 1, and its power of the mean."""

START_OWN = -0.7
"""Of the search: the newest count's coefficient, its logarithm."""

STEPS = 40
"""Of the search, at most: twice as many, or four times, forecast no better."""

BOUND = 12.0
"""Of logarithms, either way; those of size and saturation are within an eighth or a quarter."""

OFFSET = 0.01
"""Cases that are added before a sum is raised to a power: none stays none, with a slope."""

SATURATION_PRECISION = 2.0
"""Prior of the power's logarithm, about 0: twice as many bring twice as many."""


@dataclass(frozen=True)
class Terms:
    """What the means of rows are sums of.

    Attributes:
        epidemic: newest counts, own and neighbours', shape (rows, terms).
        endemic: past means and a constant, shape (rows, terms).
        season: harmonics of the year, shape (rows, harmonics).
    """

    epidemic: Array
    endemic: Array
    season: Array

    def of(self, rows: Mask) -> Terms:
        """The terms of some rows."""
        return Terms(self.epidemic[rows], self.endemic[rows], self.season[rows])


@dataclass(frozen=True)
class Coefficients:
    """Of one horizon.

    Attributes:
        epidemic, endemic: of the terms, logarithms.
        season_epidemic, season_endemic: of the harmonics, on the logarithm of either sum.
        size: logarithm of the size where the mean is 1, and the size's power of the mean.
        saturation: logarithm of the power that the epidemic sum is raised to: below 0 a large
            outbreak brings less than in proportion (Finkenstädt, Grenfell 2000, Appl Stat 49:187).
    """

    epidemic: Array
    endemic: Array
    season_epidemic: Array
    season_endemic: Array
    size: Array
    saturation: Array

    @classmethod
    def of(cls, flat: Array, terms: Terms) -> Coefficients:
        """From one array, in the order of the attributes."""
        harmonics = terms.season.shape[1]
        widths = [terms.epidemic.shape[1], terms.endemic.shape[1], harmonics, harmonics, 2]
        return cls(*np.split(flat, np.cumsum(widths)))

    def distribution(self, terms: Terms) -> tuple[Array, Array]:
        """Mean and size of each row's count.

        Summed by row, not by BLAS: the same row gives the same numbers in any company.
        """
        waves = (
            np.exp((terms.season * s).sum(axis=1))
            for s in (self.season_epidemic, self.season_endemic)
        )
        sums = (
            (of * np.exp(log)).sum(axis=1)
            for of, log in ((terms.epidemic, self.epidemic), (terms.endemic, self.endemic))
        )
        epidemic, endemic = sums
        epidemic_season, endemic_season = waves
        power = np.exp(self.saturation)
        brings = (epidemic + OFFSET) ** power - OFFSET**power
        mean = epidemic_season * brings + endemic_season * endemic + LEAST
        return mean, np.exp(self.size[0] + self.size[1] * np.log(mean))


def maximise(terms: Terms, counts: Array, start: Array | None) -> Array:
    """Coefficients near the greatest posterior density, flat.

    Args:
        counts: of the rows, whole or completed for delay.
        start: of the search; None where nothing is known.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    begin = _beginning(terms) if start is None else start
    widths = {BOUND: len(begin) - 3, BOUND / 4: 2, BOUND / 8: 1}
    bounds = [(-most, most) for most, times in widths.items() for _ in range(times)]
    # Products this small are slower on several threads, and sum in another order.
    with threadpool_limits(1):
        optimum = minimize(
            loss, begin, args=(terms, counts), jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": STEPS},
        )  # fmt: skip
    return np.asarray(optimum.x, dtype=np.float64)


def _beginning(terms: Terms) -> Array:
    logs = terms.epidemic.shape[1] + terms.endemic.shape[1]
    flat = np.zeros(logs + 2 * terms.season.shape[1] + 3)
    flat[:logs] = TYPICAL
    flat[0] = START_OWN
    flat[-3:-1] = SIZE
    return flat


def loss(flat: Array, terms: Terms, counts: Array) -> tuple[float, Array]:
    """The negative log posterior density and its gradient."""
    now = Coefficients.of(flat, terms)
    epidemic, endemic = np.exp(now.epidemic), np.exp(now.endemic)
    epidemic_season = np.exp(terms.season @ now.season_epidemic)
    endemic_season = np.exp(terms.season @ now.season_endemic)
    total, power = terms.epidemic @ epidemic + OFFSET, np.exp(now.saturation)
    raised = total**power
    of_epidemic = epidemic_season * (raised - OFFSET**power)
    of_endemic = endemic_season * (terms.endemic @ endemic)
    mean = of_epidemic + of_endemic + LEAST
    log_mean = np.log(mean)
    size = np.exp(now.size[0] + now.size[1] * log_mean)
    density, by_mean, by_size = _density(counts, mean, log_mean, size)
    by_log_size = by_size * size
    slope = by_mean + by_log_size * now.size[1] / mean
    by_power = raised * np.log(total) - OFFSET**power * np.log(OFFSET)
    gradient = [
        epidemic * (terms.epidemic.T @ (slope * epidemic_season * power * raised / total)),
        endemic * (terms.endemic.T @ (slope * endemic_season)),
        terms.season.T @ (slope * of_epidemic),
        terms.season.T @ (slope * of_endemic),
        np.array([by_log_size.sum(), by_log_size @ log_mean]),
        power * ((slope * epidemic_season) @ by_power),
    ]
    logs = np.concatenate([now.epidemic, now.endemic]) - TYPICAL
    waves = np.concatenate([now.season_epidemic, now.season_endemic])
    priors = (
        (logs, TYPICAL_PRECISION), (waves, SEASON_PRECISION), (now.size - SIZE, SIZE_PRECISION),
        (now.saturation, SATURATION_PRECISION),
    )  # fmt: skip
    prior = sum(precision * float(away @ away) for away, precision in priors) / 2
    of_prior = np.concatenate([precision * away for away, precision in priors])
    return prior - density, of_prior - np.concatenate(gradient)


def _density(
    counts: Array, mean: Array, log_mean: Array, size: Array
) -> tuple[float, Array, Array]:
    """The sum of the log densities, and their derivatives by mean and by size."""
    from scipy.special import digamma, gammaln

    both = size + mean
    share = np.log(size) - np.log(both)
    excess = (counts + size) / both
    densities = size * share + counts * (log_mean - np.log(both))
    by_size = share + 1 - excess
    # Most counts are none; only of the others there is a ratio of gamma functions.
    some = counts > 0
    y, k = counts[some], size[some]
    densities[some] += gammaln(y + k) - gammaln(k)
    by_size[some] += digamma(y + k) - digamma(k)
    return float(densities.sum()), counts / mean - excess, by_size
