"""Late reporting made up from a stated distribution: the published file holds no delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from yupana.tasks.forecast.nowcast import nowcast

Array = np.ndarray[Any, np.dtype[np.float64]]

SHARES = np.array([0.55, 0.22, 0.10, 0.05, 0.03, 0.02, 0.015, 0.01, 0.005])
"""Share of a week's cases that becomes known 0, 1, … 8 weeks after its end."""

SLOWER = np.array([0.35, 0.27, 0.15, 0.08, 0.06, 0.04, 0.025, 0.015, 0.01])
CONCENTRATION = 60.0
"""Of the Dirichlet noise between weeks: the first share varies by 6 points (by 11 at 20)."""

HOLIDAY = 0.5
"""Factor of the first share in a week with holidays; the rest comes one week later."""


@dataclass(frozen=True)
class Lateness:
    """How late cases come.

    Attributes:
        name: in reports.
        slowing: over the span the distribution moves from `SHARES` to `SLOWER`.
        holidays: weeks of Christmas, New Year, Easter and the end of July are reported late.
        prompt: nothing is late.
        concentration: of the Dirichlet noise between weeks.
    """

    name: str
    slowing: bool = False
    holidays: bool = False
    prompt: bool = False
    concentration: float = CONCENTRATION


PROMPT = Lateness("prompt", prompt=True)
ERRATIC = Lateness("erratic, holidays", holidays=True, concentration=20.0)
STEADY = Lateness("steady")
HOLIDAYS = Lateness("holidays", holidays=True)
SLOWING = Lateness("slowing, holidays", slowing=True, holidays=True)


def arrivals(cases: Array, weeks: Sequence[date], late: Lateness, seed: int) -> Array:
    """Split final counts over delays.

    Args:
        cases: final counts, shape (places, weeks).
        weeks: first day of each.

    Returns:
        Cases that became known at each delay, shape (places, weeks, 9).
    """
    rng = np.random.default_rng(seed)
    counts = np.zeros((*cases.shape, nowcast.LAST + 1))
    if late.prompt:
        counts[:, :, 0] = cases
        return counts
    for w, day in enumerate(weeks):
        part = w / max(len(weeks) - 1, 1) if late.slowing else 0.0
        shares = (1 - part) * SHARES + part * SLOWER
        if late.holidays and is_holiday(day):
            moved = (1 - HOLIDAY) * shares[0]
            shares = shares - moved * np.eye(len(shares))[0] + moved * np.eye(len(shares))[1]
        mine = rng.dirichlet(late.concentration * shares)
        counts[:, w] = rng.multinomial(cases[:, w].astype(int), mine)
    return counts


def is_holiday(week_start: date) -> bool:
    """Whether Christmas, New Year, Good Friday or 28 July falls in the week."""
    days = [week_start + timedelta(days=n) for n in range(7)]
    fixed = {(12, 25), (1, 1), (7, 28)}
    return any((d.month, d.day) in fixed or d == _good_friday(d.year) for d in days)


def _good_friday(year: int) -> date:
    """By the anonymous Gregorian computus (Meeus 1991, ch. 8)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    m = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1) - timedelta(days=2)


def reported(arrived: Array, week: int) -> Array:
    """Counts known when a week is first reported, shape (places, weeks up to it)."""
    total = arrived[:, : week + 1].cumsum(axis=2)
    delays = np.minimum(week - np.arange(week + 1), nowcast.LAST)
    return np.asarray(total[:, np.arange(week + 1), delays], dtype=np.float64)


def weather(weeks: Sequence[date], provinces: Sequence[str], seed: int) -> dict[str, list[Any]]:
    """Made-up weather by province: a season, and noise that lasts some weeks.

    The sample has no climate; columns that are always 0 could hold no fault.
    """
    rng = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {
        "ubigeo": [], "week_start": [], "temperature": [], "precipitation": []
    }  # fmt: skip
    common = _persistent(rng, len(weeks))
    for province in provinces:
        own = 0.7 * common + 0.7 * _persistent(rng, len(weeks))
        season = np.array([np.sin(2 * np.pi * w.timetuple().tm_yday / 365.25) for w in weeks])
        columns["ubigeo"] += [province] * len(weeks)
        columns["week_start"] += list(weeks)
        columns["temperature"] += list(26.5 + 0.6 * season + 0.5 * own)
        rain = rng.gamma(3, 1 / 3, len(weeks)) * 55 * np.exp(0.3 * season - 0.2 * own)
        columns["precipitation"] += list(rain)
    return columns


def _persistent(rng: np.random.Generator, n: int) -> Array:
    series = np.zeros(n)
    for t in range(1, n):
        series[t] = 0.7 * series[t - 1] + rng.normal(0, 0.7)
    return series
