"""The forecasters of a replay: the regression baseline, which is fitted in a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from models.outbreak.replay.history import Counts
from yupana.tasks.forecast.dataset import training_set
from yupana.tasks.forecast.nowcast import nowcast
from yupana.tasks.forecast.quantiles import Forecaster

if TYPE_CHECKING:
    import pandas as pd

HORIZONS = range(1, 9)


def by_year(
    counts: Counts, features: Callable[..., object], before: int
) -> Callable[[int], Forecaster]:
    """The forecaster of a year: fitted anew each year on all years before it, as the platform
    trains; for years before `before` on all of these but the year itself.

    Norms are learned from forecasts of years that the model did not see, as it will not have
    seen those that it is watched in.

    Args:
        counts: final.
        features: the use case's feature builder.
        before: first year that is watched.
    """
    import pandas as pd

    rows = _rows(counts, features)
    years = rows["event_timestamp"].dt.year
    # The year in which the last target of a row is fully reported.
    whole = pd.Timedelta(weeks=max(HORIZONS) + nowcast.LAST)
    complete = (rows["event_timestamp"] + whole).dt.year
    from yupana.tasks.forecast.model.autoregression import Autoregression


    @lru_cache
    def of(year: int) -> Forecaster:
        # The targets of a year's end lie in the next one, so that both sides are left out.
        others = (years < year - 1) | ((years > year) & (complete < before))
        apart = others if year < before else complete < year
        model: Forecaster = Autoregression(rows[apart], HORIZONS)
        return model

    return of


def _rows(counts: Counts, features: Callable[..., object]) -> pd.DataFrame:
    import polars as pl

    weeks, cases = counts.weeks, counts.cases
    there = [i for i, row in enumerate(cases) if row.any()]
    table = pl.DataFrame(
        {
            "entity": np.repeat([counts.entities[i] for i in there], len(weeks)),
            "week_start": np.tile(np.array(weeks, "datetime64[D]"), len(there)),
            "cases": cases[there].ravel(),
        }
    )
    table_of_features: pl.DataFrame = features({"dengue_linelist": table})  # type: ignore[assignment]
    return training_set.with_targets(table_of_features.to_pandas(), max(HORIZONS))
