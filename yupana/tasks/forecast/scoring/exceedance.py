"""Scores of a probability that the count exceeds its channel, against whether it did.

Brier score and skill: Brier 1950, Mon Weather Rev 78:1; Murphy 1973, J Appl Meteorol 12:595.
Reliability in ten bins and its expected error: Murphy and Winkler 1977, J R Stat Soc C 26:41;
Naeini, Cooper, Hauskrecht 2015, AAAI. Value by costs: Murphy 1977, Mon Weather Rev 105:803;
Richardson 2000, Q J R Meteorol Soc 126:649.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Events = np.ndarray[Any, np.dtype[np.bool_]]

BINS = 10
ENOUGH = 100
"""Rows from which on the gap of a bin is more than noise: one standard error is 0.05 at most."""


@dataclass(frozen=True)
class Bin:
    """Forecasts whose probability lies in a tenth.

    Attributes:
        low, high: ends of the tenth; `high` itself belongs to the next, 1 to the last.
        n: forecasts.
        forecast: mean probability.
        observed: share that exceeded.
    """

    low: float
    high: float
    n: int
    forecast: float
    observed: float

    @property
    def gap(self) -> float:
        """How far the share that exceeded lies from the mean probability, 0-1."""
        return abs(self.observed - self.forecast)


@dataclass(frozen=True)
class Decisions:
    """Alerts that are raised where the probability is above a threshold.

    Attributes:
        miss_cost: of a missed alert, in false alarms.
        threshold: probability above which an alert is raised.
        hits, missed, false_alarms: numbers.
        value: share of what a perfect forecast would save that this one saves, beside the cheaper
            of always and never raising an alert; 1 is perfect, 0 or less is of no use. None where
            all or none exceeded.
    """

    miss_cost: float
    threshold: float
    hits: int
    missed: int
    false_alarms: int
    value: float | None


def brier(probability: Array, exceeded: Events) -> float:
    """Mean square difference, 0-1, lower is better; both of shape (n,)."""
    return float(((probability - exceeded) ** 2).mean())


def skill(score: float, reference: float) -> float | None:
    """Share of the reference's score that is saved; 1 is perfect, above 0 is better than it."""
    return 1 - score / reference if reference > 0 else None


def bins(probability: Array, exceeded: Events) -> list[Bin]:
    """The tenths that hold a forecast."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [
        Bin(
            n / BINS,
            (n + 1) / BINS,
            int(mine.sum()),
            float(probability[mine].mean()),
            float(exceeded[mine].mean()),
        )
        for n in range(BINS)
        if (mine := place == n).any()
    ]


def expected_error(tenths: Sequence[Bin]) -> float:
    """Mean gap of the bins, each weighted by its forecasts."""
    return sum(b.n * b.gap for b in tenths) / sum(b.n for b in tenths)


def largest_gap(tenths: Sequence[Bin]) -> float | None:
    """Of the bins with `ENOUGH` forecasts; None where there is none."""
    return max((b.gap for b in tenths if b.n >= ENOUGH), default=None)


def threshold(miss_cost: float) -> float:
    """The probability above which raising an alert costs less than not raising it (Murphy 1977).

    Args:
        miss_cost: of a missed alert, in false alarms, above 0.
    """
    return 1 / (1 + miss_cost)


def decisions(probability: Array, exceeded: Events, miss_cost: float) -> Decisions:
    """Alerts raised by the threshold that the costs give.

    Args:
        miss_cost: of a missed alert, in false alarms, above 0.
    """
    limit = threshold(miss_cost)
    raised = probability > limit
    missed, false = int((~raised & exceeded).sum()), int((raised & ~exceeded).sum())
    events = int(exceeded.sum())
    # The reference knows how often it will come, as no forecaster does (Richardson 2000).
    simple = min(miss_cost * events, len(exceeded) - events)
    value = 1 - (miss_cost * missed + false) / simple if simple else None
    return Decisions(miss_cost, limit, int((raised & exceeded).sum()), missed, false, value)
