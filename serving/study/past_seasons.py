"""The past years whose weeks before this time of the year were most like the newest ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from models.channel import AROUND
from yupana.core import disclosure

CURVE, AHEAD, MOST = 12, 8, 3
"""Weeks that are compared, weeks that followed, and years that are told."""

Array = np.ndarray[Any, np.dtype[np.float64]]


def nearest(cases: pd.DataFrame, ubigeo: str, origin: date) -> list[dict[str, Any]]:
    """The nearest past years, the nearest first, and the cases that followed in each.

    Years are compared by the mean square difference of the log1p counts of the last 12 weeks; in
    each year the week is taken within one of the same date that fits best. The distance itself is
    not told: with one year's counts it would give away another's small ones.

    Args:
        cases: weekly cases of all districts of the department, by the day that ends the week
            (index, every week) and ubigeo (columns).
        origin: day that ends the newest week; nothing later is looked at.

    Returns:
        `year`, `week_ending` (the week that stands where `origin` stands now) and `followed`
        (cases of the next 8 weeks; None where `yupana.core.disclosure` hides them).
    """
    known = cases[cases.index <= pd.Timestamp(origin)]
    if ubigeo not in known or len(known) < CURVE:
        return []
    curve = np.log1p(known[ubigeo].to_numpy(dtype=float))
    newest = curve[-CURVE:]
    found = []
    for years in range(1, len(curve) // 52 + 1):
        same = len(curve) - 1 - round(365.25 * years / 7)
        fits = {
            at: float(((curve[at + 1 - CURVE : at + 1] - newest) ** 2).mean())
            for at in range(same - AROUND, same + AROUND + 1)
            if at + 1 >= CURVE
        }
        if fits:
            at = min(fits, key=lambda week: fits[week])
            found.append((fits[at], at))
    return [_told(known, ubigeo, at) for _, at in sorted(found)[:MOST]]


def _told(cases: pd.DataFrame, ubigeo: str, at: int) -> dict[str, Any]:
    after = cases.iloc[at + 1 : at + 1 + AHEAD].round().astype(int)
    place = after.columns.get_loc(ubigeo)
    week = cases.index[at].date()
    # A small count may take another district's with it: their sum is known.
    followed = [disclosure.hide(counts)[place] for counts in after.to_numpy().tolist()]
    return {"year": week.year, "week_ending": str(week), "followed": followed}
