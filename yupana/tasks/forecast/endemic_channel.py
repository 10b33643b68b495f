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
    near = same_periods(pd.DatetimeIndex(counts.index).to_numpy(), end, frequency)
    if near.sum() < FEWEST:
        return None
    low, middle, high = np.quantile(counts.to_numpy(dtype=float)[near], [0.25, 0.5, 0.75])
    return Channel(float(low), float(middle), float(high))


def same_periods(days: Any, end: date, frequency: Frequency) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which periods are those of past years that a channel is made of, shape (periods,).

    Args:
        days: that end the periods, datetime64, shape (periods,).
        end: last day of the period that the channel is for.
    """
    same = np.datetime64(end) - PAST
    # Half a period more, so that each year gives the same number of periods.
    reach = np.timedelta64(round(24 * frequency.days * (AROUND + 0.5)), "h")
    return np.asarray((np.abs(days[:, None] - same) <= reach).any(axis=1))


def exceeding(quantiles: Array, levels: Sequence[float], limit: float | Array) -> Array:
    """Probability that the count is above the limit, shape (...,).

    Args:
        quantiles: counts rising along the last axis, shape (..., levels).
        limit: one for all, or shape (...,).
    """
    ends = quantiles[..., :1] - 0.5, 1.5 * quantiles[..., -1:] + 1
    at = np.concatenate([ends[0], quantiles, ends[1]], axis=-1)
    inner = np.concatenate([[0.0], levels, [1.0]])
    # Half a case further: counts are whole, and the limit itself does not exceed.
    value = np.broadcast_to(np.floor(limit) + 0.5, at.shape[:-1])[..., None]
    right = (at <= value).sum(axis=-1, keepdims=True).clip(1, len(inner) - 1)
    start, stop = (np.take_along_axis(at, right - n, axis=-1) for n in (1, 0))
    # Quantiles that lie together have no width: what is at or above their place is past them.
    share = ((value - start) / np.where(stop > start, stop - start, 1.0)).clip(0, 1)
    below = inner[right - 1] + share * (inner[right] - inner[right - 1])
    return np.asarray(1 - below[..., 0], dtype=np.float64)


def alert(quantiles: Array, levels: Sequence[float], limits: Channel) -> str:
    """The zone that the forecast's median lies in, one of `ZONES`.

    Args:
        quantiles: counts of one period, shape (levels,).
    """
    median = float(np.interp(0.5, levels, quantiles))
    return ZONES[sum(median > limit for limit in (limits.low, limits.middle, limits.high))]
