"""Areas that districts lie in: sums of their counts, and joint samples of their forecasts.

Districts of one river share weather and people, so their forecasts miss to the same side. Past
transforms of all districts at one origin are kept as templates (Clark et al. 2004, J Hydrometeor
5:243, with errors in place of observations): a sample takes each district's quantile at its
template's level. Quantiles of the sum are those of the samples, never sums of quantiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from yupana.data.national import areas as national
from yupana.tasks.forecast import frequency
from yupana.tasks.forecast.model.recalibration import GRID
from yupana.tasks.forecast.model.ridge import LAGS

Array = np.ndarray[Any, np.dtype[np.float64]]
PROVINCE, DEPARTMENT = "province", "department"


def sums(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    """A row an area and origin: counts added, season kept; a target that lacks a part is NaN."""
    keys = [codes(rows, level), rows["event_timestamp"]]
    period = frequency.of(rows.columns)
    added = [c for c in rows if str(c).startswith(("mean_", "target_"))]
    parts = rows[[*LAGS, *added]].groupby(keys)
    counts = parts.sum().where(parts.count().eq(parts.size(), axis=0))
    season = rows[list(period.season)].groupby(keys).first()
    return counts.join(season).reset_index()


def members(entities: Iterable[str], level: str) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Of each area the positions of its entities."""
    of_entities = codes(pd.DataFrame({"entity": list(entities)}), level).to_numpy()
    return [np.flatnonzero(of_entities == code) for code in dict.fromkeys(of_entities)]


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


def codes(rows: pd.DataFrame, level: str) -> pd.Series[Any]:
    """Of each row the code of its province or department."""
    entities = rows["entity"].astype(str)
    return entities.map({entity: national.area(entity, level) for entity in entities.unique()})
