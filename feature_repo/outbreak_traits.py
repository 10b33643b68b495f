"""What must be true of the weekly district table whatever the epidemic does."""

from __future__ import annotations

from datetime import date, timedelta
from math import cos, pi, sin

from feature_repo import outbreak_weekly as weekly
from yupana.monitoring.checks.traits import (
    Constant,
    Lag,
    Mean,
    Measure,
    Season,
    Share,
    Since,
    Traits,
)


def _angle(saturday: date) -> float:
    return 2 * pi * (saturday - timedelta(days=6)).timetuple().tm_yday / 365.25


TRAITS: Traits = {
    **{f"cases_lag_{k}": Lag(k) for k in range(weekly.LAGS)},
    **{f"province_lag_{k}": Lag(k, digits=4) for k in range(weekly.WIDER_LAGS)},
    **{f"department_lag_{k}": Lag(k, digits=2) for k in range(weekly.WIDER_LAGS)},
    **{f"mean_{n}": Mean(n) for n in weekly.MEANS},
    "weeks_without_case": Since(weekly.MOST_WEEKS),
    "week_sin": Season(lambda day: sin(_angle(day))),
    "week_cos": Season(lambda day: cos(_angle(day))),
    "completeness": Share(),
    "province_population": Constant(),
    "temperature": Measure(),
    "precipitation": Measure(),
}
assert set(TRAITS) == set(weekly.FEATURES), "each feature has a trait"
