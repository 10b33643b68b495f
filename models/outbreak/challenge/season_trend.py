"""Seasons read off their present level: what past seasons had still ahead at this week.

Two Bayesian ridge regressions, of the log of the highest week still to come and of the log of
the mean week still to come, on the log level of the last four and twelve weeks. Their predictive
distribution is a Student t: with few seasons its tails are heavy. The week of a peak still to
come is a kernel estimate over the past seasons' peaks after this week.
"""

from __future__ import annotations

import numpy as np

from models.outbreak.challenge.season_targets import WEEKS, Array, City, Counts

DRAWS = 4000
_NEIGHBOURS = (-4, 0, 4)  # weeks: a season also teaches at the origins around this one
_KERNEL_SD = 4.0  # weeks
_EVEN = 0.02  # kernel mass of a week far from every past peak
# Prior: half of a change in the last month's log level lasts; a spread of 0.7 on the log scale,
# worth five seasons, so that a few alike do not look certain.
_SLOPES, _RIDGE = np.array([0.5, 0.1]), np.array([1.0, 2.0])
_SPREAD, _SEASONS = 0.7, 5


def _levels(series: Array, week: int) -> list[float]:
    """Log levels known before a week."""
    return [float(np.log(series[max(0, week - n) : week].mean() + 0.5)) for n in (4, 12)]


class Trend:
    """The regression on the present level.

    Args:
        city: the official bins.
        past: ended seasons in order, shape (seasons, 52); they must follow each other.
    """

    def __init__(self, city: City, past: Counts) -> None:
        self._city, self._past = city, past

    def forecast(self, so_far: Counts, rng: np.random.Generator) -> dict[str, Array]:
        """Probabilities of every bin, by target.

        Args:
            so_far: counts of the season's first weeks, shape (0..51,).
        """
        weeks_past = len(so_far)
        series = np.concatenate([self._past.ravel(), so_far]).astype(float)
        rows, ahead = [], []
        for season in range(len(self._past)):
            for week in (weeks_past + n for n in _NEIGHBOURS):
                start = season * WEEKS + week
                if start >= _NEIGHBOURS[-1] and week < WEEKS:
                    rest = series[start : (season + 1) * WEEKS]
                    rows.append(_levels(series, start))
                    ahead.append([np.log(rest.max() + 1), np.log(rest.mean() + 0.2)])
        now = np.array(_levels(series, len(series)))
        levels, future = np.array(rows), np.array(ahead)
        highest = np.exp(_draw(levels, future[:, 0], now, rng)) - 1
        total = (np.exp(_draw(levels, future[:, 1], now, rng)) - 0.2) * (WEEKS - weeks_past)
        return self._bins(so_far, np.round(highest), np.round(np.maximum(total, highest)))

    def _bins(self, so_far: Counts, highest: Array, total: Array) -> dict[str, Array]:
        """Probabilities from draws of the highest week and the sum of the weeks to come."""
        weeks_past, record = len(so_far), int(so_far.max(initial=-1))
        by_target = {}
        for target, cases in (
            ("peak_incidence", np.maximum(highest, max(record, 0))),
            ("season_total", so_far.sum() + np.maximum(total, 0)),
        ):
            counts = np.bincount(self._city.bin(target, cases), minlength=self._city.bins(target))
            by_target[target] = counts / len(cases)
        later = float((highest > record).mean() + 0.5 * (highest == record).mean())
        by_target["peak_week"] = self._peak_weeks(weeks_past) * later
        if weeks_past:
            tied = so_far == record
            by_target["peak_week"][:weeks_past] += (1 - later) * tied / tied.sum()
        by_target["peak_week"] /= by_target["peak_week"].sum()
        return by_target

    def _peak_weeks(self, weeks_past: int) -> Array:
        """Where the highest of the weeks still to come falls, shape (52,), 0 where seen."""
        weeks, weights = np.arange(weeks_past, WEEKS), np.zeros(WEEKS)
        for season in self._past:
            rest = season[weeks_past:]
            for peak in (peaks := weeks_past + np.flatnonzero(rest == rest.max())):
                bump = np.exp(-0.5 * ((weeks - peak) / _KERNEL_SD) ** 2) / _KERNEL_SD
                weights[weeks_past:] += bump / len(peaks)
        weights[weeks_past:] += _EVEN
        return weights / weights.sum()


def _draw(levels: Array, target: Array, now: Array, rng: np.random.Generator) -> Array:
    """Draws of the target at the levels `now`: the predictive t of a ridge regression.

    Args:
        levels: shape (rows, 2); the neighbouring weeks of a season count as one row.
        target: shape (rows,).
    """
    worth, middle = 1 / len(_NEIGHBOURS), levels.mean(axis=0)
    x = np.column_stack([np.ones(len(levels)), levels - middle])
    ridge = np.diag([0.01, *_RIDGE])
    precision = worth * x.T @ x + ridge
    right = worth * x.T @ target + ridge @ np.array([target.mean(), *_SLOPES])
    line, query = np.linalg.solve(precision, right), np.array([1.0, *(now - middle)])
    seasons = _SEASONS + worth * len(target)
    variance = worth * ((target - x @ line) ** 2).sum() + _SEASONS * _SPREAD**2
    spread = np.sqrt(variance / seasons * (1 + query @ np.linalg.solve(precision, query)))
    # Beyond e^12 cases nothing changes, and powers stay finite.
    return np.asarray(np.minimum(query @ line + spread * rng.standard_t(seasons - 1, DRAWS), 12.0))
