"""The endemic channel: what a district's past years had at this time of the year.

Bortman 1999 (Rev Panam Salud Publica 5:1): quartiles of past years' counts divide the periods ahead
into four zones (éxito, seguridad, alerta, epidemia), as Peru's surveillance room draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast.frequency import Frequency

Array = np.ndarray[Any, np.dtype[np.float64]]

ZONES = ("exito", "seguridad", "alerta", "epidemia")
YEARS, AROUND = 7, 1
"""Past years that are looked at, and periods before and after the same one."""

PAST = np.array([round(365.25 * years) for years in range(1, YEARS + 1)], "timedelta64[D]")
"""From a period back to the same one of each past year."""

FEWEST = 3 * (2 * AROUND + 1)
"""Counts that quartiles need: three years."""


@dataclass(frozen=True)
class Channel:
    """Quartiles of the past counts of one district around one period of the year."""

    low: float
    middle: float
    high: float


def channel(counts: pd.Series[float], end: date, frequency: Frequency) -> Channel | None:
    """The channel of a period from the same periods of past years; None if these are few.

    Args:
        counts: cases of the district, indexed by the day that ends the period; only those ten
            months and more before `end` are looked at, so that the channel of a forecast a few
            months ahead rests on what was known at its origin.
        end: last day of the period of the forecast.
    """
    days = pd.DatetimeIndex(counts.index).to_numpy()
    same = np.datetime64(end) - PAST
    # Half a period more, so that each year gives the same number of periods.
    reach = np.timedelta64(round(24 * frequency.days * (AROUND + 0.5)), "h")
    near = (np.abs(days[:, None] - same) <= reach).any(axis=1)
    if near.sum() < FEWEST:
        return None
    low, middle, high = np.quantile(counts.to_numpy(dtype=float)[near], [0.25, 0.5, 0.75])
    return Channel(float(low), float(middle), float(high))


def exceeding(quantiles: Array, levels: Sequence[float], limit: float) -> Array:
    """Probability that the count is above the limit, shape (...,).

    Args:
        quantiles: counts rising along the last axis, shape (..., levels).
    """
    rows = quantiles.reshape(-1, quantiles.shape[-1])
    # Half a case further: counts are whole, and the limit itself does not exceed.
    ends = [np.concatenate([[q[0] - 0.5], q, [1.5 * q[-1] + 1]]) for q in rows]
    inner = np.concatenate([[0.0], levels, [1.0]])
    below = np.array([np.interp(np.floor(limit) + 0.5, at, inner) for at in ends])
    return np.asarray(1 - below.reshape(quantiles.shape[:-1]), dtype=np.float64)


def alert(quantiles: Array, levels: Sequence[float], limits: Channel) -> str:
    """The zone that the forecast's median lies in, one of `ZONES`.

    Args:
        quantiles: counts of one period, shape (levels,).
    """
    median = float(np.interp(0.5, levels, quantiles))
    return ZONES[sum(median > limit for limit in (limits.low, limits.middle, limits.high))]
