"""The forecasters of a replay: the regression baseline, which is fitted in a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from yupana.core import usecase
from yupana.core.forecast import Forecaster
from yupana.features import nowcast, training
from yupana.monitoring.replay.history import Counts

if TYPE_CHECKING:
    import pandas as pd

NAME = "autoregression"
HORIZONS = range(1, training.HORIZONS + 1)


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
    whole = pd.Timedelta(weeks=training.HORIZONS + nowcast.LAST)
    known = (rows["event_timestamp"] + whole).dt.year
    fit = usecase.load("models", NAME).Autoregression

    @lru_cache
    def of(year: int) -> Forecaster:
        # The targets of a year's end lie in the next one, so that both sides are left out.
        others = (years < year - 1) | ((years > year) & (known < before))
        apart = others if year < before else known < year
        made: Forecaster = fit(rows[apart], HORIZONS)
        return made

    return of


def _rows(counts: Counts, features: Callable[..., object]) -> pd.DataFrame:
    import polars as pl

    weeks, cases = counts.weeks, counts.cases
    there = [i for i, row in enumerate(cases) if row.any()]
    table = pl.DataFrame(
        {
            "ubigeo": np.repeat([counts.ubigeos[i] for i in there], len(weeks)),
            "week_start": np.tile(np.array(weeks, "datetime64[D]"), len(there)),
            "cases": cases[there].ravel(),
        }
    )
    made: pl.DataFrame = features({"dengue_linelist": table})  # type: ignore[assignment]
    return training.with_targets(made.to_pandas())
