"""Sums over districts: joint samples in the order in which past years erred together.

Districts of one river share weather and people, so their forecasts miss to the same side. Past
transforms of all districts at one origin are kept as templates (Clark et al. 2004, J Hydrometeor
5:243, with errors in place of observations): a sample takes each district's quantile at its
template's level. Quantiles of the sum are those of the samples, never sums of quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from yupana.tasks.forecast.model.recalibration import GRID

Array = np.ndarray[Any, np.dtype[np.float64]]


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
