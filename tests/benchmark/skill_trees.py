"""LightGBM as winners of such contests use it: quantile loss, one model a level for all districts.

The horizon is a feature, so that one model serves all weeks ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmark.skill_past import YEAR, Array, Past, lagged, trailing_mean, whole

LAGS = 12
OPTIONS: dict[str, Any] = {
    "objective": "quantile", "learning_rate": 0.06, "num_leaves": 24, "min_data_in_leaf": 60,
    "feature_fraction": 0.7, "bagging_fraction": 0.6, "bagging_freq": 1, "verbosity": -1,
    "seed": 7, "deterministic": True, "force_row_wise": True, "num_threads": 1,
}  # fmt: skip
ROUNDS = 150


class LightGBM:
    """Boosted trees by level, fitted at each year's first origin."""

    def fit(self, past: Past, horizons: int) -> None:
        self._horizons, self._past, self._models = horizons, past, {}

    def _fitted(self, levels: Sequence[float]) -> list[Any]:
        """The boosters of this year, trained when the levels are first asked for."""
        import lightgbm

        if not self._models:
            inputs, targets = self._rows(self._past)
            data = lightgbm.Dataset(inputs, targets, free_raw_data=False)
            for level in levels:
                options = {**OPTIONS, "alpha": level}
                self._models[level] = lightgbm.train(options, data, num_boost_round=ROUNDS)
        return [self._models[level] for level in levels]

    def _rows(self, past: Past) -> tuple[Array, Array]:
        """Every week and horizon whose count is known."""
        counts, inputs, targets = past.counts, [], []
        for horizon in range(1, self._horizons + 1):
            features = self._features(past, horizon)
            inputs.append(features[YEAR:-horizon].reshape(-1, features.shape[-1]))
            targets.append(counts[YEAR + horizon :].reshape(-1))
        return np.concatenate(inputs), np.concatenate(targets)

    def _features(self, past: Past, horizon: int) -> Array:
        """Shape (weeks, districts, features)."""
        counts = past.counts
        means = [trailing_mean(counts, weeks) for weeks in (4, 13, YEAR, len(counts))]
        # What the same weeks of the last year held, around the week that is forecast.
        last_year = trailing_mean(lagged(counts, YEAR - horizon - 2), 5)
        others = [trailing_mean(past.others(digits), 4) for digits in (2, 4)]
        logs = [np.log1p(x) for x in (*(lagged(counts, k) for k in range(LAGS)), *means,
                                      last_year, *others)]  # fmt: skip
        waves = [np.broadcast_to(wave[:, None], counts.shape) for wave in past.season(horizon).T]
        place = np.broadcast_to(np.arange(counts.shape[1]), counts.shape)
        ahead = np.full(counts.shape, float(horizon))
        return np.stack([*logs, *waves[:2], place, ahead], axis=-1)

    def quantiles(self, past: Past, levels: Sequence[float]) -> Array:
        """By district and week ahead."""
        horizons = range(1, self._horizons + 1)
        rows = np.concatenate([self._features(past, h)[-1] for h in horizons])
        answers = [model.predict(rows) for model in self._fitted(levels)]
        shape = len(horizons), len(past.districts), len(levels)
        return whole(np.stack(answers, axis=-1).reshape(shape).transpose(1, 0, 2))
