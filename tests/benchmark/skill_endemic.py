"""An endemic-epidemic regression, as R's surveillance::hhh4 and hhh4addon fit them.

The mean of a district's count is an endemic part with a season, and what the last weeks of the
district, of its province and of its department bring; counts are negative binomial (Held, Paul
2012, Biom J 54:824; weights over several lags: Bracher, Held 2022, Int J Forecast 38:1221).
Forecasts are paths that are drawn week by week.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.benchmark.skill_past import YEAR, Array, Past, lagged, whole

LAGS, PATHS, SEED = 5, 2000, 7
NEARBY = (4, 2)
"""Digits that the codes of a province's and a department's districts share."""

PRIORS = {"levels": 1.5, "sizes": 0.7}
"""How far districts' intercepts and log sizes lie from those of all."""


def _shapes(districts: int) -> dict[str, int]:
    """How many numbers each part of the regression has."""
    return {
        "level": 1, "levels": districts, "season": 4, "epidemic": 3, "wave": 2, "lags": LAGS - 1,
        "size": 1, "sizes": districts,
    }  # fmt: skip


class Endemic:
    """Fitted by penalised likelihood at each year's first origin."""

    def fit(self, past: Past, horizons: int) -> None:
        from scipy.optimize import minimize

        self._horizons, self._shapes = horizons, _shapes(len(past.districts))
        start = self._split(np.zeros(sum(self._shapes.values())))
        start["level"] = np.log(past.counts.mean(keepdims=True)[0] * 0.2 + 1e-3)
        start["epidemic"] = np.log(np.array([0.6, 0.1, 0.05]))
        inputs = self._inputs(past, slice(YEAR, None))
        counts = past.counts[YEAR:]
        found = minimize(
            self._loss, np.concatenate(list(start.values())), (counts, inputs), jac=True,
            method="L-BFGS-B", options={"maxiter": 400, "maxfun": 500},
        )  # fmt: skip
        self._fitted = self._split(found.x)

    def _split(self, numbers: Array) -> dict[str, Array]:
        ends = np.cumsum(list(self._shapes.values()))[:-1]
        return dict(zip(self._shapes, np.split(numbers, ends), strict=True))

    def _inputs(self, past: Past, weeks: slice) -> tuple[Array, Array]:
        """Seasons of the weeks, and counts at each lag: own, province's, department's, shape
        (lags, 3, weeks, districts)."""
        sources = [past.counts, *(past.others(digits) for digits in NEARBY)]
        lags = [[lagged(source, k)[weeks] for source in sources] for k in range(1, LAGS + 1)]
        return past.season()[weeks], np.array(lags)

    def _means(
        self, of: dict[str, Array], season: Array, lags: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Endemic part, the three epidemic parts, inflow before its share, and lag weights."""
        endemic = np.exp(of["level"] + of["levels"] + (season @ of["season"])[:, None])
        logits = np.concatenate([[0.0], of["lags"]])
        weights = np.exp(logits - logits.max())
        weights /= weights.sum()
        inflow = np.tensordot(weights, lags, 1)
        wave = season[:, :2] @ of["wave"]
        shares = of["epidemic"][:, None, None] + wave[None, :, None] + np.zeros_like(inflow)
        return endemic, np.exp(shares) * inflow, np.exp(shares), weights

    def _loss(
        self, numbers: Array, counts: Array, inputs: tuple[Array, Array]
    ) -> tuple[float, Array]:
        """Negative penalised log likelihood and its gradient."""
        from scipy.special import gammaln, psi

        (season, lags), of = inputs, self._split(numbers)
        endemic, parts, shares, weights = self._means(of, season, lags)
        mean = endemic + parts.sum(axis=0) + 1e-9
        size = np.exp(of["size"] + of["sizes"])
        both = size + mean
        logs = gammaln(counts + size) - gammaln(size) + size * np.log(size / both)
        logs += counts * np.log(mean / both)
        by_mean = counts / mean - (counts + size) / both
        by_size = psi(counts + size) - psi(size) + np.log(size / both) + 1
        by_size = (by_size - (counts + size) / both) * size
        by_part = by_mean * parts
        by_lag = np.array([(by_mean * shares * lag).sum() for lag in lags])
        endemics, wave = by_mean * endemic, by_part.sum(axis=(0, 2))
        gradient = {
            "level": endemics.sum(keepdims=True)[0], "levels": endemics.sum(axis=0),
            "season": season.T @ endemics.sum(axis=1), "epidemic": by_part.sum(axis=(1, 2)),
            "wave": season[:, :2].T @ wave, "lags": (weights * (by_lag - weights @ by_lag))[1:],
            "size": by_size.sum(keepdims=True)[0], "sizes": by_size.sum(axis=0),
        }  # fmt: skip
        penalty = 0.0
        for name, spread in PRIORS.items():
            penalty += float((of[name] ** 2).sum()) / (2 * spread**2)
            gradient[name] = gradient[name] - of[name] / spread**2
        flat = np.concatenate([gradient[name] for name in self._shapes])
        return penalty - float(logs.sum()), -flat

    def quantiles(self, past: Past, levels: Sequence[float]) -> Array:
        """Of the paths, by district and week ahead."""
        draws, of = np.random.default_rng(SEED), self._fitted
        size = np.exp(of["size"] + of["sizes"])
        areas = [self._mixing(past, digits) for digits in NEARBY]
        recent = np.repeat(past.counts[None, -LAGS:], PATHS, axis=0)
        ahead = []
        for horizon in range(1, self._horizons + 1):
            newest = recent[:, ::-1].transpose(1, 0, 2)
            lags = np.stack([newest, *(newest @ mixing for mixing in areas)], axis=1)
            season = np.repeat(past.season(horizon)[-1:], PATHS, axis=0)
            endemic, parts, _, _ = self._means(of, season, lags)
            mean = endemic + parts.sum(axis=0) + 1e-9
            counts = draws.negative_binomial(size, size / (size + mean)).astype(float)
            recent = np.concatenate([recent[:, 1:], counts[:, None]], axis=1)
            ahead.append(np.quantile(counts, levels, axis=0).T)
        return whole(np.stack(ahead, axis=1))

    @staticmethod
    def _mixing(past: Past, digits: int) -> Array:
        """The matrix that gives each district the mean of the others of its area."""
        each = Past(np.eye(len(past.districts)), past.days, past.districts)
        return each.others(digits)
