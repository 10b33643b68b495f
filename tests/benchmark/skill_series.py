"""Peers that know one district at a time: Nixtla's statsforecast, at every origin anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.benchmark.skill_past import YEAR, Array, Past, whole


class AutoETS:
    """Exponential smoothing by AICc on log counts, its own Gaussian intervals.

    A season of 52 weeks is beyond exponential smoothing (as in R, 24 is the most), so that it
    has none.
    """

    def fit(self, past: Past, horizons: int) -> None:
        self._horizons = horizons

    def quantiles(self, past: Past, levels: Sequence[float]) -> Array:
        """By district."""
        from statsforecast.models import AutoETS as Model

        widths = sorted({round(100 * abs(1 - 2 * level), 4) for level in levels} - {0.0})
        model, by_district = Model(season_length=1), []
        for counts in past.counts.T:
            logs = np.log1p(counts)
            if np.ptp(logs) == 0:
                by_district.append(np.full((self._horizons, len(levels)), counts[-1]))
                continue
            answer = model.forecast(y=logs, h=self._horizons, level=widths)
            columns = [answer[_column(level)] for level in levels]
            by_district.append(np.expm1(np.stack(columns, axis=1)))
        return whole(np.stack(by_district))


def _column(level: float) -> str:
    """Where statsforecast writes a quantile."""
    width = round(100 * abs(1 - 2 * level), 4)
    if not width:
        return "mean"
    return f"{'lo' if level < 0.5 else 'hi'}-{width}"


class Intermittent:
    """A point forecast for intermittent demand, spread by what it missed before.

    These models have no distribution: quantiles are those of the district's signed errors on log
    counts, by weeks ahead, over the origins of the last years that are known by now (split
    conformal with signed residuals).

    Args:
        name: of a model of statsforecast.
    """

    YEARS = 3

    def __init__(self, name: str) -> None:
        self._name = name
        self._flat: dict[int, Array] = {}

    def fit(self, past: Past, horizons: int) -> None:
        self._horizons = horizons

    def _point(self, past: Past) -> Array:
        """Log of the flat forecast of every district from one origin; kept, since later origins
        ask for it again."""
        import statsforecast.models

        week = len(past.counts)
        if week not in self._flat:
            model = getattr(statsforecast.models, self._name)()
            means = [
                float(model.forecast(y=y, h=1)["mean"][0]) if y.any() else 0.0
                for y in past.counts.T
            ]
            self._flat[week] = np.log1p(np.maximum(means, 0.0))
        return self._flat[week]

    def quantiles(self, past: Past, levels: Sequence[float]) -> Array:
        """By district."""
        last = len(past.counts) - 1
        origins = range(max(last - self.YEARS * YEAR, YEAR), last)
        before = np.stack([self._point(past.until(week)) for week in origins])
        now, logs = self._point(past), np.log1p(past.counts)
        answers = []
        for horizon in range(1, self._horizons + 1):
            known = [week for week in origins if week + horizon <= last]
            errors = logs[np.array(known) + horizon] - before[: len(known)]
            answers.append(now[:, None] + np.quantile(errors, levels, axis=0).T)
        return whole(np.expm1(np.stack(answers, axis=1)))


PEERS: dict[str, Callable[[], Any]] = {
    "AutoETS": AutoETS,
    "CrostonOptimized": lambda: Intermittent("CrostonOptimized"),
    "IMAPA": lambda: Intermittent("IMAPA"),
}
