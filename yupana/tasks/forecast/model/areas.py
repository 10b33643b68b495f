"""Sums over districts: joint samples of the districts, and regressions on the sums beside them.

Districts of one river share weather and people, so their forecasts miss to the same side. Past
transforms of all districts at one origin are kept as templates (Clark et al. 2004, J Hydrometeor
5:243, with errors in place of observations): a sample takes each district's quantile at its
template's level. Quantiles of the sum are those of the samples, never sums of quantiles.

A department's season is smoother than the sum of its districts' guesses: the regression sees it
directly. Half a dozen provinces and one department are few series, hence two views: the
department's own past, and the past of all its areas. Departments do not learn from each other
where their own past is long enough: where dengue never ends, counts fall back more slowly than
where it comes and goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from yupana.data.national import areas as national
from yupana.tasks.forecast import frequency
from yupana.tasks.forecast.model import ridge
from yupana.tasks.forecast.model.recalibration import GRID
from yupana.tasks.forecast.model.ridge import LAGS, Ridge

Array = np.ndarray[Any, np.dtype[np.float64]]
PROVINCE, DEPARTMENT = "province", "department"
AREAS, DEPARTMENTS = "areas", "departments"
"""Names of the two views."""

POWER = 0.5
FEWEST = 100
"""Rows that the department's own regression needs."""


def fit(rows: pd.DataFrame, horizons: Sequence[int]) -> dict[str, Ridge]:
    """The regression on all areas, and the one on departments if their past is long enough; of
    several departments, both also for each whose past is.

    Args:
        rows: a row a district and origin, as for `ridge.fit`.
    """
    departments, provinces = sums(rows, DEPARTMENT), sums(rows, PROVINCE)
    regressions = _views(departments, provinces, horizons)
    codes = departments["entity"].unique()
    for code in codes if len(codes) > 1 else ():
        own = departments[departments["entity"] == code]
        if len(own) >= FEWEST:
            parts = provinces[provinces["entity"].str.startswith(code)]
            views = _views(own, parts, horizons)
            regressions |= {_of(name, code): view for name, view in views.items()}
    return regressions


def _views(
    departments: pd.DataFrame, provinces: pd.DataFrame, horizons: Sequence[int]
) -> dict[str, Ridge]:
    both = pd.concat([provinces, departments], ignore_index=True)
    views = {AREAS: ridge.fit(both, horizons, POWER)}
    if len(departments) >= FEWEST:
        views[DEPARTMENTS] = ridge.fit(departments, horizons, POWER)
    return views


def _of(view: str, department: str) -> str:
    return f"{view}-{department}"


def fitting(regressions: Mapping[str, Ridge], features: pd.DataFrame) -> list[Ridge]:
    """The regressions for the sum of these rows, all of one department: a province is none."""
    code = _areas(features, DEPARTMENT).iloc[0]
    views = (AREAS, DEPARTMENTS) if _areas(features, PROVINCE).nunique() > 1 else (AREAS,)
    own = [regressions.get(_of(view, code), regressions.get(view)) for view in views]
    return [regression for regression in own if regression]


def sums(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    """A row an area and origin: counts added, season kept; a target that lacks a part is NaN."""
    keys = [_areas(rows, level), rows["event_timestamp"]]
    period = frequency.of(rows.columns)
    targets = [c for c in rows if str(c).startswith("target_")]
    parts = rows[[*LAGS, period.year_mean, *targets]].groupby(keys)
    counts = parts.sum().where(parts.count().eq(parts.size(), axis=0))
    season = rows[list(period.season)].groupby(keys).first()
    return counts.join(season).reset_index()


def members(entities: Iterable[str], level: str) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Of each area the positions of its entities."""
    codes = _areas(pd.DataFrame({"entity": list(entities)}), level).to_numpy()
    return [np.flatnonzero(codes == code) for code in dict.fromkeys(codes)]


def aligned(templates: Array, districts: Sequence[str], entities: Sequence[str]) -> Array:
    """Templates of these entities, shape (templates, entities, horizons).

    An entity without past takes the rank of the mean of all: it moves with the others.

    Args:
        templates: transforms in 0..1, shape (templates, districts, horizons).
    """
    place = {entity: i for i, entity in enumerate(districts)}
    order = templates.mean(axis=1).argsort(axis=0).argsort(axis=0)
    common = (order + 0.5) / len(templates)
    columns = [templates[:, place[u]] if u in place else common for u in entities]
    return np.stack(columns, axis=1)


def samples(quantiles: Array, templates: Array) -> Array:
    """Sums over the districts, shape (templates, horizons).

    Args:
        quantiles: at `GRID`, shape (districts, horizons, levels).
        templates: transforms, shape (templates, districts, horizons).
    """
    total = np.zeros((len(templates), quantiles.shape[1]))
    for district, by_horizon in enumerate(quantiles):
        for horizon, at in enumerate(by_horizon):
            total[:, horizon] += np.interp(templates[:, district, horizon], GRID, at)
    return total


def _areas(rows: pd.DataFrame, level: str) -> pd.Series[Any]:
    codes = rows["entity"].astype(str)
    return codes.map({code: national.area(code, level) for code in codes.unique()})
