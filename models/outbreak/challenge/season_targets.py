"""What the Dengue Forecasting Project asks of a season: three targets, each in official bins.

Protocol: CDC/NOAA Dengue Forecasting Project (2015), "Forecast targets" and appendices 2 and 3.
A season has 52 weeks. The bins are those of the project's templates: peak week by week, the
other two in ten equal steps and one open bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

WEEKS = 52
TARGETS = ("peak_week", "peak_incidence", "season_total")
# Weeks of the season already seen when a forecast is made.
ORIGINS = tuple(range(0, 49, 4))
# The means that the project published: forecasts of the first half, and all of them.
SPANS = {"0-24": 24, "0-48": 48}
_STEPS = 10  # closed bins; one more is open to the top


@dataclass(frozen=True)
class City:
    """A city's official bins: their width in cases, for the peak week and for the season."""

    name: str
    peak_step: int
    total_step: int

    def bins(self, target: str) -> int:
        """How many bins the target has."""
        return WEEKS if target == "peak_week" else _STEPS + 1

    def edges(self, target: str) -> Array:
        """Lower edges of the bins in cases, shape (11,), for the two targets in cases."""
        step = self.peak_step if target == "peak_incidence" else self.total_step
        return np.arange(_STEPS + 1, dtype=np.float64) * step

    def bin(self, target: str, cases: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Index of the bin that holds a number of cases: lower edge in, upper edge out."""
        return np.searchsorted(self.edges(target), np.asarray(cases), side="right") - 1


CITIES = {c.name: c for c in (City("iquitos", 15, 100), City("san_juan", 50, 1000))}


def outcome(city: City, season: Counts) -> dict[str, Mask]:
    """The bins that came true, one mask a target.

    The project speaks of "the week" of the highest incidence and does not say what holds when
    weeks tie. Here each tied week is a peak week: a forecast is credited with what it gave to
    all of them together, as a forecast that names one of them is not wrong.

    Args:
        season: 52 weekly counts.
    """
    hit = {target: np.zeros(city.bins(target), dtype=bool) for target in TARGETS}
    hit["peak_week"] = season == season.max()
    hit["peak_incidence"][city.bin("peak_incidence", season.max())] = True
    hit["season_total"][city.bin("season_total", season.sum())] = True
    return hit


def possible(city: City, so_far: Counts) -> dict[str, Mask]:
    """The bins that the season so far has not ruled out, one mask a target.

    Args:
        so_far: counts of the weeks seen, shape (0..52,).
    """
    highest, total = (int(so_far.max()), int(so_far.sum())) if len(so_far) else (0, 0)
    weeks = np.ones(WEEKS, dtype=bool)
    weeks[: len(so_far)] = so_far == highest
    bins = np.arange(_STEPS + 1)
    return {
        "peak_week": weeks,
        "peak_incidence": bins >= city.bin("peak_incidence", highest),
        "season_total": bins >= city.bin("season_total", total),
    }


def of_paths(city: City, paths: Any) -> dict[str, Array]:
    """Shares of simulated seasons in each bin; a path whose peak ties is split over its weeks.

    Args:
        paths: weekly counts, shape (paths, 52).

    Returns:
        Probabilities by target, each summing to 1; empty bins hold 0.
    """
    highest = paths.max(axis=1)
    ties = paths == highest[:, None]
    forecast = {"peak_week": (ties / ties.sum(axis=1, keepdims=True)).mean(axis=0)}
    for target, cases in (("peak_incidence", highest), ("season_total", paths.sum(axis=1))):
        counts = np.bincount(city.bin(target, cases), minlength=city.bins(target))
        forecast[target] = counts / len(paths)
    return forecast


def log_score(forecast: Array, hit: Mask) -> float:
    """Logarithm of the probability that was given to what came true (appendix 3)."""
    return float(np.log(forecast[hit].sum()))
