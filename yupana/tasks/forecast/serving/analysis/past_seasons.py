"""The past years whose periods before this time of the year were most like the newest ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from yupana.core import disclosure
from yupana.tasks.forecast.endemic_channel import AROUND
from yupana.tasks.forecast.frequency import YEAR_DAYS
from yupana.tasks.forecast.usecases import ForecastUseCase

CURVE, MOST = 12, 3
"""Periods that are compared, and years that are shown."""


def nearest(
    cases: pd.DataFrame, entity: str, origin: date, definition: ForecastUseCase
) -> list[dict[str, Any]]:
    """The nearest past years, the nearest first, and the cases that followed in each.

    Years are compared by the mean square difference of the log1p counts of the last 12 periods;
    in each year the period is taken within one of the same date that fits best. The distance
    itself is not shown: with one year's counts it would give away another's small ones.

    Args:
        cases: cases of all entities of the area, by the day that ends the period (index, every
            period) and entity (columns).
        origin: day that ends the newest period; nothing later is looked at.

    Returns:
        `year`, `frequency.ending` (of the period that stands where `origin` stands now) and
        `followed` (cases of as many next periods as are forecast; None where
        `yupana.core.disclosure` hides them).
    """
    past = cases[cases.index <= pd.Timestamp(origin)]
    if entity not in past or len(past) < CURVE:
        return []
    curve = np.log1p(past[entity].to_numpy(dtype=float))
    newest = curve[-CURVE:]
    frequency, candidates = definition.frequency, []
    for years in range(1, len(curve) // frequency.year + 1):
        same = len(curve) - 1 - round(YEAR_DAYS * years / frequency.days)
        fits = {
            at: float(((curve[at + 1 - CURVE : at + 1] - newest) ** 2).mean())
            for at in range(same - AROUND, same + AROUND + 1)
            if at + 1 >= CURVE
        }
        if fits:
            at = min(fits, key=lambda period: fits[period])
            candidates.append((fits[at], at))
    return [_season(past, entity, at, definition) for _, at in sorted(candidates)[:MOST]]


def _season(
    cases: pd.DataFrame, entity: str, at: int, definition: ForecastUseCase
) -> dict[str, Any]:
    after = cases.iloc[at + 1 : at + 1 + len(definition.horizons)].round().astype(int)
    place = after.columns.get_loc(entity)
    end = cases.index[at].date()
    # A small count may take another entity's with it: their sum is known.
    followed = [disclosure.hide(counts)[place] for counts in after.to_numpy().tolist()]
    return {"year": end.year, definition.frequency.ending: str(end), "followed": followed}
