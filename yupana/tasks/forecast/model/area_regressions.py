"""Regressions that see the sums of areas directly, beside joint samples of their districts.

A department's season is smoother than the sum of its districts' guesses. There are two: one on the
root of counts (`ridge`), one on counts (`endemic_epidemic`), each learned from provinces and
department alike, since those are few series. Departments do not learn from each other where their
own past is long enough: where dengue never ends, counts fall back more slowly than where it comes
and goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from yupana.tasks.forecast.model import endemic_epidemic, ridge
from yupana.tasks.forecast.model.areas import DEPARTMENT, PROVINCE, codes, sums
from yupana.tasks.forecast.model.endemic_epidemic import COMMON, EndemicEpidemic
from yupana.tasks.forecast.model.ridge import Ridge
from yupana.tasks.forecast.quantiles import Forecaster

POWER = 0.5
"""Of counts, in the ridge regression."""

FEWEST = 100
"""Periods that a department's own ridge regression needs."""


@dataclass(frozen=True)
class AreaRegressions:
    """The two regressions.

    Attributes:
        ridges: by department, and `COMMON` for those without a past of their own.
        endemic_epidemic: of all departments.
    """

    ridges: Mapping[str, Ridge]
    endemic_epidemic: EndemicEpidemic

    def of(self, department: str) -> list[Forecaster]:
        """What forecasts the sums of a department, or of a part of it."""
        return [self.ridges.get(department, self.ridges[COMMON]), self.endemic_epidemic]


def fit(rows: pd.DataFrame, horizons: Sequence[int]) -> AreaRegressions:
    """Learn from the provinces and departments of a training set.

    Args:
        rows: a row a district and origin, as for `endemic_epidemic.fit`.
    """
    sums_by_area = pd.concat([sums(rows, PROVINCE), sums(rows, DEPARTMENT)], ignore_index=True)
    ridges = {COMMON: ridge.fit(sums_by_area, horizons, POWER)}
    departments = codes(sums_by_area, DEPARTMENT)
    periods = sums_by_area["event_timestamp"].groupby(departments.to_numpy()).nunique()
    for department in periods.index[periods >= FEWEST] if len(periods) > 1 else ():
        ridges[str(department)] = ridge.fit(
            sums_by_area[departments == department], horizons, POWER
        )
    return AreaRegressions(ridges, endemic_epidemic.fit(sums_by_area, horizons))
